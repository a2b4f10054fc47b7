// SPDX-License-Identifier: BSD-2-Clause
/* loader.c - loads and attaches the programs. The only file that knows the skeletons. */
#include "base/macros.h"
#include "sensor/sensors.h"

#include "model/command.h"
#include "model/file_kind.h"
#include "model/rule.h"
#include "sensor/compat.h"
#include "sensor/mmflag.h"
#include "sensor/sensors_internal.h"

#include "calls.skel.h"
#include "access.skel.h"
#include "memory.skel.h"
#include "probe.skel.h"
#include "process.skel.h"
#include "sweep.skel.h"
#include "wire.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const sensor_exe_names[] = {"redis-server",	  "valkey-server",   "keydb-server",
					"redis-sentinel", "valkey-sentinel", NULL};

/* libbpf's own words: kept for the reason, never printed on their own. */
static char last_words[SENSOR_ERROR_LEN];

static int keep_words(enum libbpf_print_level level, const char *fmt, va_list args)
{
	char line[SENSOR_ERROR_LEN];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (!last_words[0])
		memcpy(last_words, line, sizeof(last_words));
	return 0;
}

/* Maps all objects have in common: the processes sensor's. */
static const char *const shared[] = {"events",	  "procs",    "pids",	   "attempts",
				     "lost",	  "counters", "mapped",	   "prevent_rules",
				     "prevented", "reported", "baselined", "files"};

static int share_maps(struct bpf_object *from, struct bpf_object *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(to, shared[i]);
		int err;

		if (!map)
			continue;
		err = bpf_map__reuse_fd(map, bpf_object__find_map_fd_by_name(from, shared[i]));
		if (err)
			return err;
	}
	return 0;
}

/* One more map by its name; nothing if `from` was not loaded. */
static int share_map(struct bpf_object *from, struct bpf_object *to, const char *name)
{
	int fd = from ? bpf_object__find_map_fd_by_name(from, name) : -ENOENT;

	return fd < 0 ? 0 : bpf_map__reuse_fd(bpf_object__find_map_by_name(to, name), fd);
}

/* program: the one to blame, NULL for all of the sensor's. */
static void blame(struct sensors *s, const char *sensor, const char *program, const char *why)
{
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];

		if (!strcmp(p->sensor, sensor) && (!program || !strcmp(p->name, program)))
			snprintf(p->error, sizeof(p->error), "%s", why);
	}
}

/* Take the programs of a rung that is not climbed out of the table; what is to blame for that stays. */
static void forget_tier(struct sensors *s, const char *sensor, const char *tier)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->program_count; i++) {
		const struct sensor_program *p = &s->program[i];

		if (strcmp(p->sensor, sensor) || strcmp(p->tier, tier) || p->error[0])
			s->program[kept++] = *p;
	}
	s->program_count = kept;
}

