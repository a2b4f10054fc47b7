// SPDX-License-Identifier: BSD-2-Clause
/* compat.c - kernels differ in names and types; see compat.h. */
#include "sensor/compat.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const tracefs_roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
					    NULL};

static bool has_type(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

const char *compat_open_function(const struct btf *btf)
{
	/* its name since 7.0 */
	return has_type(btf, "do_filp_open", BTF_KIND_FUNC) ? "do_filp_open" : "do_file_open";
}

bool compat_has_mmap_lock_event(const struct btf *btf)
{
	return has_type(btf, "btf_trace_mmap_lock_acquire_returned", BTF_KIND_TYPEDEF);
}

/*
 * The io_uring completion tracepoint changed what it passes (see bpf/lib/compat.bpf.h): the kernel's own type
 * says which program fits. With the leading context pointer it has 4 parameters now, 8 before.
 */
const char *compat_uring_program(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	if (!t || !btf_is_func_proto(t))
		return NULL;
	return btf_vlen(t) == 4 ? "uring_complete" : "uring_complete7";
}

bool compat_has_target(const struct btf *btf, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *target = strrchr(section, '/') + 1;
	char path[128];

	if (!strncmp(section, "fexit/", strlen("fexit/")))
		return has_type(btf, target, BTF_KIND_FUNC);
	for (const char *const *root = tracefs_roots; *root; root++) {
		snprintf(path, sizeof(path), "%s/events/syscalls/%s", *root, target);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* It moved, and no type of its own names it. */
uint32_t compat_uprobe_flag(const struct btf *btf)
{
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e = btf_enum(t);

		if (!btf_is_enum(t))
			continue;
		for (uint16_t i = 0; i < btf_vlen(t); i++) {
			if (!strcmp(btf__name_by_offset(btf, e[i].name_off),
				    "TRACE_EVENT_FL_UPROBE"))
				return (uint32_t)e[i].val;
		}
	}
	return 0;
}

/*
 * What a call of a helper that reads or writes user memory looks like in a loaded program: how far the
 * helper's function lies from __bpf_call_base (kernel/bpf/verifier.c). Where addresses are hidden
 * (kptr_restrict=2) nothing is known, and every program of others counts.
 */
size_t compat_user_helpers(int32_t ret[COMPAT_USER_HELPERS])
{
	static const char *const names[COMPAT_USER_HELPERS] = {
		"bpf_probe_read_user",	    "bpf_probe_read_user_str", "bpf_probe_write_user",
		"bpf_copy_from_user",	    "bpf_copy_from_user_task", "bpf_probe_read_compat",
		"bpf_probe_read_compat_str"};
	unsigned long long addr, base = 0, at[COMPAT_USER_HELPERS] = {};
	FILE *f = fopen("/proc/kallsyms", "re");
	size_t found = 0;
	char name[128];

	while (f && fscanf(f, "%llx %*s %127s%*[^\n]", &addr, name) == 2) {
		if (!strcmp(name, "__bpf_call_base"))
			base = addr;
		for (size_t i = 0; i < COMPAT_USER_HELPERS; i++) {
			if (!strcmp(name, names[i]))
				at[i] = addr;
		}
	}
	if (f)
		fclose(f);
	for (size_t i = 0; base && i < COMPAT_USER_HELPERS; i++) {
		if (at[i])
			ret[found++] = (int32_t)(at[i] - base);
	}
	return found;
}
