// SPDX-License-Identifier: BSD-2-Clause
/* report.c - alerts out: judged, told to its incident, written. */
#include "monitor/state.h"

#include "report/finding.h"
#include "report/incident_view.h"
#include "monitor/policy_input.h"

#include <stdio.h>
#include <string.h>

/* What the guard has to know of the output, should we be killed now. */
void handoff_update(struct monitor *m)
{
	if (!m->guard.will)
		return;
	m->guard.will->unwritten = m->out.len ? output_unwritten(&m->out) : 0;
	m->guard.will->mid_line = m->out.mid_line;
}

/* A line or block on its way out; NULL: there was no memory to write it. */
static void tell(struct monitor *m, const char *text, size_t len)
{
	if (text && len)
		output_line(&m->out, text, len);
	else if (!text)
		m->out.dropped++;
	handoff_update(m);
}

void report_incident(void *ctx, const struct incident *in, enum incident_change change)
{
	static char text[16384];
	struct monitor *m = ctx;
	const struct incident_view v = {
		.incident = in,
		.change = change,
		.instance = monitor_instance(m, in->instance),
		.tenant = in->tenant ? monitor_instance(m, in->tenant) : NULL,
		.uid_prefix = m->uid_prefix,
	};
	const char *line = text;
	size_t len;

	if (m->options->json)
		line = incident_json(&v, &m->json, &len);
	else
		len = incident_text(&v, text, sizeof(text), m->colour);
	tell(m, line, len);
}

static void show_event(struct monitor *m, const struct finding *f)
{
	static char text[8192];
	const char *line = text;
	size_t len;

	if (m->options->json)
		line = finding_json(f, &m->json, &len);
	else
		len = finding_text(f, text, sizeof(text), m->colour);
	tell(m, line, len);
}

/* Whom it was served to first is asked for once: the alert about that connection is forgotten before this one. */
static void answered(const struct monitor *m, struct alert *a, struct finding *f)
{
	if (a->opener) {
		snprintf(f->opener, sizeof(f->opener), "%s", a->opener);
		return;
	}
	policy_input_opener(f, alerts_plaintext(&m->alerts, &a->ev));
	if (f->opener[0])
		a->opener = strdup(f->opener);
}

/* Judge what there is of an alert now; what counts is told to its incident. */
void monitor_report(struct monitor *m, struct alert *a)
{
	static struct finding f; /* large, and one at a time */
	uint64_t more = a->count - a->shown_count;
	bool blind = a->ev.key.rule == RULE_SELF_BLIND;
	struct incident_fact fact;
	struct incident *in;

	finding_fill(&f, a, monitor_instance(m, a->ev.key.instance),
		     a->ev.flags & EVENT_CROSS_TENANT ? monitor_instance(m, a->ev.other_instance)
						      : NULL);
	f.uid_prefix = m->uid_prefix;
	if (a->ev.key.rule == RULE_TLS_LISTENER)
		answered(m, a, &f);
	policy_input_evaluate(&f, &m->policy_state.policy, m->cgroup_fd);
	if (a->ev.flags & EVENT_CONN)
		f.tls = conns_find(&m->conns, a->ev.conn.cookie);
	if (!alert_shown(&m->alerts, a, m->now) && !(a->ev.flags & EVENT_FOUND_BY_SWEEP) && !blind)
		monitor_sweep_soon(m);
	if (!blind) {
		m->attempts += more;
		m->evaluated[f.verdict.id] += more;
	}
	if (!blind && f.verdict.id >= VERDICT_ALERT) {
		incident_fact_fill(&fact, &f, more);
		in = incidents_feed(&m->incidents, &fact, m->now);
		f.incident = in ? in->id : 0;
	}
	if (blind || (m->options->events && f.verdict.id != VERDICT_OFF))
		show_event(m, &f);
}

/* The monitor itself could not see something, `total` times by now. */
void report_blind_spot(void *ctx, const char *note, uint64_t total)
{
	struct monitor *m = ctx;
	struct alert *a = total ? alerts_blind(&m->alerts, note, total, m->now, m->flush) : NULL;

	if (a)
		monitor_report(m, a);
}
