// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_text.c - a finding as one line for a person at a terminal. What an actor named itself
 * cannot steer it.
 */
#include "finding.h"

#include "clock.h"
#include "command.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_ANCESTORS 4 /* JSON has them all */

struct line {
	char *buf;
	size_t size, len;
};

static void put(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->buf + l->len, l->size - l->len, fmt, args);
	va_end(args);
	if (n > 0)
		l->len += (size_t)n < l->size - l->len ? (size_t)n : l->size - l->len - 1;
}

/* A name from outside: control characters and bytes of no ASCII are shown, not obeyed. */
static void put_name(struct line *l, const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p >= 0x20 && *p < 0x7f && *p != '\\')
			put(l, "%c", *p);
		else
			put(l, "\\x%02x", *p);
	}
}

static void put_colour(struct line *l, bool colour, const char *code)
{
	if (colour)
		put(l, "\033[%sm", code);
}

static void put_process(struct line *l, const char *comm, uint32_t pid)
{
	put_name(l, comm);
	put(l, "(%u)", pid);
}

static void put_actor(struct line *l, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;

	if (!(ev->flags & EVENT_ACTOR)) {
		if (ev->key.tgid) {
			put(l, " by pid %u", ev->key.tgid);
			if (f->exe[0]) {
				put(l, " ");
				put_name(l, f->exe);
			}
			put(l, " (details lost)");
		}
		return;
	}
	put(l, " by ");
	put_process(l, p->comm, p->pid);
	put(l, " uid %u ", p->uid);
	put_name(l, f->exe[0]			       ? f->exe
		    : p->flags & PROCESS_KERNEL_THREAD ? "[kernel thread]"
						       : "?");
	if (p->exe.flags & PATH_DELETED)
		put(l, " (deleted)");
	if (f->tenant) {
		put(l, " of instance ");
		put_name(l, f->tenant->name);
	}
	for (uint32_t i = 0; i < p->ancestors && i < TEXT_ANCESTORS; i++) {
		put(l, " < ");
		put_process(l, p->ancestor[i].comm, p->ancestor[i].pid);
	}
}

static void put_endpoint(struct line *l, const struct conn_info *c, const char *ip, uint16_t port)
{
	put(l, c->ipv6 ? "[%s]:%u" : "%s:%u", ip, port);
}

static void put_conn(struct line *l, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;

	put(l, " ");
	put_endpoint(l, c, f->remote_ip, c->ends.remote_port);
	put(l, c->egress ? " <- " : " -> ");
	put_endpoint(l, c, f->local_ip, c->ends.local_port);
	if (c->opened != OPENED_UNKNOWN)
		put(l, c->opened == OPENED_INBOUND ? " (inbound)" : " (outbound)");
	if (saw_name(c->saw))
		put(l, ", %s", saw_name(c->saw));
	if (command_name(c->command))
		put(l, " %s", command_name(c->command));
	if (c->has_offset)
		put(l, " at byte %" PRIu64, (uint64_t)c->offset);
	if (c->records)
		put(l, " after %" PRIu64 " TLS records", (uint64_t)c->records);
	if (f->alert->bytes)
		put(l, ", %" PRIu64 " bytes", f->alert->bytes);
	if (f->alert->ev.flags & EVENT_PREVENTED)
		put(l, ", prevented");
	if (f->detail[0])
		put(l, ",");
}

/* By what, to what, and what came of it. */
static void put_deed(struct line *l, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	bool blind = ev->key.rule == RULE_SELF_BLIND;

	if (ev->flags & EVENT_CONN)
		put_conn(l, f);
	else
		put(l, ": %s", blind ? "" : f->vector);
	if (f->detail[0])
		put(l, blind ? "%s" : " %s", f->detail);
	if (f->object[0]) {
		put(l, " ");
		put_name(l, f->object);
	}
	if (ev->flags & EVENT_CONN || blind)
		return;
	put(l, ev->flags & EVENT_PREVENTED ? " prevented, %s" : " %s", rule_outcome(ev));
	if (ev->key.err)
		put(l, " (%s)", strerrorname_np(ev->key.err) ? strerrorname_np(ev->key.err) : "?");
}

void finding_actor_text(const struct finding *f, char *buf, size_t size)
{
	struct line l = {buf, size, 0};

	buf[0] = '\0';
	put_actor(&l, f);
}

void finding_deed_text(const struct finding *f, char *buf, size_t size)
{
	struct line l = {buf, size, 0};

	put(&l, "%s", rule_name(f->alert->ev.key.rule));
	put_deed(&l, f);
}

static void put_policy(struct line *l, const struct verdict *v)
{
	const struct policy_allow *a = v->allow ?: v->expired;

	if (a) {
		put(l,
		    v->allow ? " [allowed by %s:%u: " : " [allowed no more by %s:%u: ", a->at.file,
		    a->at.line);
		put_name(l, a->reason);
		put(l, "]");
	} else if (v->plaintext) {
		put(l, " [allowed by %s:%u]", v->plaintext->at.file, v->plaintext->at.line);
	}
}

size_t finding_text(const struct finding *f, char *buf, size_t size, bool colour)
{
	static const char *const colours[] = {"", "36", "36", "33", "31", "1;31"};
	const struct event *ev = &f->alert->ev;
	struct line l = {buf, size - 2, 0};
	char time[16];

	clock_text(f->update ? f->now_ms : f->time_ms, time, sizeof(time));
	put(&l, "%s ", time);
	put_colour(&l, colour, colours[f->severity]);
	put(&l, "%-8s %s", severity_name(f->severity), rule_name(ev->key.rule));
	put_colour(&l, colour, "0");
	if (ev->key.instance) {
		put(&l, " ");
		put_name(&l, f->instance ? f->instance->name : "(unknown instance)");
		if (f->instance)
			put(&l, "(%u)", f->instance->pid);
	} else if (ev->key.rule != RULE_SELF_BLIND) {
		put(&l, " this host");
	}
	put_deed(&l, f);
	put_actor(&l, f);
	if (f->alert->count > 1)
		put(&l, " [%" PRIu64 " times]", f->alert->count);
	put_policy(&l, &f->verdict);
	if (ev->flags & EVENT_FOUND_BY_SWEEP)
		put(&l, " [found by sweep]");
	buf[l.len++] = '\n';
	buf[l.len] = '\0';
	return l.len;
}
