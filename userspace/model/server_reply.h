/* SPDX-License-Identifier: BSD-2-Clause */
/* server_reply.h - what a Redis or Valkey server answers to AUTH, CONFIG GET and INFO: RESP2. Pure. */
#ifndef CACHEWARDEN_SERVER_REPLY_H
#define CACHEWARDEN_SERVER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reply_kind {
	REPLY_STATUS, /* "+OK" */
	REPLY_ERROR,  /* "-ERR ..." */
	REPLY_TEXT,   /* a bulk string */
	REPLY_PAIR,   /* an array of two: a name, and the value that is text here */
	REPLY_NONE,   /* an empty array, or a bulk string that does not exist */
};

/* text is within what was parsed, not terminated; empty for REPLY_NONE. */
struct server_reply {
	enum reply_kind kind;
	const char *text;
	size_t len;
};

/* Parse the reply that buf begins with. Returns its length, 0 if it is not whole yet, -1 if it is none of these. */
int64_t server_reply_parse(const char *buf, size_t len, struct server_reply *ret);

/*
 * An error for people: one of a fixed set of texts, chosen by how it begins. A server's own words are not repeated: they
 * could hold anything, a password that it was sent included.
 */
const char *server_reply_error(const struct server_reply *r);

/* Can the same question be answered a minute later? */
bool server_reply_passes(const struct server_reply *r);

/* The value of "name:value" in the lines of an answer to INFO. Returns its length, 0 if there is none. */
size_t server_reply_info(const struct server_reply *r, const char *name, const char **ret);

#endif
