// SPDX-License-Identifier: BSD-2-Clause
/* loader.c - see loader.h. The only file that knows the skeletons. */
#include "sensor/loader.h"

#include "model/command.h"
#include "sensor/mmflag.h"
#include "model/file_kind.h"
#include "model/rule.h"

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

#define LINKS_MAX 128
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define RULE_BIT(name) (1u << RULE_##name)

const char *const sensor_exe_names[] = {"redis-server",	  "valkey-server",   "keydb-server",
					"redis-sentinel", "valkey-sentinel", NULL};

/* A syscall seen at its end by whichever way, see bpf/syscall.bpf.h. Kernels without it need no hook. */
#define CALL(abbr, what)                                                                           \
	{"calls", "access", "ac_" abbr, what, .optional = true},                                   \
		{"calls", "access", "ac32_" abbr, what " by 32-bit callers", .optional = true},    \
	{                                                                                          \
		"calls", "syscalls", "sc_" abbr, what, .optional = true                            \
	}

/*
 * All programs, in the order they are attached. Where a sensor has the rungs "choke" and "syscalls", one of
 * them is loaded; `optional` programs look at what a kernel may not have at all.
 */
static const struct sensor_program programs[] = {
	{"processes", "hooks", "proc_exec", "instances that start while the monitor runs"},
	{"processes", "hooks", "proc_fork",
	 "children and threads of an instance: its BGSAVE would be a stranger"},
	{"processes", "hooks", "proc_exit", "the end of an instance"},
	{"processes", "sweep", "find_instances", "instances that ran before the monitor"},
	{"memory", "access", "ac_may_access",
	 "accesses by syscalls that have no hook of their own"},
	{"memory", "access", "ac_open",
	 "opens of files below /proc/PID, and of what instances keep on disk"},
	{"memory", "access", "ac_handle", "opens by file handle"},
	{"memory", "access", "ac_ptrace", "ptrace"},
	{"memory", "access", "ac_vm_readv", "process_vm_readv"},
	{"memory", "access", "ac_vm_writev", "process_vm_writev"},
	{"memory", "access", "ac_pidfd_getfd", "pidfd_getfd"},
	{"memory", "access", "ac32_ptrace", "ptrace by 32-bit callers", .optional = true},
	{"memory", "access", "ac32_vm_readv", "process_vm_readv by 32-bit callers",
	 .optional = true},
	{"memory", "access", "ac32_vm_writev", "process_vm_writev by 32-bit callers",
	 .optional = true},
	{"memory", "access", "ac32_getfd", "pidfd_getfd by 32-bit callers", .optional = true},
	{"memory", "access", "uring_complete", "reads and writes below /proc/PID through io_uring"},
	{"memory", "syscalls", "sc_ptrace", "ptrace"},
	{"memory", "syscalls", "sc_vm_readv", "process_vm_readv"},
	{"memory", "syscalls", "sc_vm_writev", "process_vm_writev"},
	{"memory", "syscalls", "sc_pidfd_getfd", "pidfd_getfd"},
	{"memory", "syscalls", "sc_open", "open of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_creat", "creat of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_openat", "openat of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_openat2", "openat2 of files below /proc/PID and on disk"},
	{"memory", "syscalls", "sc_open_handle",
	 "open_by_handle_at of files below /proc/PID and on disk"},
	{"memory", "syscalls", "remote_mm", "memory read or written by 32-bit callers",
	 .optional = true},
	{"memory", "syscalls", "uring_complete",
	 "files below /proc/PID and on disk through io_uring"},
	CALL("mmap", "mmap of code into an instance"),
	CALL("mprotect", "mprotect that makes code in an instance"),
	CALL("pkey_mprot", "pkey_mprotect that makes code in an instance"),
	CALL("madvise", "process_madvise"),
	CALL("mrelease", "process_mrelease"),
	CALL("move_pages", "move_pages"),
	CALL("migrate", "migrate_pages"),
	CALL("kcmp", "kcmp"),
	CALL("prlimit", "prlimit64 that sets limits"),
	CALL("perf", "perf_event_open: probes and samples"),
	CALL("bpf", "BPF programs of others"),
	CALL("module", "init_module"),
	CALL("finit_mod", "finit_module"),
	CALL("kexec", "kexec_load"),
	CALL("kexec_file", "kexec_file_load"),
	{"calls", "access", "ac_uprobe", "uprobes planted through tracefs and by links"},
	{"calls", "hooks", "signal_sent", "signals that make an instance dump core"},
	{"calls", "sweep", "sweep_progs", "BPF programs of others from before the monitor"},
	{"wire", "packets", "sock_create", "connections an instance dials"},
	{"wire", "packets", "sock_state",
	 "listeners opened while the monitor runs, and what they accept"},
	{"wire", "sweep", "mark_sockets",
	 "sockets from before the monitor, or handed down by a supervisor"},
	{"wire", "packets", "wire_egress", "bytes an instance sends"},
	{"wire", "packets", "wire_ingress", "bytes an instance receives"},
	{"sweep", "sweep", "sweep_tasks",
	 "who traces an instance, probes in it, pages swapped out"},
	{"sweep", "sweep", "sweep_files", "who holds an instance's files, sockets and events"},
	{"sweep", "sweep", "sweep_maps", "code and shared memory mapped by an instance"},
};

/*
 * What prevents, attached when first asked to. What it leaves to do (an open, whose file is known at its end)
 * is done where the attempt is told: the actor dies.
 */
static const struct preventer {
	const char *tier, *name;
	uint32_t rules; /* in which it takes part */
} preventers[] = {
	{"access", "ac_deny",
	 RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE) | RULE_BIT(MEM_FD)},
	{"syscalls", "en_ptrace", RULE_BIT(MEM_TRACE) | RULE_BIT(MEM_READ) | RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_vm_readv", RULE_BIT(MEM_READ)},
	{"syscalls", "en_vm_writev", RULE_BIT(MEM_WRITE)},
	{"syscalls", "en_pidfd_getfd", RULE_BIT(MEM_FD)},
};

/* Maps that nobody but the kernel side writes once all is set up: the rest of root may not either. */
static const char *const sealed[] = {
	"procs",       "pids",	       "candidates",	"exe_names",   "proc_files",
	"commands",    "user_helpers", "lost",		"counters",    "mapped",
	"sock_marks",  "path_scans",   "early_streams", "bystanders",  "resp_scans",
	"fd_searches", "prevented",    "open_checks",	"title_scans", "env_scans",
	"own_objects", "reported",     "evaluated",	"main_tgids",  "supervisors",
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))
_Static_assert(PROGRAMS <= LINKS_MAX, "one link for each program");

