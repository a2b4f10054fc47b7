/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * self.c - tampering with the monitor is reported: its process, its guard, its BPF maps, programs and links. The guard
 * reports the monitor's death.
 *
 * This file has the suite's table. The tests of other monitors, and of what passes for one, are in self_monitors.c.
 */
#include "self.h"
#include "steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct server *self_server;
struct monitor *self_mon;

/* A BPF object of the monitor: kind, id, name of the map or program, and whether the map is frozen. */
static struct object {
	const char *kind;
	long id;
	char name[64];
	bool frozen;
} objects[512];
static size_t objects_count;

static const char *monitor_pid(void)
{
	return str("%d", self_mon->pid);
}

/* Names of all maps or programs on this host, by id. */
static json_t *names_of(const char *kind)
{
	struct run r = run_command(10000, "bpftool", "-j", kind, "show");
	json_t *all = json_loads(r.out, 0, NULL), *names = json_object(), *one;
	size_t i;

	require(all, "bpftool %s show: %s", kind, r.err);
	json_array_foreach (all, i, one)
		json_object_set(names, str("%lld", json_integer_value(json_object_get(one, "id"))),
				json_object_get(one, "name"));
	return names;
}

static long line_number(const char *text, const char *key)
{
	const char *at = strstr(text, str("%s:\t", key));

	return at ? atol(at + strlen(key) + 2) : 0;
}

static void object_add(const char *kind, long id, json_t *names, long named)
{
	struct object *o = &objects[objects_count];

	require(objects_count < ARRAY_SIZE(objects), "too many objects");
	o->kind = kind;
	o->id = id;
	snprintf(o->name, sizeof(o->name), "%s",
		 json_string_value(json_object_get(names, str("%ld", named))) ?: "");
	objects_count++;
}

/* fdinfo shows the ids of the objects that the monitor has descriptors of. */
static void objects_find(const struct monitor *m)
{
	json_t *maps = names_of("map"), *progs = names_of("prog");
	DIR *dir = opendir(str("/proc/%d/fdinfo", m->pid));
	struct dirent *e;

	require(dir, "fdinfo: %s", strerror(errno));
	objects_count = 0;
	while ((e = readdir(dir))) {
		char *text = file_read(str("/proc/%d/fdinfo/%s", m->pid, e->d_name));

		if (line_number(text, "link_id"))
			object_add("link", line_number(text, "link_id"), progs,
				   line_number(text, "prog_id"));
		else if (line_number(text, "prog_id"))
			object_add("prog", line_number(text, "prog_id"), progs,
				   line_number(text, "prog_id"));
		else if (line_number(text, "map_id"))
			object_add("map", line_number(text, "map_id"), maps,
				   line_number(text, "map_id"));
		if (line_number(text, "frozen"))
			objects[objects_count - 1].frozen = true;
		free(text);
	}
	closedir(dir);
	json_decref(maps);
	json_decref(progs);
	sleep_ms(SETTLE_MS); /* reading them was reported as well */
	monitors_mark();
}

static const struct object *object(const char *kind, const char *name)
{
	for (size_t i = 0; i < objects_count; i++)
		if (!strcmp(objects[i].kind, kind) && !strcmp(objects[i].name, name))
			return &objects[i];
	test_fail("the monitor has no %s %s", kind, name);
}

static void setup(void)
{
	self_server = server_start(&(struct server_opts){});
	self_mon = monitor_start(NULL);
	objects_find(self_mon);
}

static const char *severity_of(struct monitor *m, const struct trigger *t, const char *detail)
{
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		if (alert_int(m->lines[i], "actor.pid") == t->pid &&
		    (!detail || !strcmp(alert_str(m->lines[i], "detail"), detail)))
			return alert_str(m->lines[i], "severity");
	return "";
}

/* ---- its process -------------------------------------------------------------------------------- */

struct action {
	const char *argv[6]; /* @ is replaced by the monitor's pid */
	const char *vector, *detail, *severity;
	int err;
};

static struct trigger action_run(const struct action *action)
{
	const char *argv[8] = {};

	for (int i = 0; action->argv[i]; i++)
		argv[i] = strcmp(action->argv[i], "@") ? action->argv[i] : monitor_pid();
	return trigger_argv(&(struct child_opts){}, argv);
}

