/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall_nr.h - numbers of the syscalls that the sensors and the reports know by name.
 *
 * The only place that spells a syscall number. SYSCALL_TABLE(X) expands X(name, number, number32)
 * for each syscall: its number in the native table and in the table of 32-bit callers. Syscalls not
 * listed here are reported by number.
 *
 * Sources: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl. Another architecture adds a
 * table of its own below; SYSCALL_MISSING stands for a syscall that one of its two tables lacks.
 */
#ifndef CACHEWARDEN_SYSCALL_NR_H
#define CACHEWARDEN_SYSCALL_NR_H

#include "event.h"

#define SYSCALL_MISSING SYSCALL_NUMBER_MASK /* no table is that long */

#if defined(__x86_64__) || defined(__TARGET_ARCH_x86)
#define SYSCALL_TABLE(X)                                                                           \
	X(read, 0, 3)                                                                              \
	X(write, 1, 4)                                                                             \
	X(open, 2, 5)                                                                              \
	X(stat, 4, 106)                                                                            \
	X(lstat, 6, 107)                                                                           \
	X(mmap, 9, 90)                                                                             \
	X(mprotect, 10, 125)                                                                       \
	X(pread64, 17, 180)                                                                        \
	X(pwrite64, 18, 181)                                                                       \
	X(readv, 19, 145)                                                                          \
	X(writev, 20, 146)                                                                         \
	X(access, 21, 33)                                                                          \
	X(pipe, 22, 42)                                                                            \
	X(execve, 59, 11)                                                                          \
	X(getdents, 78, 141)                                                                       \
	X(chdir, 80, 12)                                                                           \
	X(creat, 85, 8)                                                                            \
	X(readlink, 89, 85)                                                                        \
	X(ptrace, 101, 26)                                                                         \
	X(setpriority, 141, 97)                                                                    \
	X(sched_setscheduler, 144, 156)                                                            \
	X(chroot, 161, 61)                                                                         \
	X(mount, 165, 21)                                                                          \
	X(init_module, 175, 128)                                                                   \
	X(getxattr, 191, 229)                                                                      \
	X(sched_setaffinity, 203, 241)                                                             \
	X(getdents64, 217, 220)                                                                    \
	X(kexec_load, 246, 283)                                                                    \
	X(migrate_pages, 256, 294)                                                                 \
	X(openat, 257, 295)                                                                        \
	X(newfstatat, 262, SYSCALL_MISSING)                                                        \
	X(readlinkat, 267, 305)                                                                    \
	X(faccessat, 269, 307)                                                                     \
	X(get_robust_list, 274, 312)                                                               \
	X(move_pages, 279, 317)                                                                    \
	X(pipe2, 293, 331)                                                                         \
	X(preadv, 295, 333)                                                                        \
	X(pwritev, 296, 334)                                                                       \
	X(perf_event_open, 298, 336)                                                               \
	X(prlimit64, 302, 340)                                                                     \
	X(name_to_handle_at, 303, 341)                                                             \
	X(open_by_handle_at, 304, 342)                                                             \
	X(process_vm_readv, 310, 347)                                                              \
	X(process_vm_writev, 311, 348)                                                             \
	X(kcmp, 312, 349)                                                                          \
	X(finit_module, 313, 350)                                                                  \
	X(sched_setattr, 314, 351)                                                                 \
	X(kexec_file_load, 320, SYSCALL_MISSING)                                                   \
	X(bpf, 321, 357)                                                                           \
	X(execveat, 322, 358)                                                                      \
	X(preadv2, 327, 378)                                                                       \
	X(pwritev2, 328, 379)                                                                      \
	X(pkey_mprotect, 329, 380)                                                                 \
	X(statx, 332, 383)                                                                         \
	X(io_uring_enter, 426, 426)                                                                \
	X(open_tree, 428, 428)                                                                     \
	X(openat2, 437, 437)                                                                       \
	X(pidfd_getfd, 438, 438)                                                                   \
	X(faccessat2, 439, 439)                                                                    \
	X(process_madvise, 440, 440)                                                               \
	X(process_mrelease, 448, 448)
#else
#error "no syscall table for this architecture: add one here"
#endif

/*
 * NR_<name>, and NR32_<name> for a 32-bit caller, which carries SYSCALL_32BIT as in a key's detail.
 */
#define SYSCALL_ENUM(name, number, number32)                                                       \
	NR_##name = (number), NR32_##name = SYSCALL_32BIT | (number32),
enum syscall_nr { SYSCALL_TABLE(SYSCALL_ENUM) };
#undef SYSCALL_ENUM

#endif
