// SPDX-License-Identifier: BSD-2-Clause
/* incident_fact.c - see incident_fact.h. */
#include "report/incident_fact.h"

#include "base/proc.h"
#include "model/attempt.h"
#include "report/event_text.h"

#include <string.h>

/*
 * Processes of one session belong together. Syscall hooks report the session; packet hooks do not, so look it up. A
 * process that has exited by then is a lineage of its own.
 */
static void lineage_of_actor(struct lineage *l, const struct event *ev)
{
	const struct process_info *p = &ev->actor;
	uint32_t session = p->session ?: proc_session((pid_t)p->pid, p->start_ns, LINEAGE_MAX);

	*l = (struct lineage){LINEAGE_PROCESS, .pid = p->pid, .start_ns = p->start_ns};
	if (!session)
		return;
	*l = (struct lineage){LINEAGE_SESSION, .pid = session};
	if (p->pid == session)
		l->start_ns = p->start_ns;
	for (uint32_t i = 0; i < p->ancestors; i++) {
		if (p->ancestor[i].pid == session)
			l->start_ns = p->ancestor[i].start_ns;
	}
}

static void lineage_of(struct lineage *l, const struct event *ev)
{
	if (ev->flags & EVENT_ACTOR) {
		lineage_of_actor(l, ev);
	} else if (ev->flags & EVENT_CONN) {
		*l = (struct lineage){LINEAGE_PEER};
		memcpy(l->peer, ev->conn.ends.remote_ip, sizeof(l->peer));
	} else if (ev->key.tgid) {
		*l = (struct lineage){LINEAGE_PROCESS, .pid = ev->key.tgid,
				      .start_ns = ev->key.actor};
	} else {
		*l = (struct lineage){LINEAGE_NOBODY};
	}
}

void incident_fact_fill(struct incident_fact *ret, const struct finding *f)
{
	static char actor_text[INCIDENT_ACTOR_LEN]; /* ret->actor points here */
	const struct alert *a = f->alert;
	const struct event *ev = &a->ev;

	*ret = (struct incident_fact){
		.instance = ev->key.instance,
		.tenant = f->tenant ? f->tenant->id : 0,
		.pid = ev->flags & EVENT_ACTOR	? ev->actor.pid
		       : ev->flags & EVENT_CONN ? 0
						: ev->key.tgid,
		.start_ns = ev->flags & EVENT_ACTOR ? ev->actor.start_ns : ev->key.actor,
		.actor = actor_text,
		.action = {.id = a->id,
			   .first_ns = ev->time_ns,
			   .last_ns = a->last_ns,
			   .count = f->more,
			   .rule = ev->key.rule,
			   .stage = (uint8_t)attempt_stage(ev),
			   .severity = (uint8_t)f->severity,
			   .verdict = (uint8_t)f->verdict.id},
	};
	ret->action.pid = ret->pid;
	lineage_of(&ret->lineage, ev);
	event_actor_text(f, actor_text, sizeof(actor_text));
	event_action_text(f, ret->action.summary, sizeof(ret->action.summary));
}