static void reported(const void *arg)
{
	const struct action *action = arg;
	struct trigger t = action_run(action);
	json_t *alert;

	expect(self_mon, {.rule = "self-tamper",
			  .vector = action->vector,
			  .detail = action->detail,
			  .by = &t,
			  .err = action->err});
	alert = alert_find(self_mon, "self-tamper", t.pid);
	require(!strcmp(alert_str(alert, "severity"), action->severity), "severity is %s",
		alert_str(alert, "severity"));
	require(!strcmp(alert_str(alert, "instance.name"), "cachewarden"), "target is %s",
		alert_str(alert, "instance.name"));
	require(alert_int(alert, "instance.target_pid") == self_mon->pid, "target pid is %lld",
		alert_int(alert, "instance.target_pid"));
}

static void ptraced(const void *arg)
{
	struct trigger t = trigger("ptrace", monitor_pid(), "attach", "peekdata");

	expect(self_mon,
	       {.rule = "self-tamper", .vector = "ptrace", .detail = "PTRACE_ATTACH", .by = &t},
	       {.rule = "self-tamper", .vector = "ptrace", .detail = "PTRACE_PEEKDATA", .by = &t},
	       {.rule = "self-tamper", .vector = "ptrace", .detail = "PTRACE_DETACH", .by = &t});
	require(!strcmp(severity_of(self_mon, &t, "PTRACE_PEEKDATA"), "high"), "severity is %s",
		severity_of(self_mon, &t, "PTRACE_PEEKDATA"));
}

static void descriptors_listed(const void *arg)
{
	struct run ls = run_command(5000, "ls", "-l", str("/proc/%s/fd", monitor_pid()));
	json_t *alert;

	/* it may close one meanwhile */
	require(!ls.status || strstr(ls.err, "No such file"), "ls: %s", ls.err);
	sleep_ms(SETTLE_MS);
	alert = alert_find(self_mon, "self-tamper", ls.pid);
	require(alert, "no self-tamper by ls");
	for (size_t i = self_mon->mark; i < self_mon->count; i++)
		require(alert_int(self_mon->lines[i], "actor.pid") != ls.pid ||
				!strcmp(alert_str(self_mon->lines[i], "severity"), "low"),
			"severity is %s", alert_str(self_mon->lines[i], "severity"));
}

/* Nothing of the monitor changes, and the incident does not say so. */
static void environment_read(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct run cat = run_with(&(struct child_opts){.setup = own_session}, 5000, "/bin/cat",
				  str("/proc/%d/environ", m->pid));
	json_t *incident = NULL;
	const char *title;

	require(!cat.status, "cat: %s", cat.err);
	for (int i = 0; i < 30 && !incident; i++) {
		sleep_ms(100);
		monitor_poll(m);
		for (size_t k = 0; k < m->incident_count; k++) {
			if (alert_int(m->incidents[k], "events.0.pid") == cat.pid)
				incident = m->incidents[k];
		}
	}
	require(incident, "no incident");
	title = json_string_value(json_object_get(incident, "message"));
	require(!strncmp(title, "A process looks at the monitor: ", 32), "title \"%s\"", title);
	require(!strcmp(alert_str(incident, "stage"), "look"), "stage %s",
		alert_str(incident, "stage"));
}

static void status_read(const void *arg)
{
	static const char *const files[] = {"stat", "status", "cmdline", "comm"};
	struct run cat;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cat = run_command(5000, "cat", str("/proc/%s/%s", monitor_pid(), files[i]));
		require(!cat.status && cat.out[0], "cat %s: %s", files[i], cat.err);
	}
	expect_nothing(self_mon);
}

static void no_instance(const void *arg)
{
	require(!file_has(self_mon->err, str("pid %d,", self_mon->pid)),
		"it reports itself as an instance: %s", file_read(self_mon->err));
	require(file_has(self_mon->err, str("pid %d,", self_server->pid)),
		"it does not report the server");
}

/* Everything is attached, and the first lines contain no warning. */
static void starts_quietly(const void *arg)
{
	require(!file_has(self_mon->err, "warning:") && !file_has(self_mon->err, "error:"),
		"it printed: %s", file_read(self_mon->err));
}

