/* SPDX-License-Identifier: BSD-2-Clause */
/* sinks.h - formats every finding and incident and delivers it to all sinks. */
#ifndef CACHEWARDEN_SINKS_H
#define CACHEWARDEN_SINKS_H

#include "policy/policy.h"
#include "report/sink.h"

#define SINKS_MAX (1 + POLICY_SINKS_MAX)

struct sinks {
	struct sink sink[SINKS_MAX];
	size_t count;
	struct report_buf buf;
};

/*
 * Open n sinks. One that cannot be opened keeps its place and loses every message. Returns 0, or a negative errno with
 * *ret_failed set to the name of the vital one that failed, or to "sinks" if there are more than SINKS_MAX.
 */
int sinks_open_table(struct sinks *s, const struct sink_row *table, size_t n,
		     const char **ret_failed);

/* The same with standard output, in that format, and the sinks of a policy, which get JSON. */
int sinks_open(struct sinks *s, const struct format_ops *format, const struct policy_sink *config,
	       size_t n, const char **ret_failed);
void sinks_close(struct sinks *s);

void sinks_event(struct sinks *s, const struct finding *f);
void sinks_heartbeat(struct sinks *s, const struct heartbeat *h);
void sinks_incident(struct sinks *s, const struct incident_view *v);

/* Write what is queued, waiting up to timeout_ms for slow readers. Returns true when nothing is left. */
bool sinks_flush(struct sinks *s, int timeout_ms);

/* The next sink that failed for good, each of them once, with the errno. NULL: no other has. */
const struct sink *sinks_take_error(struct sinks *s, int *ret_error);

/* What is wrong with a sink that has this error. */
const char *sink_error(const struct sink *s, int error);

/* One entry for each sink, in the order of s->sink, whose names they go with. */
void sinks_status(const struct sinks *s, struct sink_status ret[SINKS_MAX]);
void sinks_take_over(struct sinks *s, const struct sink_status left[SINKS_MAX]);

#endif
