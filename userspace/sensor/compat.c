// SPDX-License-Identifier: BSD-2-Clause
/* compat.c - see compat.h. */
#include "sensor/compat.h"

#include "base/macros.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_type(const struct btf *btf, const char *name, uint32_t kind)
{
	return btf__find_by_name_kind(btf, name, kind) > 0;
}

/* Parameters of a tracepoint's probe function, the context pointer included; 0 if there is no such tracepoint. */
static unsigned int event_params(const struct btf *btf, const char *probe_type)
{
	int id = btf__find_by_name_kind(btf, probe_type, BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) ? btf_vlen(t) : 0;
}

/* do_filp_open() became do_file_open() in 7.0. */
static bool has_do_filp_open(const struct btf *btf)
{
	return has_type(btf, "do_filp_open", BTF_KIND_FUNC);
}

static bool has_uring_event(const struct btf *btf)
{
	return event_params(btf, "btf_trace_io_uring_complete") > 0;
}

/* Since 6.14 io_uring_complete passes the completion entry itself: 4 parameters instead of 8. */
static bool has_uring_whole_cqe(const struct btf *btf)
{
	return event_params(btf, "btf_trace_io_uring_complete") == 4;
}

/* Before 6.13 mmap_lock_acquire_returned also passed the path of the memory's cgroup: 5 parameters instead of 4. */
static bool has_lock_memcg(const struct btf *btf)
{
	return event_params(btf, "btf_trace_mmap_lock_acquire_returned") == 5;
}

/* Since 6.1 a task iterator can be restricted to one process (union bpf_iter_link_info, member task). */
static bool has_iter_by_pid(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_iter_link_info", BTF_KIND_UNION);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	for (uint16_t i = 0; t && i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, btf_members(t)[i].name_off), "task"))
			return true;
	}
	return false;
}

/* Since 6.18. */
static bool has_task_work(const struct btf *btf)
{
	return has_type(btf, "bpf_task_work_schedule_resume_impl", BTF_KIND_FUNC);
}

static bool (*const probes[])(const struct btf *btf) = {
	[COMPAT_DO_FILP_OPEN] = has_do_filp_open,	[COMPAT_URING_EVENT] = has_uring_event,
	[COMPAT_URING_WHOLE_CQE] = has_uring_whole_cqe, [COMPAT_LOCK_MEMCG] = has_lock_memcg,
	[COMPAT_ITER_BY_PID] = has_iter_by_pid,		[COMPAT_TASK_WORK] = has_task_work,
};

_Static_assert(ARRAY_SIZE(probes) == COMPAT_MAX, "every feature has a probe");

bool compat_has(const struct btf *btf, enum compat_feature feature)
{
	return probes[feature](btf);
}

const char *compat_open_function(const struct btf *btf)
{
	return compat_has(btf, COMPAT_DO_FILP_OPEN) ? "do_filp_open" : "do_file_open";
}

const char *compat_uring_program(const struct btf *btf)
{
	if (!compat_has(btf, COMPAT_URING_EVENT))
		return NULL;
	return compat_has(btf, COMPAT_URING_WHOLE_CQE) ? "uring_complete" : "uring_complete7";
}

bool compat_lock_has_path(const struct btf *btf)
{
	return compat_has(btf, COMPAT_LOCK_MEMCG);
}

static bool has_typed_event(const struct btf *btf, const char *name)
{
	char type[128];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return has_type(btf, type, BTF_KIND_TYPEDEF);
}

