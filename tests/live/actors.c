/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * actors.c - who did it: each action of an incident names its own actor, the headline the actor of the worst one;
 * command lines are shown without what may be a secret; text output is a log.
 */
#include "harness.h"
#include "steps.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECRET "kaJmN5yOpenSesame"
#define STAMP 29 /* bytes of "2026-11-27T14:03:09.123+01:00" */

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

static const struct child_opts apart = {.setup = own_session};

static struct monitor *watch_text(const char *quiet)
{
	const char *policy = str("%s/actors.yaml", scratch);
	const char *const argv[] = {MONITOR, "run", "--events", "--policy", policy, NULL};
	struct monitor *m;

	file_write(policy, str("incidents:\n  quiet: %s\n", quiet));
	chmod(policy, 0644);
	m = monitor_start_with(&(struct child_opts){}, argv);
	m->is_text = true;
	monitor_ready(m);
	return m;
}

/* The incident's closing line, once the monitor has ended. */
static json_t *closed(struct monitor *m)
{
	incident_wait(m, a, 1, 1);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	return incident_wait(m, a, 3, 1);
}

/* The index among the incident's actions of the first by an actor of that name and uid, or -1. */
static int action_by(json_t *incident, const char *comm, long long uid)
{
	for (int i = 0; alert_str(incident, str("events.%d.rule", i))[0]; i++)
		if (!strcmp(alert_str(incident, str("events.%d.actor.comm", i)), comm) &&
		    alert_int(incident, str("events.%d.actor.uid", i)) == uid)
			return i;
	return -1;
}

static void worst_leads(const void *arg)
{
	struct monitor *m;
	struct run r;
	json_t *end;

	if (access("/usr/bin/gdb", X_OK))
		test_skip("no gdb here");
	m = monitor_start(NULL);
	r = run_with(&apart, 30000, "bash", "-c",
		     str("cat /proc/%d/environ >/dev/null; gdb -p %d -batch", a->pid, a->pid));
	require(r.status == 0, "cat and gdb: %d %s", r.status, r.err);
	end = closed(m);
	require(!strncmp(alert_str(end, "who"), "gdb(", 4) &&
			!strcmp(alert_str(end, "actor.comm"), "gdb"),
		"the headline does not name gdb: %s", file_read(m->out));
	require(action_by(end, "cat", 0) >= 0 && action_by(end, "gdb", 0) >= 0,
		"not every action names its actor: %s", file_read(m->out));
	require(strstr(alert_str(end, str("events.%d.actor.cmdline", action_by(end, "gdb", 0))),
		       str("gdb -p %d", a->pid)),
		"gdb's command line: %s", file_read(m->out));
}

static void uids_apart(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *const script = str("setpriv --reuid %d --clear-groups cat /proc/%d/environ; "
				       "head -c 1 /proc/%d/mem; true",
				       NOBODY, a->pid, a->pid);
	struct run r = run_with(&apart, 10000, "bash", "-c", script);
	json_t *end;

	require(r.status == 0, "cat and head: %d %s", r.status, r.err);
	end = closed(m);
	require(action_by(end, "cat", NOBODY) >= 0, "nobody's cat: %s", file_read(m->out));
	require(action_by(end, "head", 0) >= 0, "root's head: %s", file_read(m->out));
	require(alert_int(end, "actor.uid") == 0, "the headline: %s", file_read(m->out));
}

static void text_names_them(const void *arg)
{
	struct monitor *m = watch_text("2");
	char *out;

	run_with(&apart, 10000, "bash", "-c",
		 str("cat /proc/%d/environ >/dev/null; head -c 1 /proc/%d/mem; true", a->pid,
		     a->pid));
	require(file_wait(m->out, " closed: ", 8000), "it is not closed: %s", file_read(m->out));
	out = file_read(m->out);
	require(strstr(out, str("\"head -c * /proc/%d/mem\"", a->pid)) &&
			strstr(out, str("\"cat /proc/%d/environ\"", a->pid)),
		"no command lines: %s", out);
	require(strstr(out, "look   mem-inspect: ") && strstr(out, ", by cat("), "no actor: %s",
		out);
	free(out);
}

