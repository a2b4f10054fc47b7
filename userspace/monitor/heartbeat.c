// SPDX-License-Identifier: BSD-2-Clause
/* heartbeat.c - see heartbeat.h. */
#include "monitor/heartbeat.h"

#include "base/clock.h"
#include "report/heartbeat.h"

void heartbeat_tick(struct monitor *m)
{
	struct heartbeat_state *s = &m->heartbeat;
	uint64_t interval_ns = m->options->heartbeat_s * NS_PER_SEC;

	if (!interval_ns || m->now < s->next_ns)
		return;
	if (!s->next_ns)
		s->next_ns = s->started_ns = m->now;
	while (s->next_ns <= m->now) /* missed intervals are not made up for */
		s->next_ns += interval_ns;
	sinks_heartbeat(
		&m->sinks,
		&(struct heartbeat){
			.number = ++s->count,
			.interval_s = m->options->heartbeat_s,
			.time_ms = clock_epoch_ms(m->now),
			.started_ms = clock_epoch_ms(s->started_ns),
			.instances = instances_alive(&m->instances),
			.events = m->totals.attempts,
			.incidents = m->incidents.next_id,
			.lost = sensors_counter(m->sensors, COUNTER_LOST),
			.worst_lag_ms = s->worst_lag_ns / NS_PER_MS,
			.guarded = m->guard.pid != 0,
			.last_event_ms = m->last.event_ns ? clock_epoch_ms(m->last.event_ns) : 0,
			.last_event = m->last.event,
			.uid_prefix = m->uid_prefix,
		});
	s->worst_lag_ns = 0;
}
