// SPDX-License-Identifier: BSD-2-Clause
/* sweeps.c - see sweeps.h. */
#include "monitor/sweeps.h"

#include "base/clock.h"
#include "monitor/report.h"

#include <errno.h>

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
	s->next_ns = interval_s ? s->began_ns + interval_s * NS_PER_SEC : UINT64_MAX;
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
