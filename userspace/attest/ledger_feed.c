// SPDX-License-Identifier: BSD-2-Clause
/* ledger_feed.c - takes entries in; see ledger.h. What was added up becomes an object in ledger_sum.c. */
#include "attest/ledger_internal.h"

#include "evidence/entry.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000ll
#define TIME_MAX 253402300800000ll /* the year 10000 */

static const char *text(json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key));
}

static int64_t integer(json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

/* --- time --- */

static bool clip(const struct ledger *l, int64_t *from, int64_t *to)
{
	if (*from < l->from)
		*from = l->from;
	if (*to > l->to)
		*to = l->to;
	return *from < *to;
}

/* sign -1: it was not watched after all. */
static void add_watched(struct ledger *l, int64_t from, int64_t to, int sign)
{
	if (!clip(l, &from, &to))
		return;
	l->watched_ms += sign * (to - from);
	while (from < to) { /* piece by piece of a day */
		int64_t day = (from - l->from) / DAY_MS, end = l->from + (day + 1) * DAY_MS;

		if (day >= LEDGER_DAYS)
			return;
		if (end > to)
			end = to;
		l->day_ms[day] += sign * (end - from);
		from = end;
	}
}

void ledger_gap(struct ledger *l, int64_t from, int64_t to, enum gap_reason why)
{
	struct gap *last = l->gaps ? &l->gap[l->gaps - 1] : NULL;

	if (!clip(l, &from, &to))
		return;
	l->unwatched_ms += to - from;
	if (last && last->why == why && last->to == from) {
		last->to = to;
		return;
	}
	if (l->gaps == LEDGER_GAPS_MAX) {
		l->gaps_left_out++;
		return;
	}
	l->gap[l->gaps++] = (struct gap){from, to, why};
}

/* From the last entry to that time: watched, or not. */
static void advance(struct ledger *l, int64_t t)
{
	if (!l->first) {
		l->first = l->last = l->solid = t;
		if (l->from == LEDGER_FIRST)
			l->from = t;
		ledger_gap(l, l->from, t, GAP_BEFORE);
		return;
	}
	if (t < l->last) { /* the clock was set back: that time counts once */
		if (l->last - t > LEDGER_ORDER_MS && l->last > l->from && t < l->to)
			l->set_back_ms += l->last - t;
		return;
	}
	if (l->why == GAP_NONE && t - l->last <= LEDGER_SILENT_MS) {
		add_watched(l, l->last, t, 1);
	} else {
		ledger_gap(l, l->last, t, l->why == GAP_NONE ? GAP_SILENT : l->why);
		l->solid = t;
	}
	l->last = t;
}

/* Entries of other threads may lie in that time: they do not show that somebody watched. */
static void take_back(struct ledger *l, int64_t from)
{
	if (from < l->solid)
		from = l->solid;
	if (from >= l->last)
		return;
	add_watched(l, from, l->last, -1);
	for (size_t i = 0; i < l->lives; i++) {
		if (l->life[i].watched0 > l->watched_ms)
			l->life[i].watched0 = l->watched_ms;
	}
	ledger_gap(l, from, l->last, GAP_AWAY);
}

/* The monitor found that it had not run. */
static void on_away(struct ledger *l, const char *entry, size_t len)
{
	json_t *v = json_loadb(entry, len, JSON_REJECT_DUPLICATES, NULL);
	int64_t from = integer(json_object_get(v, "record"), "from"),
		to = integer(json_object_get(v, "record"), "to");

	json_decref(v);
	if (!l->first || from > to || to > entry_time(entry, len))
		return;
	if (from > l->last)
		advance(l, from);
	else if (l->why == GAP_NONE)
		take_back(l, from);
	if (to > l->last) {
		ledger_gap(l, l->last, to, l->why == GAP_NONE ? GAP_AWAY : l->why);
		l->last = to;
	}
	l->solid = l->last;
}

/* --- counts --- */

/* Largest rather than sum. */
static bool is_extreme(const char *key)
{
	return !strncmp(key, "longest_", 8);
}

static json_t *sum_of(json_t *a, json_t *b)
{
	int64_t sum;

	if (__builtin_add_overflow(json_integer_value(a), json_integer_value(b), &sum))
		sum = INT64_MAX;
	return json_integer(sum);
}

static void add_value(json_t *sum, const char *key, json_t *v);

void ledger_add(json_t *sum, json_t *more)
{
	const char *key;
	json_t *v;

	json_object_foreach (more, key, v) {
		bool room = json_object_get(sum, key) || json_object_size(sum) < LEDGER_KEYS_MAX;

		add_value(sum, room ? key : "others", v);
	}
}

static void add_value(json_t *sum, const char *key, json_t *v)
{
	json_t *was = json_object_get(sum, key);

	if (json_is_object(v)) {
		if (!json_is_object(was)) {
			was = json_object();
			json_object_set_new(sum, key, was);
		}
		ledger_add(was, v);
	} else if (json_is_integer(v) && !is_extreme(key)) {
		json_object_set_new(sum, key, sum_of(was, v));
	} else if (!json_is_integer(v) || json_integer_value(v) >= json_integer_value(was)) {
		json_object_set(sum, key, v);
	}
}

/* --- runs of the monitor --- */

static void add_once(json_t *set, json_t *v)
{
	for (size_t i = 0; i < json_array_size(set); i++) {
		if (json_equal(json_array_get(set, i), v))
			return;
	}
	if (v && json_array_size(set) < LEDGER_KEYS_MAX)
		json_array_append(set, v);
}

static void end_lives(struct ledger *l)
{
	for (size_t i = 0; i < l->lives; i++)
		ledger_end_life(l, &l->life[i]);
}

static void note_host(struct ledger *l, json_t *record)
{
	static const char *const keys[] = {"host",   "machine_id", "boot_id",
					   "kernel", "version",	   "sha256"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *v = json_object_get(record, keys[i]);

		if (!json_is_string(v))
			continue;
		json_object_set(l->now, keys[i], v);
		if (!json_is_array(json_object_get(l->host, keys[i])))
			json_object_set_new(l->host, keys[i], json_array());
		add_once(json_object_get(l->host, keys[i]), v);
	}
}

/* What was known of runs that ended before the period. */
static void forget_before(struct ledger *l)
{
	if (l->last > l->from)
		return;
	json_object_clear(l->unseen);
	json_object_clear(l->host);
	json_array_clear(l->policies);
	for (size_t i = 0; i < l->sensors; i++)
		l->sensor[i].fewest = -1;
	ledger_forget_ended(l);
}

/* A monitor begins, and the one before did not say that it ends: nobody knows when, after its last entry. */
static void note_killed(struct ledger *l)
{
	if (l->why == GAP_NONE || l->why == GAP_SENSORS)
		l->why = GAP_KILLED;
}

/* This monitor has taken over from the one before, which had said so: somebody watched all the time. */
static bool continues(const struct ledger *l, json_t *record)
{
	return l->handed_ms && integer(record, "from_at") == l->handed_ms;
}

/* Called before the time until then is accounted for: was it watched? */
static void on_start_ahead(struct ledger *l, const char *entry, size_t len)
{
	json_t *v;

	if (l->handed_ms) {
		v = json_loadb(entry, len, JSON_REJECT_DUPLICATES, NULL);
		if (!continues(l, json_object_get(v, "record")))
			l->why = GAP_STOPPED;
		json_decref(v);
	} else {
		note_killed(l);
	}
}

static void on_start(struct ledger *l, json_t *record)
{
	bool joins = continues(l, record);

	l->handed_ms = 0;
	l->joined_ms = l->watched_ms;
	for (size_t i = 0; i < l->lives; i++)
		l->life[i].handed = joins && l->life[i].alive;
	end_lives(l);
	forget_before(l);
	l->started += l->last > l->from;
	l->runs++;
	l->attached = 0;
	for (size_t i = 0; i < l->sensors; i++)
		l->sensor[i].programs = l->sensor[i].attached = 0;
	note_host(l, record);
}

static void on_end(struct ledger *l, json_t *record)
{
	if (l->handed_ms) /* the entry that follows shows whether somebody has taken over */
		return;
	l->why = GAP_STOPPED;
	end_lives(l);
}

static void on_handover(struct ledger *l, json_t *record)
{
	l->handed_ms = integer(record, "at");
}

static void on_policy(struct ledger *l, json_t *record)
{
	json_t *files = json_object_get(record, "files");

	json_object_set(l->now, "policy", files);
	if (l->last <= l->from)
		json_array_clear(l->policies);
	add_once(l->policies, files);
}

static bool overlaps(const struct ledger *l, int64_t from, int64_t to)
{
	return to > l->from && from < l->to;
}

static void on_server_tally(struct ledger *l, json_t *record, bool counts)
{
	json_t *more = json_object_get(record, "counts");
	struct life *in = ledger_note_life(l, record);

	if (counts && !json_object_get(more, "bytes"))
		l->bytes_unknown = true;
	if (in && json_is_false(json_object_get(record, "alive")))
		ledger_end_life(l, in);
	if (in && counts) {
		in->counts = in->counts ?: json_object();
		ledger_add(in->counts, more);
	} else if (counts) { /* no room for the server: its host has it */
		ledger_add(l->counts, more);
	}
}

/* A log that was pruned may begin between the servers' and the host's: then they are missed, too. */
static void note_missed(struct ledger *l, json_t *record, bool counts)
{
	json_t *said = json_object_get(record, "server_tallies");
	int64_t by = json_integer_value(said) - l->told;

	if (json_is_integer(said) && counts)
		l->tallies_missed += by < 0 ? -by : by;
	l->told = 0;
}

static void on_tally(struct ledger *l, json_t *record)
{
	int64_t from = integer(record, "from"), to = integer(record, "to");
	bool counts = overlaps(l, from, to);

	if (l->last > l->to && !counts)
		return;
	if (json_object_get(record, "id")) {
		l->told++;
		on_server_tally(l, record, counts);
		return;
	}
	note_missed(l, record, counts);
	if (l->last <= l->to) {
		note_host(l, record);
		on_policy(l, record);
		ledger_on_sensor_sums(l, record);
	}
	if (!counts)
		return;
	ledger_add(l->counts, json_object_get(record, "counts"));
	l->every_ms = 1000 * integer(record, "every_s");
	if (!l->counted_from || from < l->counted_from)
		l->counted_from = from;
	if (to > l->counted_to)
		l->counted_to = to;
	if (clip(l, &from, &to))
		l->counted_ms += to - from;
}

static void on_incident(struct ledger *l, json_t *record)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	int64_t from = integer(record, "start_time"), to = integer(record, "end_time");
	const char *uid = text(json_object_get(record, "finding_info"), "uid");
	json_t *row;

	if (!uid || !overlaps(l, from, to + 1))
		return;
	if (!json_object_get(l->incidents, uid) &&
	    json_object_size(l->incidents) >= LEDGER_INCIDENTS_MAX) {
		l->incidents_left_out = true;
		return;
	}
	row = json_object();
	json_object_set(row, "message", json_object_get(record, "message"));
	json_object_set(row, "severity", json_object_get(own, "severity"));
	json_object_set(row, "rules", json_object_get(own, "rules"));
	json_object_set(row, "instance", json_object_get(json_object_get(own, "instance"), "name"));
	json_object_set(row, "instance_uid",
			json_object_get(json_object_get(own, "instance"), "uid"));
	json_object_set_new(row, "from", json_integer(from));
	json_object_set_new(row, "to", json_integer(to));
	json_object_set_new(l->incidents, uid, row);
}

