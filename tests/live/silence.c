/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * silence.c - the monitor cannot be silenced unnoticed: frozen, stopped, starved or moved, it or its guard says so, the
 * next monitor does, or the heartbeat ends.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STALLED "the monitor makes no progress, frozen or starved: nothing is monitored"
#define KILLED "the monitor was killed: nothing is monitored any more"
#define CONTROL "cgroup control file"

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){});
}

/* ---- cgroups ------------------------------------------------------------------------------------ */

static const char *cgroup2_root(void)
{
	static char at[512];
	char type[64];
	FILE *f = fopen("/proc/self/mounts", "re");
	bool found = false;

	require(f, "/proc/self/mounts: %s", strerror(errno));
	while (!found && fscanf(f, "%*s %511s %63s%*[^\n]", at, type) == 2)
		found = !strcmp(type, "cgroup2");
	fclose(f);
	if (!found)
		test_skip("no cgroup2 is mounted here");
	return at;
}

/* Removed at the end of the test, when nobody is in them any more. */
static char cgroups[2][600];

static void cgroups_remove(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++) {
		for (int tries = 0; cgroups[i][0] && rmdir(cgroups[i]) && tries < 100; tries++)
			sleep_ms(20);
		cgroups[i][0] = 0;
	}
}

static void cgroup_make(int i)
{
	snprintf(cgroups[i], sizeof(cgroups[i]), "%s/cachewarden-live.%d.%d", cgroup2_root(), i,
		 getpid());
	require(!mkdir(cgroups[i], 0755), "%s: %s", cgroups[i], strerror(errno));
}

