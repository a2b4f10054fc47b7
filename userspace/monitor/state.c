// SPDX-License-Identifier: BSD-2-Clause
/* state.c - see state.h. */
#include "monitor/state.h"

#include "base/clock.h"

#include <stdlib.h>

#define SWEEP_DELAY_NS (100 * NS_PER_MS) /* lets the access that raised the alert finish */
#define SWEEP_PAUSE_NS NS_PER_SEC	 /* between two sweeps, however many alerts ask for one */

const struct instance *monitor_instance(const struct monitor *m, uint32_t id)
{
	return id == INSTANCE_SELF ? &m->self : instances_find(&m->instances, id);
}

pid_t *monitor_servers(const struct monitor *m, size_t *ret_count)
{
	const struct instances *is = &m->instances;
	pid_t *pids = calloc(is->count + 1, sizeof(*pids));

	*ret_count = 0;
	for (size_t i = 0; pids && i < is->count; i++) {
		if (is->all[i]->members)
			pids[(*ret_count)++] = (pid_t)is->all[i]->pid;
	}
	return pids;
}

uint64_t totals_of(const struct totals *t, enum verdict_id verdict)
{
	uint64_t n = 0;

	for (unsigned int rule = 0; rule < RULE_MAX; rule++)
		n += t->events[rule][verdict];
	return n;
}

void monitor_request_sweep(struct monitor *m)
{
	uint64_t earliest = m->sweeps.began_ns + SWEEP_PAUSE_NS, at = m->now + SWEEP_DELAY_NS;

	if (at < earliest)
		at = earliest;
	if (at < m->sweeps.next_ns)
		m->sweeps.next_ns = at;
}
