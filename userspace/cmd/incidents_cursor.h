/* SPDX-License-Identifier: BSD-2-Clause */
/* incidents_cursor.h - where a program that polls `cachewarden incidents` is, over restarts of the monitor. Pure. */
#ifndef CACHEWARDEN_INCIDENTS_CURSOR_H
#define CACHEWARDEN_INCIDENTS_CURSOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* From where on a program has not seen them: the number and the run of an earlier answer. */
struct incidents_cursor {
	uint64_t seq;
	char run[32]; /* empty: not known */
};

/* "RUN:SEQ" or "SEQ". Returns false if it is neither. */
bool incidents_cursor_parse(struct incidents_cursor *ret, const char *text);

/*
 * Was that answer given by another run of the monitor than the cursor's? Its numbers then mean something else. Without a run in the
 * cursor, it certainly was if there are not so many numbers.
 */
bool incidents_cursor_is_foreign(const struct incidents_cursor *c, const json_t *answer);

/* Add the member "cursor" for the next question, and "restarted". */
void incidents_cursor_put(json_t *answer, bool restarted);

#endif
