// SPDX-License-Identifier: BSD-2-Clause
/*
 * loader.c - opens, loads and attaches the BPF objects. The only file that includes skeletons.
 *
 * A load failure disables only this sensor. The exception is the processes sensor: it owns the maps that all
 * share, and without it no instance is known.
 */
#include "sensor/sensors.h"

#include "base/log.h"
#include "base/macros.h"
#include "base/proc.h"
#include "model/command.h"
#include "model/file_kind.h"
#include "model/rule.h"
#include "model/server_name.h"
#include "sensor/compat.h"
#include "sensor/mmflag.h"
#include "sensor/probe.h"
#include "sensor/sensors_internal.h"

#include "access.skel.h"
#include "calls.skel.h"
#include "memory.skel.h"
#include "process.skel.h"
#include "sweep.skel.h"
#include "wire.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_KEPT (16 << 20)   /* twice the kernel's BTF and more: as read, and libbpf's copy */
#define HEAP_USUAL (128 << 10) /* glibc's own, once all is loaded */

/* --- why something failed --- */

/*
 * libbpf's first warning since reset_reason(). It names the failing program or map, what follows is context.
 * libbpf itself never prints: doctor shows this line, indented, below the program.
 */
static char first_warning[SENSOR_ERROR_LEN];

static int on_libbpf_message(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level != LIBBPF_WARN || first_warning[0])
		return 0;
	vsnprintf(first_warning, sizeof(first_warning), fmt, args);
	first_warning[strcspn(first_warning, "\n")] = '\0';
	return 0;
}

static void reset_reason(void)
{
	libbpf_set_print(on_libbpf_message);
	first_warning[0] = '\0';
}

/* libbpf's warning, or the error of a step that libbpf has no part in. */
static const char *reason(int err)
{
	return first_warning[0] ? first_warning : strerror(-err);
}

/* Set the error of one program of a sensor; of all its programs if program is NULL. */
static void set_error(struct sensors *s, const char *sensor, const char *program, const char *why)
{
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];

		if (!strcmp(p->sensor, sensor) && (!program || !strcmp(p->name, program)))
			snprintf(p->error, sizeof(p->error), "%s", why);
	}
}

/* --- before loading: choose programs, set constants, share maps --- */

/* Of these, each of the sensors memory and calls has one. */
static bool is_alternative(const char *tier)
{
	static const char *const tiers[] = {"access", "syscalls", "quiet"};

	for (size_t i = 0; i < ARRAY_SIZE(tiers); i++) {
		if (!strcmp(tier, tiers[i]))
			return true;
	}
	return false;
}

/* Turn on the programs of that tier, and those that every tier has; an optional one only where its target exists. */
static void choose_tier(struct sensors *s, struct bpf_object *obj, const char *tier)
{
	for (size_t i = 0; i < s->program_count; i++) {
		const struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = bpf_object__find_program_by_name(obj, p->name);

		if (prog && (!is_alternative(p->tier) || !strcmp(p->tier, tier)) &&
		    (!p->optional || compat_has_target(s->btf, prog)))
			bpf_program__set_autoload(prog, true);
	}
}

/* The variant of a program that fits this kernel takes the place of the one in the table. NULL: there is none. */
static void choose_variant(struct sensors *s, const char *program, const char *variant)
{
	for (size_t i = 0; variant && i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, program))
			s->program[i].name = variant;
	}
}

static void choose_uring(struct sensors *s, struct bpf_object *obj)
{
	const char *variant = compat_uring_program(s->btf);

	choose_variant(s, "uring_complete", variant);
	if (variant)
		bpf_program__set_autoload(bpf_object__find_program_by_name(obj, variant), true);
}

const char *sensors_tier_below(const struct sensors *s)
{
	return s->quiet ? "quiet" : "syscalls";
}

static int prepare_none(struct sensors *s)
{
	return 0;
}

static int prepare_process(struct sensors *s)
{
	return turn_inherit(s, s->process->obj);
}

static int prepare_calls(struct sensors *s)
{
	s->helpers = compat_user_helpers(s->helper);
	choose_tier(s, s->calls->obj, s->access_hook ? "access" : sensors_tier_below(s));
	s->calls->rodata->access_tier = s->access_hook;
	s->calls->rodata->quiet = !s->access_hook && s->quiet;
	s->calls->rodata->uprobe_flag = compat_uprobe_flag(s->btf);
	s->calls->rodata->helpers_known = s->helpers > 0;
	return 0;
}

