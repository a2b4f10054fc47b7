// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_text.c - see event_text.h. Process names and paths are chosen by an attacker: textw_name() escapes them.
 */
#include "report/event_text.h"

#include "model/attempt.h"
#include "model/command.h"
#include "model/payload_kind.h"
#include "base/textw.h"
#include "report/actor_text.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_ANCESTORS 4 /* JSON lists all */

static void put_actor(struct textw *t, const struct finding *f)
{
	const struct process_info *p = &f->alert->ev.actor;
	struct actor actor;

	if (!finding_has_actor(f))
		return;
	actor = finding_actor(f);
	textw_put(t, " by ");
	actor_text(t, &actor);
	if (f->alert->ev.flags & EVENT_CROWD)
		textw_put(t, " and others of this user");
	for (uint32_t i = 0; actor.detailed && i < p->ancestors && i < TEXT_ANCESTORS; i++) {
		textw_put(t, " < ");
		textw_name(t, p->ancestor[i].comm);
		textw_put(t, "(%u)", p->ancestor[i].pid);
	}
}

static void put_endpoint(struct textw *t, const struct conn_info *c, const char *ip, uint16_t port)
{
	textw_put(t, c->ipv6 ? "[%s]:%u" : "%s:%u", ip, port);
}

static void put_conn(struct textw *t, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;

	textw_put(t, " ");
	put_endpoint(t, c, f->remote_ip, c->ends.remote_port);
	textw_put(t, c->egress ? " <- " : " -> ");
	put_endpoint(t, c, f->local_ip, c->ends.local_port);
	if (c->opened != OPENED_UNKNOWN)
		textw_put(t, c->opened == OPENED_INBOUND ? " (inbound)" : " (outbound)");
	if (f->alert->ev.flags & EVENT_CROWD)
		textw_put(t, " and other connections");
	if (payload_kind_text(c->payload))
		textw_put(t, ", %s", payload_kind_text(c->payload));
	if (command_name(c->command))
		textw_put(t, " %s", command_name(c->command));
	if (c->has_offset)
		textw_put(t, " at byte %" PRIu64, (uint64_t)c->offset);
	if (c->records)
		textw_put(t, " after %" PRIu64 " TLS records", (uint64_t)c->records);
	if (f->alert->bytes)
		textw_put(t, ", %" PRIu64 " bytes", f->alert->bytes);
	if (f->alert->ev.flags & EVENT_PREVENTED)
		textw_put(t, ", prevented");
	if (f->detail[0])
		textw_put(t, ",");
}

/* Vector, detail, object and outcome; for a connection its ends and payload instead. */
static void put_action(struct textw *t, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	/* a state: the detail says all, no single connection matters */
	bool state = ev->key.rule == RULE_SELF_BLIND || ev->key.rule == RULE_TLS_LISTENER;
	char result[64];

	if (state)
		textw_put(t, f->alert->last_seen ? ": %s; %s" : ": %s", f->detail,
			  f->alert->last_seen);
	else if (ev->flags & EVENT_CONN)
		put_conn(t, f);
	else
		textw_put(t, ": %s", f->vector);
	if (f->detail[0] && !state)
		textw_put(t, " %s", f->detail);
	if (f->object[0]) {
		textw_put(t, " ");
		textw_name(t, f->object);
	}
	if (ev->flags & EVENT_CONN || state)
		return;
	attempt_result(ev, f->alert->bytes, result, sizeof(result));
	textw_put(t, " %s", result);
}

void event_actor_text(const struct finding *f, char *buf, size_t size)
{
	struct textw t = {buf, size, 0, false, false};

	buf[0] = '\0';
	put_actor(&t, f);
}

void event_action_text(const struct finding *f, char *buf, size_t size)
{
	struct textw t = {buf, size, 0, false, false};

	textw_put(&t, "%s", rule_name(f->alert->ev.key.rule));
	put_action(&t, f);
}

static void put_policy(struct textw *t, const struct verdict *v)
{
	const struct policy_allow *a = v->allow ?: v->expired;

	if (a) {
		textw_put(t, v->allow ? " [allowed by %s:%u: " : " [no longer allowed by %s:%u: ",
			  a->at.file, a->at.line);
		textw_name(t, a->reason);
		textw_put(t, "]");
	} else if (v->wire) {
		textw_put(t, " [allowed by %s:%u]", v->wire->file, v->wire->line);
	}
}

static void put_target(struct textw *t, const struct finding *f)
{
	const struct attempt_key *key = &f->alert->ev.key;

	if (key->instance) {
		textw_put(t, " ");
		textw_name(t, f->instance ? f->instance->name : "(unknown instance)");
		if (f->instance)
			textw_put(t, "(%u)", f->instance->pid);
	} else if (key->rule != RULE_SELF_BLIND) {
		textw_put(t, " this host");
	}
}

const char *event_text(const struct finding *f, struct report_buf *b, size_t *ret_len)
{
	const struct event *ev = &f->alert->ev;
	/* a line too long for the buffer is cut, and still ends with a newline */
	struct textw t = {b->text, sizeof(b->text) - 2, 0, b->colour, false};

	report_time(b, &t);
	textw_colour(&t, report_colour(f->severity));
	textw_put(&t, "%-8s %s", severity_name(f->severity), rule_name(ev->key.rule));
	textw_colour(&t, "0");
	put_target(&t, f);
	put_action(&t, f);
	put_actor(&t, f);
	if (f->alert->count > 1)
		textw_put(&t, " [%" PRIu64 " times]", f->alert->count);
	put_policy(&t, &f->verdict);
	if (ev->flags & EVENT_FOUND_BY_SWEEP)
		textw_put(&t, " [found by sweep]");
	if (!f->update)
		report_age(b, &t, f->time_ms);
	b->text[t.len++] = '\n';
	b->text[t.len] = '\0';
	*ret_len = t.len;
	return b->text;
}
