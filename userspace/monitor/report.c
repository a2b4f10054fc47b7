// SPDX-License-Identifier: BSD-2-Clause
/* report.c - see report.h. */
#include "monitor/report.h"

#include "base/digest.h"
#include "base/proc.h"
#include "model/attempt.h"
#include "model/routine.h"
#include "model/vector.h"
#include "monitor/host_program.h"
#include "monitor/plaintext.h"
#include "monitor/policy_input.h"
#include "monitor/tally.h"
#include "report/event_text.h"
#include "report/finding.h"
#include "report/incident_fact.h"
#include "report/incident_view.h"
#include "sensor/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blind_spot(const struct finding *f)
{
	return f->alert->ev.key.rule == RULE_SELF_BLIND;
}

/* After each delivery, also for the guard, should the monitor be killed now. */
static void update_output(struct monitor *m)
{
	sinks_status(&m->sinks, m->output);
	if (m->guard.shared)
		memcpy(m->guard.shared->sink, m->output, sizeof(m->output));
}

/*
 * tls-listener: name the client that was answered first. Resolved once and kept with the alert: the client's own alert
 * expires before this one.
 */
static void resolve_first_client(const struct monitor *m, struct alert *a)
{
	const struct alert *client;
	char exe[PATH_LEN];

	if (a->ev.key.rule != RULE_TLS_LISTENER || a->opener)
		return;
	client = alerts_plaintext(&m->alerts, &a->ev);
	if (client && finding_actor_exe(&client->ev, exe, sizeof(exe)))
		a->opener = strdup(exe);
}

static void fill(struct monitor *m, struct alert *a, struct finding *f)
{
	const struct event *ev = &a->ev;
	uint64_t more = a->count - a->shown_count;
	bool update = alert_shown(&m->alerts, a, m->now);
	char cgroup[INSTANCE_CGROUP] = "";

	if (ev->flags & EVENT_ACTOR)
		cgroup_path(m->cgroup_fd, ev->actor.cgroup_id, cgroup, sizeof(cgroup));
	resolve_first_client(m, a);
	finding_fill(f,
		     &(struct finding_source){
			     .alert = a,
			     .instance = monitor_instance(m, ev->key.instance),
			     .tenant = ev->flags & EVENT_CROSS_TENANT
					       ? monitor_instance(m, ev->other_instance)
					       : NULL,
			     .tls = ev->flags & EVENT_CONN ? conns_find(&m->conns, ev->conn.cookie)
							   : NULL,
			     .uid_prefix = m->uid_prefix,
			     .actor_cgroup = cgroup,
			     .more = more,
			     .update = update,
		     });
}

static bool is_routine(struct monitor *m, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	switch (routine_of(ev)) {
	case ROUTINE_TOTALS:
		return true;
	case ROUTINE_LISTING:
		return finding_path_certain(&ev->actor.exe) && host_program_is(f->exe, &ev->actor);
	case ROUTINE_NOT:
		break;
	}
	return plaintext_is_routine(m, f->alert);
}

static void evaluate(struct monitor *m, struct finding *f)
{
	const struct policy *p = &m->policy.policy;
	const struct process_info *actor = &f->alert->ev.actor;
	struct policy_input input;

	if (is_blind_spot(f)) { /* has no actor: there is nothing a policy could allow */
		f->verdict = (struct verdict){.id = VERDICT_ALERT, .severity = f->severity};
		return;
	}
	f->routine = is_routine(m, f);
	policy_input_finding(&input, f);
	if (policy_needs_sha256(p, input.exe) &&
	    !digest_exe((pid_t)actor->pid, actor->start_ns, f->exe, actor->exe_ino, f->sha256))
		input.sha256 = f->sha256;
	policy_evaluate(p, &input, f->now_ms, &f->verdict);
	f->severity = f->verdict.severity;
}

static void count_plaintext(struct monitor *m, const struct alert *a)
{
	unsigned int rule = a->ev.key.rule;
	struct instance *in = instances_find(&m->instances, a->ev.key.instance);

	if (in && (rule == RULE_TLS_PLAINTEXT || rule == RULE_TLS_MIDSTREAM))
		in->plaintext_bytes += a->bytes - a->tallied_bytes;
}

