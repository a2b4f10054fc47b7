// SPDX-License-Identifier: BSD-2-Clause
/* health.c - see health.h. Each check adds a line per thing that is wrong. */
#include "monitor/health.h"

#include "base/clock.h"
#include "base/macros.h"
#include "sensor/coverage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TELL_NS (5 * NS_PER_SEC)

/* A quiet log gets an entry, and with it a checkpoint, every minute. */
#define UNSIGNED_MS 150000

/* A line that is there already is not added again: a state is also a blind spot, when it begins. */
__attribute__((format(printf, 3, 4))) static void add(struct health *h, const char *about,
						      const char *fmt, ...)
{
	char *line = h->line[h->lines];
	va_list args;

	for (size_t i = 0; i < h->lines; i++) {
		if (!strncmp(h->line[i], about, strlen(about)))
			return;
	}
	if (h->lines == HEALTH_LINES_MAX) {
		h->more++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(line, sizeof(h->line[0]), fmt, args);
	va_end(args);
	h->lines++;
}

static void check_sensors(const struct monitor *m, struct health *h)
{
	const struct sensor_program *p;
	size_t n = sensors_programs(m->sensors, &p);
	char note[ALERT_NOTE_LEN];

	for (size_t i = 0; i < n; i++) {
		if (p[i].attached)
			continue;
		coverage_note(&p[i], note, sizeof(note));
		add(h, note, "%s (%s)", note, p[i].error);
	}
}

static void check_evidence(const struct monitor *m, struct health *h)
{
	static const char old[] = "evidence log: no checkpoint was signed since ";
	char note[ALERT_NOTE_LEN], time[CLOCK_TEXT_LEN];
	struct writer_status s;

	if (evidence_missing(&m->evidence, note, sizeof(note)))
		add(h, note, "%s", note);
	if (!m->evidence.writer)
		return;
	writer_status(m->evidence.writer, &s);
	if (s.error)
		add(h, "evidence log cannot",
		    "evidence log cannot be written: %s; %" PRIu64 " records wait in memory",
		    strerror(s.error), s.waiting);
	if (m->policy.policy.witness && m->witnessing.error[0])
		add(h, "evidence log is not cosigned", "evidence log is not cosigned: %s",
		    m->witnessing.error);
	clock_text(s.signed_ms, time, sizeof(time));
	if (clock_epoch_ms(clock_boot_ns()) > s.signed_ms + UNSIGNED_MS)
		add(h, old, "%s%s", old, time);
}

static void check_output(const struct monitor *m, struct health *h)
{
	for (size_t i = 0; i < m->sinks.count; i++) {
		const char *name = m->sinks.sink[i].name;
		const struct sink_status *s = &m->output[i];
		char about[SINK_NAME_LEN + 1];

		snprintf(about, sizeof(about), "%s:", name); /* not of one whose name begins so */
		if (s->error)
			add(h, about, "%s: %s; %" PRIu64 " messages were lost", name,
			    sink_error(&m->sinks.sink[i], s->error), s->dropped);
		else if (s->failing_s)
			add(h, about,
			    "%s: nothing could be delivered for %" PRIu64 " s; %" PRIu64
			    " messages wait",
			    name, s->failing_s, s->lag);
	}
}

static void check_guard(const struct monitor *m, struct health *h)
{
	static const char none[] = "no guard runs: if the monitor is killed, nothing reports it";

	if (!m->options->no_guard && !m->guard.pid)
		add(h, none, none);
}

static void check_metrics(const struct monitor *m, struct health *h)
{
	if (m->metrics.error)
		add(h, "metrics are not", "metrics are not served at %s: %s", m->metrics.address,
		    strerror(m->metrics.error));
}

static void check_blind_spots(const struct monitor *m, struct health *h)
{
	uint64_t now = clock_boot_ns();

	for (struct alert *a = NULL; (a = alerts_next(&m->alerts, a));) {
		char time[CLOCK_TEXT_LEN];

		if (a->ev.key.rule != RULE_SELF_BLIND || now > a->shown_ns + HEALTH_LATELY_NS)
			continue;
		clock_text(clock_epoch_ms(a->shown_ns), time, sizeof(time));
		add(h, a->note, "%s (%" PRIu64 " in all, last seen at %s)", a->note, a->count,
		    time);
	}
}

void health_check(const struct monitor *m, struct health *ret)
{
	static void (*const checks[])(const struct monitor *, struct health *) = {
		check_sensors, check_evidence, check_output,
		check_guard,   check_metrics,  check_blind_spots,
	};

	ret->lines = ret->more = 0;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](m, ret);
}

void health_tick(struct monitor *m)
{
	static struct health h; /* large */
	size_t watched = instances_alive(&m->instances);

	if (m->service.fd < 0 || (m->told_ns && m->now < m->told_ns + TELL_NS))
		return;
	m->told_ns = m->now;
	health_check(m, &h);
	if (h.lines)
		service_say(&m->service, "STATUS=watching %zu server%s; %zu problem%s: %s", watched,
			    watched == 1 ? "" : "s", h.lines + h.more,
			    h.lines + h.more == 1 ? "" : "s", h.line[0]);
	else
		service_say(&m->service, "STATUS=watching %zu server%s; all is well", watched,
			    watched == 1 ? "" : "s");
}