/* A sweep does not report the programs that the monitor loaded itself. */
static void own_programs(const void *arg)
{
	unsigned int id;

	monitor_poll(self_mon);
	for (size_t i = 0; i < self_mon->count; i++) {
		if (sscanf(alert_str(self_mon->lines[i], "detail"), "BPF program %u", &id) != 1)
			continue;
		for (size_t k = 0; k < objects_count; k++)
			require(strcmp(objects[k].kind, "prog") || objects[k].id != id,
				"its own %s is a finding", objects[k].name);
	}
}

/* ---- its end ------------------------------------------------------------------------------------ */

static void ended_by_parent(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	pid_t guard = process_child(m->pid);

	require(guard > 0, "the monitor has no guard");
	monitors_mark();
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(findings_count(m) == 0, "its parent's SIGTERM is a finding: %s", file_read(m->out));
	require(file_has(m->err, str("SIGTERM received from %.15s(%d)",
				     program_invocation_short_name, getpid())),
		"the sender of the signal is not named: %s", file_read(m->err));
	require(kill(guard, 0) && errno == ESRCH, "its guard is left behind");
}

static void ended_by_stranger(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t;
	int status;

	monitors_mark();
	t = trigger("send", str("%d", m->pid), str("%d", SIGTERM));
	status = child_wait(m->pid, 5000);
	require(WIFEXITED(status) && !WEXITSTATUS(status), "status %d", status);
	monitor_poll(m);
	require(alert_find(m, "self-tamper", t.pid), "no self-tamper by the stranger");
	require(!strcmp(severity_of(m, &t, "SIGTERM"), "low"), "severity is %s",
		severity_of(m, &t, "SIGTERM"));
	require(file_has(m->err, str("SIGTERM received from send(%d)", t.pid)) ||
			file_has(m->err, str("SIGTERM received from (%d)", t.pid)),
		"the sender of the signal is not named: %s", file_read(m->err));
}

static bool process_gone(pid_t pid, int timeout_ms)
{
	long long end = now_ms() + (long long)timeout_ms * patience;

	while (!kill(pid, 0) && now_ms() < end) {
		while (waitpid(pid, NULL, WNOHANG) > 0)
			;
		sleep_ms(10);
	}
	return kill(pid, 0) != 0;
}

static void killed(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	pid_t guard = process_child(m->pid);
	struct trigger t;

	require(guard > 0, "the monitor has no guard");
	monitors_mark();
	t = trigger("send", str("%d", m->pid), str("%d", SIGKILL));
	expect(m, {.rule = "self-tamper", .vector = "signal", .detail = "SIGKILL", .by = &t},
	       {.rule = "self-blind",
		.detail = "the monitor was killed: nothing is monitored any more"});
	require(!strcmp(severity_of(m, &t, "SIGKILL"), "high"), "severity is %s",
		severity_of(m, &t, "SIGKILL"));
	require(!strcmp(alert_str(alert_find(m, "self-blind", 0), "severity"), "high"),
		"that nobody watches is %s", alert_str(alert_find(m, "self-blind", 0), "severity"));
	require(process_gone(guard, 5000), "the guard stays");
	child_wait(m->pid, 1000);
}

