/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - writes one JSON text into a growing buffer. Commas and escapes are its business; that
 * objects are closed is the caller's, and json_done() checks it.
 */
#ifndef CACHEWARDEN_JSON_H
#define CACHEWARDEN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
	char *text;
	size_t len, room;
	int depth;
	bool comma; /* a member stands before the next one */
	bool failed; /* out of memory */
};

void json_free(struct json *j);
void json_reset(struct json *j);

/* key is NULL inside arrays and for the outermost value. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
/* Bytes that are no UTF-8 become U+FFFD; a NULL value is written as null. */
void json_string(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/* The text, newline-ended; NULL if memory ran out or something was left open. Valid until the next call. */
const char *json_done(struct json *j, size_t *ret_len);

#endif
