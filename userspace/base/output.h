/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - lines to a descriptor without ever waiting for its reader: what does not fit now is
 * kept up to a bound, what does not fit then is counted.
 */
#ifndef CACHEWARDEN_OUTPUT_H
#define CACHEWARDEN_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTPUT_PENDING_MAX (8u << 20) /* some 2,000 JSON alerts of a reader that stands still */

struct output {
	int fd;
	char *pending;
	size_t len, room;
	uint64_t dropped; /* lines the reader never gets */
	int error;	  /* errno of the first failed write, 0 if none */
	bool mid_line;	  /* what was written last is no whole line */
	bool waits;	  /* pipe, socket or terminal: ask before writing */
};

void output_init(struct output *o, int fd);
void output_free(struct output *o);

/* Lines that were not written to their end. */
uint64_t output_unwritten(const struct output *o);

/* Queue one newline-ended line and write what can be written. */
void output_line(struct output *o, const char *line, size_t len);

/*
 * Write what can be written; wait up to timeout_ms for the reader. Returns true when nothing is
 * pending.
 */
bool output_pump(struct output *o, int timeout_ms);

#endif
