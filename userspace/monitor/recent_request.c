// SPDX-License-Identifier: BSD-2-Clause
/* recent_request.c - see recent_request.h. Times are in milliseconds since the epoch. */
#include "monitor/recent_request.h"

#include "base/clock.h"
#include "monitor/state.h"
#include "report/ocsf.h"

#include <unistd.h>

/*
 * Whose answer it is, and the number to ask with next time. Numbers begin anew with each run: whoever keeps one keeps the run with
 * it.
 */
static void put_head(struct jsonw *j, const struct monitor *m, uint64_t seq, uint64_t gone)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_int(j, "pid", getpid());
	jsonw_string(j, "run", m->uid_prefix);
	jsonw_int(j, "seq", (int64_t)seq);
	jsonw_int(j, "gone", (int64_t)gone);
}

static void put_target(struct jsonw *j, const struct recent_target *t)
{
	if (!t->pid) {
		jsonw_null(j, "instance");
		return;
	}
	jsonw_object(j, "instance");
	jsonw_string(j, "name", t->name);
	jsonw_int(j, "pid", t->pid);
	jsonw_end_object(j);
}

static void put_event(struct jsonw *j, const struct recent_event *e, const char *prefix)
{
	char uid[OCSF_UID_LEN];

	jsonw_object(j, NULL);
	jsonw_int(j, "seq", (int64_t)e->seq);
	jsonw_int(j, "time", e->time_ms);
	jsonw_string(j, "rule", rule_name(e->rule));
	jsonw_string(j, "severity", severity_name(e->severity));
	jsonw_string(j, "verdict", verdict_name(e->verdict));
	jsonw_text(j, "policy", e->policy);
	jsonw_string(j, "outcome", e->outcome);
	jsonw_string(j, "what", e->what);
	jsonw_int(j, "count", (int64_t)e->count);
	put_target(j, &e->target);
	if (e->pid) {
		jsonw_object(j, "actor");
		jsonw_int(j, "pid", e->pid);
		jsonw_int(j, "uid", e->uid);
		jsonw_string(j, "comm", e->comm);
		jsonw_end_object(j);
	} else {
		jsonw_null(j, "actor");
	}
	if (e->remote_port)
		jsonw_int(j, "remote_port", e->remote_port);
	else
		jsonw_null(j, "remote_port");
	ocsf_incident_uid(prefix, e->incident, uid);
	jsonw_string(j, "incident", e->incident ? uid : NULL);
	jsonw_end_object(j);
}

static void put_actor(struct jsonw *j, const struct recent_incident *ri)
{
	if (!ri->pid) {
		jsonw_null(j, "actor");
		return;
	}
	jsonw_object(j, "actor");
	jsonw_int(j, "pid", ri->pid);
	if (ri->uid_known)
		jsonw_int(j, "uid", ri->uid);
	else
		jsonw_null(j, "uid");
	jsonw_text(j, "comm", ri->comm);
	jsonw_text(j, "exe", ri->exe);
	jsonw_end_object(j);
}

static void put_incident(struct jsonw *j, const struct recent_incident *ri, const char *prefix)
{
	char uid[OCSF_UID_LEN];

	ocsf_incident_uid(prefix, ri->id, uid);
	jsonw_object(j, NULL);
	jsonw_int(j, "seq", (int64_t)ri->seq);
	jsonw_string(j, "uid", uid);
	jsonw_int(j, "id", (int64_t)ri->id);
	jsonw_bool(j, "open", !ri->closed);
	jsonw_string(j, "severity", severity_name(ri->severity));
	jsonw_string(j, "stage", stage_name(ri->stage));
	jsonw_string(j, "title", rule_title(ri->lead_rule, ri->lead_stage));
	jsonw_array(j, "rules"); /* the one of its worst action first */
	jsonw_string(j, NULL, rule_name(ri->lead_rule));
	for (unsigned int r = 0; r < RULE_MAX; r++) {
		if (ri->rules >> r & 1 && r != ri->lead_rule)
			jsonw_string(j, NULL, rule_name(r));
	}
	jsonw_end_array(j);
	jsonw_int(j, "count", (int64_t)ri->count);
	jsonw_int(j, "first", clock_epoch_ms(ri->first_ns));
	jsonw_int(j, "last", clock_epoch_ms(ri->last_ns));
	put_target(j, &ri->target);
	put_actor(j, ri);
	jsonw_end_object(j);
}

static void reply(struct monitor *m, int fd, struct jsonw *j)
{
	const char *text;
	size_t len;

	jsonw_end_array(j);
	jsonw_end_object(j);
	text = jsonw_done(j, &len);
	if (text)
		control_reply(&m->control, fd, text, len);
	jsonw_free(j);
}

void recent_request_incidents(void *ctx, int fd, uint64_t after)
{
	struct monitor *m = ctx;
	const struct recent_incident *ri;
	struct jsonw j = {};

	put_head(&j, m, m->recent->incidents, m->recent->incidents_gone);
	jsonw_array(&j, "incidents");
	for (uint64_t at = after; (ri = recent_incident_after(m->recent, at)); at = ri->seq)
		put_incident(&j, ri, m->uid_prefix);
	reply(m, fd, &j);
}

void recent_request_events(void *ctx, int fd, uint64_t after)
{
	struct monitor *m = ctx;
	const struct recent_event *e;
	struct jsonw j = {};

	put_head(&j, m, m->recent->events, recent_events_gone(m->recent, after));
	jsonw_array(&j, "events");
	for (uint64_t at = after; (e = recent_event_after(m->recent, at)); at = e->seq)
		put_event(&j, e, m->uid_prefix);
	reply(m, fd, &j);
}
