/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect.c - compares what the monitor reported with the ground truth: which alerts belong to the test, which are
 * missing, and which are too many.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Servers that the tests did not start are ignored. */
static bool alert_ours(json_t *a)
{
	long long pid = alert_int(a, "instance.pid"), ancestor;
	char path[40];

	if (pid > 0)
		return pid_ours(pid);
	if (!strcmp(alert_str(a, "rule"), "self-blind"))
		return true;
	/* about the whole host: ours if a descendant of ours did it */
	for (int i = 0;; i++) {
		snprintf(path, sizeof(path), "actor.ancestors.%d.pid", i);
		ancestor = alert_int(a, path);
		if (ancestor <= 0 || ancestor == getpid())
			return ancestor > 0;
	}
}

/*
 * Whether it is about another monitor of the tests. One that was started later is protected like the first; one that
 * was there before opens the files of a server when the server writes them. Both are true, but not what is tested.
 */
static bool alert_by_monitor(const struct monitor *m, json_t *a)
{
	const char *rule = alert_str(a, "rule");

	if ((!strcmp(rule, "rest-file") || !strcmp(rule, "tls-key")) &&
	    monitor_other(m, alert_int(a, "actor.pid")))
		return true;
	return !strcmp(rule, "self-tamper") &&
	       monitor_other(m, alert_int(a, "instance.target_pid"));
}

/*
 * Whether the monitor also watches a server that these tests did not start. Its self-blind alerts are then not
 * evaluated: somebody may be flooding that server.
 */
static bool foreign_server_watched(const struct monitor *m)
{
	static bool printed;
	bool found = false;
	char *err, *at;

	if (part_beside_another())
		return true;
	at = err = file_read(m->err);
	while (!found && (at = strstr(at, "found: pid ")))
		found = !pid_ours(atoi(at += strlen("found: pid ")));
	free(err);
	if (found && !printed)
		printf("# a server that the tests did not start is watched: self-blind alerts are not evaluated\n");
	printed |= found;
	return found;
}

/*
 * Whether a process outside the tests caused it: a true alert that the test does not expect. All that the tests start
 * stays their descendant (we are a subreaper), so a chain of ancestors that reaches pid 1, or our parent, without us is
 * foreign.
 */
static bool alert_by_stranger(json_t *a)
{
	long long pid = alert_int(a, "actor.pid"), last = 0;
	char path[40];

	for (int i = 0; pid > 0; i++) {
		if (pid == getpid())
			return false;
		if (pid == getppid()) /* another part of the same run */
			return true;
		last = i ? pid : 0;
		snprintf(path, sizeof(path), "actor.ancestors.%d.pid", i);
		pid = alert_int(a, path);
	}
	return last == 1;
}

/* First alerts only: updates of alerts from before the test are not the test's. */
static bool alert_counts(json_t *a)
{
	return alert_activity(a) == 1 && alert_ours(a) && !alert_by_stranger(a);
}

/*
 * An instance that answers plaintext on a port it listens on raises tls-listener, once per instance and port. Which
 * test is the first to cause it depends on their order, so it is accepted after tls-plaintext on that port. A test of
 * its own checks when it is raised.
 */
static bool follows_plaintext(const struct monitor *m, json_t *a)
{
	if (strcmp(alert_str(a, "rule"), "tls-listener"))
		return false;
	for (size_t i = 0; i < m->count; i++) {
		json_t *b = m->lines[i];

		if (!strcmp(alert_str(b, "rule"), "tls-plaintext") &&
		    strcmp(alert_str(b, "conn.opened"), "outbound") &&
		    alert_int(b, "instance.pid") == alert_int(a, "instance.pid") &&
		    alert_int(b, "conn.local.port") == alert_int(a, "conn.local.port"))
			return true;
	}
	return false;
}

/* How far the monitor was behind depends on what else the machine does. */
static bool about_lag(json_t *a)
{
	return !strncmp(alert_str(a, "detail"), LAG, strlen(LAG));
}

