// SPDX-License-Identifier: BSD-2-Clause
/* events.c - events in: what instances do, what is done to them, what their handshakes say. */
#include "monitor/state.h"

#include "sensor/cgroup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "monitor/reset.h"
#include "tls/facts.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

static void tell_lifecycle(const struct instance *in, enum instance_change change)
{
	switch (change) {
	case INSTANCE_STARTED:
		log_info("instance %s started: pid %u, %s", in->name, in->pid, in->exe);
		break;
	case INSTANCE_REEXECUTED:
		log_info("instance %s executed itself: pid %u, %s", in->name, in->pid, in->exe);
		break;
	case INSTANCE_ENDED:
		log_info("instance %s ended: pid %u", in->name, in->pid);
		break;
	case INSTANCE_LISTENS:
		log_info("instance %s listens: port %u", in->name, in->port[in->ports - 1]);
		break;
	default:
		break;
	}
}

static void on_lifecycle(struct monitor *m, const struct event *ev)
{
	struct instance *in;
	enum instance_change change = instances_apply(&m->instances, ev, &in);

	if (!in)
		return;
	if (change == INSTANCE_STARTED || change == INSTANCE_REEXECUTED)
		cgroup_path(m->cgroup_fd, in->cgroup_id, in->cgroup, sizeof(in->cgroup));
	if (change != INSTANCE_SAME)
		active_policy_prevent_on(&m->policy_state, m->sensors, in);
	if (!m->started)
		return;
	tell_lifecycle(in, change);
	if (change == INSTANCE_STARTED || change == INSTANCE_REEXECUTED)
		files_started(m->files, in);
	if (change == INSTANCE_ENDED) {
		alerts_instance_ended(&m->alerts, in->id);
		files_ended(m->files, &m->instances, in);
	}
	/* a supervisor may have opened its sockets for it */
	if (change == INSTANCE_STARTED && sensors_mark_sockets(m->sensors, (pid_t)ev->actor.pid))
		report_blind_spot(m, "sockets handed down to a server could not be looked for",
				  ++m->marks_failed);
}

/*
 * Whoever was killed while it attached leaves the stop that attaching sends behind; a server must not stand
 * still for it. Wherever that stop is on its way, SIGCONT takes it back.
 */
static void mend(const struct event *ev)
{
	if (ev->flags & EVENT_PREVENTED && ev->key.vector == VECTOR_PTRACE &&
	    ev->key.detail == PTRACE_ATTACH && !ev->key.err)
		kill((pid_t)ev->target_tgid, SIGCONT);
}

/* What was dropped leaves two ends that wait: both are told that the connection is over. */
static void cut(struct monitor *m, const struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->key.instance);
	const char *step;
	int err;

	if (!(ev->flags & EVENT_CONN) || ev->key.rule == RULE_TLS_LISTENER)
		return;
	err = reset_connection(&ev->conn, in ? (pid_t)in->pid : 0, &step);
	if (!err || err == -ENOENT || err == -ESRCH) { /* it ended by itself, or with its server */
		m->resets++;
		return;
	}
	if (!m->resets_failed)
		log_warn(
			"a connection cannot be reset (%s: %s): its bytes are dropped, its ends wait",
			step, strerror(-err));
	report_blind_spot(m, "connections that could not be reset: dropped, but both ends wait",
			  ++m->resets_failed);
}

/* --- handshakes in --- */

static void judge(struct monitor *m, const struct conn *c, unsigned int rule, bool fine)
{
	static struct event ev; /* large */
	struct alert *a;

	if (fine)
		return;
	conn_event(c, rule, &ev);
	a = alerts_event(&m->alerts, &ev);
	if (a)
		monitor_report(m, a);
}

/* Nothing more will come of a connection's handshake. */
static void forget_handshake(struct monitor *m, uint64_t cookie)
{
	static struct event ev;
	const struct conn *c = conns_find(&m->conns, cookie);

	if (!c)
		return;
	conn_event(c, RULE_TLS_VERSION, &ev);
	alerts_forget(&m->alerts, &ev.key);
	conn_event(c, RULE_TLS_CIPHER, &ev);
	alerts_forget(&m->alerts, &ev.key);
}

void monitor_handshake(void *ctx, const struct handshake_chunk *p)
{
	struct monitor *m = ctx;
	const struct policy *policy = &m->policy_state.policy;
	const struct conn *c;

	m->now = clock_boot_ns();
	if (p->flags & CHUNK_CLOSED)
		forget_handshake(m, p->cookie);
	c = conns_chunk(&m->conns, p);
	if (!c)
		return;
	judge(m, c, RULE_TLS_VERSION, policy_tls_version(policy, c->facts->version));
	judge(m, c, RULE_TLS_CIPHER, policy_tls_cipher(policy, c->facts->cipher));
}

/* What only userspace knows of an attempt. */
static void complete(const struct monitor *m, struct event *ev)
{
	const struct instance *in = monitor_instance(m, ev->key.instance);

	if (!ev->target_tgid && in) /* a file's owner is an instance, not one of its processes */
		ev->target_tgid = ev->target_tid = in->pid;
	if (ev->key.rule == RULE_MEM_SPILL && ev->key.detail == FINDING_SWAPPED &&
	    proc_swap_sealed())
		ev->flags |= EVENT_SEALED;
}

void monitor_attempt(void *ctx, const struct event *ev)
{
	static struct event whole; /* large */
	struct monitor *m = ctx;
	struct alert *a;

	whole = *ev;
	complete(m, &whole);
	a = alerts_event(&m->alerts, &whole);
	if (a)
		monitor_report(m, a);
}

void monitor_event(void *ctx, const struct event *ev)
{
	struct monitor *m = ctx;
	const struct instance *in;

	m->now = clock_boot_ns();
	if (ev->type == EVENT_FILE) {
		in = instances_find(&m->instances, ev->key.instance);
		if (in)
			files_opened(m->files, in, ev);
	} else if (ev->type != EVENT_ATTEMPT) {
		on_lifecycle(m, ev);
	} else {
		mend(ev);
		if (ev->flags & EVENT_PREVENTED)
			cut(m, ev);
		monitor_attempt(m, ev);
	}
}
