/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * compat.bpf.h - every place where kernels differ, each with the change it bridges.
 */
#ifndef CACHEWARDEN_COMPAT_BPF_H
#define CACHEWARDEN_COMPAT_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Syscall arguments as the kernel saved them at entry. At exit they still stand there: only the
 * return register has been written. Another architecture goes here, with its numbers.
 */
#if defined(__TARGET_ARCH_x86)
#define SYSCALL_ARG1(r) ((r)->di)
#define SYSCALL_ARG2(r) ((r)->si)
#define SYSCALL_ARG3(r) ((r)->dx)
#define SYSCALL_ARG4(r) ((r)->r10)
#define SYSCALL_ARG5(r) ((r)->r8)
#define SYSCALL32_ARG1(r) ((r)->bx)
#define SYSCALL32_ARG2(r) ((r)->cx)
#define SYSCALL32_ARG3(r) ((r)->dx)
#define SYSCALL32_ARG4(r) ((r)->si)
#define SYSCALL32_ARG5(r) ((r)->di)
#define SYSCALL_NUMBER(r) ((r)->orig_ax)
#define SYSCALL_FN "__x64_sys_"
#define SYSCALL32_FN "__ia32_sys_"
#define TS_COMPAT 0x0002
#define COMPAT_CALL(task) ((task)->thread_info.status & TS_COMPAT)
#define NR_READ 0 /* arch/x86/entry/syscalls/syscall_64.tbl */
#define NR_WRITE 1
#define NR_OPEN 2
#define NR_PREAD64 17
#define NR_PWRITE64 18
#define NR_READV 19
#define NR_WRITEV 20
#define NR_CREAT 85
#define NR_PTRACE 101
#define NR_GETDENTS64 217
#define NR_MIGRATE_PAGES 256
#define NR_OPENAT 257
#define NR_MOVE_PAGES 279
#define NR_PREADV 295
#define NR_PWRITEV 296
#define NR_PERF_EVENT_OPEN 298
#define NR_OPEN_BY_HANDLE_AT 304
#define NR_PROCESS_VM_READV 310
#define NR_PROCESS_VM_WRITEV 311
#define NR_KCMP 312
#define NR_PREADV2 327
#define NR_PWRITEV2 328
#define NR_IO_URING_ENTER 426
#define NR_OPENAT2 437
#define NR_PIDFD_GETFD 438
#define NR_PROCESS_MADVISE 440
#define NR32_PROCESS_VM_READV 347 /* arch/x86/entry/syscalls/syscall_32.tbl */
#define NR32_PROCESS_VM_WRITEV 348
#else
#error "cachewarden knows the syscall registers of x86-64"
#endif

#endif
