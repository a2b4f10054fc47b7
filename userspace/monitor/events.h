/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - handles what comes in: instances that start and end, attempts on them, files they open, their handshakes. ctx
 * is the monitor: these are callbacks of the collector and of files.
 */
#ifndef CACHEWARDEN_EVENTS_H
#define CACHEWARDEN_EVENTS_H

#include "monitor/state.h"

/* An event from the ring buffer. */
void events_receive(void *ctx, const struct event *ev);

/* An attempt that userspace found; handled like one from the ring buffer. */
void events_attempt(void *ctx, const struct event *ev);

/* Look at servers that had to wait, for a moment: what is done to others comes first. */
void events_discover(struct monitor *m);

/* The instance has ended, and no event said so. */
void events_ended(struct monitor *m, struct instance *in);

/* May the monitor's time be spent on that instance now? If so, events_spent() says since when it was, by clock_mono_ns(). */
bool events_may_spend(struct monitor *m, const struct instance *in);
void events_spent(struct monitor *m, const struct instance *in, uint64_t since_ns);

/* Report files that were opened by instances that have started and do not listen, see sharing.h. Called periodically. */
void events_check_sharing(struct monitor *m);

/* A part of a connection's handshake, or the connection's end. */
void events_handshake(void *ctx, const struct handshake_chunk *chunk);

#endif
