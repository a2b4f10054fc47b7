// SPDX-License-Identifier: BSD-2-Clause
/* sinks.c - see sinks.h. */
#include "report/sinks.h"

#include "report/sink_stdout.h"

static const struct sink_ops *const table[] = {
	&sink_stdout,
};

_Static_assert(sizeof(table) / sizeof(table[0]) <= SINKS_MAX, "every sink has a place");

int sinks_open(struct sinks *s, const struct format_ops *format, const char **ret_failed)
{
	*s = (struct sinks){};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sink *sink = &s->sink[i];
		int err;

		*sink = (struct sink){.ops = table[i], .format = format};
		err = sink->ops->open(sink);
		if (err) {
			*ret_failed = sink->ops->name;
			return err;
		}
		s->count++;
	}
	return 0;
}

void sinks_close(struct sinks *s)
{
	for (size_t i = 0; i < s->count; i++)
		s->sink[i].ops->close(&s->sink[i]);
	s->count = 0;
	report_buf_free(&s->buf);
}

static void deliver(struct sink *sink, const char *text, size_t len, enum severity severity)
{
	if (!text)
		sink->unformatted++;
	else if (len)
		sink->ops->write(sink, &(struct sink_message){text, len, severity});
}

void sinks_event(struct sinks *s, const struct finding *f)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink *sink = &s->sink[i];
		const char *text;
		size_t len;

		s->buf.colour = sink->colour;
		text = sink->format->event(f, &s->buf, &len);
		deliver(sink, text, len, f->severity);
	}
}

void sinks_incident(struct sinks *s, const struct incident_view *v)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sink *sink = &s->sink[i];
		const char *text;
		size_t len;

		s->buf.colour = sink->colour;
		text = sink->format->incident(v, &s->buf, &len);
		deliver(sink, text, len, v->incident->severity);
	}
}

bool sinks_flush(struct sinks *s, int timeout_ms)
{
	bool empty = true;

	for (size_t i = 0; i < s->count; i++)
		empty = s->sink[i].ops->flush(&s->sink[i], timeout_ms) && empty;
	return empty;
}

void sinks_status(const struct sinks *s, struct sink_status ret[SINKS_MAX])
{
	for (size_t i = 0; i < s->count; i++) {
		s->sink[i].ops->status(&s->sink[i], &ret[i]);
		ret[i].dropped += s->sink[i].unformatted;
	}
}

void sinks_take_over(struct sinks *s, const struct sink_status left[SINKS_MAX])
{
	for (size_t i = 0; i < s->count; i++) {
		s->sink[i].unformatted = 0;
		s->sink[i].ops->take_over(&s->sink[i], &left[i]);
	}
}
