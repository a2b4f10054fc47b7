/* SPDX-License-Identifier: BSD-2-Clause */
/* collector.h - takes records out of the ring buffer and sums out of the attempts table. */
#ifndef CACHEWARDEN_COLLECTOR_H
#define CACHEWARDEN_COLLECTOR_H

#include "event.h"
#include "sensor/sensors.h"
#include "handshake_chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct collector;

typedef void (*collector_event_fn)(void *ctx, const struct event *ev);
typedef void (*collector_handshake_fn)(void *ctx, const struct handshake_chunk *p);
typedef void (*collector_sum_fn)(void *ctx, const struct attempt_key *key, const struct attempt *a);

/* on_event is called for each valid record, from collector_poll. Returns 0 or a negative errno. */
int collector_open(struct collector **ret, const struct sensors *s, collector_event_fn on_event,
		   void *ctx);
/* Also take the clear handshakes from their ring. Returns 0 or a negative errno. */
int collector_handshakes(struct collector *c, int fd, collector_handshake_fn on_clear);
void collector_free(struct collector *c); /* NULL is fine */

/*
 * Handle what is in the ring; wait up to timeout_ms for something. Returns records handled or a
 * negative errno.
 */
int collector_poll(struct collector *c, int timeout_ms);

/* Call fn for each entry of the attempts table as it stands. Returns 0 or a negative errno. */
int collector_sums(struct collector *c, collector_sum_fn fn, void *ctx);

/* Take an entry out; *ret is its last state. Returns 0, or -ENOENT if it was gone. */
int collector_take(struct collector *c, const struct attempt_key *key, struct attempt *ret);

/* Records that were no events of ours: foreign, truncated, of another version. */
uint64_t collector_refused(const struct collector *c);

/* Is this record an event this program understands? why says what is wrong with it. Pure. */
bool collector_valid(const void *record, size_t size, const char **why);

#endif
