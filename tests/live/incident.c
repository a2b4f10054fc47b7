/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incident.c - the events of one session are one incident, those of two sessions two; what a policy allows is none.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *a, *b;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
	b = server_start(&(struct server_opts){});
}

static const struct child_opts apart = {.setup = own_session};

/* An incident is closed after so many seconds without an event. */
static const char *quiet_policy(int seconds, const char *more)
{
	return policy_file(str("incidents:\n  quiet: %d\n%s", seconds, more));
}

static struct monitor *monitor_with_quiet(int seconds, const char *more)
{
	return monitor_start("--policy", quiet_policy(seconds, more), NULL);
}

/* With a quiet time that no test reaches, however busy the machine is. */
static struct monitor *monitor_long_quiet(const char *more)
{
	return monitor_with_quiet(60, more);
}

/* Ends the monitor, which closes all incidents. Returns the line that closes the one on that server. */
static json_t *incident_end(struct monitor *m, const struct server *s)
{
	incident_wait(m, s, 1, 1);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	return incident_wait(m, s, 3, 1);
}

static json_t *cachewarden_part(json_t *line)
{
	return json_object_get(json_object_get(line, "unmapped"), "cachewarden");
}

static const char *uid(json_t *line)
{
	return json_string_value(json_object_get(json_object_get(line, "finding_info"), "uid"));
}

static void opened_and_closed(const void *arg)
{
	struct monitor *m = monitor_with_quiet(2, "");
	struct trigger t = trigger_in(&apart, "vm_readv", pid_of(a));
	json_t *begin = incident_wait(m, a, 1, 1), *end;
	json_t *event = alert_find(m, "mem-read", t.pid);

	require(!strcmp(alert_str(begin, "stage"), "take"), "stage %s", alert_str(begin, "stage"));
	require(alert_int(begin, "events.0.pid") == t.pid, "pid %lld, not %d",
		alert_int(begin, "events.0.pid"), t.pid);
	require(strstr(alert_str(begin, "who"), "vm_readv"), "who: %s", alert_str(begin, "who"));
	require(event && !strcmp(alert_str(event, "incident"), uid(begin)),
		"the event does not name its incident");
	end = incident_wait(m, a, 3, 1);
	require(!strcmp(uid(begin), uid(end)), "another incident was closed");
	require(alert_int(end, "count") == 1, "count %lld", alert_int(end, "count"));
	require(alert_str(end, "closed_because")[0], "no reason");
}

static void two_sessions(const void *arg)
{
	struct monitor *m = monitor_long_quiet("");
	size_t count;

	trigger_in(&apart, "vm_readv", pid_of(a));
	trigger_in(&apart, "proc_open", pid_of(a), "maps");
	incident_wait(m, a, 1, 2);
	incident_end(m, a);
	incident_find(m, a, 3, &count);
	require(count == 2, "%zu incidents are closed, not 2", count);
	incident_find(m, a, 1, &count);
	require(count == 2, "%zu incidents, not 2", count);
}

static void two_instances(const void *arg)
{
	struct monitor *m = monitor_long_quiet("");

	trigger("vm_readv", pid_of(a));
	trigger("vm_readv", pid_of(b));
	incident_wait(m, a, 1, 1);
	incident_wait(m, b, 1, 1);
}

/* One session reaches the stages look, touch and take: one incident, its stages in order. */
static void one_session(const void *arg)
{
	struct monitor *m = monitor_long_quiet("");
	json_t *end, *stages;
	size_t count;

	trigger("proc_open", pid_of(a), "maps");
	trigger("ptrace", pid_of(a), "attach");
	trigger("vm_readv", pid_of(a));
	end = incident_end(m, a);
	incident_find(m, a, 1, &count);
	require(count == 1, "%zu incidents, not 1", count);
	stages = json_object_get(cachewarden_part(end), "stages");
	require(json_integer_value(json_object_get(stages, "look")) <=
				json_integer_value(json_object_get(stages, "touch")) &&
			json_integer_value(json_object_get(stages, "touch")) <=
				json_integer_value(json_object_get(stages, "take")) &&
			json_integer_value(json_object_get(stages, "look")) > 0,
		"stages are not look, touch, take: %s", json_dumps(stages, 0));
	require(!strcmp(alert_str(end, "severity"), "critical"), "severity %s",
		alert_str(end, "severity"));
}

