// SPDX-License-Identifier: BSD-2-Clause
/* counters.c - see counters.h. */
#include "monitor/counters.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "monitor/noise.h"
#include "monitor/report.h"
#include "monitor/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IDLE_NS (10 * NS_PER_SEC) /* without a new attempt, after which an entry is removed */

/* A state that sweeps find again and again is idle once a later sweep did not find it. */
static bool is_idle(const struct monitor *m, const struct attempt_key *key,
		    const struct attempt *at)
{
	return m->now > at->last_ns + IDLE_NS &&
	       (key->vector != VECTOR_SWEEP || at->last_ns < m->sweeps.began_ns);
}

static void on_attempt(void *ctx, const struct attempt_key *key, const struct attempt *at)
{
	struct monitor *m = ctx;
	struct alert *a = alerts_counted(&m->alerts, key, at, m->now, m->flushing);

	if (a)
		report_alert(m, a);
	noise_count(&m->noise, at->account);
	if (is_idle(m, key, at) && m->idle_count < ATTEMPTS_MAX)
		m->idle[m->idle_count++] = *key;
}

/* Serving plaintext on a port is reported once in an instance's life, however long it is idle. */
static bool outlives_its_entry(const struct monitor *m, const struct attempt_key *key)
{
	const struct instance *in = monitor_instance(m, key->instance);

	return key->rule == RULE_TLS_LISTENER && in && in->members;
}

static void remove_idle(struct monitor *m)
{
	struct attempt last;

	for (size_t i = 0; i < m->idle_count; i++) {
		const struct attempt_key *key = &m->idle[i];
		struct alert *a;

		if (collector_take(m->collector, key, &last))
			continue;
		a = alerts_counted(&m->alerts, key, &last, m->now, true);
		if (a)
			report_alert(m, a);
		if (outlives_its_entry(m, key))
			alerts_retain(&m->alerts, key);
		else
			alerts_forget(&m->alerts, key);
	}
	m->idle_count = 0;
}

static void on_crowd(void *ctx, const struct crowd *c, bool last)
{
	struct monitor *m = ctx;
	struct alert *a =
		alerts_counted(&m->alerts, &c->key, &c->counted, m->now, last || m->flushing);

	if (a)
		report_alert(m, a);
	if (last)
		alerts_forget(&m->alerts, &c->key);
}

void counters_attempts(struct monitor *m)
{
	crowds_tick(&m->crowds, m->now, IDLE_NS, on_crowd, m);
	if (collector_sums(m->collector, on_attempt, m))
		report_blind_spot(m, "the attempts table could not be read", 1);
	noise_limit(m);
	remove_idle(m);
}

static void on_lost(void *ctx, const struct lost_key *key, uint64_t n)
{
	struct monitor *m = ctx;
	const struct instance *in = monitor_instance(m, key->instance);
	const char *rule = rule_name(key->rule);
	char note[ALERT_NOTE_LEN];

	snprintf(note, sizeof(note), "lost without event or count: %s of %.40s",
		 rule ? rule : "start, fork or exit", in ? in->name : "an unknown instance");
	noise_report_full(m, note, n);
}

/* Handshakes whose negotiated version and cipher were lost. */
static uint64_t handshakes_unread(const struct monitor *m)
{
	return sensors_counter(m->sensors, COUNTER_CHUNKS_LOST) + m->conns.unread;
}

struct counter_note {
	enum counter_id id;
	const char *note;
};

/* Of what all share. */
static const struct counter_note full_notes[] = {
	{COUNTER_RING_FULL, "ring buffer full: attempts counted, their details lost"},
	{COUNTER_ATTEMPTS_FULL, "attempts table full: attempts sent one by one"},
	{COUNTER_PROCS_FULL, "process tables full: some processes of instances are unprotected"},
	{COUNTER_CODE_FULL, "executable files of instances that could not be tracked: told as new"},
	{COUNTER_PIPES_FULL, "pipes of instances that could not be tracked: access goes unseen"},
	{COUNTER_FILES_FULL, "files of instances that could not be tracked: access goes unseen"},
};