static void count(struct monitor *m, const struct finding *f)
{
	count_plaintext(m, f->alert);
	m->totals.attempts += f->more;
	if (f->alert->ev.key.rule < RULE_MAX)
		m->totals.events[f->alert->ev.key.rule][f->verdict.id] += f->more;
	if (!f->update && !(f->alert->ev.flags & EVENT_FOUND_BY_SWEEP) &&
	    !(f->routine && f->verdict.id == VERDICT_OBSERVED))
		monitor_request_sweep(m);
}

static void add_to_incident(struct monitor *m, struct finding *f)
{
	struct incident_fact fact;
	const struct incident *in;

	incident_fact_fill(&fact, f);
	if (plaintext_is_state(m, &f->alert->ev))
		fact.lineage = (struct lineage){LINEAGE_NOBODY}; /* with tls-listener */
	in = incidents_feed(&m->incidents, &fact, m->now);
	f->incident = in ? in->id : 0;
}

/* Remember what was seen last, for the guard and the heartbeat. */
static void note_last(struct monitor *m, const struct finding *f)
{
	struct last_seen *last = &m->last;
	struct actor actor;
	size_t used;

	last->alive_ns = last->event_ns = m->now;
	event_action_text(f, last->event, sizeof(last->event));
	used = strlen(last->event);
	used += (size_t)snprintf(last->event + used, sizeof(last->event) - used, ", %s",
				 f->instance ? f->instance->name : "this host");
	if (used < sizeof(last->event) && finding_has_actor(f)) {
		actor = finding_actor(f);
		snprintf(last->event + used, sizeof(last->event) - used, " by %.*s(%u)", COMM_LEN,
			 actor.comm, actor.pid);
	}
	if (m->guard.shared)
		m->guard.shared->last = *last;
}

/* tls-listener is about the server, once per port: later clients are counted, and have incidents of their own. */
static bool is_known_listener(const struct finding *f)
{
	return f->update && f->alert->ev.key.rule == RULE_TLS_LISTENER;
}

/*
 * Connections that are counted together: by one user, who is named by the first of them, or by all clients of a server that
 * could not be named. They are a blind spot, too.
 */
static void report_crowd(struct monitor *m, const struct alert *a, uint64_t more)
{
	const struct attempt_key *key = &a->ev.key;
	const struct process_info *p = &a->ev.actor;
	const struct instance *in = monitor_instance(m, key->instance);
	struct culprit c = {.uid = (uint32_t)key->actor, .pid = p->pid, .start_ns = p->start_ns};
	bool named = !(key->actor & ACTOR_PEERS);
	char note[ALERT_NOTE_LEN], who[32] = "unnamed clients";

	if (!(key->actor & ACTOR_CROWD) || !vector_is_wire(key->vector) || !more)
		return;
	memcpy(c.comm, p->comm, sizeof(c.comm));
	if (named)
		snprintf(who, sizeof(who), "uid %u", c.uid);
	snprintf(note, sizeof(note), "%s: too many connections to %.60s %s: counted together", who,
		 in ? in->name : "several servers",
		 key->rule == RULE_TLS_VERSION || key->rule == RULE_TLS_CIPHER
			 ? "with weak handshakes"
			 : "that are not TLS");
	report_caused(m, note, alerts_blind_count(&m->alerts, note) + more, named ? &c : NULL);
}

/* Until this one's turn, the one before reports. */
static bool reports_later(const struct monitor *m)
{
	return m->handover.takes_over && !m->handover.at_ns;
}

void report_alert(struct monitor *m, struct alert *a)
{
	static struct finding f; /* large, and used by one alert at a time */
	bool first = !a->id, noise = false;

	if (reports_later(m) || plaintext_hold(m, a))
		return;
	fill(m, a, &f);
	evaluate(m, &f);
	if (!is_blind_spot(&f)) {
		count(m, &f);
		tally_finding(m, a, &f);
		note_last(m, &f);
		if (f.verdict.id >= VERDICT_ALERT && !is_known_listener(&f))
			add_to_incident(m, &f);
		noise = f.verdict.id >= VERDICT_ALERT; /* what is expected, or allowed, is none */
	} else if (finding_has_actor(&f)) {	       /* somebody blinds the monitor */
		add_to_incident(m, &f);
	}
	if (is_blind_spot(&f))
		tally_blind(m, &f);
	recent_add_event(m->recent, &f);
	evidence_event(&m->evidence, &f);
	if (is_blind_spot(&f) || (m->options->events && f.verdict.id != VERDICT_OFF)) {
		sinks_event(&m->sinks, &f);
		update_output(m);
	}
	if (first && a->ev.key.rule == RULE_TLS_LISTENER)
		plaintext_answered(m, &a->ev);
	if (noise)
		report_crowd(m, a, f.more);
}