/* Events between the monitor's death and its guard's end are reported too: they are in the ring buffer. */
static void stopped(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t, u;

	monitors_mark();
	t = trigger("send", str("%d", m->pid), str("%d", SIGSTOP));
	require(file_wait(m->out, "the monitor is stopped", 6000),
		"its guard does not report it: %s", file_read(m->out));
	u = trigger("send", str("%d", m->pid), str("%d", SIGCONT));
	expect(m,
	       {.rule = "self-blind",
		.detail = "the monitor is stopped: nothing is monitored until SIGCONT"},
	       {.rule = "self-tamper", .vector = "signal", .detail = "SIGSTOP", .by = &t},
	       {.rule = "self-tamper", .vector = "signal", .detail = "SIGCONT", .by = &u});
	require(!strcmp(severity_of(m, &t, "SIGSTOP"), "high"), "severity is %s",
		severity_of(m, &t, "SIGSTOP"));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static void guard_killed(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	pid_t guard = process_child(m->pid), next;
	struct trigger t;
	json_t *alert;

	monitors_mark();
	t = trigger("send", str("%d", guard), str("%d", SIGKILL));
	expect(m, {.rule = "self-tamper", .vector = "signal", .detail = "SIGKILL", .by = &t},
	       {.rule = "self-blind",
		.detail = "the monitor's guard was killed; another one was started"});
	alert = alert_find(m, "self-tamper", t.pid);
	require(alert_int(alert, "instance.target_pid") == guard, "target is %lld",
		alert_int(alert, "instance.target_pid"));
	next = process_child(m->pid);
	require(next > 0 && next != guard, "no new guard");
	monitors_mark();
	t = trigger("send", str("%d", m->pid), str("%d", SIGKILL));
	expect(m, {.rule = "self-tamper", .vector = "signal", .detail = "SIGKILL", .by = &t},
	       {.rule = "self-blind",
		.detail = "the monitor was killed: nothing is monitored any more"});
	require(process_gone(next, 5000), "the guard stays");
	child_wait(m->pid, 1000);
}

static void guard_traced(const void *arg)
{
	pid_t guard = process_child(self_mon->pid);
	struct trigger t = trigger("vm_readv", str("%d", guard));

	expect(self_mon, {.rule = "self-tamper", .vector = "process_vm_readv", .by = &t});
}

/* Lines queued for a full pipe are lost with the monitor; the guard reports their number. */
static void lines_unwritten(const void *arg)
{
	int fds[2];
	const char *const argv[] = {MONITOR, "run", "--output", "json", "--events", NULL};
	struct child_opts opts = {.err = str("%s/unwritten.err", scratch)};
	struct pollfd p;
	pid_t pid;
	char *all = NULL;
	size_t len = 0;
	ssize_t n;

	require(!pipe2(fds, O_CLOEXEC), "pipe");
	opts.out_fd = fds[1];
	pid = child_start(argv, &opts);
	close(fds[1]);
	require(file_wait(opts.err, "cachewarden: watching ", 15000), "monitor is not up");
	trigger("flood", str("%d", self_server->pid), "actors", "200"); /* about 2 KB per line */
	sleep_ms(1500);
	trigger("send", str("%d", pid), str("%d", SIGKILL));
	p = (struct pollfd){.fd = fds[0], .events = POLLIN};
	while (poll(&p, 1, 10000) > 0) {
		all = realloc(all, len + 65537);
		n = read(fds[0], all + len, 65536);
		if (n <= 0)
			break;
		len += n;
	}
	require(len && p.revents, "the pipe stays open though both are gone");
	all[len] = 0;
	require(strstr(all, "alerts not yet written when the monitor was killed"),
		"the lines that were lost are not counted, of %zu bytes: %.300s", len, all);
	require(strstr(all, "nothing is monitored any more"), "its death is not reported");
	for (char *line = all, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		require(!line[0] || line[0] == '{', "a line begins with: %.80s", line);
	}
	free(all);
	close(fds[0]);
	child_wait(pid, 1000);
}

static void no_guard(const void *arg)
{
	struct monitor *m = monitor_start("--no-guard", NULL);

	require(!process_child(m->pid), "the monitor has a child");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* ---- its maps, programs and links --------------------------------------------------------------- */

struct object_access {
	const char *kind, *name, *what, *detail, *severity;
	int err;
};

static void object_accessed(const void *arg)
{
	const struct object_access *to = arg;
	const struct object *o = object(to->kind, to->name);
	const char *get = !strcmp(to->kind, "map")    ? "BPF_MAP_GET_FD_BY_ID"
			  : !strcmp(to->kind, "prog") ? "BPF_PROG_GET_FD_BY_ID"
						      : "BPF_LINK_GET_FD_BY_ID";
	struct trigger t = trigger("bpf_touch", to->kind, str("%ld", o->id), to->what);

	require(trigger_int(&t, "errno") == to->err, "errno is %lld, not %d",
		trigger_int(&t, "errno"), to->err);
	expect(self_mon, {.rule = "self-tamper", .vector = "bpf", .detail = get, .by = &t},
	       {.rule = "self-tamper",
		.vector = "bpf",
		.detail = to->detail,
		.by = &t,
		.err = to->err,
		.optional = !strcmp(to->what, "get")},
	       {.rule = "self-tamper",
		.vector = "bpf",
		.detail = "BPF_MAP_UPDATE_ELEM",
		.by = &t,
		.err = to->err,
		.optional = true});
	require(!strcmp(severity_of(self_mon, &t, to->detail), to->severity), "severity is %s",
		severity_of(self_mon, &t, to->detail));
}

/* Or the next monitor, which takes over. Or that the kernel does not freeze: mem_calls has task work in it. */
static bool monitor_writes(const char *map)
{
	static const char *const maps[] = {
		"mem_calls",	"events",	 "handshakes", "attempts",     "baselined",
		"files",	"prevent_rules", "main_tgids", "access_b.bss", "memory_b.bss",
		"sweep_bp.bss", "shares",	 "hoarders",   "disks",	       "turns",
		"turn_seen",	"reported"};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (!strcmp(maps[i], map))
			return true;
	return false;
}

/* By id and not by name: a map that is added later must be sealed too. */
static void all_sealed(const void *arg)
{
	size_t frozen = 0;

	for (size_t i = 0; i < objects_count; i++) {
		const struct object *o = &objects[i];

		if (strcmp(o->kind, "map"))
			continue;
		require(o->frozen != monitor_writes(o->name), "map %s (%ld) is %s", o->name, o->id,
			o->frozen ? "frozen, though the monitor writes it" : "not frozen");
		frozen += o->frozen;
	}
	require(frozen > 20, "only %zu maps are frozen", frozen);
}

/* A bpftool that lists all maps is reported as an inspection of ours. */
static void bpftool_lists(const void *arg)
{
	struct run r = run_command(10000, "bpftool", "prog", "show");

	require(!r.status, "bpftool: %s", r.err);
	sleep_ms(SETTLE_MS);
	require(alert_find(self_mon, "self-tamper", r.pid), "no self-tamper by bpftool");
	for (size_t i = self_mon->mark; i < self_mon->count; i++)
		if (alert_int(self_mon->lines[i], "actor.pid") == r.pid &&
		    !strcmp(alert_str(self_mon->lines[i], "rule"), "self-tamper"))
			require(!strcmp(alert_str(self_mon->lines[i], "severity"), "low"),
				"severity is %s", alert_str(self_mon->lines[i], "severity"));
}

/* Access to BPF objects of other programs is not tampering. */
static void map_of_others(const void *arg)
{
	struct run r = run_command(10000, "bpftool", "map", "create", arg, "type", "array", "key",
				   "4", "value", "4", "entries", "1", "name", "foreign");

	if (r.status)
		test_skip("no BPF file system here: %s", r.err);
	r = run_command(10000, "bpftool", "map", "update", "pinned", arg, "key", "0", "0", "0", "0",
			"value", "1", "0", "0", "0");
	unlink(arg);
	require(!r.status, "bpftool: %s", r.err);
	expect_nothing(self_mon);
}

static void link_detached(const void *arg)
{
	const char *dir = str("%s/detached", scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct trigger t;
	struct run r;

	objects_find(m);
	t = trigger("bpf_touch", "link", str("%ld", object("link", "wire_egress")->id), "detach");
	require(!trigger_int(&t, "errno"), "detach: %s", strerror(trigger_int(&t, "errno")));
	expect(m,
	       {.rule = "self-tamper",
		.vector = "bpf",
		.detail = "BPF_LINK_GET_FD_BY_ID",
		.by = &t},
	       {.rule = "self-tamper", .vector = "bpf", .detail = "BPF_LINK_DETACH", .by = &t},
	       {.rule = "self-blind",
		.detail = "wire/wire_egress detached, no longer covered: bytes an instance sends"});
	require(!strcmp(severity_of(m, &t, "BPF_LINK_DETACH"), "high"), "severity is %s",
		severity_of(m, &t, "BPF_LINK_DETACH"));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	r = run_command(10000, MONITOR, "evidence", "show", dir);
	require(strstr(r.out, "{\"attached\":false,\"name\":\"wire_egress\""),
		"the log does not have that the sensor was lost: %s", r.out);
	require(strstr(r.out, str("\"pid\":%d", t.pid)), "nor who did it: %s", r.out);
	objects_find(self_mon);
}

#define ACTION(...) &((const struct action){__VA_ARGS__})
#define OBJECT_ACCESS(...) &((const struct object_access){__VA_ARGS__})

static const struct test tests[] = {
	TEST("it starts without a warning", starts_quietly),
	TEST("it is no instance", no_instance),
	TEST("its own BPF programs are no findings", own_programs),
	TEST("reading its environment is told as a look", environment_read),
	TEST("another monitor is named, exempt and protected", self_another_monitor),
	TEST("the breakpoint that another monitor plants in its child at its start raises nothing",
	     self_learns_flags),
	TEST("a monitor that runs with other code in it is not recognised by the next",
	     self_runs_with_other_code),
	TEST("what only calls itself cachewarden is not one", self_impostor),
	TEST("a copy of it is not one either", self_copy),
	TEST("nor is its executable with other code in it", self_with_other_code),
	TEST("nor with a verb that reads any file", self_other_verb),
	TEST("what everybody may read of it is nothing to tell", status_read),
	TEST("ls of its descriptors is a look", descriptors_listed),
	TEST("its memory read by process_vm_readv", reported,
	     .arg = ACTION({"vm_readv", "@"}, "process_vm_readv", "", "high")),
	TEST("its memory opened", reported,
	     .arg = ACTION({"proc_open", "@", "mem"}, "openat", "mem", "critical")),
	TEST("its maps opened", reported,
	     .arg = ACTION({"proc_open", "@", "maps"}, "openat", "maps", "medium")),
	TEST("a descriptor of it taken", reported,
	     .arg = ACTION({"pidfd_getfd", "@", "0"}, "pidfd_getfd", "fd 0", "high")),
	TEST("ptrace of it", ptraced),
	TEST("its guard's memory read", guard_traced),
	TEST("SIGTERM by its parent is how it ends, its guard with it", ended_by_parent),
	TEST("SIGTERM by a stranger is told, low", ended_by_stranger),
	TEST("killed, its guard tells by whom", killed),
	TEST("stopped, its guard tells; continued, it tells by whom", stopped),
	TEST("its guard killed is told, and another one stands", guard_killed),
	TEST("killed with lines unwritten: they are counted, and no pipe stays open",
	     lines_unwritten),
	TEST("--no-guard: no second process", no_guard),
	TEST("a map of it got by id is a look", object_accessed,
	     .arg = OBJECT_ACCESS("map", "attempts", "get", "BPF_MAP_GET_FD_BY_ID", "low")),
	TEST("a program of it got by id is a look", object_accessed,
	     .arg = OBJECT_ACCESS("prog", "proc_exec", "info", "BPF_OBJ_GET_INFO_BY_FD", "low")),
	TEST("a map of it changed", object_accessed,
	     .arg = OBJECT_ACCESS("map", "attempts", "update", "BPF_MAP_UPDATE_ELEM", "high")),
	TEST("a map of it whose key is deleted", object_accessed,
	     .arg = OBJECT_ACCESS("map", "prevent_rules", "delete", "BPF_MAP_DELETE_ELEM", "high")),
	TEST("every map is sealed but those that the monitor writes", all_sealed),
	TEST("who is family cannot be written by others", object_accessed,
	     .arg = OBJECT_ACCESS("map", "procs", "update", "BPF_MAP_UPDATE_ELEM", "medium",
				  EPERM)),
	TEST("which files count cannot be written by others", object_accessed,
	     .arg = OBJECT_ACCESS("map", "proc_files", "update", "BPF_MAP_UPDATE_ELEM", "medium",
				  EPERM)),
	TEST("which objects are ours cannot be written by others", object_accessed,
	     .arg = OBJECT_ACCESS("map", "own_objects", "delete", "BPF_MAP_DELETE_ELEM", "medium",
				  EPERM)),
	TEST("bpftool that lists all programs is a look", bpftool_lists),
	TEST("a map of somebody else changed: nothing to tell", map_of_others,
	     .arg = "/sys/fs/bpf/cachewarden-foreign"),
	TEST("a link of it detached is told, and what nobody sees any more", link_detached),
	{},
};

const struct suite self_suite = {"self", setup, NULL, tests};
