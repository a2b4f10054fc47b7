// SPDX-License-Identifier: BSD-2-Clause
/* counters.c - once a second: what was counted, and what was not seen. At the end their sum. */
#include "base/macros.h"
#include "monitor/state.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define IDLE_NS (10 * NS_PER_SEC) /* an attempt quiet this long leaves the kernel's table */

static void on_sum(void *ctx, const struct attempt_key *key, const struct attempt *at)
{
	struct monitor *m = ctx;
	struct alert *a = alerts_counted(&m->alerts, key, at, m->now, m->flush);

	if (a)
		monitor_report(m, a);
	/* a state is over when a later sweep did not find it */
	if (m->now > at->last_ns + IDLE_NS && m->idle_count < ATTEMPTS_MAX &&
	    (key->vector != VECTOR_SWEEP || at->last_ns < m->sweep_began))
		m->idle[m->idle_count++] = *key;
}

/* That plaintext is served on a port is told once in an instance's life. */
static bool stands(const struct monitor *m, const struct attempt_key *key)
{
	const struct instance *in = monitor_instance(m, key->instance);

	return key->rule == RULE_TLS_LISTENER && in && in->members;
}

static void forget_idle(struct monitor *m)
{
	struct attempt last;

	for (size_t i = 0; i < m->idle_count; i++) {
		struct alert *a;

		if (collector_take(m->collector, &m->idle[i], &last))
			continue;
		a = alerts_counted(&m->alerts, &m->idle[i], &last, m->now, true);
		if (a)
			monitor_report(m, a);
		if (stands(m, &m->idle[i]))
			alerts_retain(&m->alerts, &m->idle[i]);
		else
			alerts_forget(&m->alerts, &m->idle[i]);
	}
	m->idle_count = 0;
}

void monitor_counters(struct monitor *m)
{
	if (collector_sums(m->collector, on_sum, m))
		report_blind_spot(m, "the attempts table could not be read", 1);
	forget_idle(m);
}

static void on_lost(void *ctx, const struct lost_key *key, uint64_t n)
{
	struct monitor *m = ctx;
	const struct instance *in = monitor_instance(m, key->instance);
	const char *rule = rule_name(key->rule);
	char note[ALERT_NOTE_LEN];

	snprintf(note, sizeof(note), "lost, in no event and no count: %s of %s",
		 rule ? rule : "start, fork or end", in ? in->name : "an unknown instance");
	report_blind_spot(m, note, n);
}

/* Handshakes that went on without anybody reading what they settle on. */
static uint64_t not_read(const struct monitor *m)
{
	return sensors_counter(m->sensors, COUNTER_CHUNKS_LOST) + m->conns.unread;
}

void monitor_blind_spots(struct monitor *m)
{
	static const struct {
		enum counter_id id;
		const char *note;
	} notes[] = {
		{COUNTER_RING_FULL, "ring buffer full: events counted without their details"},
		{COUNTER_ATTEMPTS_FULL, "attempts table full: attempts sent one by one"},
		{COUNTER_PROCS_FULL, "process tables full: some members of instances are unknown"},
		{COUNTER_FILES_FULL,
		 "files of instances that could not be entered: who opens them was not seen"},
		{COUNTER_MARK_FAILED,
		 "sockets that could not be marked: their bytes were not seen"},
		{COUNTER_CHECK_LOST, "accesses inside an open that could not be noted"},
		{COUNTER_SOCKETS_LATE,
		 "sockets of instances that bore no mark: what they carried before was not seen"},
		{COUNTER_THREADS_LATE,
		 "threads of instances that were unknown: what was done to them was not seen"},
		{COUNTER_UNREAD,
		 "segments in which no TCP header was found: their bytes were not read"},
		{COUNTER_SUBFLOWS_UNSEEN,
		 "MPTCP sockets, dialled or from before: what further subflows carry is not seen"},
		{COUNTER_CONTENDED, "segments passed unread: another CPU held their stream"},
		{COUNTER_BYTES_UNSYNCED,
		 "bytes passed while a TLS stream's record boundaries were unknown"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		report_blind_spot(m, notes[i].note, sensors_counter(m->sensors, notes[i].id));
	report_blind_spot(m,
			  "TLS handshakes not read whole: their version and cipher are not judged",
			  not_read(m));
	sensors_lost(m->sensors, on_lost, m);
	report_blind_spot(m, "records in the ring buffer that were no events",
			  collector_refused(m->collector));
	report_blind_spot(m, "alerts the reader of standard output never gets", m->out.dropped);
	report_blind_spot(m, "too many incidents at once: the quietest were closed early",
			  m->incidents.evicted);
	report_blind_spot(m, "events that are in no incident: memory ran out", m->incidents.lost);
}

static void on_program_lost(void *ctx, const struct sensor_program *p)
{
	struct monitor *m = ctx;
	char note[ALERT_NOTE_LEN];

	log_error("%s/%s holds no more, unseen: %s (%s)", p->sensor, p->name, p->unseen, p->error);
	snprintf(note, sizeof(note), "%s/%s lost, unseen: %s", p->sensor, p->name, p->unseen);
	report_blind_spot(m, note, 1);
}

void monitor_programs(struct monitor *m)
{
	sensors_check(m->sensors, on_program_lost, m);
}

void monitor_summary(struct monitor *m)
{
	uint64_t lost = sensors_counter(m->sensors, COUNTER_LOST);

	log_info("wire: %" PRIu64 " streams out of sync, %" PRIu64
		 " of them in sync again, %" PRIu64 " segments sent while a bystander ran",
		 sensors_counter(m->sensors, COUNTER_STREAMS_UNSYNCED),
		 sensors_counter(m->sensors, COUNTER_STREAMS_RESYNCED),
		 sensors_counter(m->sensors, COUNTER_BYSTANDERS));
	log_info("handshakes: %" PRIu64 " connections, %" PRIu64 " not read whole, %" PRIu64
		 " connections reset",
		 m->conns.seen, not_read(m), m->resets);
	log_info("sweeps: %" PRIu64 ", %.1f ms on average, the longest %.1f ms", m->sweeps,
		 m->sweeps ? (double)m->sweeps_ns / (double)m->sweeps / NS_PER_MS : 0.0,
		 (double)m->sweep_longest_ns / NS_PER_MS);
	log_info("incidents: %" PRIu64, m->incidents.next_id);
	log_info("verdicts: %" PRIu64 " events allowed, %" PRIu64 " observed, %" PRIu64
		 " prevented, %" PRIu64 " of rules that are off",
		 m->evaluated[VERDICT_ALLOWED], m->evaluated[VERDICT_OBSERVED],
		 m->evaluated[VERDICT_PREVENTED], m->evaluated[VERDICT_OFF]);
	log_info("ended: %zu instances, %" PRIu64 " events, %" PRIu64 " alerts, %" PRIu64
		 " dropped, %" PRIu64 " bytes unsynced",
		 m->instances.count, m->attempts, m->alerts.next_id, lost,
		 sensors_counter(m->sensors, COUNTER_BYTES_UNSYNCED));
	if (m->out.dropped || m->out.error)
		log_error("standard output: %" PRIu64 " alerts could not be written (%s)",
			  m->out.dropped,
			  m->out.error ? strerror(m->out.error) : "the reader was too slow");
}