struct sensors {
	struct process_bpf *process;
	struct access_bpf *access; /* one of these two */
	struct memory_bpf *memory;
	struct calls_bpf *calls;
	struct wire_bpf *wire;
	struct sweep_bpf *sweep;
	struct btf *btf;  /* the kernel's */
	bool access_hook; /* the kernel takes programs there */
	int32_t user_helper[USER_HELPERS_MAX];
	size_t user_helpers;
	struct sensor_program program[PROGRAMS];
	size_t program_count;
	struct bpf_link *links[LINKS_MAX];
	size_t link_count;
	struct sensor_program *link_of[LINKS_MAX]; /* whose it is */
	struct bpf_link *preventing[COUNT(preventers)];
	struct bpf_link *live; /* made when first asked for */
};

static const char *const tracefs_roots[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
					    NULL};

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
	for (size_t i = 0; i < COUNT(shared); i++) {
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
	return fill_proc_files(s->access->maps.proc_files);
}

static int fill_memory(struct sensors *s)
{
	return fill_proc_files(s->memory->maps.proc_files);
}

static int fill_commands(struct sensors *s)
{
	int fd = bpf_map__fd(s->wire->maps.commands);

	for (unsigned int i = 1; i <= command_count(); i++) {
		struct command_key key = {};
		uint16_t number = (uint16_t)(i | (command_secret(i) ? COMMAND_SECRET : 0));

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

/*
 * The io_uring completion tracepoint changed what it passes (see memory.bpf.h): the kernel's own type
 * says which program fits. With the leading context pointer it has 4 parameters now, 8 before.
 */
static void choose_uring(struct sensors *s, struct bpf_object *obj)
{
	int id = btf__find_by_name_kind(s->btf, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF);
	const struct btf_type *t = id > 0 ? btf__type_by_id(s->btf, (uint32_t)id) : NULL;
	const char *fits;

	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(s->btf, t->type);
	if (!t || !btf_is_func_proto(t))
		return;
	fits = btf_vlen(t) == 4 ? "uring_complete" : "uring_complete7";
	bpf_program__set_autoload(bpf_object__find_program_by_name(obj, fits), true);
	for (size_t i = 0; i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, "uring_complete"))
			s->program[i].name = fits;
	}
}

