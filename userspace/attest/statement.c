// SPDX-License-Identifier: BSD-2-Clause
/* statement.c - see statement.h. */
#include "attest/statement.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static json_t *period(const struct statement *s)
{
	char from[CLOCK_UTC_LEN], to[CLOCK_UTC_LEN];

	clock_text_utc(s->from, from);
	clock_text_utc(s->to, to);
	return json_pack("{s:I,s:I,s:s,s:s}", "from", (json_int_t)s->from, "to", (json_int_t)s->to,
			 "from_text", from, "to_text", to);
}

static json_t *log_of(const struct checkpoint *c)
{
	char root[NOTE_HASH_TEXT];

	note_hash_text(&c->root, root);
	return json_pack("{s:s,s:I,s:s}", "origin", c->origin, "size", (json_int_t)c->size, "root",
			 root);
}

static void add_subject(json_t *all, const char *name, const char *algorithm, const char *digest)
{
	json_array_append_new(
		all, json_pack("{s:s,s:{s:s}}", "name", name, "digest", algorithm, digest));
}

/* The log by its root, and each server by the executable that it ran. */
static json_t *subjects(const struct checkpoint *c, json_t *servers)
{
	json_t *v = json_array();
	char hex[2 * TREE_HASH_LEN + 1];

	for (size_t i = 0; i < TREE_HASH_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", c->root.byte[i]);
	add_subject(v, c->origin, "rfc6962Sha256Root", hex);
	for (size_t i = 0; i < json_array_size(servers); i++) {
		json_t *row = json_array_get(servers, i), *all = json_object_get(row, "sha256");
		const char *uid = json_string_value(json_object_get(row, "uid"));

		for (size_t k = 0; k < json_array_size(all); k++)
			add_subject(v, uid, "sha256", json_string_value(json_array_get(all, k)));
	}
	return v;
}

json_t *statement_new(const struct statement *s, json_t *sum, json_t *servers)
{
	json_t *v = json_object(), *p = s->part > 1 ? json_object() : json_copy(sum);

	if (!v || !p) {
		json_decref(v);
		json_decref(p);
		return NULL;
	}
	json_object_set(p, "servers", servers);
	json_object_set_new(p, "period", period(s));
	json_object_set_new(p, "log", log_of(s->log));
	if (s->after) {
		json_object_set_new(p, "number", json_integer((json_int_t)s->after->number + 1));
		json_object_set_new(p, "previous",
				    s->after->number ? json_string(s->after->digest) : json_null());
		json_object_set_new(p, "part", json_integer(s->part));
		json_object_set_new(p, "more", json_boolean(s->more));
	}
	json_object_set_new(v, "_type", json_string(STATEMENT_TYPE));
	json_object_set_new(v, "predicateType", json_string(STATEMENT_PREDICATE));
	json_object_set_new(v, "subject", subjects(s->log, servers));
	json_object_set_new(v, "predicate", p);
	return v;
}

char *statement_text(json_t *statement)
{
	return json_dumps(statement, JSON_COMPACT | JSON_SORT_KEYS);
}
