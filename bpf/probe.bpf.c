// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * probe.bpf.c - asks the kernel which kinds of program it takes. Decides nothing.
 *
 * Hooks: security_ptrace_access_check, the function that every ptrace-like access passes, in each
 * of the three ways a program may attach there, and the iterator over the storage of sockets. Each
 * program is off by default; the loader turns on one. One at the access check is attached for a
 * moment, and lets everything pass.
 */
#include "lib/base.bpf.h"

SEC("?fmod_ret/security_ptrace_access_check")
int BPF_PROG(probe_fmod_ret, struct task_struct *child, unsigned int mode, int ret)
{
	return ret;
}

SEC("?lsm/ptrace_access_check")
int BPF_PROG(probe_lsm, struct task_struct *child, unsigned int mode, int ret)
{
	return ret;
}

SEC("?fexit/security_ptrace_access_check")
int BPF_PROG(probe_fexit, struct task_struct *child, unsigned int mode, int ret)
{
	return 0;
}

SEC("?iter/bpf_sk_storage_map")
int probe_map_iter(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	return 0;
}