/* They are loaded whenever they can be, so that a policy may ask for them later. */
static void choose_preventers(struct bpf_object *obj, const char *tier)
{
	for (size_t i = 0; i < COUNT(preventers); i++) {
		if (!strcmp(preventers[i].tier, tier))
			bpf_program__set_autoload(
				bpf_object__find_program_by_name(obj, preventers[i].name), true);
	}
}

static int choose_syscalls(struct sensors *s)
{
	choose_uring(s, s->memory->obj);
	choose_preventers(s->memory->obj, "syscalls");
	if (btf__find_by_name_kind(s->btf, "btf_trace_mmap_lock_acquire_returned",
				   BTF_KIND_TYPEDEF) > 0)
		bpf_program__set_autoload(s->memory->progs.remote_mm, true);
	return 0;
}

/* Is there anything to look at? A syscall that a kernel does not have needs no hook. */
static bool has_target(const struct sensors *s, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *target = strrchr(section, '/') + 1;
	char path[128];

	if (!strncmp(section, "fexit/", strlen("fexit/")))
		return btf__find_by_name_kind(s->btf, target, BTF_KIND_FUNC) > 0;
	for (const char *const *root = tracefs_roots; *root; root++) {
		snprintf(path, sizeof(path), "%s/events/syscalls/%s", *root, target);
		if (!access(path, F_OK))
			return true;
	}
	return false;
}

/* Turn on the programs of the rung that was reached; optional ones where there is something to see. */
static void choose_rung(struct sensors *s, struct bpf_object *obj)
{
	for (size_t i = 0; i < s->program_count; i++) {
		struct sensor_program *p = &s->program[i];
		struct bpf_program *prog = bpf_object__find_program_by_name(obj, p->name);
		bool other = !strcmp(p->tier, s->access_hook ? "syscalls" : "access");

		if (prog && !other && (!p->optional || has_target(s, prog)))
			bpf_program__set_autoload(prog, true);
	}
}

/* The choke point, if the kernel takes programs there at all; the 32-bit twins where it has 32-bit calls. */
static int choose_access(struct sensors *s)
{
	if (!s->access_hook)
		return -EOPNOTSUPP;
	if (btf__find_by_name_kind(s->btf, "do_filp_open", BTF_KIND_FUNC) <
	    0) /* its name since 7.0 */
		bpf_program__set_attach_target(s->access->progs.ac_open, 0, "do_file_open");
	choose_rung(s, s->access->obj);
	choose_uring(s, s->access->obj);
	s->access->rodata->calls_loaded = s->calls != NULL;
	if (!sensor_probe_access_hook("fmod_ret"))
		choose_preventers(s->access->obj, "access");
	return 0;
}