static int prepare_access(struct sensors *s)
{
	int err = bpf_program__set_attach_target(s->access->progs.ac_open, 0,
						 compat_open_function(s->btf));

	if (err)
		return err;
	choose_tier(s, s->access->obj, "access");
	choose_uring(s, s->access->obj);
	s->access->rodata->calls_loaded = s->calls != NULL;
	s->access->rodata->mem_rw_hooked = bpf_program__autoload(s->access->progs.ac_mem_rw);
	if (!probe_program(s->btf, PROBE_FMOD_RET))
		prevent_choose(s->access->obj, "access");
	return 0;
}

static int prepare_memory(struct sensors *s)
{
	choose_uring(s, s->memory->obj);
	choose_tier(s, s->memory->obj, sensors_tier_below(s));
	if (compat_lock_has_path(s->btf)) {
		bpf_program__set_autoload(s->memory->progs.remote_mm, false);
		set_error(s, "memory", "remote_mm",
			  "before Linux 6.13 its tracepoint has other arguments");
	}
	prevent_choose(s->memory->obj, sensors_tier_below(s));
	s->memory->rodata->quiet = s->quiet;
	s->memory->rodata->has_task_work = compat_has(s->btf, COMPAT_TASK_WORK);
	return 0;
}

/* Iterators over maps are refused by some kernels that take all others. */
static int prepare_wire(struct sensors *s)
{
	s->map_iterators = !probe_program(s->btf, PROBE_MAP_ITER);
	return bpf_program__set_autoload(s->map_iterators ? s->wire->progs.snapshot_conns
							  : s->wire->progs.snapshot_netns,
					 true);
}

static bool same_shape(const struct bpf_map *a, const struct bpf_map *b)
{
	return bpf_map__type(a) == bpf_map__type(b) &&
	       bpf_map__key_size(a) == bpf_map__key_size(b) &&
	       bpf_map__value_size(a) == bpf_map__value_size(b) &&
	       bpf_map__max_entries(a) == bpf_map__max_entries(b);
}

/* One entry for each process, or each server: as large as the kernel lets there be, so that nobody can fill them. */
static int size_maps(struct bpf_object *obj)
{
	static const char *const names[] = {"procs",	 "servers",	  "candidates",
					    "baselined", "prevent_rules", "main_tgids",
					    "answered"};
	uint32_t processes = proc_processes_max();
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !err && processes; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, names[i]);

		if (map)
			err = bpf_map__set_max_entries(map, processes);
	}
	return err;
}

/*
 * A map that an object loaded earlier has too, by name and shape, is that object's. Variables (.bss and the like)
 * stay each object's own. Returns 0 or a negative errno.
 */
