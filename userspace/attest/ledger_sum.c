// SPDX-License-Identifier: BSD-2-Clause
/* ledger_sum.c - what a ledger added up, as an object: the middle part of a statement. See docs/evidence.md. */
#include "attest/ledger_internal.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const char *const reasons[GAP_MAX] = {
	[GAP_BEFORE] = "before-log",	   [GAP_STARTING] = "starting",
	[GAP_STOPPED] = "monitor-stopped", [GAP_KILLED] = "monitor-killed",
	[GAP_SILENT] = "monitor-silent",   [GAP_AWAY] = "monitor-away",
	[GAP_SENSORS] = "sensors-lost",	   [GAP_AFTER] = "after-log",
};

static json_t *coverage(const struct ledger *l)
{
	json_t *v = json_object(), *gaps = json_array();

	for (size_t i = 0; i < l->gaps; i++) {
		const struct gap *g = &l->gap[i];

		json_array_append_new(gaps, json_pack("{s:I,s:I,s:I,s:s}", "from",
						      (json_int_t)g->from, "to", (json_int_t)g->to,
						      "ms", (json_int_t)(g->to - g->from), "reason",
						      reasons[g->why]));
	}
	json_object_set_new(v, "watched_ms", json_integer(l->watched_ms));
	json_object_set_new(v, "not_watched_ms", json_integer(l->unwatched_ms));
	json_object_set_new(v, "gaps", gaps);
	json_object_set_new(v, "gaps_left_out", json_integer((json_int_t)l->gaps_left_out));
	json_object_set_new(v, "clock_set_back_ms", json_integer(l->set_back_ms));
	json_object_set_new(v, "monitor_starts", json_integer((json_int_t)l->started));
	return v;
}

static json_t *sensors(const struct ledger *l)
{
	json_t *v = json_array();

	for (size_t i = 0; i < l->sensors; i++) {
		const struct sensor *s = &l->sensor[i];

		if (s->fewest < 0)
			continue;
		json_array_append_new(v, json_pack("{s:s,s:s,s:I,s:I}", "sensor", s->name, "tier",
						   s->tier, "programs", (json_int_t)s->programs,
						   "attached", (json_int_t)s->fewest));
	}
	return v;
}

static json_t *unseen(const struct ledger *l)
{
	json_t *v = json_array(), *since;
	const char *what;

	json_object_foreach (l->unseen, what, since) {
		json_array_append_new(v, json_string(what));
	}
	return v;
}

/* --- servers --- */

/* "redis-server:6379@PLACE/BOOT" is also called what is before the slash. */
static bool is_called(const struct life *in, const char *name)
{
	size_t n = strlen(name);

	if (in->name && !strcmp(in->name, name))
		return true;
	return in->uid && !strncmp(in->uid, name, n) && (!in->uid[n] || in->uid[n] == '/');
}

static int64_t watched(const struct ledger *l, const struct life *in)
{
	return in->watched_ms + (in->alive ? l->watched_ms - in->watched0 : 0);
}

static void add_integer(json_t *v, const char *key, int64_t more)
{
	json_object_set_new(v, key,
			    json_integer(json_integer_value(json_object_get(v, key)) + more));
}

static void add_text(json_t *v, const char *key, const char *text)
{
	json_t *all = json_object_get(v, key);

	if (!text || !text[0])
		return;
	if (!all) {
		all = json_array();
		json_object_set_new(v, key, all);
	}
	for (size_t i = 0; i < json_array_size(all); i++) {
		if (!strcmp(json_string_value(json_array_get(all, i)), text))
			return;
	}
	json_array_append_new(all, json_string(text));
}

static json_t *row_of(json_t *rows, const struct life *in)
{
	json_t *row;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *uid;

		row = json_array_get(rows, i);
		uid = json_string_value(json_object_get(row, "uid"));
		if (uid && in->uid && !strcmp(uid, in->uid))
			return row;
	}
	row = json_object();
	json_object_set_new(row, "name", json_string(in->name ?: ""));
	json_object_set_new(row, "uid", json_string(in->uid ?: ""));
	json_object_set_new(row, "counts", json_object());
	json_array_append_new(rows, row);
	return row;
}

/* A server that was restarted is one row, with all its executables. */
static json_t *servers(const struct ledger *l, const char *wanted)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < l->lives; i++) {
		const struct life *in = &l->life[i];
		json_t *row;

		if ((wanted && !is_called(in, wanted)) ||
		    (!in->counts && !in->alive && (in->ended <= l->from || !watched(l, in))))
			continue;
		row = row_of(rows, in);
		add_text(row, "sha256", in->sha256);
		add_text(row, "exe", in->exe);
		add_integer(row, "watched_ms", watched(l, in));
		if (in->counts)
			ledger_add(json_object_get(row, "counts"), in->counts);
	}
	return rows;
}