/* The bit that marks a trace event as a uprobe: it moved, and no type of its own names it. */
static uint32_t uprobe_flag(const struct btf *btf)
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
static void find_user_helpers(struct sensors *s)
{
	static const char *const names[] = {"bpf_probe_read_user",	"bpf_probe_read_user_str",
					    "bpf_probe_write_user",	"bpf_copy_from_user",
					    "bpf_copy_from_user_task",	"bpf_probe_read_compat",
					    "bpf_probe_read_compat_str"};
	unsigned long long addr, base = 0, at[COUNT(names)] = {};
	FILE *f = fopen("/proc/kallsyms", "re");
	char name[128];

	while (f && fscanf(f, "%llx %*s %127s%*[^\n]", &addr, name) == 2) {
		if (!strcmp(name, "__bpf_call_base"))
			base = addr;
		for (size_t i = 0; i < COUNT(names); i++) {
			if (!strcmp(name, names[i]))
				at[i] = addr;
		}
	}
	if (f)
		fclose(f);
	for (size_t i = 0; base && i < COUNT(names); i++) {
		if (at[i])
			s->user_helper[s->user_helpers++] = (int32_t)(at[i] - base);
	}
}

static int fill_user_helpers(struct sensors *s)
{
	int fd = bpf_map__fd(s->calls->maps.user_helpers);
	uint32_t one = 1;

	for (size_t i = 0; i < s->user_helpers; i++) {
		if (bpf_map_update_elem(fd, &s->user_helper[i], &one, BPF_ANY))
			return -errno;
	}
	return 0;
}

