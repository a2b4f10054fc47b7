/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor WHERE... - attach programs that do nothing, until stdin ends. WHERE is
 *
 *   /PATH        a cgroup: a program for the packets of each direction
 *   sys_enter    every syscall of the host
 *   FUNCTION     the return of a kernel function, where the kernel allows that
 *
 * Prints the program ids in one line, egress before ingress. Their run time in the kernel's statistics is the
 * cost of any program before its first instruction, mostly that of reading the clock twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

/* r0 = result; exit. Returns the program's descriptor or -1. */
static int load(enum bpf_prog_type type, const char *name, int result, enum bpf_attach_type attach,
		int function)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = result},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach,
		    .attach_btf_id = function);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int prog = bpf_prog_load(type, name, "GPL", code, 2, &options);

	if (prog < 0 || bpf_obj_get_info_by_fd(prog, &info, &size))
		return -1;
	printf("%u ", info.id);
	return prog;
}

static int attach_packets(int cgroup, enum bpf_attach_type way, const char *name)
{
	int prog = load(BPF_PROG_TYPE_CGROUP_SKB, name, 1, way, 0); /* 1: the packet passes */

	return prog < 0 ? -1 : bpf_link_create(prog, cgroup, way, NULL);
}

static int attach(const char *where)
{
	int prog, target;

	if (where[0] == '/') {
		target = open(where, O_RDONLY | O_DIRECTORY);
		return target < 0 ||
		       attach_packets(target, BPF_CGROUP_INET_EGRESS, "floor_egress") < 0 ||
		       attach_packets(target, BPF_CGROUP_INET_INGRESS, "floor_ingress") < 0;
	}
	if (!strcmp(where, "sys_enter")) {
		prog = load(BPF_PROG_TYPE_RAW_TRACEPOINT, "floor_syscall", 0, 0, 0);
		return prog < 0 || bpf_raw_tracepoint_open(where, prog) < 0;
	}
	target = libbpf_find_vmlinux_btf_id(where, BPF_TRACE_FEXIT);
	if (target < 0)
		return -1;
	prog = load(BPF_PROG_TYPE_TRACING, "floor_function", 0, BPF_TRACE_FEXIT, target);
	return prog < 0 || bpf_raw_tracepoint_open(NULL, prog) < 0;
}

int main(int argc, char **argv)
{
	char byte;

	if (argc < 2) {
		fprintf(stderr, "usage: floor WHERE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (attach(argv[i])) {
			fprintf(stderr, "floor: %s: %s\n", argv[i], strerror(errno));
			return 3;
		}
	}
	printf("\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
