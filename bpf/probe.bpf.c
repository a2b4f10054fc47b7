// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * probe.bpf.c - asks the kernel where a program may stand; decides nothing.
 *
 * Hooks: the function every ptrace-like access passes, by each of the three ways in. Each program
 * is off unless asked for, is attached for a moment, and lets everything pass.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
