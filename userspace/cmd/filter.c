// SPDX-License-Identifier: BSD-2-Clause
/* filter.c - see filter.h. */
#include "cmd/filter.h"

#include "cmd/evidence_common.h"
#include "base/log.h"
#include "model/rule.h"
#include "model/severity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int filter_check(const char *command, struct filter *f)
{
	char option[64];

	snprintf(option, sizeof(option), "%s: --since", command);
	if (f->since && !evidence_time(f->since, &f->since_ms))
		return evidence_bad_time(option, f->since);
	if (f->rule && rule_find(f->rule) == RULE_NONE) {
		log_error("%s: no rule '%s'; cachewarden-rules(7) lists them", command, f->rule);
		return EXIT_USAGE;
	}
	return CLI_PROCEED;
}

static bool is_text(const json_t *v, const char *want)
{
	return json_is_string(v) && !strcmp(json_string_value(v), want);
}

static bool is_at_least(const struct filter *f, const json_t *name, enum severity unknown)
{
	enum severity severity = unknown;

	severity_parse(json_string_value(name), &severity);
	return f->severity < 0 || severity >= (enum severity)(f->severity + SEVERITY_INFO);
}

/* An object with the members that actors have wherever they are written. */
static bool is_process(const json_t *actor, const char *who)
{
	const json_t *pid = json_object_get(actor, "pid");
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRId64, (int64_t)json_integer_value(pid));
	return (json_is_integer(pid) && !strcmp(who, digits)) ||
	       is_text(json_object_get(actor, "comm"), who) ||
	       is_text(json_object_get(actor, "exe"), who);
}

/* rules: names in an array. */
static bool has_rule(const json_t *rules, const char *rule)
{
	const json_t *one;
	size_t i;

	json_array_foreach (rules, i, one) {
		if (is_text(one, rule))
			return true;
	}
	return false;
}

bool filter_incident(const struct filter *f, const json_t *incident)
{
	const json_t *in = json_object_get(incident, "instance");

	return is_at_least(f, json_object_get(incident, "severity"), SEVERITY_CRITICAL) &&
	       json_integer_value(json_object_get(incident, "last")) >= f->since_ms &&
	       (!f->rule || has_rule(json_object_get(incident, "rules"), f->rule)) &&
	       (!f->actor || is_process(json_object_get(incident, "actor"), f->actor)) &&
	       (!f->instance || is_text(json_object_get(in, "name"), f->instance));
}

void filter_incidents(const struct filter *f, json_t *incidents)
{
	for (size_t i = json_array_size(incidents); i-- > 0;) {
		if (!filter_incident(f, json_array_get(incidents, i)))
			json_array_remove(incidents, i);
	}
}

/* --- entries of a log --- */

/* Who did it: of an incident, whoever took part. An entry of kind actor is about a process. */
static bool is_by(const json_t *entry, const json_t *record, const json_t *own, const char *who)
{
	const json_t *action;
	size_t i;

	if (is_process(json_object_get(own, "actor"), who))
		return true;
	json_array_foreach (json_object_get(own, "events"), i, action) {
		if (is_process(json_object_get(action, "actor"), who))
			return true;
	}
	return is_text(json_object_get(entry, "kind"), "actor") && is_process(record, who);
}

/* Events, incidents and what is known of actors name the server that it was done to; other kinds are about a server. */
static bool is_of(const json_t *record, const json_t *own, const char *name)
{
	const json_t *in = json_object_get(own ?: record, "instance");

	return is_text(json_object_get(in ?: record, "name"), name);
}

bool filter_entry(const struct filter *f, const json_t *entry)
{
	const json_t *record = json_object_get(entry, "record");
	const json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	const json_t *severity = json_object_get(own, "severity");

	return json_integer_value(json_object_get(entry, "time")) >= f->since_ms &&
	       is_at_least(f, severity, severity ? SEVERITY_CRITICAL : 0) &&
	       (!f->rule || is_text(json_object_get(own ?: record, "rule"), f->rule) ||
		json_object_get(json_object_get(own, "rules"), f->rule)) &&
	       (!f->actor || is_by(entry, record, own, f->actor)) &&
	       (!f->instance || is_of(record, own, f->instance));
}
