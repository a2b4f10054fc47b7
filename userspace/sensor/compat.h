/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat.h - the differences between kernels that the loader must know. Answers come from the kernel's own types,
 * symbols and files, never from its version. bpf/lib/compat.bpf.h is the counterpart for BPF programs.
 */
#ifndef CACHEWARDEN_SENSOR_COMPAT_H
#define CACHEWARDEN_SENSOR_COMPAT_H

#include "map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_program;
struct btf;

enum compat_feature {
	COMPAT_DO_FILP_OPEN,
	COMPAT_URING_EVENT,
	COMPAT_URING_WHOLE_CQE,
	COMPAT_LOCK_MEMCG,
	COMPAT_ITER_BY_PID,
	COMPAT_TASK_WORK,
	COMPAT_MAX,
};

bool compat_has(const struct btf *btf, enum compat_feature feature);

/* Name of the kernel function that every open of a path passes. */
const char *compat_open_function(const struct btf *btf);

/* Name of the io_uring completion program that fits this kernel, NULL if it has no such tracepoint. */
const char *compat_uring_program(const struct btf *btf);

/*
 * Does the tracepoint at the lock of memory pass the path of a cgroup, as before Linux 6.13? A program for those arguments is
 * beyond what the verifiers of 6.1 and 6.12 accept: it needs more stack, or a million instructions.
 */
bool compat_lock_has_path(const struct btf *btf);

/* Does the function or tracepoint exist that this optional program attaches to? */
bool compat_has_target(const struct btf *btf, const struct bpf_program *prog);

/* The bit in trace_event_call.flags of a uprobe event, 0 if unknown. */
uint32_t compat_uprobe_flag(const struct btf *btf);

/* A helper or kfunc by which a program reads or writes the memory of other processes. */
struct compat_helper {
	int32_t imm; /* of a call in a loaded program: distance from __bpf_call_base, see kernel/bpf/verifier.c */
	uint32_t reach; /* enum prog_reach */
};

/* Returns how many of them this kernel has; 0 where kptr_restrict=2 hides addresses. Reads all symbols: call it once. */
size_t compat_user_helpers(struct compat_helper ret[USER_HELPERS_MAX]);

#endif
