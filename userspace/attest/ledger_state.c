// SPDX-License-Identifier: BSD-2-Clause
/* ledger_state.c - the servers and sensors of a ledger: what is there as of its last entry. */
#include "attest/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

static const char *text(json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key));
}

static int64_t integer(json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

/* --- servers --- */

static void set_text(char **place, const char *value)
{
	if (!value || (*place && !strcmp(*place, value)))
		return;
	free(*place);
	*place = strdup(value);
}

static struct life *find_life(struct ledger *l, json_t *record)
{
	int64_t id = integer(record, "id"), pid = integer(record, "pid");

	for (size_t i = l->lives; i-- > 0;) {
		struct life *at = &l->life[i];

		if (at->run == l->runs && (id ? at->id == id : at->pid == pid))
			return at;
	}
	return NULL;
}

static struct life *add_life(struct ledger *l)
{
	struct life *all;

	if (l->lives == LEDGER_LIVES_MAX) {
		l->lives_left_out++;
		return NULL;
	}
	if (l->lives == l->lives_room) {
		size_t room = l->lives_room ? 2 * l->lives_room : 16;

		all = reallocarray(l->life, room, sizeof(*all));
		if (!all)
			return NULL;
		l->life = all;
		l->lives_room = room;
	}
	l->life[l->lives] = (struct life){.run = l->runs, .alive = true, .watched0 = l->watched_ms};
	return &l->life[l->lives++];
}

void ledger_end_life(struct ledger *l, struct life *in)
{
	if (!in->alive)
		return;
	in->alive = false;
	in->ended = l->last;
	in->watched_ms += l->watched_ms - in->watched0;
}

struct life *ledger_note_life(struct ledger *l, json_t *record)
{
	struct life *in = find_life(l, record) ?: add_life(l);

	if (!in)
		return NULL;
	in->id = integer(record, "id");
	in->pid = integer(record, "pid");
	set_text(&in->name, text(record, "name"));
	set_text(&in->uid, text(record, "uid"));
	set_text(&in->sha256, text(record, "sha256"));
	set_text(&in->exe, text(record, "exe"));
	return in;
}

/* The monitor before knew it, too, until this one took over: it was watched all the time. */
static bool was_handed(const struct ledger *l, const struct life *in)
{
	for (size_t i = 0; i < l->lives && in->uid; i++) {
		const struct life *at = &l->life[i];

		if (at->handed && at->run + 1 == in->run && at->uid && !strcmp(at->uid, in->uid))
			return true;
	}
	return false;
}

void ledger_on_instance(struct ledger *l, json_t *record)
{
	const char *change = text(record, "change");
	struct life *in = ledger_note_life(l, record);

	if (in && change && !strcmp(change, "ended"))
		ledger_end_life(l, in);
	if (in && change && !strcmp(change, "found") && was_handed(l, in))
		in->watched0 = l->joined_ms;
}

void ledger_free_life(struct life *in)
{
	free(in->name);
	free(in->uid);
	free(in->sha256);
	free(in->exe);
	json_decref(in->counts);
}

void ledger_forget_ended(struct ledger *l)
{
	size_t left = 0;

	for (size_t i = 0; i < l->lives; i++) {
		struct life *in = &l->life[i];

		if (!in->alive) {
			ledger_free_life(in);
			continue;
		}
		json_decref(in->counts);
		in->counts = NULL;
		in->watched0 = in->watched_ms = 0;
		l->life[left++] = *in;
	}
	l->lives = left;
}

/* --- sensors --- */

static struct sensor *find_sensor(struct ledger *l, const char *name, const char *tier)
{
	for (size_t i = 0; i < l->sensors; i++) {
		if (!strcmp(l->sensor[i].name, name) && !strcmp(l->sensor[i].tier, tier))
			return &l->sensor[i];
	}
	if (l->sensors == LEDGER_SENSORS_MAX)
		return NULL;
	l->sensor[l->sensors] = (struct sensor){.fewest = -1};
	strncpy(l->sensor[l->sensors].name, name, SENSOR_NAME_LEN - 1);
	strncpy(l->sensor[l->sensors].tier, tier, SENSOR_NAME_LEN - 1);
	return &l->sensor[l->sensors++];
}

static void note_unseen(struct ledger *l, const char *what)
{
	if (what && !json_object_get(l->unseen, what) &&
	    json_object_size(l->unseen) < LEDGER_KEYS_MAX)
		json_object_set_new(l->unseen, what, json_integer(l->last));
}

static void set_attached(struct ledger *l, struct sensor *s, int64_t programs, int64_t attached)
{
	s->programs = programs;
	s->attached = attached;
	if (programs && (s->fewest < 0 || attached < s->fewest || l->last <= l->from))
		s->fewest = attached;
}

/* The programs of a monitor: all that it starts with, or what is left of them. */
void ledger_on_sensors(struct ledger *l, json_t *record)
{
	json_t *all = json_object_get(record, "programs");
	struct sensor *s = NULL, seen[LEDGER_SENSORS_MAX] = {};
	int64_t attached = 0;

	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *p = json_array_get(all, i);
		const char *name = text(p, "sensor"), *tier = text(p, "tier");
		bool on = json_is_true(json_object_get(p, "attached"));

		s = name && tier ? find_sensor(l, name, tier) : NULL;
		if (s) {
			seen[s - l->sensor].programs++;
			seen[s - l->sensor].attached += on;
		}
		attached += on;
		if (!on)
			note_unseen(l, text(p, "unseen"));
	}
	for (size_t i = 0; i < l->sensors; i++)
		set_attached(l, &l->sensor[i], seen[i].programs, seen[i].attached);
	if (!attached || (l->why == GAP_NONE && attached < l->attached))
		l->why = GAP_SENSORS;
	else if (l->why != GAP_SENSORS)
		l->why = GAP_NONE;
	l->attached = attached;
}

/* The same from a tally: all that is known if the log was read from there on. */
void ledger_on_sensor_sums(struct ledger *l, json_t *record)
{
	json_t *all = json_object_get(record, "sensors"),
	       *unseen = json_object_get(record, "unseen");
	int64_t attached = 0;

	for (size_t i = 0; i < json_array_size(all); i++) {
		json_t *v = json_array_get(all, i);
		const char *name = text(v, "sensor"), *tier = text(v, "tier");
		struct sensor *s = name && tier ? find_sensor(l, name, tier) : NULL;

		attached += integer(v, "attached");
		if (s)
			set_attached(l, s, integer(v, "programs"), integer(v, "attached"));
	}
	for (size_t i = 0; i < json_array_size(unseen); i++)
		note_unseen(l, json_string_value(json_array_get(unseen, i)));
	if (l->why == GAP_STARTING && !l->runs)
		l->why = !attached || json_is_true(json_object_get(record, "sensors_lost"))
				 ? GAP_SENSORS
				 : GAP_NONE;
}