static int share_maps(const struct sensors *s, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map (map, obj) {
		const struct bpf_map *other = NULL;
		int err;

		for (size_t i = 0; !bpf_map__is_internal(map) && !other && i < s->object_count; i++)
			other = bpf_object__find_map_by_name(s->objects[i], bpf_map__name(map));
		if (!other)
			continue;
		err = same_shape(map, other) ? bpf_map__reuse_fd(map, bpf_map__fd(other)) : -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/* --- after loading: fill the maps that programs look things up in --- */

static int fill_process(struct sensors *s)
{
	s->find_pass = &s->process->data->find_pass;
	for (const char *const *name = server_names; *name; name++) {
		int err = exe_names_add(bpf_map__fd(s->process->maps.exe_names),
					bpf_map__fd(s->process->maps.name_bits), *name);

		if (err)
			return err;
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

static int fill_calls(struct sensors *s)
{
	int fd = bpf_map__fd(s->calls->maps.user_helpers);

	for (size_t i = 0; i < s->helpers; i++) {
		if (bpf_map_update_elem(fd, &s->helper[i].imm, &s->helper[i].reach, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_wire(struct sensors *s)
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

static uint64_t read_mm_flags(void *ctx, pid_t pid)
{
	struct sensors *s = ctx;

	s->sweep->bss->mm_flags_tgid = pid;
	s->sweep->bss->mm_flags_value = 0;
	return iterator_run(s, s->sweep->progs.read_mm_flags, pid) ? 0
								   : s->sweep->bss->mm_flags_value;
}

static int fill_sweep(struct sensors *s)
{
	struct mm_flags flags;
	int err = mm_flags_learn(read_mm_flags, s, &flags)
			  ?: fill_proc_files(s->sweep->maps.proc_files);

	s->sweep->bss->flag_uprobes = flags.uprobes;
	s->sweep->bss->flag_mergeable = flags.mergeable;
	s->uprobe_flag_known = flags.uprobes != 0;
	s->baseline = &s->sweep->bss->baseline;
	s->lasting_pending = &s->sweep->bss->lasting_pending;
	s->first_sweep = &s->sweep->bss->first_sweep;
	return err;
}

/* --- loading --- */

/* load_KIND(): all of the above for one skeleton. Returns 0, or a negative errno with s->KIND NULL. */
#define DEFINE_LOAD(kind, prepare)                                                                 \
	static int load_##kind(struct sensors *s)                                                  \
	{                                                                                          \
		int err;                                                                           \
                                                                                                   \
		s->kind = kind##_bpf__open();                                                      \
		if (!s->kind)                                                                      \
			return -errno;                                                             \
		err = prepare(s) ?: size_maps(s->kind->obj) ?: share_maps(s, s->kind->obj);        \
		if (!err)                                                                          \
			err = kind##_bpf__load(s->kind) ?: fill_##kind(s);                         \
		if (err) {                                                                         \
			kind##_bpf__destroy(s->kind);                                              \
			s->kind = NULL;                                                            \
			return err;                                                                \
		}                                                                                  \
		s->objects[s->object_count++] = s->kind->obj;                                      \
		return 0;                                                                          \
	}

DEFINE_LOAD(process, prepare_process)
DEFINE_LOAD(calls, prepare_calls)
DEFINE_LOAD(access, prepare_access)
DEFINE_LOAD(memory, prepare_memory)
DEFINE_LOAD(wire, prepare_wire)
DEFINE_LOAD(sweep, prepare_none)

/* On failure the reason is kept with the program; with all programs of the sensor if it is NULL. */
static void try_load(struct sensors *s, int (*load)(struct sensors *s), const char *sensor,
		     const char *program)
{
	int err;

	reset_reason();
	err = load(s);
	if (err)
		set_error(s, sensor, program, reason(err));
}

/* Take the programs of the tiers that are not in use out of the table, except those with an error to show. */
static void keep_tier(struct sensors *s, const char *sensor, const char *tier)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->program_count; i++) {
		const struct sensor_program *p = &s->program[i];

		if (strcmp(p->sensor, sensor) || !is_alternative(p->tier) ||
		    !strcmp(p->tier, tier) || p->error[0])
			s->program[kept++] = *p;
	}
	s->program_count = kept;
}

/*
 * The order matters: access is told whether calls is loaded, memory is the tier below access, and sweep uses
 * wire's map of sockets.
 */
static void load_optional(struct sensors *s)
{
	keep_tier(s, "calls", s->access_hook ? "access" : sensors_tier_below(s));
	try_load(s, load_calls, "calls", NULL);
	/* the tier below sees less: its programs say nothing of the failure, so this one stays listed */
	if (s->access_hook)
		try_load(s, load_access, "memory", "ac_may_access");
	keep_tier(s, "memory", s->access ? "access" : sensors_tier_below(s));
	if (!s->access)
		try_load(s, load_memory, "memory", NULL);
	try_load(s, load_wire, "wire", NULL);
	try_load(s, load_sweep, "sweep", NULL);
}

/*
 * For each object, libbpf reads the kernel's BTF, 5.5 MB, and frees it after the load. Blocks of that size stay on the
 * heap until all are loaded, and what is freed stays mapped: faulting it in anew for each object was a fifth of a start.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
}

int sensors_load(struct sensors **ret, bool quiet, const struct predecessor *before, char *error,
		 size_t size)
{
	struct sensors *s = calloc(1, sizeof(*s));
	const struct sensor_program *table;
	int err;

	if (!s) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	table = sensor_program_table(&s->program_count);
	memcpy(s->program, table, s->program_count * sizeof(table[0]));
	s->before = before;
	s->turn = before ? before->turn + 1 : 0;
	keep_memory();
	reset_reason();
	s->btf = btf__load_vmlinux_btf();
	err = s->btf ? load_process(s) ?: turn_open(s) : -errno;
	if (err) {
		snprintf(error, size,
			 "cannot load the processes sensor, without which no instance is known: %s",
			 reason(err));
		sensors_free(s);
		return err;
	}
	s->before = NULL;
	if (getenv(PROBE_REFUSED_ENV))
		log_warn(PROBE_REFUSED_ENV
			 "=%s: programs that this kernel may take are left out, and less is seen",
			 getenv(PROBE_REFUSED_ENV));
	s->access_hook = !probe_program(s->btf, PROBE_FEXIT);
	s->quiet = quiet && !compat_lock_has_path(s->btf);
	load_optional(s);
	mallopt(M_MMAP_THRESHOLD, HEAP_USUAL);
	mallopt(M_TRIM_THRESHOLD, HEAP_USUAL);
	malloc_trim(0);
	*ret = s;
	return 0;
}

/* --- attaching --- */

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

/* Optional programs whose target this kernel lacks leave the table. */
static void drop_unloaded(struct sensors *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->program_count; i++) {
		struct bpf_program *prog = sensors_program(s, s->program[i].name);

		if (!s->program[i].optional || (prog && bpf_program__fd(prog) >= 0))
			s->program[kept++] = s->program[i];
	}
	s->program_count = kept;
}

/* Attach the programs of a sensor, or those of all with NULL, that are not attached yet. */
static int attach_sensor(struct sensors *s, const char *sensor, int cgroup_fd, char *error,
			 size_t size)
{
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = sensors_program(s, p->name);
		struct bpf_link *link;

		if (!prog || bpf_program__fd(prog) < 0 || p->attached ||
		    (sensor && strcmp(p->sensor, sensor)))
			continue; /* its object did not load: p->error says why; or this kernel does not take it */
		reset_reason();
		link = attach(prog, cgroup_fd);
		if (link) {
			p->attached = true;
			s->link_of[s->link_count] = p;
			s->links[s->link_count++] = link;
			continue;
		}
		snprintf(p->error, sizeof(p->error), "%s", reason(-errno));
		if (!strcmp(p->sensor, "processes")) {
			snprintf(error, size,
				 "cannot attach %s, without which no instance is protected: %s",
				 p->name, p->error);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

int sensors_attach_processes(struct sensors *s, char *error, size_t size)
{
	drop_unloaded(s);
	return attach_sensor(s, "processes", -1, error, size);
}

int sensors_attach(struct sensors *s, int cgroup_fd, char *error, size_t size)
{
	drop_unloaded(s);
	return attach_sensor(s, NULL, cgroup_fd, error, size);
}

/* --- what is loaded --- */

bool sensors_are_quiet(const struct sensors *s)
{
	return s->quiet && !s->access;
}

size_t sensors_programs(const struct sensors *s, const struct sensor_program **ret)
{
	*ret = s->program;
	return s->program_count;
}

/* --- detaching --- */

#define DETACHERS 8

/* Takes links until none is left. */
static void *detach_some(void *arg)
{
	struct sensors *s = arg;
	size_t i;

	while ((i = atomic_fetch_add(&s->detached, 1)) < s->link_count + PREVENTERS_MAX)
		bpf_link__destroy(i < s->link_count ? s->links[i]
						    : s->preventer_links[i - s->link_count]);
	return NULL;
}

/*
 * The kernel waits for RCU grace periods when a program leaves a tracepoint: 40 ms each on 6.18. Threads wait for the
 * same grace period, so that dozens of programs leave in the time of a few.
 */
static void detach_all(struct sensors *s)
{
	pthread_t thread[DETACHERS];
	size_t started = 0;

	while (started < DETACHERS && !pthread_create(&thread[started], NULL, detach_some, s))
		started++;
	detach_some(s);
	while (started)
		pthread_join(thread[--started], NULL);
}

void sensors_free(struct sensors *s)
{
	if (!s)
		return;
	detach_all(s);
	bpf_link__destroy(s->snapshot_link);
	sweep_bpf__destroy(s->sweep);
	wire_bpf__destroy(s->wire);
	calls_bpf__destroy(s->calls);
	memory_bpf__destroy(s->memory);
	access_bpf__destroy(s->access);
	btf__free(s->btf);
	turn_close(s);
	process_bpf__destroy(s->process);
	free(s);
}