static bool want_matches(const struct want *w, json_t *a)
{
	if (strcmp(w->rule, alert_str(a, "rule")))
		return false;
	if (w->vector && strcmp(w->vector, alert_str(a, "vector")))
		return false;
	if (w->detail && strcmp(w->detail, alert_str(a, "detail")))
		return false;
	if (w->result && strcmp(w->result, alert_str(a, "result")))
		return false;
	if (w->server && w->server->pid != alert_int(a, "instance.pid"))
		return false;
	if (w->direction && strcmp(w->direction, alert_str(a, "conn.direction")))
		return false;
	if (w->opened && strcmp(w->opened, alert_str(a, "conn.opened")))
		return false;
	if (w->remote_port && w->remote_port != alert_int(a, "conn.remote.port"))
		return false;
	return w->wire || w->err == alert_int(a, "errno");
}

static void number_is(json_t *a, const char *path, long long want)
{
	require(alert_int(a, path) == want, "%s is not %lld: %s", path, want, alert_text(a));
}

static void string_is(json_t *a, const char *path, const char *want)
{
	require(!strcmp(alert_str(a, path), want), "%s is \"%s\", not \"%s\": %s", path,
		alert_str(a, path), want, alert_text(a));
}

static void actor_is(json_t *a, const struct trigger *t)
{
	char self[512] = "";

	number_is(a, "actor.pid", t->pid);
	number_is(a, "actor.tid", t->tid);
	number_is(a, "actor.uid", t->uid);
	string_is(a, "actor.comm", str("%.15s", t->name));
	string_is(a, "actor.exe", t->exe);
	require(llabs(alert_int(a, "actor.start_time") - t->start_ms) <= START_SLACK_MS,
		"actor.start_time is %lld, not %lld: %s", alert_int(a, "actor.start_time"),
		t->start_ms, alert_text(a));
	number_is(a, "actor.ancestors.0.pid", getpid());
	string_is(a, "actor.ancestors.0.comm", str("%.15s", program_invocation_short_name));
	require(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0, "readlink");
	string_is(a, "actor.ancestors.0.exe", self);
}

static void instance_is(json_t *a, const struct want *w)
{
	const struct server *s = w->server;
	long long port = alert_int(a, "instance.port");

	require((w->young && !port) || port == s->tls_port || port == s->plain_port ||
			port == (s->plain_port ?: s->tls_port) + 10000,
		"instance.port is %lld, not %d or %d: %s", port, s->tls_port, s->plain_port,
		alert_text(a));
	string_is(a, "instance.name", port ? str("%s:%lld", s->name, port) : s->name);
	if (w->wire)
		return;
	number_is(a, "instance.target_pid", w->target_pid ?: s->pid);
	number_is(a, "instance.target_tid", w->target_tid ?: w->target_pid ?: s->pid);
}

static void alert_is(struct monitor *m, json_t *a, const struct want *w)
{
	if (w->server)
		instance_is(a, w);
	if (w->by)
		actor_is(a, w->by);
	string_is(a, "found_by", w->found_by ?: "hook");
	string_is(a, "verdict", w->verdict ?: "alert");
	if (!w->wire || w->outcome)
		string_is(a, "outcome",
			  w->outcome				? w->outcome
			  : !w->err				? "succeeded"
			  : w->err == EPERM || w->err == EACCES ? "denied"
								: "failed");
	if (w->family)
		string_is(a, "conn.family", w->family);
	if (w->command && !w->command[0])
		require(!alert_str(a, "conn.command")[0], "a command was named: %s", alert_text(a));
	else if (w->command)
		string_is(a, "conn.command", w->command);
	if (w->saw)
		string_is(a, "conn.saw", w->saw);
	if (w->local_port)
		number_is(a, "conn.local.port", w->local_port);
	if (w->has_offset)
		number_is(a, "conn.offset", w->offset);
	/* a connection's first data may arrive before it has a socket: listener_segment() in bpf/wire.bpf.c */
	if (w->wire &&
	    (strcmp(alert_str(a, "conn.opened"), "inbound") || alert_int(a, "conn.offset")))
		require(alert_int(a, "conn.cookie") > 0, "no conn.cookie: %s", alert_text(a));
	if (w->count)
		number_is(alert_last(m, a), "count", w->count);
	if (w->moved)
		number_is(alert_last(m, a), "bytes", w->moved);
	if (w->bytes)
		number_is(alert_last(m, a), "conn.bytes", w->bytes);
}

