// SPDX-License-Identifier: BSD-2-Clause
/* sweeps.c - see sweeps.h. */
#include "monitor/sweeps.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "monitor/events.h"
#include "monitor/files_state.h"
#include "monitor/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BASELINE_LATEST_NS (2 * INSTANCE_START_NS)

#define SWEEP_LATE_NS                                                                              \
	(60 * NS_PER_SEC)   /* a user's servers may wait that long for their next sweep */
#define LOOKALIKES_EVERY 12 /* sweeps: a minute, by default */

/* Servers of whose start or end no event told: a user starts too many, or there was no room for it. */
static void find_unreported(struct monitor *m)
{
	uint64_t unreported = sensors_counter(m->sensors, COUNTER_UNREPORTED) +
			      sensors_counter(m->sensors, COUNTER_RING_FULL);

	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (!in->members)
			continue;
		if (sensors_runs(m->sensors, in->id)) {
			in->gone = false;
			continue;
		}
		collector_poll(m->collector, 0); /* the event of its end was sent by now, if any */
		/* of a process that goes on as another program, the event may be under way: the next sweep decides */
		if (in->members && (in->gone || !proc_runs((pid_t)in->pid, in->start_ns)))
			events_ended(m, in);
		in->gone = true;
	}
	if (unreported == m->sweeps.unreported)
		return;
	m->sweeps.unreported = unreported;
	if (sensors_tell_rest(m->sensors))
		report_blind_spot(m, "servers whose start was not told could not be searched for",
				  ++m->sweeps.unreported_failed);
}

/* Look at the code an instance has mapped. What it maps while it starts is its baseline, and never a finding. */
static int sweep_instance(struct monitor *m, struct instance *in)
{
	int err = sensors_sweep_maps(m->sensors, (pid_t)in->pid, !in->baselined);

	if (err || in->baselined || !instance_started(in, m->now))
		return err;
	in->baselined = true;
	return sensors_set_baselined(m->sensors, in->id);
}

/*
 * Sweep those of all instances whose users have time left; the others have their turn first next time. The events are
 * handled meanwhile: those of one instance fit the ring buffer, those of all may not.
 */
static int sweep_instances(struct monitor *m)
{
	size_t count = m->instances.count, first = m->sweeps.next_instance;
	bool skipped = false;
	uint64_t began;
	int err = 0;

	for (size_t i = 0; i < count; i++) {
		struct instance *in = m->instances.all[(first + i) % count];

		if (!in->members)
			continue;
		m->now = clock_boot_ns();
		if (m->sweeps.count && !events_may_spend(m, in)) {
			if (!skipped)
				m->sweeps.next_instance = (first + i) % count;
			skipped = true;
			if (m->now > (in->swept_ns ?: in->began_ns) + SWEEP_LATE_NS)
				discovery_postpone(&m->discovery, in->account, m->now);
			continue;
		}
		began = clock_mono_ns();
		if (sweep_instance(m, in))
			err = -EIO;
		events_spent(m, in, began);
		in->swept_ns = m->now;
		collector_poll(m->collector, 0);
	}
	return err;
}

static void account(struct sweep_state *s, uint64_t interval_s)
{
	uint64_t took = clock_boot_ns() - s->began_ns;

	s->count++;
	s->total_ns += took;
	if (took > s->longest_ns)
		s->longest_ns = took;
	log_debug("sweep %" PRIu64 " took %.1f ms", s->count, (double)took / NS_PER_MS);
	s->next_ns = interval_s ? s->began_ns + interval_s * NS_PER_SEC : UINT64_MAX;
}

void sweeps_save(struct monitor *m, bool always)
{
	int err = files_state_save(m->files, &m->instances, always);

	if (err && !m->sweeps.save_failed++)
		log_warn(
			"cannot keep what is known of servers (%s): the next monitor will have to find "
			"their files again, and may number them differently",
			strerror(-err));
}

static void report_lookalikes(struct monitor *m)
{
	report_blind_spot(
		m,
		"executables that look like a Redis server's and run unwatched: the monitor knows "
		"servers by name, see --exe",
		lookalikes_unwatched(&m->lookalikes, m->sensors));
}

void sweeps_run(struct monitor *m)
{
	int err;

	collector_poll(m->collector, 0); /* a finding that a hook already reported is not new */
	m->now = m->sweeps.began_ns = clock_boot_ns();
	find_unreported(m);
	err = sensors_sweep_host(m->sensors);
	err = sweep_instances(m) ?: err;
	files_refresh(m->files, &m->instances, &m->discovery);
	sweeps_save(m, false);
	if (m->sweeps.count % LOOKALIKES_EVERY == 0)
		report_lookalikes(m);
	account(&m->sweeps, m->options->sweep_s);
	if (sensors_sweep_pending(m->sensors))
		monitor_request_sweep(m);
	if (err)
		report_blind_spot(
			m, "sweeps that failed: what other processes hold or trace was not checked",
			++m->sweeps.failed);
}

void sweeps_baseline(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];
		uint64_t began = clock_mono_ns();

		m->now = clock_boot_ns();
		if (!in->members || in->baselined || !instance_started(in, m->now))
			continue;
		/* code that is mapped until then passes for its own: not for long */
		if (!events_may_spend(m, in) && m->now < in->began_ns + BASELINE_LATEST_NS)
			continue;
		if (sweep_instance(m, in))
			report_blind_spot(
				m,
				"instances whose code could not be recorded when they had started",
				++m->sweeps.baselines_failed);
		events_spent(m, in, began);
	}
}