/* --- entries --- */

static void on_lost(struct ledger *l, json_t *record)
{
	if (l->last >= l->from && l->last <= l->to)
		l->log_lost += integer(record, "records");
}

static const struct {
	const char *kind;
	void (*fn)(struct ledger *l, json_t *record);
	bool behind; /* also if it is logged behind the period: it may be about it */
	bool named;  /* only if incidents are wanted */
} kinds[] = {
	{"start", on_start},
	{"totals", on_end},
	{"stop", on_end},
	{"handover", on_handover},
	{"sensors", ledger_on_sensors},
	{"instance", ledger_on_instance},
	{"policy", on_policy},
	{"tally", on_tally, true},
	{"lost", on_lost},
	{"incident", on_incident, true, true},
};

static void take(struct ledger *l, const char *entry, size_t len)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		json_t *v;

		if (!entry_is(entry, len, kinds[i].kind))
			continue;
		if ((l->last > l->to && !kinds[i].behind) || (kinds[i].named && !l->named))
			return;
		v = json_loadb(entry, len, JSON_REJECT_DUPLICATES, NULL);
		kinds[i].fn(l, json_object_get(v, "record"));
		json_decref(v);
		return;
	}
}

/* Whether a new monitor wrote a delegation or one that ran, only the entry after it shows. */
void ledger_entry(struct ledger *l, const char *entry, size_t len)
{
	int64_t t = entry_time(entry, len);

	/* of a log that was pruned, one statement is left before what is there */
	if (t > TIME_MAX || (!l->first && entry_is(entry, len, "statement")))
		return;
	if (entry_is(entry, len, "epoch")) {
		l->epoch_ms = t;
		return;
	}
	if (entry_is(entry, len, "start"))
		on_start_ahead(l, entry, len);
	else if (entry_is(entry, len, "recovery"))
		note_killed(l);
	else if (l->epoch_ms &&
		 l->first) /* a log can begin with delegations of what is not there any more */
		advance(l, l->epoch_ms);
	l->epoch_ms = 0;
	if (entry_is(entry, len, "away"))
		on_away(l, entry, len);
	advance(l, t);
	take(l, entry, len);
}