/* All alerts of a test, for its failure report. */
static const char *alerts_text(struct monitor *m)
{
	static char text[8000];
	size_t len = 0;

	text[0] = 0;
	for (size_t i = m->mark; i < m->count && len < sizeof(text) - 1; i++)
		if (alert_ours(m->lines[i]))
			len += snprintf(text + len, sizeof(text) - len, "\n  came: %s",
					alert_text(m->lines[i]));
	return text[0] ? text : "\n  nothing came";
}

static bool want_found(struct monitor *m, const struct want *w, bool *used)
{
	bool found = false;

	for (size_t i = m->mark; i < m->count && (!found || w->many); i++) {
		if (used[i - m->mark] || !alert_counts(m->lines[i]) ||
		    !want_matches(w, m->lines[i]))
			continue;
		alert_is(m, m->lines[i], w);
		if (!found)
			alert_caught(m->lines[i]);
		used[i - m->mark] = found = true;
	}
	return found;
}

/* Final counts come with an update, within a second. */
static bool want_final(struct monitor *m, const struct want *w)
{
	for (size_t i = m->mark; i < m->count; i++) {
		json_t *last = alert_last(m, m->lines[i]);

		if (want_matches(w, m->lines[i]) &&
		    (!w->count || alert_int(last, "count") >= w->count) &&
		    (!w->bytes || alert_int(last, "conn.bytes") >= w->bytes))
			return true;
	}
	return w->optional;
}

void expect_alerts(struct monitor *m, const struct want *wants, size_t n)
{
	long long end = now_ms() + ALERT_MS * patience;
	size_t found = 0;
	bool *used;

	while (1) {
		monitor_poll(m);
		found = 0;
		for (size_t i = 0; i < n; i++)
			found += want_final(m, &wants[i]);
		if (found == n || now_ms() > end)
			break;
		sleep_ms(10);
	}
	sleep_ms(SETTLE_MS);
	monitor_sync(m);
	used = calloc(m->count - m->mark + 1, sizeof(*used));
	for (size_t i = 0; i < n; i++)
		require(want_found(m, &wants[i], used) || wants[i].optional,
			"expected %s %s %s errno %d of %s: %s", wants[i].rule,
			wants[i].vector ?: "", wants[i].detail ?: "", wants[i].err,
			wants[i].by ? wants[i].by->name : "anybody", alerts_text(m));
	for (size_t i = m->mark; i < m->count; i++)
		require(used[i - m->mark] || !alert_counts(m->lines[i]) ||
				alert_by_monitor(m, m->lines[i]) ||
				follows_plaintext(m, m->lines[i]) || about_lag(m->lines[i]) ||
				(!strcmp(alert_str(m->lines[i], "rule"), "self-blind") &&
				 foreign_server_watched(m)),
			"unexpected: %s%s", alert_text(m->lines[i]), alerts_text(m));
	free(used);
	for (size_t i = m->mark; i < m->count; i++)
		if (alert_ours(m->lines[i]) && alert_by_stranger(m->lines[i]))
			printf("# not ours: %s\n", alert_text(m->lines[i]));
	require(!kill(m->pid, 0), "the monitor is gone: %s", file_read(m->err));
}

void expect_nothing(struct monitor *m)
{
	expect_alerts(m, NULL, 0);
}

long blind_count(struct monitor *m, const char *note)
{
	long count = 0;

	monitor_poll(m);
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(alert_str(m->lines[i], "rule"), "self-blind") &&
		    !strcmp(alert_str(m->lines[i], "detail"), note))
			count = (long)alert_int(m->lines[i], "count");
	return count;
}

