/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * floor CGROUP - attach an empty cgroup_skb program in each direction to CGROUP until stdin ends.
 *
 * Prints the two program ids, egress first. Their run time in the kernel's statistics is the cost of
 * any program before its first instruction, mostly that of reading the clock twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

static int attach(int cgroup, enum bpf_attach_type way, __u32 *id)
{
	/* r0 = 1, the packet passes; exit */
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .expected_attach_type = way);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	int prog = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SKB, "bench_floor", "GPL", code, 2, &load);

	if (prog < 0 || bpf_link_create(prog, cgroup, way, NULL) < 0 ||
	    bpf_obj_get_info_by_fd(prog, &info, &size))
		return -1;
	*id = info.id;
	return 0;
}

int main(int argc, char **argv)
{
	__u32 egress, ingress;
	char byte;
	int cgroup;

	if (argc != 2) {
		fprintf(stderr, "usage: floor CGROUP\n");
		return 2;
	}
	cgroup = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (cgroup < 0 || attach(cgroup, BPF_CGROUP_INET_EGRESS, &egress) ||
	    attach(cgroup, BPF_CGROUP_INET_INGRESS, &ingress)) {
		fprintf(stderr, "floor: %s: %s\n", argv[1], strerror(errno));
		return 3;
	}
	printf("%u %u\n", egress, ingress);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
