// SPDX-License-Identifier: BSD-2-Clause
/* casefile.c - see casefile.h. */
#include "attest/casefile.h"

#include "base/macros.h"
#include "evidence/entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- which entries --- */

static bool is_text(json_t *v, const char *want)
{
	const char *text = json_string_value(v);

	return text && !strcmp(text, want);
}

bool casefile_names(json_t *incidents, const char *uid)
{
	for (size_t i = 0; i < json_array_size(incidents); i++) {
		if (is_text(json_array_get(incidents, i), uid))
			return true;
	}
	return false;
}

/* An event of the incident, a report of it, or more about who did it or to what. */
static bool is_about(json_t *record, const char *uid)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");

	return is_text(json_object_get(own, "incident"), uid) ||
	       is_text(json_object_get(json_object_get(record, "finding_info"), "uid"), uid) ||
	       casefile_names(json_object_get(record, "incidents"), uid);
}

/* Kinds of entries that are about incidents. */
static bool has_incident(const char *entry, size_t len)
{
	static const char *const kinds[] = {"event", "incident", "actor", "layout"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (entry_is(entry, len, kinds[i]))
			return true;
	}
	return false;
}

/* Does not parse what cannot be. */
static json_t *record_about(const char *entry, size_t len, const char *uid)
{
	json_t *v, *record;

	if (!has_incident(entry, len))
		return NULL;
	if (!memmem(entry, len, uid, strlen(uid)))
		return NULL;
	v = json_loadb(entry, len, 0, NULL);
	record = json_object_get(v, "record");
	record = record && is_about(record, uid) ? json_incref(record) : NULL;
	json_decref(v);
	return record;
}

/* --- the time of an incident --- */

struct span {
	struct casefile *c;
	int64_t from, to; /* 0: not found */
	char latest[128]; /* id of the last incident in the log */
};

static void note_latest(struct span *s, const char *entry, size_t len)
{
	json_t *v, *info;
	const char *uid;

	if (!entry_is(entry, len, "incident"))
		return;
	v = json_loadb(entry, len, 0, NULL);
	info = json_object_get(json_object_get(v, "record"), "finding_info");
	uid = json_string_value(json_object_get(info, "uid"));
	if (uid)
		snprintf(s->latest, sizeof(s->latest), "%s", uid);
	json_decref(v);
}

static int widen(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct span *s = ctx;
	json_t *record = record_about(entry, len, s->c->incident);
	int64_t from, to = entry_time(entry, len);

	if (!record) {
		note_latest(s, entry, len);
		return 0;
	}
	from = entry_is(entry, len, "event") || entry_is(entry, len, "incident")
		       ? json_integer_value(json_object_get(record, "start_time"))
		       : entry_time(entry, len);
	if (!s->from || from < s->from)
		s->from = from;
	if (to != INT64_MAX && to + 1 > s->to)
		s->to = to + 1;
	json_decref(record);
	return 0;
}

static int find_incident(struct casefile *c, const char *dir)
{
	struct span s = {.c = c};
	int err = reader_open(&c->a.reader, dir) ?: reader_each(&c->a.reader, 0, widen, &s, NULL);

	if (err || s.from) {
		c->a.from = s.from;
		c->a.to = s.to;
		if (!err)
			reader_close(&c->a.reader);
		return err;
	}
	snprintf(c->a.reader.error, sizeof(c->a.reader.error),
		 "the log has no incident '%.100s'%s%s", c->incident,
		 s.latest[0] ? "; the last one is " : "", s.latest);
	return -ENOENT;
}

/* --- keep --- */

