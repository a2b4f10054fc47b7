/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canon.h - writes JSON in the shape of RFC 8785 (JCS): no white space, keys sorted by their bytes, the shortest escapes, integers
 * only. Pure: no I/O.
 */
#ifndef CACHEWARDEN_CANON_H
#define CACHEWARDEN_CANON_H

#include "evidence/frame.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct canon {
	char buf[FRAME_ENTRY_MAX], sorting[FRAME_ENTRY_MAX];
	size_t len;
	int err; /* -E2BIG: it does not fit; -EINVAL: a number that is no integer */
};

void canon_put(struct canon *c, const char *text);
void canon_string(struct canon *c, const char *s, size_t len);
void canon_value(struct canon *c, json_t *v);

/*
 * Write an object that is there as text, without making a tree of values of it: several times as fast. Returns false if it is not
 * of the kind that report/ writes, with white space, unusual escapes or numbers, or is no object, or does not fit; what
 * was written is then of no use, and canon_value() decides. What both accept they write alike.
 */
bool canon_plain(struct canon *c, const char *text, size_t len);

#endif