/* A report may add alerts, and a full table drops some, which a walk must not meet: counters.c reports what is left then. */
void report_kept(struct monitor *m)
{
	for (struct alert *a = alerts_next(&m->alerts, NULL);
	     a && m->alerts.by_key.count < ALERTS_MAX; a = alerts_next(&m->alerts, a)) {
		if (!a->id)
			report_alert(m, a);
	}
}

void report_waiting(struct monitor *m)
{
	for (struct alert *a = NULL; (a = plaintext_next_due(m, a));)
		report_alert(m, a);
}

static void report_blind(struct monitor *m, const char *note, uint32_t detail, uint64_t total,
			 const char *last_seen)
{
	struct alert *a = alerts_blind(&m->alerts, note, detail, total, m->now, m->flushing);

	if (!a)
		return;
	free(a->last_seen);
	a->last_seen = last_seen ? strdup(last_seen) : NULL;
	report_alert(m, a);
}

void report_blind_spot(void *ctx, const char *note, uint64_t total)
{
	if (total)
		report_blind(ctx, note, 0, total, NULL);
}

/* Its executable and its session, as long as it lives. */
static void name_actor(struct event *ev, const struct culprit *by)
{
	struct process_info *p = &ev->actor;
	char exe[PATH_ROOM];

	*p = (struct process_info){.uid = by->uid,
				   .euid = by->uid,
				   .loginuid = UINT32_MAX,
				   .pid = by->pid,
				   .tid = by->pid,
				   .start_ns = by->start_ns};
	memcpy(p->comm, by->comm, sizeof(p->comm));
	ev->flags |= EVENT_ACTOR;
	if (!by->pid)
		return;
	p->session = proc_session((pid_t)p->pid, p->start_ns, LINEAGE_MAX);
	if (proc_exe((pid_t)p->pid, p->start_ns, exe, sizeof(exe)) || !exe[0])
		return;
	p->exe.len = (uint16_t)strlen(exe + 1); /* as one component */
	memcpy(p->path, exe + 1, p->exe.len);
}

void report_caused(struct monitor *m, const char *note, uint64_t total, const struct culprit *by)
{
	struct alert *a =
		total ? alerts_blind(&m->alerts, note, 0, total, m->now, m->flushing) : NULL;

	if (!a)
		return;
	if (by && !a->id)
		name_actor(&a->ev, by);
	report_alert(m, a);
}

void report_unwatched(struct monitor *m, const char *note, const char *last_seen)
{
	report_blind(m, note, BLIND_WHOLLY, ++m->totals.unwatched, last_seen);
}

void report_incident(void *ctx, const struct incident *in, enum incident_change change)
{
	struct monitor *m = ctx;
	const struct incident_view v = {
		.incident = in,
		.change = change,
		.instance = monitor_instance(m, in->instance),
		.tenant = in->tenant ? monitor_instance(m, in->tenant) : NULL,
		.uid_prefix = m->uid_prefix,
	};

	if (in->severity > m->totals.worst)
		m->totals.worst = in->severity;
	if (change == INCIDENT_OPENED)
		tally_incident(m, in->instance);
	recent_add_incident(m->recent, &v);
	evidence_incident(&m->evidence, &v);
	sinks_incident(&m->sinks, &v);
	update_output(m);
}

bool report_flush(struct monitor *m, int timeout_ms)
{
	bool empty = sinks_flush(&m->sinks, timeout_ms);

	update_output(m);
	return empty;
}

void report_end(struct monitor *m, int timeout_ms)
{
	report_flush(m, timeout_ms);
	for (size_t i = 0; i < m->sinks.count; i++)
		m->output[i].dropped += m->output[i].lag;
}

bool report_lost(const struct monitor *m)
{
	for (size_t i = 0; i < m->sinks.count; i++) {
		if (m->output[i].dropped || m->output[i].error)
			return true;
	}
	return false;
}