static const struct counter_note kernel_notes[] = {
	{COUNTER_MARK_FAILED, "sockets that could not be marked: their traffic went unseen"},
	{COUNTER_CHECK_LOST, "accesses within an open that could not be tied to its outcome"},
	{COUNTER_SOCKETS_LATE, "sockets of instances marked late: earlier traffic went unseen"},
	{COUNTER_URING_OPENS_UNSEEN,
	 "opens through io_uring without a completion: which files they led to went unseen"},
	{COUNTER_UNREAD, "segments without a readable TCP header: their payload went unseen"},
	{COUNTER_SUBFLOWS_UNSEEN,
	 "MPTCP sockets, outbound or older than the monitor: further subflows are unseen"},
	{COUNTER_CONTENDED, "segments skipped: another CPU held their stream"},
	{COUNTER_ENDS_LOST,
	 "ends of connections lost, the ring buffer was full: statements have not all of their bytes"},
	{COUNTER_BYTES_UNSYNCED, "bytes passed while a TLS stream was out of sync"},
};

/* The report itself may be dropped, too: not each second again. */
#define DROPPED_NS (60 * NS_PER_SEC)

static void report_dropped(struct monitor *m)
{
	char note[ALERT_NOTE_LEN];

	for (size_t i = 0; i < m->sinks.count; i++) {
		struct sink_state *s = &m->sink[i];

		snprintf(note, sizeof(note),
			 "%s: its process was killed or crashed, another one was started",
			 m->sinks.sink[i].name);
		report_blind_spot(m, note, m->output[i].restarts);
		if (m->now < s->next_ns && !m->flushing)
			continue;
		if (m->output[i].dropped > s->reported)
			s->next_ns = m->now + DROPPED_NS;
		s->reported = m->output[i].dropped;
		snprintf(note, sizeof(note), "%s: messages dropped, the reader is slow or gone",
			 m->sinks.sink[i].name);
		report_blind_spot(m, note, s->reported);
	}
}

void counters_blind_spots(struct monitor *m)
{
	struct files_gaps gaps = files_gaps(m->files);

	noise_report(m);
	for (size_t i = 0; i < ARRAY_SIZE(full_notes); i++)
		noise_report_full(m, full_notes[i].note,
				  sensors_counter(m->sensors, full_notes[i].id));
	for (size_t i = 0; i < ARRAY_SIZE(kernel_notes); i++)
		report_blind_spot(m, kernel_notes[i].note,
				  sensors_counter(m->sensors, kernel_notes[i].id));
	report_blind_spot(m, "TLS handshakes read in part: version and cipher not evaluated",
			  handshakes_unread(m));
	sensors_lost(m->sensors, on_lost, m);
	report_blind_spot(
		m, "files of instances that could not be protected: access to them goes unseen",
		gaps.unprotected);
	report_blind_spot(
		m, "server configurations not read in full: files they name may be unprotected",
		gaps.configs_unread);
	report_blind_spot(
		m,
		"block devices below files of servers that are not known: reading them goes unseen",
		gaps.disks);
	report_blind_spot(m, "malformed records in the ring buffer",
			  collector_refused(m->collector));
	report_dropped(m);
	evidence_blind_spots(&m->evidence, report_blind_spot, m);
	witnessing_blind_spots(&m->witnessing, report_blind_spot, m);
	report_blind_spot(m, "too many open incidents: the least active were closed early",
			  m->incidents.evicted);
	report_blind_spot(m, "out of memory: events that are in no incident", m->incidents.lost);
}

