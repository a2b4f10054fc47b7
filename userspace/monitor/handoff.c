// SPDX-License-Identifier: BSD-2-Clause
/* handoff.c - see handoff.h. */
#include "monitor/handoff.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/textw.h"
#include "monitor/report.h"

#include <stdio.h>
#include <string.h>

/* The monitor may be continued and go on counting, so the guard's findings need ids of their own. */
static void use_own_ids(struct monitor *m)
{
	size_t end = strlen(m->uid_prefix);

	if (m->uid_prefix[end - 1] != 'g')
		snprintf(m->uid_prefix + end, sizeof(m->uid_prefix) - end, "g");
}

static void last_seen_text(const struct last_seen *last, char *buf, size_t size)
{
	struct textw t = {buf, size, 0, false, false};
	char time[CLOCK_TEXT_LEN];

	clock_text(clock_epoch_ms(last->alive_ns), time, sizeof(time));
	textw_put(&t, "alive at %s", time);
	if (!last->event_ns)
		return;
	clock_text(clock_epoch_ms(last->event_ns), time, sizeof(time));
	textw_put(&t, ", last event at %s: %.*s", time, LAST_SEEN_LEN - 1, last->event);
}

static void report_note(struct monitor *m, const char *note, const struct last_seen *last)
{
	char text[LAST_SEEN_LEN + 128];

	last_seen_text(last, text, sizeof(text));
	log_error("%s; %s", note, text);
	report_unwatched(m, note, text);
}

static void report_death(struct monitor *m, const struct sink_status *left,
			 const struct last_seen *last)
{
	uint64_t until = m->now + NS_PER_SEC, unwritten = 0;

	/* the last events are still in the ring buffer: they may name the killer */
	while (collector_poll(m->collector, 0) > 0 && m->now < until)
		;
	for (size_t i = 0; i < m->sinks.count; i++)
		unwritten += left[i].unwritten;
	report_blind_spot(m, "alerts not yet written when the monitor was killed", unwritten);
	report_note(m, "the monitor was killed: nothing is monitored any more", last);
	control_forget(m->self.pid);
}

/* Runs in the guard, on its copy of the monitor's state; the monitor is dead or stopped. */
static void on_guard_event(void *ctx, enum guard_event event)
{
	struct monitor *m = ctx;
	struct guard_shared *shared = m->guard.shared, left = *shared;

	m->guard.shared = NULL; /* a stopped monitor still owns it: do not write our output to it */
	m->now = clock_boot_ns();
	evidence_forget(&m->evidence);
	use_own_ids(m);
	sinks_take_over(&m->sinks, left.sink);
	if (event == GUARD_MONITOR_STOPPED)
		report_note(m, "the monitor is stopped: nothing is monitored until SIGCONT",
			    &left.last);
	else if (event == GUARD_MONITOR_STALLED)
		report_note(
			m, "the monitor makes no progress, frozen or starved: nothing is monitored",
			&left.last);
	else
		report_death(m, left.sink, &left.last);
	report_flush(m, OUTPUT_DRAIN_MS);
	m->guard.shared = shared;
}

void handoff_start(struct monitor *m)
{
	int err;

	m->guard.cgroup_fd = m->cgroup_fd;
	err = m->options->no_guard ? 0 : guard_start(&m->guard, on_guard_event, m);
	if (err)
		log_warn(
			"cannot start the guard (%s): if the monitor is killed, nothing will report it",
			strerror(-err));
}

void handoff_check(struct monitor *m)
{
	if (guard_lost(&m->guard, m->witnessing.pid))
		report_blind_spot(m, "the monitor's guard was killed; another one was started",
				  ++m->totals.guards_lost);
	else if (guard_stalled(&m->guard))
		report_blind_spot(
			m,
			"the monitor's guard made no progress, frozen or starved; another one was started",
			++m->totals.guards_stalled);
	else
		return;
	handoff_start(m);
}

void handoff_alive(struct monitor *m)
{
	struct guard_shared *shared = m->guard.shared;

	if (!shared)
		return;
	shared->last.alive_ns = clock_boot_ns();
	__atomic_add_fetch(&shared->beat, 1, __ATOMIC_RELAXED);
}
