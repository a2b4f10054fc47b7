/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * monitor.c - starts the monitor under test, reads its lines, and asks it for its connections.
 *
 * Every line it prints must be a well-formed Detection Finding, whatever the test is about.
 */
#include "harness.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYNC_S 2 /* the longest wait for an answer of the monitor, times patience */

/* ---- the process -------------------------------------------------------------------------------- */

#define MONITORS_MAX 16

static struct monitor *monitors[MONITORS_MAX];
static int monitors_used;

static struct monitor *monitor_new(void)
{
	struct monitor *m = calloc(1, sizeof(*m));
	static unsigned int nr;

	snprintf(m->out, sizeof(m->out), "%s/monitor.%u.out", scratch, ++nr);
	snprintf(m->err, sizeof(m->err), "%s/monitor.%u.err", scratch, nr);
	require(monitors_used < MONITORS_MAX, "more than %d monitors at once", MONITORS_MAX);
	monitors[monitors_used++] = m;
	return m;
}

struct monitor *monitor_start_with(const struct child_opts *o, const char *const *argv)
{
	struct monitor *m = monitor_new();
	struct child_opts child = *o;

	child.out = m->out;
	child.err = m->err;
	m->pid = child_start(argv, &child);
	return m;
}

struct monitor *monitor_start(const char *more, ...)
{
	const char *argv[16] = {MONITOR, "run", "--output", "json", "--events"};
	struct monitor *m;
	va_list args;
	int n = 5;

	va_start(args, more);
	for (const char *a = more; a && n < 15; a = va_arg(args, const char *))
		argv[n++] = a;
	va_end(args);
	m = monitor_start_with(&(struct child_opts){}, argv);
	monitor_ready(m);
	return m;
}

void monitor_ready(struct monitor *m)
{
	long long end = now_ms() + 30000 * patience;

	while (!file_has(m->err, "cachewarden: watching ")) {
		require(!kill(m->pid, 0) && now_ms() < end, "monitor is not up: %s",
			file_read(m->err));
		sleep_ms(10);
	}
}

/* A line about an incident; kept apart from alerts. */
static void incident_add(struct monitor *m, json_t *line, const char *text)
{
	long long activity = json_integer_value(json_object_get(line, "activity_id"));
	json_t *own = json_object_get(json_object_get(line, "unmapped"), "cachewarden");
	json_t *rules = json_object_get(own, "rules"), *events = json_object_get(own, "events");
	json_t *count, *event;
	size_t i;
	long long sum = 0, listed = alert_int(line, "left_out");
	const char *rule;

	require(json_integer_value(json_object_get(line, "class_uid")) == 2004 && activity >= 1 &&
			activity <= 3 &&
			json_integer_value(json_object_get(line, "type_uid")) ==
				200400 + activity &&
			alert_uid(line)[0] && alert_str(line, "stage")[0],
		"incident is malformed: %s", text);
	json_object_foreach (rules, rule, count)
		sum += json_integer_value(count);
	json_array_foreach (events, i, event)
		listed += json_integer_value(json_object_get(event, "count"));
	require(sum == alert_int(line, "count") && listed == sum,
		"an incident's counts do not add up: %s", text);
	m->incidents = realloc(m->incidents, (m->incident_count + 1) * sizeof(*m->incidents));
	m->incidents[m->incident_count++] = line;
}

const char *run_path(const char *name)
{
	return str("%s/run/%s", scratch, name);
}

const char *lines_path(void)
{
	return str("%s/lines.jsonl", scratch);
}

/* For the check of all lines at the end of the run. */
static void line_keep(const char *line)
{
	FILE *f = fopen(lines_path(), "ae");

	require(f && fprintf(f, "%s\n", line) > 0 && !fclose(f), "cannot write %s", lines_path());
}

void monitor_poll(struct monitor *m)
{
	static const char *const bulk[] = {"evidences", "metadata", "message"};
	char *text, *line, *end;
	const char *wrong;
	json_error_t error;
	json_t *alert;

	if (m->is_text)
		return;
	text = file_read_from(m->out, m->read);
	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		m->read += end + 1 - line;
		alert = json_loads(line, JSON_REJECT_DUPLICATES, &error);
		require(alert, "a line is no JSON (%s): %s", error.text, line);
		line_keep(line);
		if (!strcmp(alert_str(alert, "kind"), "incident")) {
			incident_add(m, alert, line);
			continue;
		}
		if (!strcmp(alert_str(alert, "kind"), "heartbeat")) {
			json_decref(m->heartbeat);
			m->heartbeat = alert;
			m->heartbeats++;
			continue;
		}
		m->lines = realloc(m->lines, (m->count + 1) * sizeof(*m->lines));
		m->lines[m->count++] = alert;
		wrong = alert_malformed(alert);
		require(!wrong, "alert is malformed in %s: %s", wrong, line);
		for (size_t i = 0; i < ARRAY_SIZE(bulk); i++)
			json_object_del(alert, bulk[i]);
	}
	free(text);
}