long blind_count_wait(struct monitor *m, const char *note, long more_than)
{
	long long end = now_ms() + ALERT_MS * patience;

	while (blind_count(m, note) <= more_than && now_ms() < end)
		sleep_ms(10);
	return blind_count(m, note);
}

json_t *alert_find(struct monitor *m, const char *rule, pid_t actor)
{
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		if (alert_counts(m->lines[i]) && !strcmp(alert_str(m->lines[i], "rule"), rule) &&
		    (!actor || alert_int(m->lines[i], "actor.pid") == actor))
			return m->lines[i];
	return NULL;
}

json_t *alert_last(struct monitor *m, json_t *first)
{
	for (size_t i = m->count; i > 0; i--)
		if (!strcmp(alert_uid(m->lines[i - 1]), alert_uid(first)))
			return m->lines[i - 1];
	return first;
}

long alerts_sum(struct monitor *m, size_t from, const char *rule, const char *key, long value)
{
	json_t *last = json_object(), *count;
	const char *uid;
	long total = 0;

	monitor_poll(m);
	for (size_t i = from; i < m->count; i++)
		if (!strcmp(alert_str(m->lines[i], "rule"), rule) &&
		    alert_int(m->lines[i], key) == value)
			json_object_set_new(last, alert_uid(m->lines[i]),
					    json_integer(alert_int(m->lines[i], "count")));
	json_object_foreach (last, uid, count)
		total += json_integer_value(count);
	json_decref(last);
	return total;
}

long alerts_total(struct monitor *m, const char *rule, const struct server *s)
{
	return alerts_sum(m, m->mark, rule, "instance.pid", s->pid);
}

long alerts_total_wait(struct monitor *m, const char *rule, const struct server *s, long wanted)
{
	long long end = now_ms() + ALERT_MS * patience;

	while (alerts_total(m, rule, s) < wanted && now_ms() < end)
		sleep_ms(10);
	sleep_ms(SETTLE_MS);
	monitor_sync(m);
	return alerts_total(m, rule, s);
}

long findings_count(struct monitor *m)
{
	long n = 0;

	monitor_poll(m);
	for (size_t i = 0; i < m->count; i++)
		n += alert_counts(m->lines[i]) && !about_lag(m->lines[i]);
	return n;
}

long findings_all(struct monitor *m)
{
	long n = 0;

	monitor_poll(m);
	for (size_t i = 0; i < m->count; i++)
		n += alert_activity(m->lines[i]) == 1;
	return n;
}

/* ---- incidents ---------------------------------------------------------------------------------- */

/* Whether all reported events of an incident are by processes outside the tests. */
static bool incident_by_stranger(const struct monitor *m, json_t *in)
{
	const char *uid =
		json_string_value(json_object_get(json_object_get(in, "finding_info"), "uid"));
	bool any = false;

	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(alert_str(m->lines[i], "incident"), uid ?: ""))
			continue;
		any = true;
		if (!alert_by_stranger(m->lines[i]))
			return false;
	}
	return any;
}

json_t *incident_find(struct monitor *m, const struct server *s, int activity, size_t *count)
{
	json_t *first = NULL;

	monitor_poll(m);
	*count = 0;
	/* those of other monitors are true and not what is tested: alert_by_monitor() */
	for (size_t i = m->incident_mark; i < m->incident_count; i++) {
		if (!strncmp(alert_str(m->incidents[i], "who"), "cachewarden(", 12) ||
		    alert_int(m->incidents[i], "instance.pid") != s->pid ||
		    alert_activity(m->incidents[i]) != activity ||
		    incident_by_stranger(m, m->incidents[i]))
			continue;
		first = first ?: m->incidents[i];
		++*count;
	}
	return first;
}

json_t *incident_wait(struct monitor *m, const struct server *s, int activity, size_t want)
{
	long long end = now_ms() + 10000 * patience;
	json_t *first;
	size_t count;

	while (!(first = incident_find(m, s, activity, &count)) || count < want) {
		require(now_ms() < end, "%zu incidents of activity %d, not %zu: %s", count,
			activity, want, file_read(m->out));
		sleep_ms(20);
	}
	return first;
}
