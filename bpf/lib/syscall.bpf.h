/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall.bpf.h - one body behind a syscall's end, hooked in whichever way the kernel allows: at
 * the syscall's own function, 32-bit callers included (access tier), or at its exit tracepoint
 * (syscalls tier).
 *
 * Arguments are those the kernel saved at entry; memory.bpf.c says why they can be trusted at exit.
 */
#ifndef CACHEWARDEN_SYSCALL_BPF_H
#define CACHEWARDEN_SYSCALL_BPF_H

#include "lib/report.bpf.h"

struct call {
	u64 arg[5];
	long ret;
	u32 nr; /* NR_x, for 32-bit callers too */
};

static __always_inline struct call call_ended(u32 nr, const struct pt_regs *regs, long ret)
{
	struct call c = {
		.arg = {SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), SYSCALL_ARG3(regs),
			SYSCALL_ARG4(regs), SYSCALL_ARG5(regs)},
		.ret = ret,
		.nr = nr,
	};

	return c;
}

/* The same for a 32-bit caller. */
static __always_inline struct call call32_ended(u32 nr, const struct pt_regs *regs, long ret)
{
	struct call c = {
		.arg = {(u32)SYSCALL32_ARG1(regs), (u32)SYSCALL32_ARG2(regs),
			(u32)SYSCALL32_ARG3(regs), (u32)SYSCALL32_ARG4(regs),
			(u32)SYSCALL32_ARG5(regs)},
		.ret = ret,
		.nr = nr,
	};

	return c;
}

/* A key's detail for VECTOR_SYSCALL: the syscall and the operation it was asked for. */
static __always_inline u32 call_detail(const struct call *c, u32 op)
{
	return (c->nr & (SYSCALL_NUMBER_MASK | SYSCALL_32BIT)) | (op & SYSCALL_OP_MASK)
									 << SYSCALL_OP_SHIFT;
}

/*
 * SYSCALL_HOOK(abbr, name, body, ...): takes the rows of hooked_syscall.h. The loader turns on sc_
 * (syscalls tier), or ac_ and ac32_ (access tier). The kernel cuts a program's name after 15
 * characters, hence the abbreviation.
 */
#define SYSCALL_HOOK(abbr, name, body, ...)                                                        \
	SEC("?tracepoint/syscalls/sys_exit_" #name)                                                \
	int sc_##abbr(struct trace_event_raw_sys_exit *ctx)                                        \
	{                                                                                          \
		struct call c = call_ended(NR_##name, current_regs(), ctx->ret);                   \
                                                                                                   \
		body(&c);                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?fexit/" SYSCALL_FN #name)                                                            \
	int BPF_PROG(ac_##abbr, const struct pt_regs *regs, long ret)                              \
	{                                                                                          \
		struct call c = call_ended(NR_##name, regs, ret);                                  \
                                                                                                   \
		body(&c);                                                                          \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?fexit/" SYSCALL32_FN #name)                                                          \
	int BPF_PROG(ac32_##abbr, const struct pt_regs *regs, long ret)                            \
	{                                                                                          \
		struct call c = call32_ended(NR_##name, regs, ret);                                \
                                                                                                   \
		body(&c);                                                                          \
		return 0;                                                                          \
	}

#endif