static void on_program_lost(void *ctx, const struct sensor_program *p)
{
	struct monitor *m = ctx;
	char note[ALERT_NOTE_LEN];

	log_error("%s/%s was detached (%s); no longer covered: %s", p->sensor, p->name, p->error,
		  p->unseen);
	snprintf(note, sizeof(note), "%s/%s detached, no longer covered: %s", p->sensor, p->name,
		 p->unseen);
	report_blind_spot(m, note, 1);
	tally_sensors_lost(m);
}

static void count_uncovered(struct monitor *m)
{
	const struct sensor_program *p;
	size_t n = sensors_programs(m->sensors, &p), missing = 0;

	for (size_t i = 0; i < n; i++)
		missing += !p[i].attached;
	if (missing && m->totals.covered_ns)
		m->totals.uncovered_ns += m->now - m->totals.covered_ns;
	m->totals.covered_ns = m->now;
}

void counters_programs(struct monitor *m)
{
	bool before = m->tally.sensors_lost;

	m->tally.sensors_lost = false;
	sensors_check(m->sensors, on_program_lost, m);
	if (m->tally.sensors_lost)
		evidence_sensors(&m->evidence, m->sensors);
	m->tally.sensors_lost |= before;
	count_uncovered(m);
}

void counters_lag(struct monitor *m)
{
	char note[ALERT_NOTE_LEN];

	if (lag_report(&m->lag, m->now, note, sizeof(note)))
		report_blind_spot(m, note, m->lag.late);
}

static void log_wire(const struct monitor *m)
{
	log_info("wire: %" PRIu64 " streams lost sync, %" PRIu64 " resynced, %" PRIu64
		 " segments sent in the context of a bystander",
		 sensors_counter(m->sensors, COUNTER_STREAMS_UNSYNCED),
		 sensors_counter(m->sensors, COUNTER_STREAMS_RESYNCED),
		 sensors_counter(m->sensors, COUNTER_BYSTANDERS));
	log_info("handshakes: %" PRIu64 " connections, %" PRIu64 " read in part, %" PRIu64
		 " connections reset",
		 m->conns.seen, handshakes_unread(m), m->totals.resets);
}

static void log_output(const struct monitor *m)
{
	for (size_t i = 0; i < m->sinks.count; i++) {
		if (m->output[i].dropped || m->output[i].error)
			log_error("%s: %" PRIu64 " messages could not be delivered (%s)",
				  m->sinks.sink[i].name, m->output[i].dropped,
				  m->output[i].error ? strerror(m->output[i].error)
						     : "the reader was too slow");
	}
}

void counters_summary(const struct monitor *m)
{
	const struct sweep_state *s = &m->sweeps;
	const struct totals *t = &m->totals;
	size_t instances = m->instances.count + m->instances.ended;

	log_wire(m);
	log_info("sweeps: %" PRIu64 ", average %.1f ms, longest %.1f ms", s->count,
		 s->count ? (double)s->total_ns / (double)s->count / NS_PER_MS : 0.0,
		 (double)s->longest_ns / NS_PER_MS);
	log_info("incidents: %" PRIu64, m->incidents.next_id);
	log_info("verdicts: %" PRIu64 " events allowed, %" PRIu64 " observed, %" PRIu64
		 " prevented, %" PRIu64 " off",
		 totals_of(t, VERDICT_ALLOWED), totals_of(t, VERDICT_OBSERVED),
		 totals_of(t, VERDICT_PREVENTED), totals_of(t, VERDICT_OFF));
	log_info("ended: %zu instance%s, %" PRIu64 " event%s, %" PRIu64 " alert%s, %" PRIu64
		 " dropped, %" PRIu64 " bytes unsynced",
		 instances, instances == 1 ? "" : "s", m->totals.attempts,
		 m->totals.attempts == 1 ? "" : "s", m->alerts.next_id,
		 m->alerts.next_id == 1 ? "" : "s", sensors_counter(m->sensors, COUNTER_LOST),
		 sensors_counter(m->sensors, COUNTER_BYTES_UNSYNCED));
	log_output(m);
}
