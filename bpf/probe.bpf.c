// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * probe.bpf.c - asks the kernel whether it takes programs at its access check. Decides nothing.
 *
 * Hooks: security_ptrace_access_check, the function that every ptrace-like access passes, in each
 * of the three ways a program may attach there. Each program is off by default; the loader turns on
 * one, attaches it for a moment, and it lets everything pass.
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
