// SPDX-License-Identifier: BSD-2-Clause
/* event_ecs.c - see event_ecs.h. */
#include "report/event_ecs.h"

#include "model/attempt.h"
#include "report/ecs.h"
#include "report/event_json.h"
#include "report/ocsf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static void put_parent(struct jsonw *j, const struct finding *f)
{
	const struct process_info *p = &f->alert->ev.actor;
	struct actor parent;

	if (!p->ancestors)
		return;
	parent = (struct actor){.pid = p->ancestor[0].pid,
				.uid = p->ancestor[0].uid,
				.start_ns = p->ancestor[0].start_ns,
				.detailed = true,
				.exe = f->ancestor_exe[0]};
	memcpy(parent.comm, p->ancestor[0].comm, sizeof(parent.comm));
	jsonw_object(j, "parent");
	ecs_process(j, &parent);
	jsonw_end_object(j);
}

static void put_hash(struct jsonw *j, const struct finding *f)
{
	if (!f->sha256[0])
		return;
	jsonw_object(j, "hash");
	jsonw_string(j, "sha256", f->sha256);
	jsonw_end_object(j);
}

static void put_actor(struct jsonw *j, const struct finding *f)
{
	struct actor a;

	if (!finding_has_actor(f))
		return;
	a = finding_actor(f);
	jsonw_object(j, "process");
	ecs_process(j, &a);
	put_hash(j, f);
	if (a.detailed) {
		jsonw_object(j, "thread");
		jsonw_int(j, "id", f->alert->ev.actor.tid);
		jsonw_end_object(j);
		put_parent(j, f);
	}
	jsonw_end_object(j);
	if (a.container[0]) {
		jsonw_object(j, "container");
		jsonw_string(j, "id", a.container);
		jsonw_end_object(j);
	}
}

static void put_network(struct jsonw *j, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;
	int protocol = c->protocol ?: IPPROTO_TCP; /* set for packets other than TCP only */
	bool out = c->egress;
	char number[8];

	if (!(f->alert->ev.flags & EVENT_CONN))
		return;
	ecs_endpoint(j, "source", out ? f->local_ip : f->remote_ip,
		     out ? c->ends.local_port : c->ends.remote_port);
	ecs_endpoint(j, "destination", out ? f->remote_ip : f->local_ip,
		     out ? c->ends.remote_port : c->ends.local_port);
	snprintf(number, sizeof(number), "%d", protocol);
	jsonw_object(j, "network");
	jsonw_string(j, "type", c->ipv6 ? "ipv6" : "ipv4");
	jsonw_string(j, "direction", out ? "egress" : "ingress");
	jsonw_string(j, "iana_number", number);
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		jsonw_string(j, "transport", protocol == IPPROTO_TCP ? "tcp" : "udp");
	jsonw_end_object(j);
	if (f->tls)
		ecs_tls(j, f->tls);
}

/* The schema knows "success" and "failure" of what was attempted. */
static const char *outcome(const struct finding *f)
{
	const char *text = attempt_outcome(&f->alert->ev);

	return !strcmp(text, "succeeded") ? "success"
	       : !strcmp(text, "unknown") ? "unknown"
					  : "failure";
}

const char *event_ecs(const struct finding *f, struct report_buf *b, size_t *ret_len)
{
	unsigned int rule = f->alert->ev.key.rule;
	enum verdict_id verdict = f->verdict.id;
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN], title[EVENT_TITLE_LEN];

	event_title(f, title);
	ocsf_event_uid(f->uid_prefix, f->alert->id, uid);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ecs_head(j, &(struct ecs_event){
			    .kind = verdict >= VERDICT_ALERT ? "alert" : "event",
			    .dataset = "event",
			    .id = uid,
			    .action = f->vector,
			    .message = title,
			    .reason = f->detail,
			    .rules = 1u << rule,
			    .type = verdict == VERDICT_PREVENTED ? "denied"
				    : verdict == VERDICT_ALLOWED ? "allowed"
								 : NULL,
			    .outcome = outcome(f),
			    .severity = f->severity,
			    .time_ms = f->update ? f->now_ms : f->time_ms,
			    .start_ms = f->time_ms,
			    .end_ms = ECS_NO_TIME,
		    });
	ecs_rule(j, rule, attempt_stage(&f->alert->ev), 1u << rule);
	ecs_service(j, f->instance);
	put_actor(j, f);
	put_network(j, f);
	event_own(j, f);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
