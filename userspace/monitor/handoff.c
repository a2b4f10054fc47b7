// SPDX-License-Identifier: BSD-2-Clause
/* handoff.c - the guard that outlives the monitor, and who asks what it sees. */
#include "monitor/state.h"

#include "base/clock.h"
#include "report/conn_report.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Here speaks the guard, in its copy of all this; the monitor is dead, or stands still. */
static void on_guard_news(void *ctx, enum guard_news what)
{
	struct monitor *m = ctx;
	struct guard_will will = *m->guard.will, *shared = m->guard.will;
	size_t end = strlen(m->uid_prefix);
	uint64_t until;

	m->guard.will = NULL; /* the monitor's: our own output leaves none */
	m->now = clock_boot_ns();
	if (m->uid_prefix[end - 1] != 'g') /* ids of its own: the monitor went on counting */
		snprintf(m->uid_prefix + end, sizeof(m->uid_prefix) - end, "g");
	output_free(&m->out);
	output_init(&m->out, STDOUT_FILENO);
	if (will.mid_line)
		output_line(&m->out, "\n", 1);
	if (what == GUARD_STOPPED) {
		log_error("the monitor is stopped: nobody watches until it is continued");
		report_blind_spot(m, "the monitor is stopped: nobody watches until it is continued",
				  1);
	} else {
		until = m->now + NS_PER_SEC;
		while (collector_poll(m->collector, 0) > 0 && m->now < until)
			;
		report_blind_spot(m, "alerts that were not written yet when the monitor died",
				  will.unwritten);
		report_blind_spot(m, "the monitor died unasked: nobody watches any more", 1);
		log_error("the monitor died unasked: nobody watches any more");
	}
	output_pump(&m->out, OUTPUT_DRAIN_MS);
	m->guard.will = shared;
}

void handoff_start(struct monitor *m)
{
	int err = m->options->no_guard ? 0 : guard_start(&m->guard, on_guard_news, m);

	if (err)
		log_warn("no guard (%s): whoever kills the monitor is not told of", strerror(-err));
}

void handoff_check(struct monitor *m)
{
	if (!guard_lost(&m->guard))
		return;
	report_blind_spot(m, "the monitor's guard died unasked; another one was started",
			  ++m->guards_lost);
	handoff_start(m);
}

struct answer {
	struct monitor *m;
	int fd;
	bool json;
};

static void answer_conn(void *ctx, const struct conn_snapshot *live)
{
	const struct answer *a = ctx;
	const struct conn *c = conns_find(&a->m->conns, live->cookie);
	const struct instance *in = monitor_instance(a->m, live->instance);
	char text[1024];
	const char *line = text;
	size_t len;

	if (a->json)
		line = conn_json(&a->m->json, live, c, in, &len);
	else
		len = conn_text(live, c, in, text, sizeof(text));
	if (line)
		control_reply(&a->m->ask, a->fd, line, len);
}

/* Whoever runs `cachewarden conns` asks for all connections. */
void control_request(void *ctx, int fd, char question)
{
	struct answer a = {.m = ctx, .fd = fd, .json = question == CONTROL_CONNS_JSON};

	sensors_snapshots(a.m->sensors, answer_conn, &a);
}