static int fill_exe_names(struct sensors *s)
{
	int fd = bpf_map__fd(s->process->maps.exe_names);
	uint32_t one = 1;

	for (const char *const *name = sensor_exe_names; *name; name++) {
		struct exe_key key = {};

		snprintf(key.name, sizeof(key.name), "%s", *name);
		if (bpf_map_update_elem(fd, &key, &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_proc_files(const struct bpf_map *map)
{
	int fd = bpf_map__fd(map);

	for (unsigned int f = PROC_FILE_NONE + 1; f < PROC_FILE_FD_ENTRY; f++) {
		struct proc_key key = {};
		struct proc_rule rule = {
			.file = (uint8_t)f,
			.read = file_kind_get(f)->read_rule,
			.write = file_kind_get(f)->write_rule,
			.host = f >= PROC_FILE_KCORE,
		};

		snprintf(key.name, sizeof(key.name), "%s", file_kind_name(f));
		if (bpf_map_update_elem(fd, &key, &rule, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_access(struct sensors *s)
{
	s->files_of = &s->access->bss->files_of;
	return fill_proc_files(s->access->maps.proc_files);
}

static int fill_memory(struct sensors *s)
{
	s->files_of = &s->memory->bss->files_of;
	return fill_proc_files(s->memory->maps.proc_files);
}

static int fill_commands(struct sensors *s)
{
	int fd = bpf_map__fd(s->wire->maps.commands);

	for (unsigned int i = 1; i <= command_count(); i++) {
		struct command_key key = {};
		uint16_t number = (uint16_t)(i | (command_has_credential(i) ? COMMAND_SECRET : 0));

		snprintf(key.name, sizeof(key.name), "%s", command_name(i));
		if (bpf_map_update_elem(fd, &key, &number, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int choose_all(struct sensors *s)
{
	return 0;
}

static void choose_uring(struct sensors *s, struct bpf_object *obj)
{
	const char *fits = compat_uring_program(s->btf);

	if (!fits)
		return;
	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, fits), true);
	for (size_t i = 0; i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, "uring_complete"))
			s->program[i].name = fits;
	}
}

static int choose_syscalls(struct sensors *s)
{
	choose_uring(s, s->memory->obj);
	prevent_choose(s->memory->obj, "syscalls");
	if (compat_has_mmap_lock_event(s->btf))
		bpf_program__set_autoload(s->memory->progs.remote_mm, true);
	return 0;
}

/* Turn on the programs of the rung that was reached; optional ones where there is something to see. */
static void choose_rung(struct sensors *s, struct bpf_object *obj)
{
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = bpf_object__find_program_by_name(obj, p->name);
		bool other = !strcmp(p->tier, s->access_hook ? "syscalls" : "access");

		if (prog && !other && (!p->optional || compat_has_target(s->btf, prog)))
			bpf_program__set_autoload(prog, true);
	}
}

/* The choke point, if the kernel takes programs there at all; the 32-bit twins where it has 32-bit calls. */
static int choose_access(struct sensors *s)
{
	if (!s->access_hook)
		return -EOPNOTSUPP;
	bpf_program__set_attach_target(s->access->progs.ac_open, 0, compat_open_function(s->btf));
	choose_rung(s, s->access->obj);
	choose_uring(s, s->access->obj);
	s->access->rodata->calls_loaded = s->calls != NULL;
	if (!sensor_probe_access_hook("fmod_ret"))
		prevent_choose(s->access->obj, "access");
	return 0;
}

static int choose_calls(struct sensors *s)
{
	int32_t helpers[COMPAT_USER_HELPERS];

	choose_rung(s, s->calls->obj);
	s->calls->rodata->access_tier = s->access_hook;
	s->calls->rodata->uprobe_flag = compat_uprobe_flag(s->btf);
	s->calls->rodata->helpers_known = compat_user_helpers(helpers) > 0;
	return 0;
}

static int fill_user_helpers(struct sensors *s)
{
	int fd = bpf_map__fd(s->calls->maps.user_helpers);
	int32_t helpers[COMPAT_USER_HELPERS];
	size_t n = compat_user_helpers(helpers);
	uint32_t one = 1;

	for (size_t i = 0; i < n; i++) {
		if (bpf_map_update_elem(fd, &helpers[i], &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int choose_sweep(struct sensors *s)
{
	return share_map(s->wire ? s->wire->obj : NULL, s->sweep->obj, "sock_marks");
}

static uint64_t read_mm_flags(void *ctx, pid_t pid)
{
	struct sensors *s = ctx;

	s->sweep->bss->mm_flags_tgid = pid;
	s->sweep->bss->mm_flags_value = 0;
	return iterator_run(s->sweep->progs.read_mm_flags, pid) ? 0 : s->sweep->bss->mm_flags_value;
}

static int fill_sweep(struct sensors *s)
{
	struct mm_flags flags;
	int err = mm_flags_learn(read_mm_flags, s, &flags)
			  ?: fill_proc_files(s->sweep->maps.proc_files);

	s->sweep->bss->flag_uprobes = flags.uprobes;
	s->sweep->bss->flag_mergeable = flags.mergeable;
	s->uprobes_known = flags.uprobes != 0;
	s->baseline = &s->sweep->bss->baseline;
	return err;
}

/*
 * Load one skeleton behind the first, sharing its maps; NULL afterwards if it did not. A no blinds this
 * sensor, not the others.
 */
#define LOAD(s, kind, choose, fill)                                                                \
	do {                                                                                       \
		last_words[0] = '\0';                                                              \
		(s)->kind = kind##_bpf__open();                                                    \
		if (!(s)->kind || choose(s) || share_maps((s)->process->obj, (s)->kind->obj) ||    \
		    kind##_bpf__load((s)->kind) || fill(s)) {                                      \
			kind##_bpf__destroy((s)->kind);                                            \
			(s)->kind = NULL;                                                          \
		}                                                                                  \
	} while (0)

static void list_objects(struct sensors *s)
{
	struct bpf_object *all[] = {s->process->obj,
				    s->access ? s->access->obj : NULL,
				    s->memory ? s->memory->obj : NULL,
				    s->calls ? s->calls->obj : NULL,
				    s->wire ? s->wire->obj : NULL,
				    s->sweep ? s->sweep->obj : NULL};

	_Static_assert(ARRAY_SIZE(all) <= OBJECTS_MAX, "room for all objects");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (all[i])
			s->objects[s->object_count++] = all[i];
	}
	s->find_pass = &s->process->data->find_pass;
}

int sensors_load(struct sensors **ret, char *error, size_t size)
{
	struct sensors *s = calloc(1, sizeof(*s));
	const struct sensor_program *table;
	int err;

	if (!s)
		return -ENOMEM;
	table = sensor_program_table(&s->program_count);
	memcpy(s->program, table, s->program_count * sizeof(table[0]));
	libbpf_set_print(keep_words);
	last_words[0] = '\0';
	s->process = process_bpf__open();
	err = s->process ? process_bpf__load(s->process) : -errno;
	if (!err)
		err = fill_exe_names(s);
	if (err) {
		snprintf(error, size, "the kernel refused the processes sensor: %s (%s)",
			 strerror(-err), last_words[0] ? last_words : "no reason given");
		sensors_free(s);
		return err;
	}
	s->btf = btf__load_vmlinux_btf();
	s->access_hook = s->btf && !sensor_probe_access_hook("fexit");
	LOAD(s, calls, choose_calls, fill_user_helpers);
	forget_tier(s, "calls", s->access_hook ? "syscalls" : "access");
	if (!s->calls)
		blame(s, "calls", NULL, last_words[0] ? last_words : strerror(errno));
	LOAD(s, access, choose_access, fill_access);
	if (!s->access && s->access_hook) /* a lower rung sees less, and nobody would know */
		blame(s, "memory", "ac_may_access", last_words[0] ? last_words : strerror(errno));
	if (!s->access)
		LOAD(s, memory, choose_syscalls, fill_memory);
	forget_tier(s, "memory", s->access ? "syscalls" : "access");
	if (!s->access && !s->memory)
		blame(s, "memory", NULL, last_words[0] ? last_words : strerror(errno));
	LOAD(s, wire, choose_all, fill_commands);
	if (!s->wire)
		blame(s, "wire", NULL, last_words[0] ? last_words : strerror(errno));
	LOAD(s, sweep, choose_sweep, fill_sweep);
	if (!s->sweep)
		blame(s, "sweep", NULL, last_words[0] ? last_words : strerror(errno));
	list_objects(s);
	*ret = s;
	return 0;
}

struct bpf_program *sensors_program(const struct sensors *s, const char *name)
{
	for (size_t i = 0; i < s->object_count; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(s->objects[i], name);

		if (p)
			return p;
	}
	return NULL;
}

int sensors_map_fd(const struct sensors *s, const char *name)
{
	for (size_t i = 0; i < s->object_count; i++) {
		int fd = bpf_object__find_map_fd_by_name(s->objects[i], name);

		if (fd >= 0)
			return fd;
	}
	return -ENOENT;
}

static struct bpf_link *attach(struct bpf_program *prog, int cgroup_fd)
{
	switch (bpf_program__type(prog)) {
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
		return bpf_program__attach_cgroup(prog, cgroup_fd);
	default:
		return bpf_program__attach(prog);
	}
}

/* Programs a kernel has no use for (no 32-bit callers) leave the table. */
static void forget_unloaded(struct sensors *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->program_count; i++) {
		struct bpf_program *prog = sensors_program(s, s->program[i].name);

		if (!s->program[i].optional || (prog && bpf_program__fd(prog) >= 0))
			s->program[kept++] = s->program[i];
	}
	s->program_count = kept;
}

int sensors_attach(struct sensors *s, int cgroup_fd, char *error, size_t size)
{
	forget_unloaded(s);
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = sensors_program(s, p->name);
		struct bpf_link *link;

		if (!prog)
			continue; /* not loaded: it says why already */
		last_words[0] = '\0';
		link = attach(prog, cgroup_fd);
		if (link) {
			p->attached = true;
			s->link_of[s->link_count] = p;
			s->links[s->link_count++] = link;
			continue;
		}
		snprintf(p->error, sizeof(p->error), "%s",
			 last_words[0] ? last_words : strerror(errno));
		if (!strcmp(p->sensor, "processes")) {
			snprintf(error, size,
				 "cannot attach %s, without which nothing is protected: %s",
				 p->name, p->error);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

void sensors_free(struct sensors *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < PREVENTERS_MAX; i++)
		bpf_link__destroy(s->preventing[i]);
	for (size_t i = 0; i < s->link_count; i++)
		bpf_link__destroy(s->links[i]);
	bpf_link__destroy(s->live);
	sweep_bpf__destroy(s->sweep);
	wire_bpf__destroy(s->wire);
	calls_bpf__destroy(s->calls);
	memory_bpf__destroy(s->memory);
	access_bpf__destroy(s->access);
	btf__free(s->btf);
	process_bpf__destroy(s->process);
	free(s);
}

size_t sensors_programs(const struct sensors *s, const struct sensor_program **ret)
{
	*ret = s->program;
	return s->program_count;
}

int sensor_probe_access_hook(const char *name)
{
	struct probe_bpf *probe = probe_bpf__open();
	char full[32];
	struct bpf_program *prog;
	struct bpf_link *link;
	int err;

	libbpf_set_print(keep_words);
	if (!probe)
		return -errno;
	snprintf(full, sizeof(full), "probe_%s", name);
	prog = bpf_object__find_program_by_name(probe->obj, full);
	err = prog ? bpf_program__set_autoload(prog, true) : -ENOENT;
	if (!err)
		err = probe_bpf__load(probe);
	if (!err) {
		link = bpf_program__attach(prog);
		err = link ? bpf_link__destroy(link) : -errno;
	}
	probe_bpf__destroy(probe);
	return err;
}