static bool has_syscall_event(const char *name)
{
	static const char *const roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		snprintf(path, sizeof(path), "%s/events/syscalls/%s", roots[i], name);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

bool compat_has_target(const struct btf *btf, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *target = strrchr(section, '/') + 1;

	if (!strncmp(section, "fexit/", strlen("fexit/")))
		return has_type(btf, target, BTF_KIND_FUNC);
	if (!strncmp(section, "tp_btf/", strlen("tp_btf/")))
		return has_typed_event(btf, target);
	return has_syscall_event(target);
}

/* The bit has moved between kernels, and the enum that defines it is anonymous. */
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
 * bpf_get_stack and its variants follow frame pointers through user memory. The printing helpers may print strings from
 * user or kernel memory; the format is data, and is not examined.
 */
static const struct {
	const char *name;
	uint32_t reach;
} reaching[] = {
	{"bpf_probe_read_user", REACH_USER},
	{"bpf_probe_read_user_str", REACH_USER},
	{"bpf_probe_write_user", REACH_USER},
	{"bpf_copy_from_user", REACH_USER},
	{"bpf_copy_from_user_task", REACH_USER},
	{"bpf_copy_from_user_str", REACH_USER}, /* kfuncs, from here to dynptrs */
	{"bpf_copy_from_user_task_str", REACH_USER},
	{"bpf_probe_read_user_dynptr", REACH_USER},
	{"bpf_probe_read_user_str_dynptr", REACH_USER},
	{"bpf_copy_from_user_dynptr", REACH_USER},
	{"bpf_copy_from_user_str_dynptr", REACH_USER},
	{"bpf_copy_from_user_task_dynptr", REACH_USER},
	{"bpf_copy_from_user_task_str_dynptr", REACH_USER},
	{"bpf_probe_read_compat", REACH_USER},
	{"bpf_probe_read_compat_str", REACH_USER},
	{"bpf_get_stack", REACH_USER},
	{"bpf_get_stack_tp", REACH_USER},
	{"bpf_get_stack_raw_tp", REACH_USER},
	{"bpf_get_stack_pe", REACH_USER},
	{"bpf_get_stack_sleepable", REACH_USER},
	{"bpf_get_task_stack", REACH_USER},
	{"bpf_get_task_stack_sleepable", REACH_USER},
	{"bpf_probe_read_kernel", REACH_INDIRECT},
	{"bpf_probe_read_kernel_str", REACH_INDIRECT},
	{"bpf_probe_read_kernel_dynptr", REACH_INDIRECT},
	{"bpf_probe_read_kernel_str_dynptr", REACH_INDIRECT},
	{"bpf_snprintf", REACH_INDIRECT},
	{"bpf_seq_printf", REACH_INDIRECT},
	{"bpf_trace_printk", REACH_INDIRECT},
	{"bpf_trace_vprintk", REACH_INDIRECT},
	{"bpf_stream_vprintk", REACH_INDIRECT},
	{"bpf_stream_vprintk_impl", REACH_INDIRECT},
};
_Static_assert(ARRAY_SIZE(reaching) <= USER_HELPERS_MAX, "all fit into the map");

/* Of a line of /proc/kallsyms: address, type, name, and for a module's a tab and its name. Cuts the line there. */
static const char *symbol_name(char *line)
{
	char *name = strchr(line, ' ');

	if (!name || !name[1] || !name[2])
		return "";
	name += strlen(" T ");
	name[strcspn(name, "\t\n")] = '\0';
	return name;
}

/*
 * It shows addresses only to a process that had CAP_SYSLOG when it opened the file. A service manager may hand it over as standard input, so that
 * the service itself needs no right to the kernel's log.
 */
static FILE *open_symbols(void)
{
	static const char symbols[] = "/proc/kallsyms";
	char input[sizeof(symbols)] = "";
	int fd = -1;

	if (readlink("/proc/self/fd/0", input, sizeof(input)) == sizeof(symbols) - 1 &&
	    !memcmp(input, symbols, sizeof(symbols) - 1))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET); /* the monitor before this one may have read it */
	return fd >= 0 ? fdopen(fd, "re") : fopen(symbols, "re");
}

size_t compat_user_helpers(struct compat_helper ret[USER_HELPERS_MAX])
{
	unsigned long long base = 0, at[ARRAY_SIZE(reaching)] = {};
	FILE *f = open_symbols();
	size_t found = 0, room = 0;
	char *line = NULL;

	while (f && getline(&line, &room, f) > 0) {
		const char *name = symbol_name(line);

		if (!strcmp(name, "__bpf_call_base"))
			base = strtoull(line, NULL, 16);
		for (size_t i = 0; !strncmp(name, "bpf_", 4) && i < ARRAY_SIZE(reaching); i++) {
			if (!strcmp(name, reaching[i].name))
				at[i] = strtoull(line, NULL, 16);
		}
	}
	free(line);
	if (f)
		fclose(f);
	for (size_t i = 0; base && i < ARRAY_SIZE(reaching); i++) {
		if (at[i])
			ret[found++] =
				(struct compat_helper){(int32_t)(at[i] - base), reaching[i].reach};
	}
	return found;
}
