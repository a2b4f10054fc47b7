/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.h - what the files of the suite `memory` share: its servers, its monitor, and the tests outside memory.c.
 */
#ifndef LIVE_MEMORY_H
#define LIVE_MEMORY_H

#include "harness.h"

extern struct server *memory_target, *memory_other;
extern struct monitor *memory_mon;
extern bool memory_syscalls_only; /* this kernel's tier has no access-check hook */

/* ---- ptrace ---- */

struct ptrace_requests {
	const char *words[8];
};

#define TRACE(...) &((const struct ptrace_requests){{__VA_ARGS__}})

void memory_ptrace(const void *arg);
void memory_ptrace_right_instance(const void *arg);
void memory_ptrace_thread(const void *arg);
void memory_traceme(const void *arg);
void memory_traced_before(const void *arg);
void memory_compat(const void *arg);

/* ---- files below /proc/PID ---- */

struct proc_file {
	const char *file, *mode, *way, *rule, *vector, *detail;
	const char *verdict; /* default: alert */
};

#define OPEN(name, ...) &((const struct proc_file){.file = name, __VA_ARGS__})

void memory_proc_open(const void *arg);
void memory_proc_open_thread(const void *arg);
void memory_proc_open_swapped(const void *arg);
void memory_proc_open_handle(const void *arg);
void memory_proc_open_missing(const void *arg);
void memory_uring(const void *arg);

struct mem_read {
	const char *bytes, *received;
};

#define READ(...) &((const struct mem_read){__VA_ARGS__})

void memory_proc_read(const void *arg);
void memory_received_faulting(const void *arg);
void memory_uring_direct(const void *arg);
void memory_uring_quiet(const void *arg);

/* ---- actors and targets that are hard to identify ---- */

struct disguise {
	const char *way, *exe;
	bool deleted;
};

#define DISGUISE(...) &((const struct disguise){__VA_ARGS__})

void memory_shortlived(const void *arg);
void memory_disguised(const void *arg);
void memory_nested(const void *arg);
void memory_nested_open(const void *arg);
void memory_nested_number(const void *arg);
void memory_child(const void *arg);

/* ---- raises nothing ---- */

void memory_compat_stranger(const void *arg);
void memory_benign(const void *arg);
void memory_benign_unprivileged(const void *arg);
void memory_benign_stranger(const void *arg);
void memory_benign_ps(const void *arg);
void memory_background_save(const void *arg);

#endif
