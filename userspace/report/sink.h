/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.h - where findings and incidents are delivered: standard output (sink_stdout.c), and what the policy lists, each
 * in a process of its own (sink_process.c) with a transport for its kind of destination (transport.h).
 *
 * Messages arrive formatted. No operation may block on the reader: what cannot be delivered now is queued up to a limit,
 * and what does not fit is counted.
 */
#ifndef CACHEWARDEN_SINK_H
#define CACHEWARDEN_SINK_H

#include "report/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sink;
struct policy_sink;

struct sink_message {
	const char *text; /* whole lines */
	size_t len;
};

struct sink_status {
	uint64_t unwritten; /* messages or lines that only the monitor has, or partly written */
	uint64_t lag;	    /* all that are not delivered yet */
	uint64_t delivered;
	uint64_t dropped;   /* messages the reader never gets */
	uint64_t restarts;  /* of the sink's process, after it was killed or crashed */
	uint64_t failing_s; /* for how long nothing could be delivered; 0: it can */
	int error;	    /* errno of the first write that failed for good, 0: none */
	bool mid_line;	    /* the reader has got a part of a line */
	pid_t pid;	    /* of the sink's process; 0: it has none */
};

struct sink_ops {
	bool vital; /* without it, or its reader, the monitor ends; others are reported as failed */
	/* Set up s->data, and s->colour if the reader is a terminal. Returns 0, or a negative errno with s->why or without. */
	int (*open)(struct sink *s);
	void (*close)(struct sink *s);
	void (*write)(struct sink *s, const struct sink_message *message);
	/*
	 * Write what is queued, waiting up to timeout_ms for the reader. Returns true when none is left, or nothing
	 * more can be done for now.
	 */
	bool (*flush)(struct sink *s, int timeout_ms);
	void (*status)(const struct sink *s, struct sink_status *ret);
	/*
	 * In a process forked from the one that opened the sink: forget the inherited queue, which is not ours to
	 * write, and continue behind what the reader got.
	 */
	void (*take_over)(struct sink *s, const struct sink_status *left);
};

/* One row of the table that sinks are opened from. */
struct sink_row {
	const char *name; /* for messages: "standard output" */
	const struct sink_ops *ops;
	const struct format_ops *format;
	const struct policy_sink *config; /* NULL: needs none. Valid while the sink is opened. */
	enum severity minimum;		  /* what is less severe is not delivered; heartbeats are */
};

#define SINK_NAME_LEN 64
#define SINK_WHY_LEN 256

struct sink {
	struct sink_row row;
	char name[SINK_NAME_LEN];
	bool colour;
	int refused; /* error of open(), negative; no other operation is called then. 0: none */
	char why[SINK_WHY_LEN]; /* open() refused, if it says more than its error does; else empty */
	uint64_t undelivered;	/* messages that never reached it: refused, or out of memory */
	bool error_taken;	/* see sinks_take_error() */
	void *data;		/* the sink's own */
};

#endif
