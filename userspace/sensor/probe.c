// SPDX-License-Identifier: BSD-2-Clause
/* probe.c - see probe.h. Without an object file, for which libbpf would read the kernel's BTF again. */
#include "sensor/probe.h"

#include "base/macros.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *function; /* that it attaches to */
	enum bpf_prog_type type;
	enum bpf_attach_type place;
	bool attach;
} probes[] = {
	[PROBE_FMOD_RET] = {"security_ptrace_access_check", BPF_PROG_TYPE_TRACING,
			    BPF_MODIFY_RETURN, true},
	[PROBE_LSM] = {"bpf_lsm_ptrace_access_check", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, true},
	[PROBE_FEXIT] = {"security_ptrace_access_check", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT,
			 true},
	[PROBE_MAP_ITER] = {"bpf_iter_bpf_sk_storage_map", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER,
			    false},
};

bool probe_refused(const char *kind)
{
	const char *list = getenv(PROBE_REFUSED_ENV);

	return list && strstr(list, kind);
}

int probe_program(const struct btf *btf, enum probe_kind kind)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = probes[kind].place);
	int id = btf__find_by_name_kind(btf, probes[kind].function, BTF_KIND_FUNC), prog, link;

	if (id < 0)
		return id;
	if (kind <= PROBE_FEXIT && probe_refused("fentry"))
		return -EPERM;
	opts.attach_btf_id = (__u32)id;
	prog = bpf_prog_load(probes[kind].type, "probe", "Dual BSD/GPL", pass, ARRAY_SIZE(pass),
			     &opts);
	if (prog < 0)
		return prog;
	link = probes[kind].attach ? bpf_raw_tracepoint_open(NULL, prog) : prog;
	if (link >= 0 && link != prog)
		close(link);
	close(prog);
	return link < 0 ? link : 0;
}
