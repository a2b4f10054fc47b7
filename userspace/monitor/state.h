/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - what the parts of the running monitor share: its state, and what each part does for the story in
 * monitor.c.
 */
#ifndef CACHEWARDEN_STATE_H
#define CACHEWARDEN_STATE_H

#include "model/alert.h"
#include "monitor/control.h"
#include "sensor/collector.h"
#include "model/conn.h"
#include "monitor/files.h"
#include "monitor/guard.h"
#include "model/incident.h"
#include "model/instance.h"
#include "base/jsonw.h"
#include "monitor/monitor.h"
#include "base/output.h"
#include "monitor/active_policy.h"
#include "sensor/sensors.h"

#define OUTPUT_DRAIN_MS 2000 /* at the end, for a reader who is slow */

struct monitor {
	const struct monitor_options *options;
	struct sensors *sensors;
	struct collector *collector;
	struct files *files; /* what instances keep on disk */
	struct instances instances;
	struct instance self;
	struct guard guard;
	uint64_t guards_lost;
	struct alerts alerts;
	struct policy_state policy_state;
	struct incidents incidents;
	int cgroup_fd; /* the root of the hierarchy */
	struct conns conns;
	struct ask ask;
	uint64_t resets, resets_failed;
	struct output out;
	struct jsonw json;
	char uid_prefix[24];
	bool colour;
	bool started;
	bool flush;
	uint64_t now;
	uint64_t attempts; /* counted so far, over all alerts but self-blind */
	uint64_t evaluated[VERDICT_PREVENTED + 1]; /* of these, by verdict */
	bool output_error_told;
	uint64_t marks_failed, settles_failed;
	uint64_t next_sweep;
	uint64_t sweep_began; /* the last one */
	uint64_t sweeps, sweeps_failed, sweeps_ns, sweep_longest_ns;
	struct attempt_key idle[ATTEMPTS_MAX];
	size_t idle_count;
};

/* NULL if its start was never heard of. */
const struct instance *monitor_instance(const struct monitor *m, uint32_t id);

/* --- alerts out (report.c) --- */

/* Judge what there is of an alert now; what counts is told to its incident. */
void monitor_report(struct monitor *m, struct alert *a);
/* The monitor itself could not see something, `total` times by now. ctx is the monitor. */
void report_blind_spot(void *ctx, const char *note, uint64_t total);
/* An incident opened, went on or is over. ctx is the monitor. */
void report_incident(void *ctx, const struct incident *in, enum incident_change change);
/* What the guard has to know of the output, should we be killed now. */
void handoff_update(struct monitor *m);

/* --- events in (events.c); ctx is the monitor --- */

void monitor_event(void *ctx, const struct event *ev);
void monitor_attempt(void *ctx, const struct event *ev);
void monitor_handshake(void *ctx, const struct handshake_chunk *p);

/* --- sweeps (sweeps.c) --- */

void monitor_sweep(struct monitor *m);
/* What a hook told may have left traces, or company: the next one comes early. */
void monitor_sweep_soon(struct monitor *m);
/* An instance whose start is over waits for no sweep: until then its code is not watched. */
void monitor_baseline(struct monitor *m);

/* --- once a second (counters.c) --- */

void monitor_counters(struct monitor *m);
void monitor_blind_spots(struct monitor *m);
void monitor_programs(struct monitor *m); /* do they all still hold? */
void monitor_summary(struct monitor *m);  /* at the end */

/* --- the guard, and questions (handoff.c) --- */

void handoff_start(struct monitor *m);
void handoff_check(struct monitor *m);
/* Whoever runs `cachewarden conns` asks for all connections. */
void control_request(void *ctx, int fd, char question);

#endif
