/* SPDX-License-Identifier: BSD-2-Clause */
/* record.h - events as `run --events --output json` wrote them, read again for policies. */
#ifndef CACHEWARDEN_RECORD_H
#define CACHEWARDEN_RECORD_H

#include "policy/policy.h"

#include <jansson.h>

#define RECORD_PORTS 8

/* An event, and the input for its evaluation. The strings of input belong to the line. */
struct record {
	unsigned int nr; /* of its line */
	json_t *line, *own, *actor, *instance, *conn;
	uint16_t port[RECORD_PORTS];
	uint8_t peer[16];
	struct policy_input input;
	int64_t time_ms;
};

/* A text of one of the record's objects, NULL if it has none. */
const char *record_text(const json_t *o, const char *key);

/*
 * Call fn for each event of a file; incidents and blind spots are left out. Returns false with a reason in error at the
 * first line that is neither.
 */
bool record_each(const char *path, void (*fn)(void *ctx, const struct record *r), void *ctx,
		 char *error, size_t size);

#endif
