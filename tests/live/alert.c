/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert.c - the fields of one alert, and what makes it a well-formed OCSF Detection Finding.
 */
#include "harness.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

static json_t *alert_at(json_t *alert, const char *path)
{
	json_t *at = json_object_get(json_object_get(alert, "unmapped"), "cachewarden");
	char copy[128], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save))
		at = isdigit(key[0]) ? json_array_get(at, atoi(key)) : json_object_get(at, key);
	return at;
}

const char *alert_str(json_t *alert, const char *path)
{
	return json_string_value(alert_at(alert, path)) ?: "";
}

long long alert_int(json_t *alert, const char *path)
{
	json_t *at = alert_at(alert, path);

	return json_is_integer(at) ? json_integer_value(at) : -1;
}

bool alert_true(json_t *alert, const char *path)
{
	return json_is_true(alert_at(alert, path));
}

const char *alert_uid(json_t *alert)
{
	return json_string_value(json_object_get(json_object_get(alert, "finding_info"), "uid"))
		       ?: "";
}

int alert_activity(json_t *alert)
{
	return json_integer_value(json_object_get(alert, "activity_id"));
}

const char *alert_text(json_t *a)
{
	return str(
		"%s %s %s%s object=%s outcome=%s (%s) errno=%lld found_by=%s count=%lld instance=%s/%lld "
		"target=%lld/%lld actor=%lld/%lld %s %s uid=%lld conn=%s %s:%lld<-%s:%lld %s %s "
		"cmd=%s saw=%s off=%lld bytes=%lld",
		alert_str(a, "rule"), alert_str(a, "vector"), alert_str(a, "detail"),
		alert_activity(a) == 1 ? "" : " (update)", alert_str(a, "object"),
		alert_str(a, "outcome"), alert_str(a, "result"), alert_int(a, "errno"),
		alert_str(a, "found_by"), alert_int(a, "count"), alert_str(a, "instance.name"),
		alert_int(a, "instance.pid"), alert_int(a, "instance.target_pid"),
		alert_int(a, "instance.target_tid"), alert_int(a, "actor.pid"),
		alert_int(a, "actor.tid"), alert_str(a, "actor.comm"), alert_str(a, "actor.exe"),
		alert_int(a, "actor.uid"), alert_str(a, "conn.family"),
		alert_str(a, "conn.local.ip"), alert_int(a, "conn.local.port"),
		alert_str(a, "conn.remote.ip"), alert_int(a, "conn.remote.port"),
		alert_str(a, "conn.opened"), alert_str(a, "conn.direction"),
		alert_str(a, "conn.command"), alert_str(a, "conn.saw"), alert_int(a, "conn.offset"),
		alert_int(a, "conn.bytes"));
}

/* What every alert must be, after OCSF 1.8.0's Detection Finding; NULL or what is wrong. */
const char *alert_malformed(json_t *a)
{
	static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
	long long activity = alert_activity(a), severity = 0;
	json_t *finding = json_object_get(a, "finding_info"), *analytic;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
#define FIELD(object, key) json_integer_value(json_object_get(object, key))
	for (int i = 0; i < 5; i++)
		if (!strcmp(alert_str(a, "severity"), severities[i]))
			severity = i + 1;
	analytic = json_object_get(finding, "analytic");
	if (FIELD(a, "class_uid") != 2004 || FIELD(a, "category_uid") != 2)
		return "class_uid or category_uid";
	if ((activity != 1 && activity != 2) || FIELD(a, "type_uid") != 200400 + activity)
		return "activity_id or type_uid";
	if (!severity || FIELD(a, "severity_id") != severity)
		return "severity";
	if (llabs(FIELD(a, "time") - now.tv_sec * 1000LL) > 120000)
		return "time";
	if (strcmp(json_string_value(json_object_get(json_object_get(a, "metadata"), "version"))
			   ?: "",
		   "1.8.0"))
		return "metadata.version";
	if (!alert_uid(a)[0] || !json_string_length(json_object_get(finding, "title")))
		return "finding_info.uid or title";
	if (strcmp(json_string_value(json_object_get(analytic, "uid")) ?: "",
		   alert_str(a, "rule")) ||
	    !alert_str(a, "rule")[0])
		return "finding_info.analytic.uid is not the rule";
	if (!json_array_size(json_object_get(a, "evidences")) &&
	    (json_is_object(alert_at(a, "actor")) || json_is_object(alert_at(a, "instance")) ||
	     json_is_object(alert_at(a, "conn"))))
		return "evidences";
	if ((strcmp(alert_str(a, "verdict"), "alert") &&
	     strcmp(alert_str(a, "verdict"), "prevented") &&
	     strcmp(alert_str(a, "verdict"), "allowed") &&
	     strcmp(alert_str(a, "verdict"), "observed")) ||
	    alert_int(a, "count") < 1)
		return "verdict or count";
	return NULL;
#undef FIELD
}

void alert_caught(json_t *a)
{
	json_t *finding = json_object_get(a, "finding_info");
	json_t *attack = json_array_get(json_object_get(finding, "attacks"), 0);
	json_t *technique =
		json_object_get(attack, "sub_technique") ?: json_object_get(attack, "technique");
	json_t *t = json_object_get(technique, "uid");

	printf("# caught %s by %s, ATT&CK %s: %s %s\n", alert_str(a, "rule"),
	       alert_str(a, "found_by"), json_string_value(t) ?: "-", alert_str(a, "vector"),
	       alert_str(a, "outcome"));
}
