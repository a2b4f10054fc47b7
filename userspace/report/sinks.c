// SPDX-License-Identifier: BSD-2-Clause
/* sinks.c - see sinks.h. */
#include "report/sinks.h"

#include "base/clock.h"
#include "base/macros.h"
#include "report/sink_process.h"
#include "report/sink_stdout.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Returns 0, or the negative errno of a vital sink that cannot be opened. */
static int open_sink(struct sinks *s, const struct sink_row *row)
{
	struct sink *sink = &s->sink[s->count++];

	*sink = (struct sink){.row = *row};
	snprintf(sink->name, sizeof(sink->name), "%s", row->name);
	sink->refused = row->ops->open(sink);
	sink->row.name = NULL; /* it and config are the caller's: a policy is replaced as a whole */
	sink->row.config = NULL;
	return row->ops->vital ? sink->refused : 0;
}

int sinks_open_table(struct sinks *s, const struct sink_row *table, size_t n,
		     const char **ret_failed)
{
	*s = (struct sinks){};
	*ret_failed = "sinks";
	if (n > SINKS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		int err = open_sink(s, &table[i]);

		if (err) {
			*ret_failed = table[i].name;
			return err;
		}
	}
	return 0;
}

int sinks_open(struct sinks *s, const struct format_ops *format, const struct policy_sink *config,
	       size_t n, const char **ret_failed)
{
	struct sink_row table[SINKS_MAX] = {{"standard output", &sink_stdout, format}};

	*ret_failed = "sinks";
	if (n > POLICY_SINKS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		table[1 + i] = (struct sink_row){
			.name = config[i].name,
			.ops = &sink_process,
			.format = format_by_letter('j'),
			.config = &config[i],
			.minimum = (enum severity)config[i].severity,
		};
	return sinks_open_table(s, table, 1 + n, ret_failed);
}

void sinks_close(struct sinks *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!s->sink[i].refused)
			s->sink[i].row.ops->close(&s->sink[i]);
	}
	s->count = 0;
	report_buf_free(&s->buf);
}

static void deliver(struct sink *sink, const char *text, size_t len)
{
	if (!text || sink->refused)
		sink->undelivered++;
	else if (len)
		sink->row.ops->write(sink, &(struct sink_message){text, len});
}

void sinks_event(struct sinks *s, const struct finding *f)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink *sink = &s->sink[i];
		const char *text;
		size_t len;

		if (f->severity < sink->row.minimum)
			continue;
		s->buf.colour = sink->colour;
		text = sink->row.format->event(f, &s->buf, &len);
		deliver(sink, text, len);
	}
}

void sinks_incident(struct sinks *s, const struct incident_view *v)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink *sink = &s->sink[i];
		const char *text;
		size_t len;

		if (v->incident->severity < sink->row.minimum)
			continue;
		s->buf.colour = sink->colour;
		text = sink->row.format->incident(v, &s->buf, &len);
		deliver(sink, text, len);
	}
}

void sinks_heartbeat(struct sinks *s, const struct heartbeat *h)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink *sink = &s->sink[i];
		const char *text;
		size_t len;

		s->buf.colour = sink->colour;
		text = sink->row.format->heartbeat(h, &s->buf, &len);
		deliver(sink, text, len);
	}
}

bool sinks_flush(struct sinks *s, int timeout_ms)
{
	uint64_t end = clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS, now;
	bool empty = true;
	int wait_ms;

	for (size_t i = 0; i < s->count; i++) {
		now = timeout_ms ? clock_mono_ns() : end;
		/* its share of what is left: one that blocks must not cost the others theirs */
		wait_ms = now < end ? (int)((end - now) / NS_PER_MS / (s->count - i)) : 0;
		if (!s->sink[i].refused)
			empty = s->sink[i].row.ops->flush(&s->sink[i], wait_ms) && empty;
	}
	return empty;
}

static void status_of(const struct sink *sink, struct sink_status *ret)
{
	*ret = (struct sink_status){.error = -sink->refused};
	if (!sink->refused)
		sink->row.ops->status(sink, ret);
	ret->dropped += sink->undelivered;
}

const struct sink *sinks_take_error(struct sinks *s, int *ret_error)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink_status status;

		status_of(&s->sink[i], &status);
		if (!status.error || s->sink[i].error_taken)
			continue;
		s->sink[i].error_taken = true;
		*ret_error = status.error;
		return &s->sink[i];
	}
	return NULL;
}

const char *sink_error(const struct sink *s, int error)
{
	return s->refused && s->why[0] ? s->why : strerror(error);
}

void sinks_status(const struct sinks *s, struct sink_status ret[SINKS_MAX])
{
	for (size_t i = 0; i < s->count; i++)
		status_of(&s->sink[i], &ret[i]);
}

void sinks_take_over(struct sinks *s, const struct sink_status left[SINKS_MAX])
{
	for (size_t i = 0; i < s->count; i++) {
		s->sink[i].undelivered = 0;
		if (!s->sink[i].refused)
			s->sink[i].row.ops->take_over(&s->sink[i], &left[i]);
	}
}