static int keep(struct casefile *c, uint64_t index, const char *entry, size_t len)
{
	struct kept *k;

	if (c->count == CASEFILE_ENTRIES_MAX || c->bytes + len > CASEFILE_BYTES_MAX) {
		snprintf(c->a.reader.error, sizeof(c->a.reader.error),
			 "these are more than %d entries, or 128 MiB: choose a later --since or an "
			 "--incident",
			 CASEFILE_ENTRIES_MAX);
		return -E2BIG;
	}
	if (c->count == c->room) {
		size_t room = c->room ? 2 * c->room : 64;
		struct kept *all = reallocarray(c->all, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		c->all = all;
		c->room = room;
	}
	k = &c->all[c->count];
	k->entry = malloc(len + 1);
	if (!k->entry)
		return -ENOMEM;
	memcpy(k->entry, entry, len);
	k->entry[len] = '\0';
	k->len = len;
	k->index = index;
	c->count++;
	c->bytes += len;
	return 0;
}

/* The last ones of before: what ran, with which policy and sensors. */
static const char *const states[] = {"start", "policy", "sensors"};
#define STATES (sizeof(states) / sizeof(states[0]))

struct gathering {
	struct casefile *c;
	struct kept state[STATES]; /* entry NULL: none yet */
};

static int note_state(struct gathering *g, uint64_t index, const char *entry, size_t len)
{
	for (size_t i = 0; i < STATES; i++) {
		struct kept *k = &g->state[i];

		if (!entry_is(entry, len, states[i]))
			continue;
		free(k->entry);
		*k = (struct kept){.index = index, .entry = malloc(len), .len = len};
		if (!k->entry)
			return -ENOMEM;
		memcpy(k->entry, entry, len);
	}
	return 0;
}

/* What was noted, in its order, once the time begins. */
static int keep_states(struct gathering *g)
{
	int err = 0;

	for (size_t n = 0; n < STATES && !err; n++) {
		struct kept *first = NULL;

		for (size_t i = 0; i < STATES; i++) {
			if (g->state[i].entry && (!first || g->state[i].index < first->index))
				first = &g->state[i];
		}
		if (!first)
			break;
		err = keep(g->c, first->index, first->entry, first->len);
		free(first->entry);
		first->entry = NULL;
	}
	return err;
}

/* A delegation by the identity begins a chain: the one before is of another run. */
static int note_key(struct casefile *c, uint64_t index, const char *entry, size_t len)
{
	struct delegation d;
	struct note note;
	char text[NOTE_MAX];

	if (reader_delegation(entry, len, text, &note, &d) ||
	    index > c->a.reader.checkpoint.delegation)
		return 0;
	if (note_verify(&note, &c->a.reader.identity))
		json_array_clear(c->keys);
	return json_array_append_new(
		       c->keys, json_pack("{s:I,s:s}", "index", (json_int_t)index, "note", text))
		       ? -ENOMEM
		       : 0;
}

/* Of the time of an incident, everything but what is about other incidents. */
static bool is_wanted(const struct casefile *c, const char *entry, size_t len)
{
	json_t *record;

	if (!c->incident)
		return true;
	record = record_about(entry, len, c->incident);
	json_decref(record);
	return record || !has_incident(entry, len);
}

static int gather(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct gathering *g = ctx;
	struct casefile *c = g->c;
	int64_t t = entry_time(entry, len);
	int err = 0;

	if (at->index >= c->a.verified.size)
		return 1;
	if (entry_is(entry, len, "epoch"))
		err = note_key(c, at->index, entry, len);
	if (err || t == INT64_MAX)
		return err;
	if (t < c->a.from && !c->count)
		return note_state(g, at->index, entry, len);
	if (t < c->a.from || t > c->a.to || !is_wanted(c, entry, len))
		return 0;
	return (c->count ? 0 : keep_states(g)) ?: keep(c, at->index, entry, len);
}

int casefile_make(struct casefile *c, const char *dir)
{
	struct gathering g = {.c = c};
	int err = 0;

	c->a.from = c->since;
	c->a.to = LEDGER_OPEN;
	if (c->incident)
		err = find_incident(c, dir);
	if (err)
		return err;
	err = account_make(&c->a, dir);
	c->keys = json_array();
	if (err || !c->keys)
		return err ?: -ENOMEM;
	err = reader_each(&c->a.reader, 0, gather, &g, NULL);
	for (size_t i = 0; i < STATES; i++)
		free(g.state[i].entry);
	if (!err && !c->count) {
		snprintf(c->a.reader.error, sizeof(c->a.reader.error),
			 "the log has no entry of that time or later");
		err = -ENOENT;
	}
	return err;
}

void casefile_free(struct casefile *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->all[i].entry);
	free(c->all);
	json_decref(c->keys);
	account_free(&c->a);
}
