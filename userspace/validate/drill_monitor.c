// SPDX-License-Identifier: BSD-2-Clause
/* drill_monitor.c - see drill_monitor.h. */
#include "validate/drill_monitor.h"

#include "base/clock.h"
#include "monitor/control_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MONITORS_MAX 16
#define KNOWN_NS (10 * NS_PER_SEC) /* for a server and its files to be known; it takes a second */
#define ASK_US 2000		   /* between two questions */

/* The directory of its control socket; NULL: that of this host. */
static const char *dir_of(const struct drill_monitor *m)
{
	return m->is_own ? m->own.dir : NULL;
}

static const char *text(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static int64_t number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void drill_event_read(struct drill_event *ret, json_t *event)
{
	*ret = (struct drill_event){
		.instance_pid = number(json_object_get(event, "instance"), "pid"),
		.actor_pid = number(json_object_get(event, "actor"), "pid"),
		.remote_port = number(event, "remote_port"),
	};
	snprintf(ret->rule, sizeof(ret->rule), "%s", text(event, "rule"));
	snprintf(ret->verdict, sizeof(ret->verdict), "%s", text(event, "verdict"));
	snprintf(ret->outcome, sizeof(ret->outcome), "%s", text(event, "outcome"));
	snprintf(ret->policy, sizeof(ret->policy), "%s", text(event, "policy"));
}

/* --- which one --- */

static bool is_known(json_t *status, pid_t server)
{
	json_t *row, *files;
	size_t i;

	json_array_foreach (json_object_get(status, "instances"), i, row) {
		files = json_object_get(row, "files_known");
		if (number(row, "pid") == server)
			return json_is_true(json_object_get(row, "baselined")) &&
			       json_is_true(json_object_get(files, "configuration")) &&
			       json_is_true(json_object_get(files, "private key"));
	}
	return false;
}

static bool is_watched(json_t *status, pid_t server)
{
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(status, "instances"), i, row) {
		if (number(row, "pid") == server)
			return true;
	}
	return false;
}

/* What it does not know of the server's files after that time it may never know: that is for the drills to find out. */
static bool wait_known(const struct drill_monitor *m, pid_t server)
{
	uint64_t until = clock_boot_ns() + KNOWN_NS;
	bool watched = false, known = false;
	json_t *status;

	while (!known && clock_boot_ns() < until) {
		status = NULL;
		if (!control_query_json(dir_of(m), m->pid, CONTROL_STATUS, 0, &status)) {
			watched = is_watched(status, server);
			known = is_known(status, server);
		}
		json_decref(status);
		if (m->is_own)
			json_decref(watcher_next((struct watcher *)&m->own,
						 clock_boot_ns() + NS_PER_MS, &(bool){false}));
		if (!known)
			usleep(20000);
	}
	return watched;
}

/* Does it answer what the drills ask? Begins after the events that it has reported by now. */
static bool begin(struct drill_monitor *m, json_t **ret)
{
	*ret = NULL;
	if (control_query_json(dir_of(m), m->pid, CONTROL_EVENTS, UINT64_MAX, ret) ||
	    !json_is_array(json_object_get(*ret, "events")))
		return false;
	m->seq = (uint64_t)number(*ret, "seq");
	return true;
}

static void version_of(const struct drill_monitor *m, char *ret, size_t size)
{
	json_t *status = NULL;

	if (!control_query_json(dir_of(m), m->pid, CONTROL_STATUS, 0, &status))
		snprintf(ret, size, "version %.32s", text(status, "version"));
	else
		snprintf(ret, size, "which does not answer");
	json_decref(status);
}

/* Of several the first that can be asked. others: who cannot be. */
static bool find_running(struct drill_monitor *m, char said[FACTS_WHY], char others[FACTS_WHY])
{
	pid_t pids[MONITORS_MAX];
	size_t n = control_monitors(pids, MONITORS_MAX);
	char version[64];
	bool found = false;
	json_t *head;

	for (size_t i = 0; i < n && !found; i++) {
		m->pid = pids[i];
		found = begin(m, &head);
		if (found) {
			snprintf(said, FACTS_WHY,
				 "the monitor that runs here, pid %d, version %.32s", (int)m->pid,
				 text(head, "version"));
		} else {
			version_of(m, version, sizeof(version));
			snprintf(others, FACTS_WHY,
				 ", since the one that runs, pid %d, %s, cannot be asked",
				 (int)m->pid, version);
		}
		json_decref(head);
	}
	return found;
}

static bool start_own(struct drill_monitor *m, pid_t server, char why[FACTS_WHY])
{
	json_t *head = NULL;
	bool ok;

	m->is_own = true;
	ok = watcher_start(&m->own, server, why, FACTS_WHY);
	m->pid = m->own.pid;
	if (ok && !begin(m, &head)) {
		snprintf(why, FACTS_WHY, "validate's own monitor does not answer");
		ok = false;
	}
	json_decref(head);
	return ok;
}

bool drill_monitor_open(struct drill_monitor *m, pid_t server, char said[FACTS_WHY],
			char why[FACTS_WHY])
{
	char others[FACTS_WHY] = ", since none runs here";

	*m = (struct drill_monitor){.own.lines = -1};
	if (!find_running(m, said, others)) {
		snprintf(said, FACTS_WHY, "a monitor of validate's own, version %s%.180s",
			 CACHEWARDEN_VERSION, others);
		if (!start_own(m, server, why))
			return false;
	}
	if (wait_known(m, server))
		return true;
	snprintf(why, FACTS_WHY, "the monitor, pid %d, does not watch the server that is attacked",
		 (int)m->pid);
	return false;
}

void drill_monitor_close(struct drill_monitor *m)
{
	json_decref(m->answer);
	watcher_free(&m->own);
	*m = (struct drill_monitor){.own.lines = -1};
}

/* --- what it reports --- */

/* Ask for what is new. Returns false with the reason in why if the events are not all there. */
static bool ask(struct drill_monitor *m, char why[FACTS_WHY])
{
	json_t *answer = NULL;
	int err = control_query_json(dir_of(m), m->pid, CONTROL_EVENTS, m->seq, &answer);

	if (err)
		snprintf(why, FACTS_WHY, "the monitor, pid %d, does not answer any more: %s",
			 (int)m->pid, err == -EBADMSG ? "its answer was cut off" : strerror(-err));
	else if (number(answer, "gone"))
		snprintf(why, FACTS_WHY,
			 "%lld events were missed: more is reported here than the monitor keeps",
			 (long long)number(answer, "gone"));
	json_decref(m->answer);
	m->answer = answer;
	m->at = 0;
	if (!err)
		m->seq = (uint64_t)number(answer, "seq");
	return !why[0];
}

/* Our own monitor's lines are read meanwhile: each comes with an event, and unread ones would wait. */
static bool wait_a_moment(struct drill_monitor *m, char why[FACTS_WHY])
{
	bool ended = false;

	if (m->is_own)
		json_decref(watcher_next(&m->own, clock_boot_ns() + ASK_US * 1000ull, &ended));
	else
		usleep(ASK_US);
	if (ended)
		snprintf(why, FACTS_WHY, "the monitor ended");
	return !ended;
}

bool drill_monitor_next(struct drill_monitor *m, uint64_t until_ns, struct drill_event *ret,
			char why[FACTS_WHY])
{
	json_t *event;

	for (;;) {
		event = json_array_get(json_object_get(m->answer, "events"), m->at);
		if (event) {
			m->at++;
			drill_event_read(ret, event);
			return true;
		}
		if (clock_boot_ns() >= until_ns || !wait_a_moment(m, why) || !ask(m, why))
			return false;
	}
}