/* ---- session 0 ---------------------------------------------------------------------------------- */

/*
 * Does what one_session does in session 0: as the release agent of a cgroup v1 hierarchy, which the kernel starts
 * when the last process of a cgroup ends.
 */
static void kernel_helper_run(int nr)
{
	const char *at = str("%s/hierarchy%d", scratch, nr),
		   *done = str("%s/outside%d", scratch, nr);
	const char *script = str("%s/outside%d.sh", scratch, nr);

	file_write(script, str("#!/bin/sh\n%s %s maps\n%s %s attach\n%s %s\n: >%s\n",
			       trigger_path("proc_open"), pid_of(a), trigger_path("ptrace"),
			       pid_of(a), trigger_path("vm_readv"), pid_of(a), done));
	chmod(script, 0755);
	mkdir(at, 0755);
	if (mount("none", at, "cgroup", 0, str("none,name=cachewarden%d.%d", getpid(), nr)))
		test_skip("no cgroup v1 here: %s", strerror(errno));
	file_write(str("%s/release_agent", at), script);
	mkdir(str("%s/job", at), 0755);
	file_write(str("%s/job/notify_on_release", at), "1");
	run_command(5000, "/bin/sh", "-c", str("echo $$ >%s/job/cgroup.procs", at));
	for (int i = 0; i < 500 * patience && access(done, F_OK); i++)
		sleep_ms(10);
	rmdir(str("%s/job", at));
	sleep_ms(300); /* a hierarchy is not freed while it has a cgroup */
	umount(at);
	rmdir(at);
	require(!access(done, F_OK), "the kernel did not start %s", script);
}

/* Not incident_find(): it ignores actors that do not descend from us. */
static size_t incidents_by(struct monitor *m, const char *who, int activity, long long events)
{
	size_t count = 0;

	monitor_poll(m);
	for (size_t i = m->incident_mark; i < m->incident_count; i++)
		count += json_integer_value(json_object_get(m->incidents[i], "activity_id")) ==
				 activity &&
			 strstr(alert_str(m->incidents[i], "who"), who) &&
			 alert_int(m->incidents[i], "count") >= events;
	return count;
}

static void outside_sessions(const void *arg)
{
	struct monitor *m = monitor_with_quiet(3, "");

	for (int i = 1; i <= 2; i++) {
		const char *who = str("< outside%d.sh(", i);

		kernel_helper_run(i);
		for (int ms = 0; !incidents_by(m, who, 3, 0) && ms < 10000 * patience; ms += 20)
			sleep_ms(20);
		require(incidents_by(m, who, 1, 0) == 1 && incidents_by(m, who, 3, 3) == 1,
			"not a single incident with all its events: %s", file_read(m->out));
	}
}

static void flood(const void *arg)
{
	struct monitor *m = monitor_long_quiet("");
	struct trigger t = trigger_in(&apart, "flood", pid_of(a), "loop", "20000");
	json_t *end = incident_end(m, a);
	size_t lines;

	require(trigger_int(&t, "result") == 20000, "the trigger made %lld calls",
		trigger_int(&t, "result"));
	require(alert_int(end, "count") == 20000, "count %lld", alert_int(end, "count"));
	incident_find(m, a, 2, &lines);
	require(lines <= 20, "%zu lines", lines);
}

/* Without --events only incidents are reported. */
static void only_incidents(const void *arg)
{
	const char *const argv[] = {MONITOR, "run", "--output", "json", NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){}, argv);

	monitor_ready(m);
	monitors_mark();
	trigger("benign", pid_of(a), "self");
	trigger_in(&apart, "vm_readv", pid_of(a));
	incident_wait(m, a, 1, 1);
	sleep_ms(SETTLE_MS);
	require(!findings_count(m), "events are shown: %s", file_read(m->out));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	incident_wait(m, a, 3, 1); /* the monitor closes them when it ends */
}

/* ---- a debugger --------------------------------------------------------------------------------- */

static const char *gdb_exe(void)
{
	const char *path = "/usr/bin/gdb";

	if (access(path, X_OK))
		test_skip("no gdb here");
	return path;
}

