// SPDX-License-Identifier: BSD-2-Clause
/* incidents_text.c - see incidents_text.h. */
#include "cmd/incidents_text.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

static const char *text(const json_t *in, const char *key)
{
	return json_string_value(json_object_get(in, key)) ?: "";
}

static int64_t number(const json_t *in, const char *key)
{
	return json_integer_value(json_object_get(in, key));
}

static void put_escaped(const char *s, FILE *to)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c >= 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
}

static void print_target(const json_t *incident, FILE *to)
{
	const json_t *in = json_object_get(incident, "instance");

	put_escaped(json_is_object(in) ? text(in, "name") : "this host", to);
	if (json_is_object(in))
		fprintf(to, "(%" PRId64 ")", number(in, "pid"));
}

static void print_actor(const json_t *incident, FILE *to)
{
	const json_t *a = json_object_get(incident, "actor"), *uid = json_object_get(a, "uid");

	if (!json_is_object(a))
		return;
	fputs(" by ", to);
	put_escaped(text(a, "comm"), to);
	fprintf(to, "(%" PRId64 ")", number(a, "pid"));
	if (json_is_integer(uid))
		fprintf(to, " uid %" PRId64, (int64_t)json_integer_value(uid));
	if (text(a, "exe")[0]) {
		fputc(' ', to);
		put_escaped(text(a, "exe"), to);
	}
}

static void print_one(const json_t *incident, FILE *to)
{
	const json_t *rules = json_object_get(incident, "rules"), *rule;
	int64_t count = number(incident, "count");
	char time[CLOCK_TEXT_LEN];
	size_t i;

	clock_text(number(incident, "first"), time, sizeof(time));
	fprintf(to, "%s %-8s incident %" PRId64 " %s: ", time, text(incident, "severity"),
		number(incident, "id"),
		json_is_true(json_object_get(incident, "open")) ? "open" : "closed");
	print_target(incident, to);
	print_actor(incident, to);
	fprintf(to, "\n    %s: ", text(incident, "title"));
	json_array_foreach (rules, i, rule)
		fprintf(to, "%s%s", i ? ", " : "", json_string_value(rule) ?: "?");
	clock_text(number(incident, "last"), time, sizeof(time));
	fprintf(to, "; %" PRId64 " event%s, the last at %s\n", count, count == 1 ? "" : "s", time);
}

void incidents_text(const json_t *incidents, FILE *to)
{
	const json_t *one;
	size_t i;

	json_array_foreach (incidents, i, one)
		print_one(one, to);
	if (!json_array_size(incidents))
		fputs("no such incidents\n", to);
}
