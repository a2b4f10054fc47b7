// SPDX-License-Identifier: BSD-2-Clause
/* sweeps.c - the second line of defence: what hooks could not see is looked for. */
#include "monitor/state.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>

#define AFTER_ALERT_NS (100 * NS_PER_MS) /* then a sweep looks at what the hooks told of */
#define SWEEP_REST_NS NS_PER_SEC	 /* between two sweeps, however many alerts there are */

/* What a hook told may have left traces, or company. */
void monitor_sweep_soon(struct monitor *m)
{
	uint64_t rested = m->sweep_began + SWEEP_REST_NS, soon = m->now + AFTER_ALERT_NS;

	if (soon < rested)
		soon = rested;
	if (soon < m->next_sweep)
		m->next_sweep = soon;
}

/*
 * The code an instance has mapped, the first time as what it started with. While it starts nothing is a
 * finding.
 */
static int sweep_instance(struct monitor *m, struct instance *in)
{
	int err = sensors_sweep_maps(m->sensors, (pid_t)in->pid, !in->baselined);

	if (err || in->baselined || !instance_started(in, m->now))
		return err;
	in->baselined = true;
	return sensors_baselined(m->sensors, in->id);
}

void monitor_sweep(struct monitor *m)
{
	uint64_t took;
	int err;

	collector_poll(m->collector, 0); /* what began just now is not news */
	m->now = m->sweep_began = clock_boot_ns();
	err = sensors_sweep_host(m->sensors);
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (in->members && sweep_instance(m, in))
			err = -EIO;
	}
	files_tidy(m->files, &m->instances);
	took = clock_boot_ns() - m->sweep_began;
	m->sweeps++;
	m->sweeps_ns += took;
	if (took > m->sweep_longest_ns)
		m->sweep_longest_ns = took;
	if (err)
		report_blind_spot(m, "sweeps that failed: what strangers hold was not looked at",
				  ++m->sweeps_failed);
	m->next_sweep = m->options->sweep_s ? m->sweep_began + m->options->sweep_s * NS_PER_SEC
					    : UINT64_MAX;
}

/* An instance whose start is over waits for no sweep: until then its code is not watched. */
void monitor_baseline(struct monitor *m)
{
	for (size_t i = 0; i < m->instances.count; i++) {
		struct instance *in = m->instances.all[i];

		if (in->members && !in->baselined && instance_started(in, m->now) &&
		    sweep_instance(m, in))
			report_blind_spot(
				m, "instances whose code at the start could not be looked at",
				++m->settles_failed);
	}
}