/* A gdb session on a server under load. */
static void gdb_session(void)
{
	const char *const argv[] = {
		gdb_exe(), "-batch", "-nx",	   "-p",  pid_of(a),	    "-ex",
		"bt",	   "-ex",    "x/64xb $sp", "-ex", "info registers", "-ex",
		"detach",  NULL};
	pid_t bench = benchmark_start(a, "-n", "100000000", "-t", "get");
	struct run r;

	sleep_ms(300);
	r = run_argv(30000, &apart, argv);
	child_stop(bench, SIGTERM, 2000);
	require(r.status == 0, "gdb: %d %s", r.status, r.err);
}

static void debugger(const void *arg)
{
	struct monitor *m = monitor_long_quiet("");
	json_t *end;
	size_t count;

	gdb_session();
	end = incident_end(m, a);
	incident_find(m, a, 1, &count);
	require(count == 1, "%zu incidents, not 1: %s", count, file_read(m->out));
	require(alert_int(end, "rules.mem-trace") > 0 && alert_int(end, "rules.mem-read") > 0,
		"no trace or read: %s", file_read(m->out));
	require(strstr(alert_str(end, "who"), "gdb"), "who: %s", alert_str(end, "who"));
	printf("# a gdb session: %lld events, one incident, reached %s\n", alert_int(end, "count"),
	       alert_str(end, "stage"));
}

static const char *allow_gdb(const char *until)
{
	static const char *const rules[] = {"mem-trace",   "mem-read", "mem-write",
					    "mem-inspect", "mem-fd",   "mem-inject"};
	static char text[4096];
	size_t len = 0;

	len += snprintf(text, sizeof(text), "allow:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		len += snprintf(
			text + len, sizeof(text) - len,
			"  - rule: %s\n    exe: %s\n    until: %s\n    reason: ticket 4711\n",
			rules[i], gdb_exe(), until);
	return text;
}

static void debugger_allowed(const void *arg)
{
	struct monitor *m = monitor_long_quiet(allow_gdb("2099-12-31"));
	struct monitor *late = monitor_long_quiet(allow_gdb("2020-01-01"));
	json_t *event;
	size_t count;

	monitors_mark();
	gdb_session();
	incident_wait(late, a, 1, 1);
	sleep_ms(1500);
	incident_find(m, a, 1, &count);
	require(!count, "an incident, though it is allowed: %s", file_read(m->out));
	event = alert_find(m, "mem-trace", 0);
	require(event && !strcmp(alert_str(event, "verdict"), "allowed") &&
			!strcmp(alert_str(event, "policy.reason"), "ticket 4711"),
		"it is not recorded as allowed: %s", file_read(m->out));
}

static void text(const void *arg)
{
	const char *const argv[] = {MONITOR, "run", "--policy", quiet_policy(3, ""), NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){}, argv);
	int lines = 0;
	char *out;

	m->is_text = true;
	monitor_ready(m);
	trigger_in(&apart, "flood", pid_of(a), "loop", "5000");
	require(file_wait(m->out, "5000 events in ", 8000), "it is not closed: %s",
		file_read(m->out));
	out = file_read(m->out);
	require(strstr(out, " opened: redis-server:") && strstr(out, "by flood("),
		"actor or instance not named: %s", out);
	require(strstr(out, "take   mem-read: process_vm_readv read 64 bytes"),
		"no first event: %s", out);
	require(strstr(out, "5000 events in ") && strstr(out, "mem-read 5000"), "no sum: %s", out);
	printf("# %.300s\n", out);
	for (const char *at = out; (at = strstr(at, "flood(")); at++)
		lines++;
	require(lines < 12, "%d lines name it: %s", lines, out);
	free(out);
}

static const struct test tests[] = {
	TEST("an incident is opened by its first event, and over when it was quiet",
	     opened_and_closed),
	TEST("what one session does is one incident, its stages in order", one_session),
	TEST("outside any session, all that one helper of the kernel does is one incident",
	     outside_sessions),
	TEST("two sessions at once are two", two_sessions),
	TEST("two servers are two", two_instances),
	TEST("20000 reads are one incident, and few lines", flood),
	TEST("without --events only incidents are told", only_incidents),
	TEST("a gdb session on a server under load is one incident", debugger),
	TEST("a gdb that the policy allows is none, until its last day is over", debugger_allowed),
	TEST("text output shows a short block", text),
	{},
};

const struct suite incident_suite = {"incident", setup, NULL, tests};