void ledger_alive(struct ledger *l, int64_t time_ms)
{
	advance(l, time_ms);
}

int64_t ledger_from(const struct ledger *l)
{
	return l->from;
}

void ledger_reopen(struct ledger *l)
{
	l->to = LEDGER_OPEN;
}

int64_t ledger_first(const struct ledger *l)
{
	return l->first;
}

int64_t ledger_last(const struct ledger *l)
{
	return l->last;
}

int64_t ledger_day(const struct ledger *l, unsigned int day)
{
	return day < LEDGER_DAYS ? l->day_ms[day] : 0;
}

/* --- begin and end --- */

/* The sets of a period. Returns false if memory ran out. */
static bool begin(struct ledger *l)
{
	json_t **const sets[] = {&l->counts, &l->unseen, &l->host, &l->incidents};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		json_decref(*sets[i]);
		*sets[i] = json_object();
		if (!*sets[i])
			return false;
	}
	json_decref(l->policies);
	l->policies = json_array();
	return l->policies != NULL;
}

struct ledger *ledger_new(int64_t from_ms, int64_t to_ms, bool named)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->from = from_ms;
	l->to = to_ms;
	l->named = named;
	l->why = GAP_STARTING;
	l->now = json_object();
	if (begin(l) && l->now)
		return l;
	ledger_free(l);
	return NULL;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->lives; i++)
		ledger_free_life(&l->life[i]);
	free(l->life);
	json_decref(l->counts);
	json_decref(l->unseen);
	json_decref(l->host);
	json_decref(l->incidents);
	json_decref(l->policies);
	json_decref(l->now);
	free(l);
}

void ledger_restart(struct ledger *l, int64_t from_ms)
{
	begin(l);
	l->from = from_ms;
	l->to = LEDGER_OPEN;
	l->watched_ms = l->unwatched_ms = l->set_back_ms = 0;
	l->counted_from = l->counted_to = l->counted_ms = 0;
	l->log_lost = 0;
	l->tallies_missed = 0;
	l->gaps = l->gaps_left_out = l->lives_left_out = 0;
	l->started = 0;
	l->incidents_left_out = false;
	memset(l->day_ms, 0, sizeof(l->day_ms));
	ledger_forget_ended(l);
	for (size_t i = 0; i < l->sensors; i++)
		l->sensor[i].fewest = l->sensor[i].programs ? l->sensor[i].attached : -1;
	note_host(l, l->now);
	if (json_object_get(l->now, "policy"))
		add_once(l->policies, json_object_get(l->now, "policy"));
}