static int choose_calls(struct sensors *s)
{
	choose_rung(s, s->calls->obj);
	s->calls->rodata->access_tier = s->access_hook;
	s->calls->rodata->uprobe_flag = uprobe_flag(s->btf);
	find_user_helpers(s);
	s->calls->rodata->helpers_known = s->user_helpers > 0;
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

static int choose_sweep(struct sensors *s)
{
	return share_map(s->wire ? s->wire->obj : NULL, s->sweep->obj, "sock_marks");
}

static uint64_t read_mm_flags(void *ctx, pid_t pid)
{
	struct sensors *s = ctx;

	s->sweep->bss->mm_flags_tgid = pid;
	s->sweep->bss->mm_flags_value = 0;
	return run_iterator(s->sweep->progs.read_mm_flags, pid) ? 0 : s->sweep->bss->mm_flags_value;
}

static int fill_sweep(struct sensors *s)
{
	struct mm_flags flags;
	int err = mm_flags_learn(read_mm_flags, s, &flags)
			  ?: fill_proc_files(s->sweep->maps.proc_files);

	s->sweep->bss->flag_uprobes = flags.uprobes;
	s->sweep->bss->flag_mergeable = flags.mergeable;
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

int sensors_load(struct sensors **ret, char *error, size_t size)
{
	struct sensors *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	memcpy(s->program, programs, sizeof(programs));
	s->program_count = PROGRAMS;
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
	*ret = s;
	return 0;
}

#define OBJECTS_MAX 8

/* The objects that were loaded. */
static size_t loaded(const struct sensors *s, struct bpf_object *objs[OBJECTS_MAX])
{
	struct bpf_object *all[] = {s->process->obj,
				    s->access ? s->access->obj : NULL,
				    s->memory ? s->memory->obj : NULL,
				    s->calls ? s->calls->obj : NULL,
				    s->wire ? s->wire->obj : NULL,
				    s->sweep ? s->sweep->obj : NULL};
	size_t n = 0;

	_Static_assert(COUNT(all) <= OBJECTS_MAX, "room for all objects");
	for (size_t i = 0; i < COUNT(all); i++) {
		if (all[i])
			objs[n++] = all[i];
	}
	return n;
}

static struct bpf_program *find_program(const struct sensors *s, const char *name)
{
	struct bpf_object *objs[OBJECTS_MAX];
	size_t n = loaded(s, objs);

	for (size_t i = 0; i < n; i++) {
		struct bpf_program *p = bpf_object__find_program_by_name(objs[i], name);

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

/* Programs a kernel has no use for (no 32-bit callers) leave the table. */
static void forget_unloaded(struct sensors *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->program_count; i++) {
		struct bpf_program *prog = find_program(s, s->program[i].name);

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
		struct bpf_program *prog = find_program(s, p->name);
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

void sensors_candidate(struct sensors *s, pid_t pid)
{
	uint32_t key = (uint32_t)pid, one = 1;

	bpf_map_update_elem(bpf_map__fd(s->process->maps.candidates), &key, &one, BPF_ANY);
}

int sensors_mark_sockets(struct sensors *s, pid_t pid)
{
	return s->wire ? run_iterator(s->wire->progs.mark_sockets, pid) : 0;
}

int sensors_sweep_host(struct sensors *s)
{
	int err = 0, one;

	if (s->calls)
		err = run_iterator(s->calls->progs.sweep_progs, 0);
	if (!s->sweep)
		return err;
	one = run_iterator(s->sweep->progs.sweep_tasks, 0);
	err = err ?: one;
	one = run_iterator(s->sweep->progs.sweep_files, 0);
	return err ?: one;
}

int sensors_sweep_maps(struct sensors *s, pid_t pid, bool baseline)
{
	if (!s->sweep)
		return 0;
	s->sweep->bss->baseline = baseline;
	return run_iterator(s->sweep->progs.sweep_maps, pid);
}

int sensors_file_learn(struct sensors *s, uint32_t instance, const char *path)
{
	uint32_t *whose = s->access   ? &s->access->bss->files_of
			  : s->memory ? &s->memory->bss->files_of
				      : NULL;
	int fd;

	if (!whose)
		return -EOPNOTSUPP;
	__atomic_store_n(whose, instance, __ATOMIC_SEQ_CST);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	else
		close(fd);
	__atomic_store_n(whose, 0, __ATOMIC_SEQ_CST);
	return fd < 0 ? fd : 0;
}

int sensors_file_set(struct sensors *s, const struct file_key *key, uint32_t instance,
		     uint32_t kind)
{
	struct file_owner own = {.instance = instance, .kind = kind};

	return bpf_map_update_elem(bpf_map__fd(s->process->maps.files), key, &own, BPF_ANY) ? -errno
											    : 0;
}

void sensors_file_forget(struct sensors *s, const struct file_key *key)
{
	bpf_map_delete_elem(bpf_map__fd(s->process->maps.files), key);
}

bool sensors_knows_uprobes(const struct sensors *s)
{
	return s->sweep && s->sweep->bss->flag_uprobes;
}

int sensors_baselined(struct sensors *s, uint32_t instance)
{
	uint32_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(s->process->maps.baselined), &instance, &one,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

int sensors_sweep(struct sensors *s)
{
	int err = 0;

	for (uint32_t pass = 1; pass <= 2 && !err; pass++) {
		s->process->data->find_pass = pass;
		err = run_iterator(s->process->progs.find_instances, 0);
	}
	/* twice: between the first look at a listener and its mark it may have accepted one more */
	if (!err)
		err = sensors_mark_sockets(s, 0);
	if (!err)
		err = sensors_mark_sockets(s, 0);
	return err;
}

/* --- the monitor as its own ward --- */

int sensors_enrol_self(struct sensors *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(bpf_program__fd(s->process->progs.register_self), &opts);

	return err ?: opts.retval ? -ENOSPC : 0;
}

/* Object ids stand at different places of the three kinds' descriptions. */
static int object_id(int fd, enum own_kind kind, uint32_t *ret)
{
	union {
		struct bpf_map_info map;
		struct bpf_prog_info prog;
		struct bpf_link_info link;
	} info = {};
	uint32_t len = kind == OWN_MAP	  ? sizeof(info.map)
		       : kind == OWN_PROG ? sizeof(info.prog)
					  : sizeof(info.link);

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return -errno;
	*ret = kind == OWN_MAP ? info.map.id : kind == OWN_PROG ? info.prog.id : info.link.id;
	return 0;
}

/* Without the calls sensor nobody looks at bpf(2), which is said already. */
static int enter_object(struct sensors *s, int fd, enum own_kind kind)
{
	struct own_key key = {.kind = kind};
	uint32_t one = 1;
	int err;

	if (!s->calls || fd < 0)
		return 0;
	err = object_id(fd, kind, &key.id);
	if (err)
		return err;
	return bpf_map_update_elem(bpf_map__fd(s->calls->maps.own_objects), &key, &one, BPF_ANY)
		       ? -errno
		       : 0;
}

static int enter_objects(struct sensors *s, const struct bpf_object *obj)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj) err = err ?: enter_object(s, bpf_map__fd(map), OWN_MAP);
	bpf_object__for_each_program(prog, obj) err =
		err ?: enter_object(s, bpf_program__fd(prog), OWN_PROG);
	return err;
}

/* Is that map one of these objects' too? Objects share maps, and what is frozen can be frozen no more. */
static bool has_map(struct bpf_object *const objs[], size_t n, const char *name, uint32_t id)
{
	uint32_t other = 0;

	for (size_t i = 0; i < n; i++) {
		int fd = bpf_object__find_map_fd_by_name(objs[i], name);

		if (fd >= 0 && !object_id(fd, OWN_MAP, &other) && other == id)
			return true;
	}
	return false;
}

/* Freeze the maps of objs[n] that none before it has. */
static int freeze_maps(struct bpf_object *const objs[], size_t n)
{
	for (size_t i = 0; i < COUNT(sealed); i++) {
		int fd = bpf_object__find_map_fd_by_name(objs[n], sealed[i]), err;
		uint32_t id = 0;

		if (fd < 0)
			continue;
		err = object_id(fd, OWN_MAP, &id);
		if (!err && !has_map(objs, n, sealed[i], id) && bpf_map_freeze(fd))
			err = -errno;
		if (err)
			return err;
	}
	return 0;
}

int sensors_seal(struct sensors *s)
{
	struct bpf_object *objs[OBJECTS_MAX];
	size_t n = loaded(s, objs);
	int err = 0;

	for (size_t i = 0; i < n; i++)
		err = err ?: enter_objects(s, objs[i]);
	for (size_t i = 0; i < s->link_count; i++)
		err = err ?: enter_object(s, bpf_link__fd(s->links[i]), OWN_LINK);
	for (size_t i = 0; i < COUNT(preventers); i++) {
		if (s->preventing[i])
			err = err ?: enter_object(s, bpf_link__fd(s->preventing[i]), OWN_LINK);
	}
	for (size_t i = 0; i < n; i++)
		err = err ?: freeze_maps(objs, i);
	return err;
}

/* A cgroup link that was detached still exists, but knows no cgroup; a link's program may be another's. */
static const char *link_lost(const struct bpf_link *link, const struct bpf_program *prog)
{
	struct bpf_link_info info = {};
	uint32_t len = sizeof(info), id = 0;

	if (bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len))
		return "its link is gone";
	if (object_id(bpf_program__fd(prog), OWN_PROG, &id) || info.prog_id != id)
		return "its link runs another program";
	if (info.type == BPF_LINK_TYPE_CGROUP && !info.cgroup.cgroup_id)
		return "it was detached";
	return NULL;
}

void sensors_check(struct sensors *s, void (*lost)(void *ctx, const struct sensor_program *p),
		   void *ctx)
{
	for (size_t i = 0; i < s->link_count; i++) {
		struct sensor_program *p = s->link_of[i];
		const char *why =
			p->attached ? link_lost(s->links[i], find_program(s, p->name)) : NULL;

		if (!why)
			continue;
		p->attached = false;
		snprintf(p->error, sizeof(p->error), "%s", why);
		lost(ctx, p);
	}
}

/* --- prevention --- */

const char *sensors_preventing(const struct sensors *s)
{
	return s->access
		       ? "memory: denied with EPERM, or where only the opened file tells, the actor "
			 "killed; plaintext: dropped, its connection reset"
	       : s->memory ? "memory: the actor killed; plaintext: dropped, its connection reset"
			   : "plaintext: dropped, its connection reset";
}

uint32_t sensors_preventable(struct sensors *s)
{
	const char *tier = s->access ? "access" : s->memory ? "syscalls" : "";
	uint32_t can = 0, cannot = 0;

	for (size_t i = 0; i < COUNT(preventers); i++) {
		struct bpf_program *prog = find_program(s, preventers[i].name);

		if (strcmp(preventers[i].tier, tier))
			continue;
		if (!s->preventing[i] && prog && bpf_program__fd(prog) >= 0)
			s->preventing[i] = bpf_program__attach(prog);
		if (s->preventing[i])
			can |= preventers[i].rules;
		else
			cannot |= preventers[i].rules;
	}
	can &= ~cannot;
	/* the packet programs drop by themselves what they were told to */
	for (size_t i = 0; i < s->program_count; i++) {
		if (!strcmp(s->program[i].name, "wire_egress") && s->program[i].attached)
			can |= RULE_BIT(TLS_PLAINTEXT);
	}
	return can;
}

int sensors_prevent(struct sensors *s, uint32_t instance, uint32_t rules)
{
	if (rules & ~sensors_preventable(s))
		return -EOPNOTSUPP;
	return bpf_map_update_elem(bpf_map__fd(s->process->maps.prevent_rules), &instance, &rules,
				   BPF_ANY)
		       ? -errno
		       : 0;
}

void sensors_free(struct sensors *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < COUNT(preventers); i++)
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

int sensors_events_fd(const struct sensors *s)
{
	return bpf_map__fd(s->process->maps.events);
}

int sensors_attempts_fd(const struct sensors *s)
{
	return bpf_map__fd(s->process->maps.attempts);
}

void sensors_lost(const struct sensors *s,
		  void (*fn)(void *ctx, const struct lost_key *key, uint64_t n), void *ctx)
{
	int fd = bpf_map__fd(s->process->maps.lost);
	struct lost_key key, *last = NULL;
	uint64_t n;

	while (!bpf_map_get_next_key(fd, last, &key)) {
		if (!bpf_map_lookup_elem(fd, &key, &n))
			fn(ctx, &key, n);
		last = &key;
	}
}

int sensors_handshakes_fd(const struct sensors *s)
{
	return s->wire ? bpf_map__fd(s->wire->maps.handshakes) : -ENOENT;
}

int sensors_snapshots(struct sensors *s, void (*fn)(void *ctx, const struct conn_snapshot *live),
		      void *ctx)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct conn_snapshot live[16];
	size_t have = 0;
	ssize_t n;
	int fd;

	if (!s->wire)
		return -ENOENT;
	if (!s->live) {
		info.map.map_fd = (uint32_t)bpf_map__fd(s->wire->maps.sock_marks);
		s->live = bpf_program__attach_iter(s->wire->progs.snapshot_conns, &opts);
	}
	if (!s->live)
		return -errno;
	fd = bpf_iter_create(bpf_link__fd(s->live));
	if (fd < 0)
		return -errno;
	while ((n = read(fd, (char *)live + have, sizeof(live) - have)) > 0 ||
	       (n < 0 && errno == EAGAIN)) {
		have += n > 0 ? (size_t)n : 0;
		for (size_t i = 0; i < have / sizeof(live[0]); i++) {
			if (live[i].magic == SNAPSHOT_MAGIC)
				fn(ctx, &live[i]);
		}
		memmove(live, (char *)live + have / sizeof(live[0]) * sizeof(live[0]),
			have % sizeof(live[0]));
		have %= sizeof(live[0]);
	}
	close(fd);
	return n < 0 ? -errno : 0;
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
