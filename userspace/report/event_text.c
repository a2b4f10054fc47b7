// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_text.c - a finding as one line for a person at a terminal. What an actor named itself
 * cannot steer it.
 */
#include "report/finding.h"

#include "base/clock.h"
#include "model/attempt.h"
#include "model/command.h"
#include "model/payload_kind.h"
#include "base/textw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_ANCESTORS 4 /* JSON has them all */

static void put_process(struct textw *l, const char *comm, uint32_t pid)
{
	textw_name(l, comm);
	textw_put(l, "(%u)", pid);
}

static void put_actor(struct textw *l, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;

	if (!(ev->flags & EVENT_ACTOR)) {
		if (ev->key.tgid) {
			textw_put(l, " by pid %u", ev->key.tgid);
			if (f->exe[0]) {
				textw_put(l, " ");
				textw_name(l, f->exe);
			}
			textw_put(l, " (details lost)");
		}
		return;
	}
	textw_put(l, " by ");
	put_process(l, p->comm, p->pid);
	textw_put(l, " uid %u ", p->uid);
	textw_name(l, f->exe[0]				 ? f->exe
		      : p->flags & PROCESS_KERNEL_THREAD ? "[kernel thread]"
							 : "?");
	if (p->exe.flags & PATH_DELETED)
		textw_put(l, " (deleted)");
	if (f->tenant) {
		textw_put(l, " of instance ");
		textw_name(l, f->tenant->name);
	}
	for (uint32_t i = 0; i < p->ancestors && i < TEXT_ANCESTORS; i++) {
		textw_put(l, " < ");
		put_process(l, p->ancestor[i].comm, p->ancestor[i].pid);
	}
}

static void put_endpoint(struct textw *l, const struct conn_info *c, const char *ip, uint16_t port)
{
	textw_put(l, c->ipv6 ? "[%s]:%u" : "%s:%u", ip, port);
}

static void put_conn(struct textw *l, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;

	textw_put(l, " ");
	put_endpoint(l, c, f->remote_ip, c->ends.remote_port);
	textw_put(l, c->egress ? " <- " : " -> ");
	put_endpoint(l, c, f->local_ip, c->ends.local_port);
	if (c->opened != OPENED_UNKNOWN)
		textw_put(l, c->opened == OPENED_INBOUND ? " (inbound)" : " (outbound)");
	if (payload_kind_name(c->payload))
		textw_put(l, ", %s", payload_kind_name(c->payload));
	if (command_name(c->command))
		textw_put(l, " %s", command_name(c->command));
	if (c->has_offset)
		textw_put(l, " at byte %" PRIu64, (uint64_t)c->offset);
	if (c->records)
		textw_put(l, " after %" PRIu64 " TLS records", (uint64_t)c->records);
	if (f->alert->bytes)
		textw_put(l, ", %" PRIu64 " bytes", f->alert->bytes);
	if (f->alert->ev.flags & EVENT_PREVENTED)
		textw_put(l, ", prevented");
	if (f->detail[0])
		textw_put(l, ",");
}

/* By what, to what, and what came of it. */
static void put_action(struct textw *l, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	bool blind = ev->key.rule == RULE_SELF_BLIND;

	if (ev->flags & EVENT_CONN)
		put_conn(l, f);
	else
		textw_put(l, ": %s", blind ? "" : f->vector);
	if (f->detail[0])
		textw_put(l, blind ? "%s" : " %s", f->detail);
	if (f->object[0]) {
		textw_put(l, " ");
		textw_name(l, f->object);
	}
	if (ev->flags & EVENT_CONN || blind)
		return;
	textw_put(l, ev->flags & EVENT_PREVENTED ? " prevented, %s" : " %s", attempt_outcome(ev));
	if (ev->key.err)
		textw_put(l, " (%s)",
			  strerrorname_np(ev->key.err) ? strerrorname_np(ev->key.err) : "?");
}

void finding_actor_text(const struct finding *f, char *buf, size_t size)
{
	struct textw l = {buf, size, 0};

	buf[0] = '\0';
	put_actor(&l, f);
}

void finding_action_text(const struct finding *f, char *buf, size_t size)
{
	struct textw l = {buf, size, 0};

	textw_put(&l, "%s", rule_name(f->alert->ev.key.rule));
	put_action(&l, f);
}

static void put_policy(struct textw *l, const struct verdict *v)
{
	const struct policy_allow *a = v->allow ?: v->expired;

	if (a) {
		textw_put(l, v->allow ? " [allowed by %s:%u: " : " [allowed no more by %s:%u: ",
			  a->at.file, a->at.line);
		textw_name(l, a->reason);
		textw_put(l, "]");
	} else if (v->plaintext) {
		textw_put(l, " [allowed by %s:%u]", v->plaintext->at.file, v->plaintext->at.line);
	}
}

size_t finding_text(const struct finding *f, char *buf, size_t size, bool colour)
{
	static const char *const colours[] = {"", "36", "36", "33", "31", "1;31"};
	const struct event *ev = &f->alert->ev;
	struct textw l = {buf, size - 2, 0, colour};
	char time[16];

	clock_text(f->update ? f->now_ms : f->time_ms, time, sizeof(time));
	textw_put(&l, "%s ", time);
	textw_colour(&l, colours[f->severity]);
	textw_put(&l, "%-8s %s", severity_name(f->severity), rule_name(ev->key.rule));
	textw_colour(&l, "0");
	if (ev->key.instance) {
		textw_put(&l, " ");
		textw_name(&l, f->instance ? f->instance->name : "(unknown instance)");
		if (f->instance)
			textw_put(&l, "(%u)", f->instance->pid);
	} else if (ev->key.rule != RULE_SELF_BLIND) {
		textw_put(&l, " this host");
	}
	put_action(&l, f);
	put_actor(&l, f);
	if (f->alert->count > 1)
		textw_put(&l, " [%" PRIu64 " times]", f->alert->count);
	put_policy(&l, &f->verdict);
	if (ev->flags & EVENT_FOUND_BY_SWEEP)
		textw_put(&l, " [found by sweep]");
	buf[l.len++] = '\n';
	buf[l.len] = '\0';
	return l.len;
}
