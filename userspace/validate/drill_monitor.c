// SPDX-License-Identifier: BSD-2-Clause
/* drill_monitor.c - see drill_monitor.h. */
#include "validate/drill_monitor.h"

#include "base/clock.h"
#include "monitor/control_json.h"
#include "validate/interrupt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MONITORS_MAX 16
#define KNOWN_NS (10 * NS_PER_SEC) /* for a server and its files to be known; it takes a second */
#define OTHERS_NS (2 * NS_PER_SEC) /* for more monitors to know them, once one does */
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

struct candidate {
	pid_t pid;
	char version[DRILL_WORD];
	bool watches, knows;
};

static bool knows_files(json_t *row)
{
	json_t *files = json_object_get(row, "files_known");

	return json_is_true(json_object_get(row, "baselined")) &&
	       json_is_true(json_object_get(files, "configuration")) &&
	       json_is_true(json_object_get(files, "private key"));
}

static void look_at(struct candidate *c, const char *dir, pid_t server)
{
	json_t *status = NULL, *row;
	size_t i;

	if (!control_query_json(dir, c->pid, CONTROL_STATUS, 0, &status)) {
		json_array_foreach (json_object_get(status, "instances"), i, row) {
			if (number(row, "pid") != server)
				continue;
			c->watches = true;
			c->knows = knows_files(row);
		}
	}
	json_decref(status);
}

/*
 * Wait until all of them know the server and its files; once one does, the others have only a moment more. What a monitor does not know
 * of the files by then it may never know: that is for the drills to find out.
 */
static void wait_known(struct drill_monitor *m, struct candidate *c, size_t n, pid_t server)
{
	uint64_t until = clock_boot_ns() + KNOWN_NS, now;
	size_t known = 0, some = 0;

	while (known < n && (now = clock_boot_ns()) < until && !interrupt_came()) {
		known = 0;
		for (size_t i = 0; i < n; i++) {
			look_at(&c[i], dir_of(m), server);
			known += c[i].knows;
		}
		if (known && !some && now + OTHERS_NS < until)
			until = now + OTHERS_NS;
		some = known;
		if (m->is_own)
			json_decref(
				watcher_next(&m->own, clock_boot_ns() + NS_PER_MS, &(bool){false}));
		if (known < n)
			usleep(20000);
	}
}

/* Does it answer what the drills ask? Begins after the events that it has reported by now. */
static bool begin(struct drill_monitor *m, char version[DRILL_WORD])
{
	json_t *head = NULL;
	bool ok = !control_query_json(dir_of(m), m->pid, CONTROL_EVENTS, UINT64_MAX, &head) &&
		  json_is_array(json_object_get(head, "events"));

	if (ok) {
		m->seq = (uint64_t)number(head, "seq");
		snprintf(version, DRILL_WORD, "%s", text(head, "version"));
	}
	json_decref(head);
	return ok;
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

/* All that can be asked. others: who cannot be. */
static size_t find_running(struct drill_monitor *m, struct candidate *ret, char others[FACTS_WHY])
{
	pid_t pids[MONITORS_MAX];
	size_t n = control_monitors(pids, MONITORS_MAX), found = 0;
	char version[64];

	for (size_t i = 0; i < n; i++) {
		m->pid = pids[i];
		if (begin(m, ret[found].version)) {
			ret[found++].pid = pids[i];
			continue;
		}
		version_of(m, version, sizeof(version));
		snprintf(others, FACTS_WHY,
			 ", since the one that runs, pid %d, %s, cannot be asked", (int)m->pid,
			 version);
	}
	return found;
}

/* Of several the one that watches the server; of several of these the first, and it is said that there are more. */
static bool choose(struct drill_monitor *m, const struct candidate *c, size_t n,
		   char said[FACTS_WHY], char why[FACTS_WHY])
{
	const struct candidate *chosen = NULL;
	size_t watching = 0;
	char list[FACTS_WHY] = "", more[96] = "";

	for (size_t i = 0; i < n; i++) {
		watching += c[i].watches;
		if (c[i].watches && (!chosen || c[i].pid < chosen->pid))
			chosen = &c[i];
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%d", i ? ", " : "",
			 (int)c[i].pid);
	}
	if (!chosen) {
		snprintf(why, FACTS_WHY,
			 "the monitor%s pid %.120s, do%s not watch the server that is attacked",
			 n > 1 ? "s that run here," : ",", list, n > 1 ? "" : "es");
		return false;
	}
	m->pid = chosen->pid;
	if (watching > 1)
		snprintf(more, sizeof(more),
			 ", the one of %zu that watch what is attacked with the lowest pid",
			 watching);
	else if (n > 1)
		snprintf(more, sizeof(more), ", the only one of %zu that watches what is attacked",
			 n);
	if (!m->is_own)
		snprintf(said, FACTS_WHY, "the monitor that runs here, pid %d, version %.32s%s",
			 (int)m->pid, chosen->version, more);
	return true;
}

bool drill_monitor_open(struct drill_monitor *m, pid_t server, char said[FACTS_WHY],
			char why[FACTS_WHY])
{
	char others[FACTS_WHY] = ", since none runs here", version[DRILL_WORD];
	struct candidate all[MONITORS_MAX] = {};
	size_t n;

	*m = (struct drill_monitor){.own.lines = -1};
	n = find_running(m, all, others);
	if (!n) {
		snprintf(said, FACTS_WHY, "a monitor of validate's own, version %s%.180s",
			 CACHEWARDEN_VERSION, others);
		m->is_own = true;
		if (!watcher_start(&m->own, server, why, FACTS_WHY))
			return false;
		all[n++].pid = m->pid = m->own.pid;
	}
	wait_known(m, all, n, server);
	if (!choose(m, all, n, said, why))
		return false;
	if (begin(m, version))
		return true;
	snprintf(why, FACTS_WHY, "the monitor, pid %d, does not answer any more", (int)m->pid);
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
			 (int)m->pid,
			 err == -EBADMSG			  ? "its answer was cut off"
			 : err == -ENOENT || err == -ECONNREFUSED ? "it has ended"
								  : strerror(-err));
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
