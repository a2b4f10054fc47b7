// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_text.c - see event_text.h. Process names and paths are chosen by an attacker: textw_name() escapes them.
 */
#include "report/event_text.h"

#include "base/clock.h"
#include "model/attempt.h"
#include "model/command.h"
#include "model/payload_kind.h"
#include "base/textw.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_ANCESTORS 4 /* JSON lists all */

static void put_process(struct textw *t, const char *comm, uint32_t pid)
{
	textw_name(t, comm);
	textw_put(t, "(%u)", pid);
}

/* The event was lost and the attempts table has only the pid. */
static void put_actor_pid(struct textw *t, const struct finding *f)
{
	textw_put(t, " by pid %u", f->alert->ev.key.tgid);
	if (f->exe[0]) {
		textw_put(t, " ");
		textw_name(t, f->exe);
	}
	textw_put(t, " (details lost)");
}

static void put_actor(struct textw *t, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;

	if (!(ev->flags & EVENT_ACTOR)) {
		if (ev->key.tgid)
			put_actor_pid(t, f);
		return;
	}
	textw_put(t, " by ");
	put_process(t, p->comm, p->pid);
	textw_put(t, " uid %u ", p->uid);
	textw_name(t, f->exe[0]				 ? f->exe
		      : p->flags & PROCESS_KERNEL_THREAD ? "[kernel thread]"
							 : "?");
	if (p->exe.flags & PATH_DELETED)
		textw_put(t, " (deleted)");
	if (f->tenant) {
		textw_put(t, " of instance ");
		textw_name(t, f->tenant->name);
	}
	for (uint32_t i = 0; i < p->ancestors && i < TEXT_ANCESTORS; i++) {
		textw_put(t, " < ");
		put_process(t, p->ancestor[i].comm, p->ancestor[i].pid);
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
	if (payload_kind_name(c->payload))
		textw_put(t, ", %s", payload_kind_name(c->payload));
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
	bool blind = ev->key.rule == RULE_SELF_BLIND;

	if (ev->flags & EVENT_CONN)
		put_conn(t, f);
	else
		textw_put(t, ": %s", blind ? "" : f->vector);
	if (f->detail[0])
		textw_put(t, blind ? "%s" : " %s", f->detail);
	if (f->object[0]) {
		textw_put(t, " ");
		textw_name(t, f->object);
	}
	if (ev->flags & EVENT_CONN || blind)
		return;
	textw_put(t, ev->flags & EVENT_PREVENTED ? " prevented, %s" : " %s", attempt_outcome(ev));
	if (ev->key.err)
		textw_put(t, " (%s)",
			  strerrorname_np(ev->key.err) ? strerrorname_np(ev->key.err) : "?");
}

void event_actor_text(const struct finding *f, char *buf, size_t size)
{
	struct textw t = {buf, size, 0};

	buf[0] = '\0';
	put_actor(&t, f);
}

void event_action_text(const struct finding *f, char *buf, size_t size)
{
	struct textw t = {buf, size, 0};

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
	} else if (v->plaintext) {
		textw_put(t, " [allowed by %s:%u]", v->plaintext->at.file, v->plaintext->at.line);
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
	struct textw t = {b->text, sizeof(b->text) - 2, 0, b->colour};
	char time[16];

	clock_text(f->update ? f->now_ms : f->time_ms, time, sizeof(time));
	textw_put(&t, "%s ", time);
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
	b->text[t.len++] = '\n';
	b->text[t.len] = '\0';
	*ret_len = t.len;
	return b->text;
}
