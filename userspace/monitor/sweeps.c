// SPDX-License-Identifier: BSD-2-Clause
/* sweeps.c - see sweeps.h. */
#include "monitor/sweeps.h"

#include "base/clock.h"
#include "base/log.h"
#include "monitor/files_state.h"
#include "monitor/report.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LOOKALIKES_EVERY 12 /* sweeps: a minute, by default */

/* Look at the code an instance has mapped. What it maps while it starts is its baseline, and never a finding. */
static int sweep_instance(struct monitor *m, struct instance *in)
{
	int err = sensors_sweep_maps(m->sensors, (pid_t)in->pid, !in->baselined);

	if (err || in->baselined || !instance_started(in, m->now))
		return err;
	in->baselined = true;
	return sensors_set_baselined(m->sensors, in->id);
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

/* For the next monitor. */
static void save_files(struct monitor *m)
{
	int err = files_state_save(m->files, &m->instances);

	if (err && !m->sweeps.save_failed++)
		log_warn(
			"cannot keep what is known of servers' files (%s): the next monitor will have "
			"to find them again",
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
	bool pending;
	int err;

	collector_poll(m->collector, 0); /* a finding that a hook already reported is not new */
	m->now = m->sweeps.began_ns = clock_boot_ns();
	err = sensors_sweep_host(m->sensors, &pending);
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (in->members && sweep_instance(m, in))
			err = -EIO;
	}
	files_refresh(m->files, &m->instances);
	save_files(m);
	if (m->sweeps.count % LOOKALIKES_EVERY == 0)
		report_lookalikes(m);
	account(&m->sweeps, m->options->sweep_s);
	if (pending)
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

		if (in->members && !in->baselined && instance_started(in, m->now) &&
		    sweep_instance(m, in))
			report_blind_spot(
				m,
				"instances whose code could not be recorded when they had started",
				++m->sweeps.baselines_failed);
	}
}
