/* SPDX-License-Identifier: BSD-2-Clause */
/* buffer.h - the memory that formats write into, and what text formats share. */
#ifndef CACHEWARDEN_BUFFER_H
#define CACHEWARDEN_BUFFER_H

#include "base/jsonw.h"
#include "base/textw.h"
#include "model/rule.h"

#define REPORT_TEXT_LEN 16384 /* the longest block: an incident's 24 actions and its correlations */

/*
 * Zero-initialise, and reuse for every message. A format returns a pointer into it, valid until the next use: a
 * newline-terminated text of *ret_len bytes; NULL when out of memory; length 0 when there is nothing to say.
 */
struct report_buf {
	bool colour;	 /* terminal escape codes, in formats that have any */
	int64_t last_ms; /* time of the latest text line; a wall clock set back does not unorder them */
	struct jsonw json;
	char text[REPORT_TEXT_LEN];
};

void report_buf_free(struct report_buf *b);

/*
 * Begin a line of text with the time it is written, never earlier than that of the line before. report_age() ends what
 * happened at at_ms with " [12 s ago]", if that is a second or more.
 */
void report_time(struct report_buf *b, struct textw *t);
void report_age(const struct report_buf *b, struct textw *t, int64_t at_ms);

/* Terminal colour code of a severity, for textw_colour(). */
const char *report_colour(enum severity severity);

#endif
