// SPDX-License-Identifier: BSD-2-Clause
/* recent.c - see recent.h. */
#include "monitor/recent.h"

#include "model/attempt.h"
#include "report/event_text.h"

#include <stdio.h>
#include <string.h>

static void set_target(struct recent_target *t, const struct instance *in)
{
	if (!in)
		return;
	t->pid = in->pid;
	snprintf(t->name, sizeof(t->name), "%s", in->name);
}

/* The entry that allows it, expects it, or would allow it had it not expired. */
static void set_policy(struct recent_event *e, const struct verdict *v)
{
	const struct policy_allow *a = v->allow ?: v->expired;
	const struct policy_place *at = a ? &a->at : v->wire;

	if (at)
		snprintf(e->policy, sizeof(e->policy), "%s:%u", at->file, at->line);
}

void recent_add_event(struct recent *r, const struct finding *f)
{
	struct recent_event *e = &r->event[r->events % RECENT_EVENTS];
	const struct event *ev = &f->alert->ev;
	struct actor actor;

	*e = (struct recent_event){.seq = ++r->events,
				   .incident = f->incident,
				   .count = f->alert->count,
				   .time_ms = f->time_ms,
				   .rule = ev->key.rule,
				   .severity = f->severity,
				   .verdict = f->verdict.id};
	if (ev->flags & EVENT_CONN)
		e->remote_port = ev->conn.ends.remote_port;
	if (finding_has_actor(f)) {
		actor = finding_actor(f);
		e->pid = actor.pid;
		e->uid = actor.uid;
		memcpy(e->comm, actor.comm, sizeof(e->comm));
	}
	set_target(&e->target, f->instance);
	snprintf(e->outcome, sizeof(e->outcome), "%s", attempt_outcome(ev));
	event_action_text(f, e->what, sizeof(e->what));
	set_policy(e, &f->verdict);
}

/* Its place, if it was reported before; else that of the incident that was reported longest ago. */
static struct recent_incident *place_for(struct recent *r, uint64_t id)
{
	struct recent_incident *oldest = &r->incident[0];

	for (size_t i = 0; i < RECENT_INCIDENTS; i++) {
		if (r->incident[i].id == id)
			return &r->incident[i];
		if (r->incident[i].seq < oldest->seq)
			oldest = &r->incident[i];
	}
	r->incidents_gone += oldest->id != 0;
	return oldest;
}

static void set_lead(struct recent_incident *ri, const struct actor *a)
{
	if (!a)
		return;
	ri->pid = a->pid;
	ri->uid = a->uid;
	ri->uid_known = a->detailed;
	memcpy(ri->comm, a->comm, sizeof(ri->comm));
	snprintf(ri->exe, sizeof(ri->exe), "%s", a->exe);
}

void recent_add_incident(struct recent *r, const struct incident_view *v)
{
	const struct incident *in = v->incident;
	struct recent_incident *ri = place_for(r, in->id);

	*ri = (struct recent_incident){.seq = ++r->incidents,
				       .id = in->id,
				       .count = in->count,
				       .first_ns = in->first_ns,
				       .last_ns = in->last_ns,
				       .rules = incident_rules(in),
				       .severity = in->severity,
				       .stage = in->stage,
				       .lead_rule = in->lead_rule,
				       .lead_stage = in->lead_stage,
				       .closed = v->change == INCIDENT_CLOSED};
	set_lead(ri, in->lead);
	set_target(&ri->target, v->instance);
}

/* The oldest event that is left. */
static uint64_t first_event(const struct recent *r)
{
	return r->events > RECENT_EVENTS ? r->events - RECENT_EVENTS + 1 : 1;
}

uint64_t recent_events_gone(const struct recent *r, uint64_t seq)
{
	uint64_t first = first_event(r);

	return first > seq + 1 && seq < UINT64_MAX ? first - seq - 1 : 0;
}

const struct recent_event *recent_event_after(const struct recent *r, uint64_t seq)
{
	uint64_t first = first_event(r);

	if (seq >= r->events)
		return NULL;
	return &r->event[(seq + 1 > first ? seq : first - 1) % RECENT_EVENTS];
}

const struct recent_incident *recent_incident_after(const struct recent *r, uint64_t seq)
{
	const struct recent_incident *next = NULL;

	for (size_t i = 0; i < RECENT_INCIDENTS; i++) {
		const struct recent_incident *ri = &r->incident[i];

		if (ri->seq > seq && (!next || ri->seq < next->seq))
			next = ri;
	}
	return next;
}
