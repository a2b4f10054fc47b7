/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_worker.h - the process of one sink: takes one message at a time from its socket and delivers it, again and again
 * with growing delays until the destination has it. It has none of the monitor's descriptors and capabilities, and,
 * unless its transport needs the monitor's user, runs as nobody.
 *
 * It outlives a monitor that is killed: the guard's report goes through the same socket. It ends when nobody holds the
 * other end of it.
 */
#ifndef CACHEWARDEN_SINK_WORKER_H
#define CACHEWARDEN_SINK_WORKER_H

#include "report/transport.h"

#include <stdint.h>

/* MAP_SHARED. Written by the worker, but for `accepted`. */
struct sink_shared {
	uint64_t accepted;   /* messages given to the socket */
	uint64_t delivered;  /* of them, those that the destination has */
	uint64_t refused;    /* those it will never take */
	uint64_t failing_ns; /* since when nothing can be delivered, CLOCK_MONOTONIC; 0: it can */
	uint64_t beat;	     /* changes at least every SINK_STALL_S seconds */
	uint32_t generation; /* of the process that is in charge: an older one ends */
	uint32_t tries;	     /* of the message it is at, by processes that ended there */
};

#define SINK_STALL_S 60 /* longer than TRANSPORT_WAIT_MS and a slow name server together */

struct sink_worker {
	const char *name; /* of the sink */
	const struct transport *transport;
	void *state; /* of the transport */
	int fd;	     /* SOCK_SEQPACKET: one message in each packet */
	struct sink_shared *shared;
};

/* Called in a process just forked. */
__attribute__((noreturn)) void sink_worker_run(const struct sink_worker *w);

#endif
