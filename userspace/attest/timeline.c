// SPDX-License-Identifier: BSD-2-Clause
/* timeline.c - see timeline.h. */
#include "attest/timeline.h"
#include "base/clock.h"

#include "attest/statement.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_LEN 512

struct item {
	json_t *v, *record;
	char message[MESSAGE_LEN];
	const char *desc;
	int64_t time;
};

static const char *text(json_t *v, const char *key)
{
	return json_string_value(json_object_get(v, key)) ?: "";
}

static int64_t integer(json_t *v, const char *key)
{
	return json_integer_value(json_object_get(v, key));
}

/* Cut between two characters: what is not valid UTF-8 is no JSON. */
__attribute__((format(printf, 2, 3))) static void say(struct item *i, const char *fmt, ...)
{
	size_t n;
	va_list args;

	va_start(args, fmt);
	n = (size_t)vsnprintf(i->message, sizeof(i->message), fmt, args);
	va_end(args);
	if (n < sizeof(i->message))
		return;
	n = sizeof(i->message) - 1;
	while (n && ((unsigned char)i->message[n - 1] & 0xc0) == 0x80)
		n--;
	if (n && (unsigned char)i->message[n - 1] >= 0xc0)
		n--;
	i->message[n] = '\0';
}

static void set(struct item *i, const char *key, json_t *value)
{
	if (value && !json_is_null(value))
		json_object_set(i->v, key, value);
}

static json_t *own_of(json_t *record)
{
	return json_object_get(json_object_get(record, "unmapped"), "cachewarden");
}

static void set_actor(struct item *i, json_t *own)
{
	json_t *a = json_object_get(own, "actor");

	set(i, "pid", json_object_get(a, "pid"));
	set(i, "comm", json_object_get(a, "comm"));
	set(i, "exe", json_object_get(a, "exe"));
	set(i, "uid", json_object_get(a, "uid"));
	set(i, "cmdline", json_object_get(a, "cmdline"));
	set(i, "instance", json_object_get(json_object_get(own, "instance"), "name"));
	set(i, "severity", json_object_get(own, "severity"));
}

static void on_event(struct item *i)
{
	json_t *own = own_of(i->record);
	const char *detail = text(own, "detail"), *result = text(own, "result");

	i->desc = "First attempt";
	i->time = integer(i->record, "start_time");
	say(i, "%s%s%s%s%s; %" PRId64 " in all so far", text(i->record, "message"),
	    detail[0] ? ": " : "", detail, result[0] ? "; " : "", result, integer(own, "count"));
	set_actor(i, own);
	set(i, "rule", json_object_get(own, "rule"));
	set(i, "verdict", json_object_get(own, "verdict"));
	set(i, "incident", json_object_get(own, "incident"));
}

static void on_incident(struct item *i)
{
	static const char *const changes[] = {"", "opened", "updated", "closed"};
	int64_t change = integer(i->record, "activity_id");
	json_t *own = own_of(i->record);

	i->desc = "Report of an incident";
	say(i, "Incident %s: %s", change > 0 && change < 4 ? changes[change] : "reported",
	    text(i->record, "message"));
	set_actor(i, own);
	set(i, "incident", json_object_get(json_object_get(i->record, "finding_info"), "uid"));
}

static void on_handover(struct item *i)
{
	i->desc = "Monitor handed over";
	say(i, "Monitor handed over to pid %" PRId64 ", %s", integer(i->record, "to_pid"),
	    text(i->record, "exe"));
}

static void on_start(struct item *i)
{
	i->desc = "Monitor started";
	say(i, "Monitor started: cachewarden %s, pid %" PRId64, text(i->record, "version"),
	    integer(i->record, "pid"));
}

static void on_end(struct item *i)
{
	i->desc = "Monitor ended";
	say(i, "Monitor ended: %" PRId64 " events, %" PRId64 " incidents, %" PRId64 " lost",
	    integer(i->record, "events"), integer(i->record, "incidents"),
	    integer(i->record, "lost"));
}

static void on_sensors(struct item *i)
{
	json_t *all = json_object_get(i->record, "programs");
	size_t on = 0;

	for (size_t k = 0; k < json_array_size(all); k++)
		on += json_is_true(json_object_get(json_array_get(all, k), "attached"));
	i->desc = "Sensors attached";
	say(i, "Sensors: %zu of %zu programs attached", on, json_array_size(all));
}

static void on_policy(struct item *i)
{
	json_t *file = json_array_get(json_object_get(i->record, "files"), 0);

	i->desc = "Policy in force";
	say(i, "Policy %s: %s", text(i->record, "change"), file ? text(file, "path") : "built in");
}

