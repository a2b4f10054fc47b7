// SPDX-License-Identifier: BSD-2-Clause
/* sensor.c - see sensor.h. The only file that knows the skeletons. */
#include "sensor.h"

#include "rule.h"

#include "memory.skel.h"
#include "probe.skel.h"
#include "process.skel.h"
#include "wire.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 32

const char *const sensor_exe_names[] = {"redis-server",	  "valkey-server",   "keydb-server",
					"redis-sentinel", "valkey-sentinel", NULL};

static const struct sensor_program programs[] = {
	{"processes", "hooks", "proc_exec", "instances that start while the monitor runs", false,
	 ""},
	{"processes", "hooks", "proc_fork",
	 "children and threads of an instance: its BGSAVE would be a stranger", false, ""},
	{"processes", "hooks", "proc_exit", "the end of an instance", false, ""},
	{"processes", "sweep", "enrol_tasks", "instances that ran before the monitor", false, ""},
	{"memory", "syscalls", "sc_ptrace", "ptrace", false, ""},
	{"memory", "syscalls", "sc_vm_readv", "process_vm_readv", false, ""},
	{"memory", "syscalls", "sc_vm_writev", "process_vm_writev", false, ""},
	{"memory", "syscalls", "sc_pidfd_getfd", "pidfd_getfd", false, ""},
	{"memory", "syscalls", "sc_open", "open of files below /proc/PID", false, ""},
	{"memory", "syscalls", "sc_creat", "creat of files below /proc/PID", false, ""},
	{"memory", "syscalls", "sc_openat", "openat of files below /proc/PID", false, ""},
	{"memory", "syscalls", "sc_openat2", "openat2 of files below /proc/PID", false, ""},
	{"memory", "syscalls", "sc_open_handle", "open_by_handle_at of files below /proc/PID",
	 false, ""},
	{"memory", "io_uring", "uring_complete", "files below /proc/PID through io_uring", false,
	 ""},
	{"wire", "packets", "sock_create", "connections an instance dials", false, ""},
	{"wire", "packets", "sock_listen",
	 "listeners opened while the monitor runs, and what they accept", false, ""},
	{"wire", "sweep", "mark_sockets",
	 "sockets from before the monitor, or handed down by a supervisor", false, ""},
	{"wire", "packets", "wire_egress", "bytes an instance sends", false, ""},
	{"wire", "packets", "wire_ingress", "bytes an instance receives", false, ""},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))
_Static_assert(PROGRAMS <= LINKS_MAX, "one link for each program");

struct sensors {
	struct process_bpf *process;
	struct memory_bpf *memory;
	struct wire_bpf *wire;
	struct sensor_program program[PROGRAMS];
	struct bpf_link *links[LINKS_MAX];
	size_t link_count;
};

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

static int share_maps(struct bpf_object *from, struct bpf_object *to)
{
	static const char *const shared[] = {"events",	 "procs", "pids",
					     "attempts", "lost",  "counters"};

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
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

static void blame(struct sensors *s, const char *sensor, const char *name, const char *why)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct sensor_program *p = &s->program[i];

		if (!strcmp(p->sensor, sensor) && (!name || !strcmp(p->name, name)))
			snprintf(p->error, sizeof(p->error), "%s", why);
	}
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

