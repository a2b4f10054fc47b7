/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_load: loads a BPF program and releases it at once, or with `hold` when it is ended.
 *
 *     user     a program that can read the memory of the process it interrupts
 *     kernel   a program that only reads the clock
 *     direct   a program that can read kernel memory, and no helper of user memory
 *     format   a program that prints, and may print a string from user memory
 *     link     the program of `kernel`, attached as a uprobe to the code of PATH by a link, without a
 *              perf event (Linux 6.6)
 *
 * Ground truth: "result" and "errno" of the load, or of the link.
 */
#include <linux/bpf.h>

#include "trigger.h"

#define BPF_TRACE_UPROBE_MULTI_TYPE 48 /* include/uapi/linux/bpf.h */

#define MOV64_REG(d, s)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = d, .src_reg = s                    \
	}
#define MOV64_IMM(d, i)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = d, .imm = i                        \
	}
#define ADD64_IMM(d, i)                                                                            \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = d, .imm = i                        \
	}
#define CALL(f)                                                                                    \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = f                                               \
	}
#define EXIT                                                                                       \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

/* Attributes of BPF_LINK_CREATE, including the members older headers lack. */
struct link_create {
	__u32 prog_fd, target_fd, attach_type, flags;
	__u64 path, offsets, ref_ctr_offsets, cookies;
	__u32 count, multi_flags, pid, pad;
};

static long load(const struct bpf_insn *insns, unsigned int n, int uprobe_multi)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (unsigned long)insns,
		.insn_cnt = n,
		.license = (unsigned long)"GPL",
		.prog_name = "trigger",
	};

	if (uprobe_multi)
		attr.expected_attach_type = BPF_TRACE_UPROBE_MULTI_TYPE;
	errno = 0;
	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int main(int argc, char **argv)
{
	static const struct bpf_insn user[] = {
		MOV64_REG(BPF_REG_1, BPF_REG_10),
		ADD64_IMM(BPF_REG_1, -8),
		MOV64_IMM(BPF_REG_2, 8),
		MOV64_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_user),
		MOV64_IMM(BPF_REG_0, 0),
		EXIT,
	};
	static const struct bpf_insn kernel[] = {
		CALL(BPF_FUNC_ktime_get_ns),
		MOV64_IMM(BPF_REG_0, 0),
		EXIT,
	};
	static const struct bpf_insn direct[] = {
		MOV64_REG(BPF_REG_1, BPF_REG_10),
		ADD64_IMM(BPF_REG_1, -8),
		MOV64_IMM(BPF_REG_2, 8),
		MOV64_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_kernel),
		MOV64_IMM(BPF_REG_0, 0),
		EXIT,
	};
	static const struct bpf_insn format[] = {
		MOV64_IMM(BPF_REG_0, 0),
		{.code = BPF_STX | BPF_MEM | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_0,
		 .off = -8},
		MOV64_REG(BPF_REG_1, BPF_REG_10),
		ADD64_IMM(BPF_REG_1, -8),
		MOV64_IMM(BPF_REG_2, 8),
		CALL(BPF_FUNC_trace_printk),
		MOV64_IMM(BPF_REG_0, 0),
		EXIT,
	};
	struct link_create link = {.attach_type = BPF_TRACE_UPROBE_MULTI_TYPE, .count = 1};
	unsigned long offset;
	long r;

	if (argc < 2)
		trigger_usage("user|kernel|direct|format|link [PATH] [hold]");
	if (!strcmp(argv[1], "user"))
		r = load(user, sizeof(user) / sizeof(user[0]), 0);
	else if (!strcmp(argv[1], "direct"))
		r = load(direct, sizeof(direct) / sizeof(direct[0]), 0);
	else if (!strcmp(argv[1], "format"))
		r = load(format, sizeof(format) / sizeof(format[0]), 0);
	else
		r = load(kernel, sizeof(kernel) / sizeof(kernel[0]), !strcmp(argv[1], "link"));
	if (!strcmp(argv[1], "link") && argc > 2 && r >= 0) {
		offset = trigger_code_offset(argv[2]);
		link.prog_fd = r;
		link.path = (unsigned long)argv[2];
		link.offsets = (unsigned long)&offset;
		r = syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
	}
	trigger_report_result(r, errno);
	while (!strcmp(argv[argc - 1], "hold"))
		pause();
	return 0;
}
