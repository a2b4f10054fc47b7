/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enrich.h - more about an actor than the kernel side reports, for the evidence log. The process is held at its deed, before anything
 * else is done with the event; a thread reads the rest, because files and processes of others may make it wait. The queue has
 * ENRICH_JOBS places; what finds none is counted, and so is what the thread is stuck at: another one takes its place, ENRICH_THREADS
 * times.
 */
#ifndef CACHEWARDEN_ENRICH_H
#define CACHEWARDEN_ENRICH_H

#include "model/conn.h"
#include "report/finding.h"

#include <stddef.h>
#include <stdint.h>

/* Waiting, or remembered in case the actor goes on to another server. A user who has most of them makes room for others. */
#define ENRICH_JOBS 64
#define ENRICH_THREADS 4 /* of which all but one are stuck */
#define ENRICH_STUCK_MS 30000

struct enrich;

/* log: directory of the evidence log. Returns 0 or a negative errno. */
int enrich_start(struct enrich **ret, const char *log);

/* Keep executables that are in no directory any more, at most so many bytes in all; 0: none. */
void enrich_keep(struct enrich *e, uint64_t most);

/* An event has arrived: hold its actor while it lives. Until the next call, or enrich_actor() takes it. */
void enrich_hold(struct enrich *e, const struct event *ev);
void enrich_let_go(struct enrich *e);

/* What that finding is about goes into the log: so do its actor, once for each process and incident, and the layout of its target. */
void enrich_actor(struct enrich *e, const struct finding *f);

/* A server whose start is over; config: paths of its configuration. Returns false if there is no place now. */
bool enrich_server(struct enrich *e, const struct instance *in, char *const *config,
		   size_t configs);

/* Hand what was found out to put(), as records of entries. */
typedef void (*enrich_put)(void *ctx, const char *kind, const char *record, size_t len);
void enrich_collect(struct enrich *e, const struct conns *conns, enrich_put put, void *ctx);

struct enrich_status {
	uint64_t
		dropped; /* that found no place in the queue, were displaced, or were not read when the monitor ended */
	uint64_t stuck; /* that the thread was stuck at */
};
void enrich_status(struct enrich *e, struct enrich_status *ret);

/* In a fork of the monitor: close what is held there. */
void enrich_forget(struct enrich *e);

/* Wait until all is read; then collect, and free. Of what is not finished then, the rest is dropped, and counted. */
void enrich_finish(struct enrich *e, int timeout_ms);
void enrich_free(struct enrich *e); /* NULL is fine */

#endif