static int fill_proc_files(struct sensors *s)
{
	int fd = bpf_map__fd(s->memory->maps.proc_files);

	for (unsigned int f = PROC_FILE_NONE + 1; f < PROC_FILE_FD_ENTRY; f++) {
		struct proc_key key = {};
		struct proc_rule rule = {
			.file = (uint8_t)f,
			.read = (uint8_t)proc_file_rule(f, 0),
			.write = (uint8_t)proc_file_rule(f, 1),
		};

		snprintf(key.name, sizeof(key.name), "%s", proc_file_name(f));
		if (bpf_map_update_elem(fd, &key, &rule, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int fill_commands(struct sensors *s)
{
	int fd = bpf_map__fd(s->wire->maps.commands);

	for (unsigned int i = 1; i <= command_count(); i++) {
		struct command_key key = {};
		uint16_t number = (uint16_t)i;

		snprintf(key.name, sizeof(key.name), "%s", command_name(i));
		if (bpf_map_update_elem(fd, &key, &number, BPF_ANY))
			return -errno;
	}
	return 0;
}

static void choose_all(struct sensors *s)
{
}

/*
 * The io_uring completion tracepoint changed what it passes (see memory.bpf.c): the kernel's own type
 * says which program fits. With the leading context pointer it has 4 parameters now, 8 before.
 */
static void choose_uring(struct sensors *s)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF)
		     : -1;
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
	bool whole;

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	if (t && btf_is_func_proto(t)) {
		whole = btf_vlen(t) == 4;
		bpf_program__set_autoload(whole ? s->memory->progs.uring_complete
						: s->memory->progs.uring_complete7,
					  true);
		for (size_t i = 0; !whole && i < PROGRAMS; i++) {
			if (!strcmp(s->program[i].name, "uring_complete"))
				s->program[i].name = "uring_complete7";
		}
	}
	btf__free(btf);
}

/* Load one skeleton behind the first, sharing its maps. A no blinds this sensor, not the others. */
#define LOAD(s, kind, title, choose, fill)                                                         \
	do {                                                                                       \
		last_words[0] = '\0';                                                              \
		(s)->kind = kind##_bpf__open();                                                    \
		if ((s)->kind)                                                                     \
			choose(s);                                                                 \
		if (!(s)->kind || share_maps((s)->process->obj, (s)->kind->obj) ||                 \
		    kind##_bpf__load((s)->kind) || fill(s)) {                                      \
			blame(s, title, NULL, last_words[0] ? last_words : strerror(errno));       \
			kind##_bpf__destroy((s)->kind);                                            \
			(s)->kind = NULL;                                                          \
		}                                                                                  \
	} while (0)

int sensors_load(struct sensors **ret, char *error, size_t size)
{
	struct sensors *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	memcpy(s->program, programs, sizeof(programs));
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
	LOAD(s, memory, "memory", choose_uring, fill_proc_files);
	LOAD(s, wire, "wire", choose_all, fill_commands);
	*ret = s;
	return 0;
}

static struct bpf_program *find_program(const struct sensors *s, const char *name)
{
	struct bpf_object *objs[] = {s->process->obj, s->memory ? s->memory->obj : NULL,
				     s->wire ? s->wire->obj : NULL};

	for (size_t i = 0; i < 3; i++) {
		struct bpf_program *p =
			objs[i] ? bpf_object__find_program_by_name(objs[i], name) : NULL;

		if (p)
			return p;
	}
	return NULL;
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

int sensors_attach(struct sensors *s, int cgroup_fd, char *error, size_t size)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = find_program(s, p->name);
		struct bpf_link *link;

		if (!prog)
			continue; /* not loaded: it says why already */
		last_words[0] = '\0';
		link = attach(prog, cgroup_fd);
		if (link) {
			p->attached = true;
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

/* Run an iterator to its end; what it prints is nothing. */
static int run_iterator(const struct bpf_program *prog, pid_t pid)
{
	union bpf_iter_link_info info = {.task.pid = (uint32_t)pid};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(prog, pid ? &opts : NULL);
	char buf[256];
	ssize_t n;
	int fd;

	if (!link && pid) /* before 6.1 an iterator takes no pid: look at all */
		link = bpf_program__attach_iter(prog, NULL);
	if (!link)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		bpf_link__destroy(link);
		return -errno;
	}
	do
		n = read(fd, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EAGAIN));
	close(fd);
	bpf_link__destroy(link);
	return n < 0 ? -errno : 0;
}

void sensors_candidate(struct sensors *s, pid_t pid)
{
	uint32_t key = (uint32_t)pid, one = 1;

	bpf_map_update_elem(bpf_map__fd(s->process->maps.candidates), &key, &one, BPF_ANY);
}

int sensors_mark_sockets(struct sensors *s, pid_t pid)
{
	return s->wire ? run_iterator(s->wire->progs.mark_sockets, pid) : 0;
}

int sensors_sweep(struct sensors *s)
{
	int err = 0;

	for (uint32_t pass = 1; pass <= 2 && !err; pass++) {
		s->process->data->enrol_pass = pass;
		err = run_iterator(s->process->progs.enrol_tasks, 0);
	}
	/* twice: between the first look at a listener and its mark it may have accepted one more */
	if (!err)
		err = sensors_mark_sockets(s, 0);
	if (!err)
		err = sensors_mark_sockets(s, 0);
	return err;
}

void sensors_free(struct sensors *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->link_count; i++)
		bpf_link__destroy(s->links[i]);
	wire_bpf__destroy(s->wire);
	memory_bpf__destroy(s->memory);
	process_bpf__destroy(s->process);
	free(s);
}

size_t sensors_programs(const struct sensors *s, const struct sensor_program **ret)
{
	*ret = s->program;
	return PROGRAMS;
}

int sensors_events_fd(const struct sensors *s)
{
	return bpf_map__fd(s->process->maps.events);
}

int sensors_attempts_fd(const struct sensors *s)
{
	return bpf_map__fd(s->process->maps.attempts);
}

uint64_t sensors_counter(const struct sensors *s, enum counter_id id)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0, *values = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof(*values));
	uint32_t key = id;

	if (values && cpus > 0 &&
	    !bpf_map_lookup_elem(bpf_map__fd(s->process->maps.counters), &key, values)) {
		for (int i = 0; i < cpus; i++)
			sum += values[i];
	}
	free(values);
	return sum;
}

int sensor_probe_choke_point(const char *name)
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
