/* SPDX-License-Identifier: BSD-2-Clause */
/* sinks.h - formats every finding and incident and delivers it to all sinks. */
#ifndef CACHEWARDEN_SINKS_H
#define CACHEWARDEN_SINKS_H

#include "report/sink.h"

#define SINKS_MAX 8

struct sinks {
	struct sink sink[SINKS_MAX];
	size_t count;
	struct report_buf buf;
};

/* Open every sink of the table. Returns 0 or a negative errno with *ret_failed set to the name of the one that failed. */
int sinks_open(struct sinks *s, const struct format_ops *format, const char **ret_failed);
void sinks_close(struct sinks *s);

void sinks_event(struct sinks *s, const struct finding *f);
void sinks_incident(struct sinks *s, const struct incident_view *v);

bool sinks_flush(struct sinks *s, int timeout_ms);

/* One entry for each sink. */
void sinks_status(const struct sinks *s, struct sink_status ret[SINKS_MAX]);
void sinks_take_over(struct sinks *s, const struct sink_status left[SINKS_MAX]);

#endif
