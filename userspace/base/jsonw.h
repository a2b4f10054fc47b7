/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jsonw.h - writes one JSON text into a growing buffer, with commas and escapes. The caller closes objects and arrays;
 * jsonw_done() checks that.
 */
#ifndef CACHEWARDEN_JSONW_H
#define CACHEWARDEN_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
	char *text;
	size_t len, room;
	int depth;
	bool comma;  /* the next member needs a comma */
	bool failed; /* out of memory */
};

void jsonw_free(struct jsonw *j);
void jsonw_reset(struct jsonw *j);

/* key is NULL in arrays and for the outermost value. */
void jsonw_object(struct jsonw *j, const char *key);
void jsonw_array(struct jsonw *j, const char *key);
void jsonw_end_object(struct jsonw *j);
void jsonw_end_array(struct jsonw *j);
/* Invalid UTF-8 becomes U+FFFD. NULL is written as null. */
void jsonw_string(struct jsonw *j, const char *key, const char *value);
/* The same, but an empty string is written as null, too. */
void jsonw_text(struct jsonw *j, const char *key, const char *value);
void jsonw_int(struct jsonw *j, const char *key, int64_t value);
void jsonw_bool(struct jsonw *j, const char *key, bool value);
void jsonw_null(struct jsonw *j, const char *key);
/* Members of an object that were written elsewhere: what stands between its braces. */
void jsonw_members(struct jsonw *j, const char *text, size_t len);

/*
 * The text, terminated by a newline; NULL if memory ran out or an object or array is still open. Valid until the next
 * call.
 */
const char *jsonw_done(struct jsonw *j, size_t *ret_len);

#endif
