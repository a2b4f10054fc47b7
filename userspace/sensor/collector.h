/* SPDX-License-Identifier: BSD-2-Clause */
/* collector.h - reads events and handshake chunks from the ring buffers, and sums from the map of attempts. */
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
typedef void (*collector_handshake_fn)(void *ctx, const struct handshake_chunk *chunk);
typedef void (*collector_sum_fn)(void *ctx, const struct attempt_key *key, const struct attempt *a);

/* on_event is called by collector_poll() for each valid record. Returns 0 or a negative errno. */
int collector_open(struct collector **ret, const struct sensors *s, collector_event_fn on_event,
		   void *ctx);
/* Also read the ring of handshake chunks at fd. Returns 0 or a negative errno. */
int collector_handshakes(struct collector *c, int fd, collector_handshake_fn on_chunk);
void collector_free(struct collector *c); /* NULL is fine */

/* Handle the records in the rings, waiting up to timeout_ms for one. Returns how many, or a negative errno. */
int collector_poll(struct collector *c, int timeout_ms);

/* A descriptor that polls readable when records are waiting. */
int collector_fd(const struct collector *c);

/* Call fn for each entry of the map of attempts. Returns 0 or a negative errno. */
int collector_sums(struct collector *c, collector_sum_fn fn, void *ctx);

/* Remove an entry; *ret is its last state. Returns 0, or -ENOENT if there is none. */
int collector_take(struct collector *c, const struct attempt_key *key, struct attempt *ret);

/* Records refused so far because they were truncated, inconsistent or of another version. */
uint64_t collector_refused(const struct collector *c);

/* Is this a well-formed event? If not, *why completes the sentence "the record is ...". No side effects. */
bool collector_valid(const void *record, size_t size, const char **why);

#endif
