// SPDX-License-Identifier: BSD-2-Clause
/* incidents_cursor.c - see incidents_cursor.h. */
#include "cmd/incidents_cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *in, const char *key)
{
	return json_string_value(json_object_get(in, key)) ?: "";
}

static int64_t number(const json_t *in, const char *key)
{
	return json_integer_value(json_object_get(in, key));
}

bool incidents_cursor_parse(struct incidents_cursor *ret, const char *text)
{
	const char *colon = strchr(text, ':'), *seq = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	char *end;

	*ret = (struct incidents_cursor){};
	if ((colon && !len) || len >= sizeof(ret->run) || seq[0] < '0' || seq[0] > '9')
		return false;
	memcpy(ret->run, text, len);
	errno = 0;
	ret->seq = strtoull(seq, &end, 10);
	return !*end && !errno && ret->seq <= INT64_MAX;
}

bool incidents_cursor_is_foreign(const struct incidents_cursor *c, const json_t *answer)
{
	return (c->run[0] && strcmp(c->run, text(answer, "run")) != 0) ||
	       c->seq > (uint64_t)number(answer, "seq");
}

void incidents_cursor_put(json_t *answer, bool restarted)
{
	json_object_set_new(answer, "restarted", json_boolean(restarted));
	json_object_set_new(
		answer, "cursor",
		json_sprintf("%s:%" PRId64, text(answer, "run"), number(answer, "seq")));
}