/* With those of the host, which are no server's alone. */
static json_t *incidents(const struct ledger *l, const char *wanted, json_t *rows)
{
	json_t *v = json_object(), *in;
	const char *uid;

	json_object_foreach (l->incidents, uid, in) {
		json_t *of = json_object_get(in, "instance_uid");
		bool ours = !wanted || !json_is_string(of);

		for (size_t i = 0; i < json_array_size(rows) && !ours; i++)
			ours = json_equal(of, json_object_get(json_array_get(rows, i), "uid"));
		if (ours)
			json_object_set(v, uid, in);
	}
	return v;
}

/* --- what is not known --- */

static void note(json_t *v, const char *what)
{
	json_array_append_new(v, json_string(what));
}

static bool any(const struct ledger *l, const char *group, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(l->counts, group), key)) != 0;
}

static void note_bytes(json_t *v, const struct ledger *l)
{
	if (l->bytes_unknown)
		note(v,
		     "How many bytes of each server were checked to be TLS records, in the part of this time of "
		     "which the log was written by a version that did not count them.");
	if (any(l, "connections", "bytes_not_read") || any(l, "connections", "bytes_counted_later"))
		note(v,
		     "Bytes of some connections that were open at the end of this time: they are "
		     "counted when these end.");
	if (any(l, "lost", "connection_ends"))
		note(v, "Bytes of some connections that ended: the report of their end was lost.");
}

static json_t *unknown(const struct ledger *l)
{
	int64_t uncounted = l->watched_ms - l->counted_ms;
	json_t *v = json_array();
	char text[256], span[CLOCK_SPAN_LEN];

	note_bytes(v, l);
	note(v, "Connections whose handshake was before a monitor ran: they are in no number of "
		"connections.");
	if (l->unwatched_ms)
		note(v,
		     "What happened while nobody watched, but for states that a later sweep found.");
	if (uncounted >= 1000) {
		clock_text_span(uncounted, span);
		snprintf(text, sizeof(text),
			 "Accesses, connections and losses in %s that were watched: the log has no "
			 "tally of them. Events and incidents of that time are in the log.",
			 span);
		note(v, text);
	}
	if (l->log_lost)
		note(v, "What was in the records that the log lost.");
	if (l->tallies_missed)
		note(v,
		     "Numbers of some servers: the log does not have as many tallies of servers as "
		     "the host's say there were.");
	if (l->lives_left_out)
		note(v, "Servers beyond the 1024 that fit: their numbers are among the host's.");
	return v;
}

json_t *ledger_sum(struct ledger *l, int64_t to_ms, const char *instance)
{
	json_t *v = json_object();

	if (!v)
		return NULL;
	if (l->to > to_ms)
		l->to = to_ms;
	if (!l->first)
		ledger_gap(l, l->from, to_ms, GAP_BEFORE);
	else
		ledger_gap(l, l->last, to_ms, l->why == GAP_NONE ? GAP_AFTER : l->why);
	json_object_set_new(v, "coverage", coverage(l));
	json_object_set_new(v, "counted",
			    json_pack("{s:I,s:I,s:I}", "from", (json_int_t)l->counted_from, "to",
				      (json_int_t)l->counted_to, "ms", (json_int_t)l->counted_ms));
	json_object_set_new(v, "monitor", json_deep_copy(l->host));
	json_object_set_new(v, "policies", json_deep_copy(l->policies));
	json_object_set_new(v, "sensors", sensors(l));
	json_object_set_new(v, "unseen", unseen(l));
	json_object_set_new(v, "counts", json_deep_copy(l->counts));
	json_object_set_new(v, "log_lost", json_integer(l->log_lost));
	json_object_set_new(v, "tallies_missed", json_integer(l->tallies_missed));
	json_object_set_new(v, "every_ms", json_integer(l->every_ms));
	json_object_set_new(v, "servers", servers(l, instance));
	json_object_set_new(v, "servers_left_out", json_integer((json_int_t)l->lives_left_out));
	json_object_set_new(v, "unknown", unknown(l));
	if (l->named) {
		json_object_set_new(v, "incidents",
				    incidents(l, instance, json_object_get(v, "servers")));
		json_object_set_new(v, "incidents_left_out", json_boolean(l->incidents_left_out));
	}
	return v;
}