/* Syscall hooks take the arguments from the kernel, packet hooks from /proc. */
static void secrets_stay_out(const void *arg)
{
	struct monitor *m = watch_text("2");
	char *out;

	run_with(&apart, 10000, "redis-cli", "-a", SECRET, "-p", str("%d", a->plain_port), "ping");
	run_with(&apart, 10000, "bash", "-c",
		 str("head -c 1 /proc/%d/mem; : %s; true", a->pid, SECRET));
	run_with(&apart, 10000, "head", "-c", "1", str("--x=%s", SECRET), SECRET,
		 str("/proc/%d/mem", a->pid));
	run_with(&apart, 10000, "tail", "-c", "1", SECRET, str("/proc/%d/mem", a->pid));
	require(file_wait(m->out, "tail(", 8000), "no tail: %s", file_read(m->out));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	out = file_read(m->out);
	require(strstr(out, str("\"tail -c * * /proc/%d/mem\"", a->pid)), "no command line: %s",
		out);
	require(!strstr(out, SECRET) && !strstr(file_read(m->err), SECRET),
		"the secret is in the output: %s", out);
	free(out);
}

static bool is_stamp(const char *line)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.ddd+dd:dd";

	for (int i = 0; i < STAMP; i++) {
		bool fits = form[i] == 'd'   ? isdigit((unsigned char)line[i])
			    : form[i] == '+' ? line[i] == '+' || line[i] == '-'
					     : line[i] == form[i];

		if (!fits)
			return false;
	}
	return line[STAMP] == ' ';
}

/* Many short-lived actors, some of which wait for the sweep or the second in which repeats are counted. */
static void text_is_a_log(const void *arg)
{
	struct monitor *m = watch_text("2");
	char *out, *save = NULL, before[STAMP + 1] = "";
	int lines = 0;

	for (int i = 0; i < 20; i++) {
		run_with(&apart, 10000, "head", "-c", "1", str("/proc/%d/mem", a->pid));
		run_with(&apart, 10000, "redis-cli", "-p", str("%d", a->plain_port), "ping");
	}
	trigger_in(&apart, "flood", pid_of(a), "loop", "5000");
	require(file_wait(m->out, "5000 events in ", 8000), "it is not over: %s",
		file_read(m->out));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	out = file_read(m->out);
	for (char *line = strtok_r(out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == ' ')
			continue;
		require(is_stamp(line), "a line without date, time and zone: %s", line);
		require(strncmp(before, line, STAMP) <= 0, "older than %s: %s", before, line);
		snprintf(before, sizeof(before), "%s", line);
		lines++;
	}
	require(lines > 80, "only %d lines", lines);
}

static size_t opened(struct monitor *m)
{
	size_t count;

	incident_find(m, a, 1, &count);
	return count;
}

static void one_ping_one_incident(const void *arg)
{
	struct monitor *m = monitor_start(NULL);

	run_with(&apart, 10000, "redis-cli", "-p", str("%d", a->tls_port), "ping");
	incident_wait(m, a, 1, 1);
	sleep_ms(2500); /* the client is gone, and the bytes of both directions are reported */
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(opened(m) == 1, "%zu incidents: %s", opened(m), file_read(m->out));
}

static void later_ping_is_its_own(const void *arg)
{
	const char *policy = str("%s/actors.yaml", scratch);
	struct monitor *m;
	json_t *line;
	long long before;
	struct run r;

	file_write(policy, "incidents:\n  quiet: 3\n");
	m = monitor_start("--policy", policy, NULL);
	run_with(&apart, 10000, "redis-cli", "-p", str("%d", a->plain_port), "ping");
	incident_wait(m, a, 3, 2);
	sleep_ms(1500);
	before = time(NULL) * 1000LL;
	r = run_with(&apart, 10000, "redis-cli", "-p", str("%d", a->plain_port), "ping");
	incident_wait(m, a, 1, 3);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	/* the two clients, and the server for serving plaintext */
	require(opened(m) == 3, "%zu incidents: %s", opened(m), file_read(m->out));
	line = m->incidents[m->incident_count - 1];
	require(json_integer_value(json_object_get(line, "start_time")) >= before - 1000,
		"its start is that of the first: %s", file_read(m->out));
	require(alert_int(line, "actor.pid") == r.pid, "its actor is not the second client: %s",
		file_read(m->out));
}

static const struct test tests[] = {
	TEST("cat looks, then gdb attaches: gdb leads, each is named", worst_leads),
	TEST("what nobody and root do in one session is told apart", uids_apart),
	TEST("text names the actor of each action with its command line", text_names_them),
	TEST("a secret in an argument is in no output", secrets_stay_out),
	TEST("text lines carry date and zone and never go back in time", text_is_a_log),
	TEST("one plaintext ping is one incident", one_ping_one_incident),
	TEST("a later ping is an incident with its own time and client", later_ping_is_its_own),
	{},
};

const struct suite actors_suite = {"actors", setup, NULL, tests};
