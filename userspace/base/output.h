/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - writes lines to a descriptor without blocking on its reader. Lines that cannot be written now are queued up
 * to a limit; lines beyond it are dropped and counted.
 */
#ifndef CACHEWARDEN_OUTPUT_H
#define CACHEWARDEN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_PENDING_MAX (8u << 20) /* about 2,000 JSON alerts */

struct output {
	int fd;
	char *pending;
	size_t len, room;
	uint64_t dropped; /* lines that the reader will never get */
	int error;	  /* errno of the first failed write, 0 if none */
	bool mid_line;	  /* the last write ended inside a line */
	bool waits;	  /* a pipe, socket or terminal: poll() before writing */
};

void output_init(struct output *o, int fd);
void output_free(struct output *o);

/* Pending lines, the partly written one included. */
uint64_t output_unwritten(const struct output *o);

/* Queue one line, its newline included, and write what can be written. */
void output_line(struct output *o, const char *line, size_t len);

/* Write what can be written, waiting up to timeout_ms for the reader. Returns true if nothing is pending. */
bool output_pump(struct output *o, int timeout_ms);

#endif
