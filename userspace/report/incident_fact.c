// SPDX-License-Identifier: BSD-2-Clause
/* incident_fact.c - see incident_fact.h. */
#include "report/incident_fact.h"

#include "model/attempt.h"
#include "report/event_text.h"

#include <string.h>

/* Processes of one session belong together. A process whose session could not be found is a lineage of its own. */
static void lineage_of_actor(struct lineage *l, const struct event *ev)
{
	const struct process_info *p = &ev->actor;

	*l = (struct lineage){LINEAGE_PROCESS, .pid = p->pid, .start_ns = p->start_ns};
	if (!p->session)
		return;
	*l = (struct lineage){LINEAGE_SESSION, .pid = p->session};
	if (p->pid == p->session)
		l->start_ns = p->start_ns;
	for (uint32_t i = 0; i < p->ancestors; i++) {
		if (p->ancestor[i].pid == p->session)
			l->start_ns = p->ancestor[i].start_ns;
	}
}

static void lineage_of(struct lineage *l, const struct event *ev)
{
	*l = (struct lineage){LINEAGE_NOBODY};
	if (ev->key.rule == RULE_TLS_LISTENER)
		return; /* a state of the server, whoever found it first */
	if (ev->flags & EVENT_ACTOR) {
		lineage_of_actor(l, ev);
	} else if (ev->flags & EVENT_CONN) {
		*l = (struct lineage){LINEAGE_PEER};
		memcpy(l->peer, ev->conn.ends.remote_ip, sizeof(l->peer));
	} else if (ev->key.tgid) {
		*l = (struct lineage){LINEAGE_PROCESS, .pid = ev->key.tgid,
				      .start_ns = ev->key.actor};
	}
}

void incident_fact_fill(struct incident_fact *ret, const struct finding *f)
{
	static char headline[INCIDENT_HEADLINE_LEN]; /* ret->headline and ret->actor point here */
	static struct actor actor;
	const struct alert *a = f->alert;
	const struct event *ev = &a->ev;

	*ret = (struct incident_fact){
		.instance = ev->key.instance,
		.tenant = f->tenant ? f->tenant->id : 0,
		.headline = headline,
		.action = {.id = a->id,
			   .first_ns = f->update ? a->last_ns : ev->time_ns,
			   .last_ns = a->last_ns,
			   .count = f->more,
			   .rule = ev->key.rule,
			   .stage = (uint8_t)attempt_stage(ev),
			   .severity = (uint8_t)f->severity,
			   .verdict = (uint8_t)f->verdict.id},
	};
	if (finding_has_actor(f)) {
		actor = finding_actor(f);
		ret->actor = &actor;
	}
	lineage_of(&ret->lineage, ev);
	event_actor_text(f, headline, sizeof(headline));
	event_action_text(f, ret->action.summary, sizeof(ret->action.summary));
}
