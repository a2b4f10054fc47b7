// SPDX-License-Identifier: BSD-2-Clause
/* notice.c - see notice.h. */
#include "report/notice.h"

#include "base/macros.h"

#include <stdio.h>
#include <string.h>

#define OWN "unmapped.cachewarden."

static const struct {
	const char *name,
		*path; /* members, separated by dots; "resources.0" is its first element */
} fields[] = {
	[NOTICE_KIND] = {"kind", OWN "kind"},
	[NOTICE_ACTIVITY] = {"activity", "activity_name"},
	[NOTICE_ID] = {"id", "finding_info.uid"},
	[NOTICE_SEVERITY] = {"severity", OWN "severity"},
	[NOTICE_RULE] = {"rule", "finding_info.analytic.uid"},
	[NOTICE_VERDICT] = {"verdict", OWN "verdict"},
	[NOTICE_INSTANCE] = {"instance", "resources.0.name"},
	[NOTICE_INSTANCE_UID] = {"instance_uid", "resources.0.uid"},
	[NOTICE_ACTOR_PID] = {"actor_pid", OWN "actor.pid"},
	[NOTICE_ACTOR_COMM] = {"actor_comm", OWN "actor.comm"},
	[NOTICE_ACTOR_EXE] = {"actor_exe", OWN "actor.exe"},
	[NOTICE_ACTOR_UID] = {"actor_uid", OWN "actor.uid"},
	[NOTICE_ACTOR_UNIT] = {"actor_unit", OWN "actor.unit"},
	[NOTICE_ACTOR_CONTAINER] = {"actor_container", OWN "actor.container"},
	[NOTICE_HOST] = {"host", "device.hostname"},
};
_Static_assert(ARRAY_SIZE(fields) == NOTICE_MAX, "every field has a name");

const char *notice_field_name(enum notice_field field)
{
	return fields[field].name;
}

static json_t *find(json_t *at, const char *path)
{
	char name[64];

	while (at && *path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		at = json_is_array(at) ? json_array_get(at, (size_t)(name[0] - '0'))
				       : json_object_get(at, name);
		path += len + (path[len] == '.');
	}
	return at;
}

static const char *text_at(json_t *root, const char *path)
{
	const char *text = json_string_value(find(root, path));

	return text && text[0] ? text : NULL;
}

static void fill_field(struct notice *n, enum notice_field field)
{
	json_t *value = find(n->json, fields[field].path);

	n->text[field] = text_at(n->json, fields[field].path);
	if (!json_is_integer(value))
		return;
	snprintf(n->number[field], sizeof(n->number[field]), "%lld",
		 (long long)json_integer_value(value));
	n->text[field] = n->number[field];
}

bool notice_parse(struct notice *n, const char *json, size_t len)
{
	*n = (struct notice){.json = json_loadb(json, len, 0, NULL)};
	n->title = text_at(n->json, "message");
	n->advice = text_at(n->json, "remediation.desc");
	for (unsigned int f = 0; f < NOTICE_MAX; f++)
		fill_field(n, f);
	n->severity = (enum severity)json_integer_value(find(n->json, "severity_id"));
	n->time_ms = json_integer_value(find(n->json, "time"));
	n->start_ms = json_integer_value(find(n->json, "start_time"));
	n->interval_s = json_integer_value(find(n->json, OWN "interval_s"));
	if (!n->title || !n->text[NOTICE_KIND] || !n->text[NOTICE_ID] || !n->text[NOTICE_ACTIVITY])
		return false;
	n->heartbeat = !strcmp(n->text[NOTICE_KIND], "heartbeat");
	n->closed = !strcmp(n->text[NOTICE_ACTIVITY], "Close");
	return true;
}

void notice_free(struct notice *n)
{
	json_decref(n->json);
	n->json = NULL;
}

unsigned int notice_priority(const struct notice *n)
{
	static const unsigned int priorities[] = {
		[SEVERITY_INFO] = 6, [SEVERITY_LOW] = 5,      [SEVERITY_MEDIUM] = 4,
		[SEVERITY_HIGH] = 3, [SEVERITY_CRITICAL] = 2,
	};
	_Static_assert(ARRAY_SIZE(priorities) == SEVERITY_MAX, "every severity has a priority");

	return severity_name(n->severity) ? priorities[n->severity] : priorities[SEVERITY_INFO];
}