static void on_instance(struct item *i)
{
	i->desc = "Server changed";
	say(i, "Server %s %s: pid %" PRId64 ", %s", text(i->record, "name"),
	    text(i->record, "change"), integer(i->record, "pid"), text(i->record, "exe"));
	set(i, "instance", json_object_get(i->record, "name"));
}

static void on_actor(struct item *i)
{
	json_t *file = json_object_get(i->record, "file"),
	       *package = json_object_get(file, "package");
	const char *sha256 = text(file, "sha256");

	i->desc = "Actor looked at";
	say(i, "More about %s, pid %" PRId64 ": SHA-256 %s, package %s %s", text(i->record, "comm"),
	    integer(i->record, "pid"), sha256[0] ? sha256 : "unknown",
	    package && text(package, "name")[0] ? text(package, "name") : "unknown",
	    text(package, "version"));
	set(i, "pid", json_object_get(i->record, "pid"));
	set(i, "comm", json_object_get(i->record, "comm"));
	set(i, "exe", json_object_get(i->record, "exe"));
	set(i, "uid", json_object_get(i->record, "uid"));
	set(i, "cmdline", json_object_get(i->record, "cmdline"));
	set(i, "sha256", json_object_get(file, "sha256"));
}

static void on_policy_refused(struct item *i)
{
	i->desc = "Policy refused";
	say(i, "%s was to be loaded again and is invalid; the policy in force stays: %s",
	    text(i->record, "path"), text(i->record, "error"));
}

static void on_server(struct item *i)
{
	json_t *first = json_array_get(json_object_get(i->record, "configuration"), 0);

	i->desc = "Server described";
	say(i, "Server %s, pid %" PRId64 ": configuration %s", text(i->record, "name"),
	    integer(i->record, "pid"), first ? text(first, "path") : "unknown");
	set(i, "instance", json_object_get(i->record, "name"));
}

static void on_clock(struct item *i)
{
	i->desc = "Clock changed";
	say(i, "The wall clock %s by %" PRId64 " ms",
	    json_is_true(json_object_get(i->record, "set")) ? "was set" : "drifted",
	    integer(i->record, "step_ms"));
}

static void on_statement(struct item *i)
{
	i->desc = "Statement signed";
	say(i, "A statement of what was watched was signed");
}

static void on_lost(struct item *i)
{
	i->desc = "Records lost";
	say(i, "The log lost %" PRId64 " records", integer(i->record, "records"));
}

static void on_away(struct item *i)
{
	i->desc = "Nobody watched";
	say(i, "The monitor did not run for %" PRId64 " ms",
	    integer(i->record, "to") - integer(i->record, "from"));
}

static void on_recovery(struct item *i)
{
	i->desc = "Log recovered";
	say(i, "The monitor before had not ended properly; %" PRId64 " entries were not signed yet",
	    integer(i->record, "replayed"));
}

static const struct {
	const char *kind;
	void (*fn)(struct item *i);
} kinds[] = {
	{"event", on_event},	   {"incident", on_incident},
	{"start", on_start},	   {"totals", on_end},
	{"sensors", on_sensors},   {"policy", on_policy},
	{"instance", on_instance}, {"statement", on_statement},
	{"lost", on_lost},	   {"recovery", on_recovery},
	{"away", on_away},	   {"actor", on_actor},
	{"server", on_server},	   {"clock", on_clock},
	{"handover", on_handover}, {"policy-refused", on_policy_refused},
};

json_t *timeline_item(json_t *entry, uint64_t index)
{
	struct item i = {.record = json_object_get(entry, "record"),
			 .time = integer(entry, "time")};
	const char *kind = text(entry, "kind");
	char time[CLOCK_UTC_LEN], datetime[CLOCK_UTC_LEN + 8];

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !i.v; k++) {
		if (strcmp(kind, kinds[k].kind) != 0)
			continue;
		i.v = json_object();
		kinds[k].fn(&i);
	}
	if (!i.v)
		return NULL;
	clock_text_utc(i.time, time);
	snprintf(datetime, sizeof(datetime), "%.*s+00:00", (int)strlen(time) - 1, time);
	json_object_set_new(i.v, "message", json_string(i.message));
	json_object_set_new(i.v, "datetime", json_string(datetime));
	json_object_set_new(i.v, "timestamp", json_integer(i.time * 1000));
	json_object_set_new(i.v, "timestamp_desc", json_string(i.desc));
	json_object_set_new(i.v, "kind", json_string(kind));
	json_object_set_new(i.v, "entry", json_integer((json_int_t)index));
	return i.v;
}