/* Whether it can answer: it lives, and nothing has stopped it. */
static bool monitor_runs(const struct monitor *m)
{
	char *stat = file_read(str("/proc/%d/stat", m->pid)), *at = strrchr(stat, ')');
	bool runs = at && !strchr("TtZX", at[2]);

	free(stat);
	return runs;
}

/* The control socket is served between two reads of the ring buffers, and lines are written after it. */
void monitor_sync(struct monitor *m)
{
	struct timeval limit = {.tv_sec = SYNC_S * patience};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char reply[4096];

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", run_path(str("%d.sock", m->pid)));
	for (int i = 0; i < 2 && monitor_runs(m); i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)) &&
		    send(fd, "j", 1, MSG_NOSIGNAL) == 1)
			while (recv(fd, reply, sizeof(reply), 0) > 0)
				;
		close(fd);
	}
	monitor_poll(m);
}

int monitor_stop(struct monitor *m, int sig)
{
	int status = child_stop(m->pid, sig, 8000);

	require(status != -1, "monitor did not end within 8 s of signal %d", sig);
	require(WIFEXITED(status), "monitor was ended by signal %d: %s", WTERMSIG(status),
		file_read(m->err));
	return WEXITSTATUS(status);
}

long monitor_summary(const struct monitor *m, const char *word)
{
	char *err = file_read(m->err), *line = strstr(err, "cachewarden: ended"), *at, *cut;
	long number = -1;

	if (line && (cut = strchr(line, '\n')))
		*cut = 0;
	at = line ? strstr(line, word) : NULL;
	if (at) {
		while (at > line && !isdigit(at[-1]))
			at--;
		while (at > line && isdigit(at[-1]))
			at--;
		number = isdigit(*at) ? atol(at) : -1;
	}
	free(err);
	return number;
}

bool monitor_said(const struct monitor *m, const char *text)
{
	return file_has(m->out, text) || file_has(m->err, text);
}

int monitors_known(void)
{
	return monitors_used;
}

void monitors_forget(int keep)
{
	while (monitors_used > keep) {
		struct monitor *m = monitors[--monitors_used];

		for (size_t i = 0; i < m->count; i++)
			json_decref(m->lines[i]);
		free(m->lines);
		for (size_t i = 0; i < m->incident_count; i++)
			json_decref(m->incidents[i]);
		free(m->incidents);
		json_decref(m->heartbeat);
		free(m);
	}
}

void monitors_mark(void)
{
	for (int i = 0; i < monitors_used; i++) {
		monitor_sync(monitors[i]);
		monitors[i]->mark = monitors[i]->count;
		monitors[i]->incident_mark = monitors[i]->incident_count;
	}
}

bool monitor_other(const struct monitor *m, pid_t pid)
{
	for (int i = 0; i < monitors_used; i++)
		if (monitors[i] != m && monitors[i]->pid == pid)
			return true;
	return false;
}

/* ---- `cachewarden conns` ------------------------------------------------------------------------- */

json_t *conns_of(const struct monitor *m)
{
	struct run r =
		run_command(8000, MONITOR, "conns", "--output", "json", "--pid", str("%d", m->pid));
	json_t *all = json_array();
	char *save = NULL;

	require(!r.status, "conns: %s", r.err);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(line, 0, NULL);

		require(j, "no JSON: %s", line);
		json_array_append_new(all, j);
	}
	return all;
}

json_t *conn_in(json_t *all, int port)
{
	json_t *j;
	size_t i;

	json_array_foreach (all, i, j) {
		if (json_integer_value(json_object_get(json_object_get(j, "remote"), "port")) ==
		    port)
			return j;
	}
	return NULL;
}

json_t *conn_of(const struct monitor *m, int port)
{
	return conn_in(conns_of(m), port);
}

const char *text_at(json_t *j, const char *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(j, object), key)) ?: "";
}

long long number_at(json_t *j, const char *object, const char *key)
{
	json_t *n = json_object_get(json_object_get(j, object), key);

	return n ? json_integer_value(n) : -1;
}
