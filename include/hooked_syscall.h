/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * hooked_syscall.h - the rare syscalls that bpf/calls.bpf.c hooks at their end. Adding one takes a
 * row here, its number in syscall_nr.h, a body in calls.bpf.c and a trigger in tests/triggers/.
 *
 * HOOKED_SYSCALLS(X) expands X(abbr, name, body, unseen, rules, target) for each syscall:
 *   abbr    of its BPF programs (sc_, ac_ and ac32_<abbr>), at most 10 characters
 *   name    as in syscall_nr.h
 *   body    in calls.bpf.c: takes a const struct call *
 *   unseen  what goes unseen if no program can be attached
 *   rules   that it can break, in Markdown for docs/coverage.md
 *   target  how the target is identified, likewise
 *
 * Three readers: calls.bpf.c makes the programs, access.bpf.c leaves these syscalls to them, and
 * the loader's program table and the documentation list them.
 */
#ifndef CACHEWARDEN_HOOKED_SYSCALL_H
#define CACHEWARDEN_HOOKED_SYSCALL_H

#define HOOKED_SYSCALLS(X)                                                                         \
	X(pipe, pipe, did_pipe, "pipes of an instance, reopened by a path that hides it",          \
	  "`mem-fd`, once a stranger opens the pipe", "the caller")                                \
	X(pipe2, pipe2, did_pipe, "pipes of an instance, reopened by a path that hides it",        \
	  "`mem-fd`, once a stranger opens the pipe", "the caller")                                \
	X(mmap, mmap, did_mmap, "mmap of code in an instance", "`mem-inject`", "the caller")       \
	X(mprotect, mprotect, did_mprotect, "mprotect to executable in an instance",               \
	  "`mem-inject`", "the caller")                                                            \
	X(pkey_mprot, pkey_mprotect, did_mprotect, "pkey_mprotect to executable in an instance",   \
	  "`mem-inject`", "the caller")                                                            \
	X(madvise, process_madvise, did_madvise, "process_madvise", "`mem-remote`",                \
	  "the struct pid behind the pidfd")                                                       \
	X(mrelease, process_mrelease, did_mrelease, "process_mrelease", "`mem-remote`",            \
	  "the struct pid behind the pidfd")                                                       \
	X(move_pages, move_pages, did_move_pages, "move_pages", "`mem-remote`", "pid number")      \
	X(migrate, migrate_pages, did_move_pages, "migrate_pages", "`mem-remote`", "pid number")   \
	X(kcmp, kcmp, did_kcmp, "kcmp", "`mem-remote`", "pid number, either side")                 \
	X(prlimit, prlimit64, did_prlimit, "prlimit64 that sets limits",                           \
	  "`mem-remote`; RLIMIT_CORE `mem-dump`", "pid number; reading limits is no finding")      \
	X(setsched, sched_setscheduler, did_setsched, "sched_setscheduler of the monitor",         \
	  "`self-tamper`", "pid number, of the monitor and its guard only")                        \
	X(setattr, sched_setattr, did_setsched, "sched_setattr of the monitor", "`self-tamper`",   \
	  "the same")                                                                              \
	X(affinity, sched_setaffinity, did_setsched, "sched_setaffinity of the monitor",           \
	  "`self-tamper`", "the same")                                                             \
	X(setprio, setpriority, did_setprio, "setpriority of the monitor", "`self-tamper`",        \
	  "the same; of a process group or user it is not seen")                                   \
	X(perf, perf_event_open, did_perf, "perf_event_open: probes and samples", "`mem-probe`",   \
	  "pid number, refused calls too; a uprobe by its inode, for each instance that maps it; " \
	  "samples of a cgroup or the whole machine only with the user's registers or stack")      \
	X(bpf, bpf, did_bpf, "BPF programs of others", "`mem-kernel` of this host; `self-tamper`", \
	  "the program's verified instructions are searched for helpers that reach user "          \
	  "memory; with `kptr_restrict=2` every program counts. The monitor's own objects by id")  \
	X(module, init_module, did_load_code, "init_module", "`mem-kernel` of this host",          \
	  "refused calls too")                                                                     \
	X(finit_mod, finit_module, did_load_code, "finit_module", "`mem-kernel` of this host",     \
	  "refused calls too")                                                                     \
	X(kexec, kexec_load, did_load_code, "kexec_load", "`mem-kernel` of this host",             \
	  "refused calls too")                                                                     \
	X(kexec_file, kexec_file_load, did_load_code, "kexec_file_load",                           \
	  "`mem-kernel` of this host", "refused calls too")

#endif