/* In the child that becomes the monitor. */
static void enter_first(void)
{
	int fd = open(str("%s/cgroup.procs", cgroups[0]), O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(126);
	close(fd);
}

/* sink: as --sink takes it; NULL: none. */
static struct monitor *monitor_in_cgroup(const char *sink)
{
	const char *const argv[] = {
		MONITOR, "run", "--output", "json", "--events", sink ? "--sink" : NULL, sink, NULL};
	struct monitor *m;

	cgroups_remove(); /* of a test that failed */
	cgroup_make(0);
	m = monitor_start_with(&(struct child_opts){.setup = enter_first}, argv);
	monitor_ready(m);
	sleep_ms(SETTLE_MS); /* its guard leaves */
	monitors_mark();
	return m;
}

static struct trigger cgroup_write(int i, const char *file, const char *text)
{
	struct trigger t = trigger("cgroup_write", str("%s/%s", cgroups[i], file), text);

	if (trigger_int(&t, "result") < 0) {
		cgroups_remove();
		test_skip("%s: %s", file, strerror(trigger_int(&t, "errno")));
	}
	return t;
}

static bool in_root_cgroup(pid_t pid)
{
	return file_has(str("/proc/%d/cgroup", pid), "0::/\n");
}

static const char *last_seen(struct monitor *m, const char *note)
{
	for (size_t i = m->mark; i < m->count; i++)
		if (!strcmp(alert_str(m->lines[i], "detail"), note))
			return alert_str(m->lines[i], "last_seen");
	return "";
}

/* Frozen, the memory read, all killed: one step each. */
static void frozen(const void *arg)
{
	struct monitor *m = monitor_in_cgroup(NULL);
	pid_t guard = process_child(m->pid);
	struct trigger before, freeze, read, kills;
	const char *seen;

	require(guard > 0 && in_root_cgroup(guard) && !in_root_cgroup(m->pid),
		"its guard is in its cgroup");
	require(getsid(guard) == guard, "its guard is in its session");
	before = trigger("proc_open", pid_of(a), "maps");
	expect(m, {.rule = "mem-inspect", .server = a, .by = &before});
	monitors_mark();
	freeze = cgroup_write(0, "cgroup.freeze", "1");
	require(file_wait(m->out, STALLED, 12000), "its guard is silent: %s", file_read(m->out));
	read = trigger("vm_readv", pid_of(a));
	kills = cgroup_write(0, "cgroup.kill", "1");
	expect(m, {.rule = "self-tamper", .vector = "openat", .detail = CONTROL, .by = &freeze},
	       {.rule = "self-tamper", .vector = "cgroup", .detail = "frozen", .by = &freeze},
	       {.rule = "self-blind", .detail = STALLED},
	       {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &read},
	       {.rule = "self-tamper", .vector = "openat", .detail = CONTROL, .by = &kills},
	       {.rule = "self-tamper", .vector = "signal", .detail = "SIGKILL", .by = &kills},
	       {.rule = "self-blind", .detail = KILLED});
	seen = last_seen(m, KILLED);
	require(!strncmp(seen, "alive at 20", 11), "it was not seen alive: \"%s\"", seen);
	/* it may have reported who freezes it */
	require((strstr(seen, ": mem-inspect: openat maps opened for reading, ") &&
		 strstr(seen, str(" by proc_open(%d)", before.pid))) ||
			strstr(seen, str(" by cgroup_write(%d)", freeze.pid)),
		"what was seen last is \"%s\"", seen);
	child_wait(m->pid, 1000);
	cgroups_remove();
}

/* The process of a sink is frozen and killed with the monitor. The guard starts another one. */
static void frozen_with_a_sink(const void *arg)
{
	const char *path = str("%s/frozen.json", scratch);
	struct monitor *m;

	unlink(path);
	m = monitor_in_cgroup(str("file:%s", path));
	cgroup_write(0, "cgroup.freeze", "1");
	require(file_wait(path, STALLED, 15000), "not in the sink: %s", file_read(m->err));
	cgroup_write(0, "cgroup.kill", "1");
	require(file_wait(path, KILLED, 8000), "its end is not in the sink: %s", file_read(m->err));
	child_wait(m->pid, 1000);
	cgroups_remove();
}

static void moved(const void *arg)
{
	struct monitor *m = monitor_in_cgroup(NULL);
	pid_t guard = process_child(m->pid);
	struct trigger t, u;

	cgroup_make(1);
	t = cgroup_write(1, "cgroup.procs", str("%d", m->pid));
	u = cgroup_write(1, "cgroup.procs", str("%d", guard));
	expect(m,
	       {.rule = "self-tamper",
		.vector = "cgroup",
		.detail = "moved to another cgroup",
		.by = &t},
	       {.rule = "self-tamper",
		.vector = "cgroup",
		.detail = "moved to another cgroup",
		.by = &u},
	       /* it holds the monitor by now */
	       {.rule = "self-tamper", .vector = "openat", .detail = CONTROL, .by = &u});
	monitors_mark();
	t = cgroup_write(1, "cgroup.freeze", "0");
	expect(m, {.rule = "self-tamper", .vector = "openat", .detail = CONTROL, .by = &t});
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	cgroups_remove();
}

/* Control files of other cgroups written, those of its own read. */
static void other_cgroup(const void *arg)
{
	struct monitor *m = monitor_in_cgroup(NULL);

	cgroup_make(1);
	cgroup_write(1, "cgroup.freeze", "1");
	cgroup_write(1, "cgroup.procs", str("%d", idle_start()));
	cgroup_write(0, "cgroup.freeze", NULL);
	expect_nothing(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	children_end(TEST_SCOPE);
	cgroups_remove();
}

/* ---- stopped and starved ------------------------------------------------------------------------ */

/* One signal to both, and nobody is left to say so: the next monitor does. */
static void stopped_and_killed(const void *arg)
{
	struct monitor *m = monitor_start(NULL), *next;
	pid_t pid = m->pid, guard = process_child(pid);
	const char *note = str(
		"an earlier monitor, pid %d, was killed with its guard: nothing was monitored since",
		pid);

	kill(pid, SIGSTOP);
	kill(guard, SIGSTOP);
	trigger("vm_readv", pid_of(a));
	kill(guard, SIGKILL);
	child_stop(pid, SIGKILL, 3000);
	next = monitor_start(NULL);
	require(blind_count(next, note) == 1, "the next one does not report it: %s",
		file_read(next->out));
	require(!strncmp(last_seen(next, note), "alive at 20", 11),
		"it does not say when it was alive");
	require(monitor_stop(next, SIGTERM) == 0, "exit code");
	next = monitor_start(NULL);
	require(!blind_count(next, note), "it is reported twice");
	require(monitor_stop(next, SIGTERM) == 0, "exit code");
}

static void guard_stopped(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	pid_t guard = process_child(m->pid);
	struct trigger t;

	monitors_mark();
	t = trigger("send", str("%d", guard), str("%d", SIGSTOP));
	expect(m, {.rule = "self-tamper", .vector = "signal", .detail = "SIGSTOP", .by = &t},
	       {.rule = "self-blind",
		.detail =
			"the monitor's guard made no progress, frozen or starved; another one was started"});
	require(!file_has(str("/proc/%d/stat", guard), " (cw-guard) T "), "it is still there");
	for (long long end = now_ms() + ALERT_MS * patience; process_child(m->pid) == guard;
	     sleep_ms(20))
		require(now_ms() < end, "it is not reaped");
	require(process_child(m->pid) > 0, "no new guard");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static long lag_count(struct monitor *m)
{
	long n = 0;

	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		n += !strncmp(alert_str(m->lines[i], "detail"), LAG, strlen(LAG));
	return n;
}

static void late(const void *arg)
{
	struct monitor *m = monitor_start("--no-guard", NULL);
	struct trigger t;

	monitors_mark();
	kill(m->pid, SIGSTOP);
	t = trigger("vm_readv", pid_of(a));
	sleep_ms(1400);
	kill(m->pid, SIGCONT);
	for (long long end = now_ms() + ALERT_MS * patience; !lag_count(m) && now_ms() < end;)
		sleep_ms(20);
	require(alert_find(m, "mem-read", t.pid), "no mem-read");
	require(lag_count(m) == 1, "%ld reports of a lag: %s", lag_count(m), file_read(m->out));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static void scheduled(const void *arg)
{
	static const char *const calls[][2] = {{"idle", "sched_setscheduler"},
					       {"attr", "sched_setattr"},
					       {"affinity", "sched_setaffinity"},
					       {"nice", "setpriority"}};
	struct monitor *m = monitor_start(NULL);

	monitors_mark();
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct trigger t = trigger("schedule", str("%d", m->pid), calls[i][0]);

		require(!trigger_int(&t, "errno"), "%s: %s", calls[i][0],
			strerror(trigger_int(&t, "errno")));
		expect(m, {.rule = "self-tamper", .vector = calls[i][1], .by = &t});
		monitors_mark();
		/* of a server, and of somebody else, it is tuning */
		trigger("schedule", pid_of(a), calls[i][0]);
		trigger("schedule", str("%d", idle_start()), calls[i][0]);
	}
	trigger("schedule", str("%d", m->pid), "query");
	expect_nothing(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* ---- the heartbeat ------------------------------------------------------------------------------ */

static long heartbeats(struct monitor *m)
{
	monitor_poll(m);
	return m->heartbeats;
}

static bool last_event_by(struct monitor *m, const struct trigger *t)
{
	return strstr(alert_str(m->heartbeat, "last_event"), str("by vm_readv(%d)", t->pid));
}

static void heartbeat(const void *arg)
{
	struct monitor *m = monitor_start("--heartbeat", "1", NULL);
	pid_t guard = process_child(m->pid);
	long long end = now_ms() + 8000 * patience;
	struct trigger t = trigger("vm_readv", pid_of(a));
	long before = 0;

	while (heartbeats(m) < 3 || !last_event_by(m, &t)) {
		require(now_ms() < end, "%ld heartbeats in 8 s; the last event is \"%s\"",
			heartbeats(m), alert_str(m->heartbeat, "last_event"));
		if (heartbeats(m) != before) { /* somebody else's event came later */
			before = heartbeats(m);
			t = trigger("vm_readv", pid_of(a));
		}
		sleep_ms(20);
	}
	require(alert_int(m->heartbeat, "number") == m->heartbeats, "it is number %lld of %ld",
		alert_int(m->heartbeat, "number"), m->heartbeats);
	require(alert_int(m->heartbeat, "instances") >= 1 &&
			alert_int(m->heartbeat, "interval_s") == 1,
		"instances or interval: %s", file_read(m->out));
	kill(m->pid, SIGSTOP);
	kill(guard, SIGSTOP);
	before = heartbeats(m);
	sleep_ms(2500);
	require(heartbeats(m) == before, "%ld heartbeats while it is stopped",
		heartbeats(m) - before);
	kill(guard, SIGCONT);
	kill(m->pid, SIGCONT);
	for (end = now_ms() + 8000 * patience; heartbeats(m) == before; sleep_ms(20))
		require(now_ms() < end, "no heartbeat once it is continued");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static void heartbeat_text(const void *arg)
{
	const char *const argv[] = {MONITOR, "run", "--heartbeat", "1", "--duration", "3", NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){}, argv);

	m->is_text = true;
	require(file_wait(m->out, "heartbeat 2: watching ", 15000), "no heartbeat: %s",
		file_read(m->out));
	child_wait(m->pid, 15000);
}

static const struct test tests[] = {
	TEST("moved to another cgroup is told", moved),
	TEST("control files of another cgroup written, of its own read: nothing to tell",
	     other_cgroup),
	TEST("stopped and killed with its guard: the next monitor tells, once", stopped_and_killed),
	TEST("its guard stopped: it tells, and another one stands", guard_stopped),
	TEST("an event told late is told to be late", late),
	TEST("scheduled out of CPU time by a stranger", scheduled),
	TEST("a heartbeat comes at its interval, and not while the monitor is stopped", heartbeat),
	TEST("a heartbeat in text", heartbeat_text),
	{},
};

/* What was seen last is whoever did it. */
static const struct test alone_tests[] = {
	TEST("frozen and killed with its cgroup: its guard tells, and what was seen last", frozen),
	TEST("frozen and killed with a sink: its guard is heard there, too", frozen_with_a_sink),
	{},
};

const struct suite silence_suite = {"silence", setup, cgroups_remove, tests};
const struct suite silence_alone_suite = {"silence: alone", setup, cgroups_remove, alone_tests};
