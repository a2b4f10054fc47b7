// SPDX-License-Identifier: BSD-2-Clause
/* plaintext.c - see plaintext.h. */
#include "monitor/plaintext.h"

#include "base/clock.h"
#include "model/command.h"
#include "monitor/files_search.h"

#define HOLD_NS (50 * NS_PER_MS)

/* The server whose client may be speaking plaintext because the server speaks nothing else; NULL: it does speak TLS. */
static struct instance *server_without_tls(const struct monitor *m, const struct event *ev)
{
	struct instance *in;

	if (ev->key.rule != RULE_TLS_PLAINTEXT || !(ev->flags & EVENT_CONN) ||
	    ev->conn.opened == OPENED_OUTBOUND || ev->flags & EVENT_PREVENTED)
		return NULL;
	in = instances_find(&m->instances, ev->key.instance);
	return in && !in->tls && instance_listens(in, ev->conn.ends.local_port) ? in : NULL;
}

static bool is_answered(const struct instance *in, const struct event *ev)
{
	return instance_serves_plain(in, ev->conn.ends.local_port);
}

bool plaintext_hold(struct monitor *m, struct alert *a)
{
	const struct event *ev = &a->ev;
	struct instance *in = a->id || m->flushing ? NULL : server_without_tls(m, ev);

	/* the first answer on a connection from before the monitor is not seen */
	if (!in || is_answered(in, ev) || ev->conn.opened != OPENED_INBOUND)
		return false;
	if (!a->held_ns) {
		in->tls = files_name_tls_port(m->files, in);
		if (in->tls)
			return false;
		a->held_ns = m->now + HOLD_NS;
		if (a->held_ns < m->plaintext_due_ns)
			m->plaintext_due_ns = a->held_ns;
	}
	return m->now < a->held_ns;
}

bool plaintext_is_routine(struct monitor *m, const struct alert *a)
{
	struct instance *in = server_without_tls(m, &a->ev);

	if (!in || !is_answered(in, &a->ev))
		return false;
	if (!command_has_credential(a->ev.conn.command))
		return true;
	if (!in->exposed)
		in->exposed = a->id;
	return in->exposed != a->id;
}

bool plaintext_is_state(const struct monitor *m, const struct event *ev)
{
	const struct instance *in = server_without_tls(m, ev);

	return in && (is_answered(in, ev) || ev->conn.opened != OPENED_INBOUND);
}

void plaintext_answered(struct monitor *m, const struct event *ev)
{
	struct instance *in = instances_find(&m->instances, ev->key.instance);

	if (!in)
		return;
	instance_set_serves_plain(in, ev->conn.ends.local_port);
	m->plaintext_due_ns = 0;
}

static bool is_due(const struct monitor *m, const struct alert *a)
{
	const struct instance *in = monitor_instance(m, a->ev.key.instance);

	return m->now >= a->held_ns || (in && is_answered(in, &a->ev));
}

struct alert *plaintext_next_due(struct monitor *m, struct alert *a)
{
	if (!a)
		m->plaintext_due_ns = UINT64_MAX;
	while ((a = alerts_next(&m->alerts, a))) {
		if (!a->held_ns || a->id)
			continue;
		if (is_due(m, a))
			return a;
		if (a->held_ns < m->plaintext_due_ns)
			m->plaintext_due_ns = a->held_ns;
	}
	return NULL;
}
