// SPDX-License-Identifier: BSD-2-Clause
/* record.c - see record.h. Records are what report/event_json.c writes; members that are missing are unknown. */
#include "policy/record.h"

#include "policy/policy_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *record_text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void fill_instance(struct record *r)
{
	json_t *ports = json_object_get(r->instance, "ports"), *port;
	struct policy_input *in = &r->input;
	size_t i;

	in->instance = record_text(r->instance, "name");
	in->instance_uid = record_text(r->instance, "uid");
	in->instance_exe = record_text(r->instance, "exe");
	in->instance_started_as = record_text(r->instance, "started_as");
	in->instance_cgroup = record_text(r->instance, "cgroup");
	json_array_foreach (ports, i, port) {
		if (i < RECORD_PORTS)
			r->port[in->ports++] = (uint16_t)json_integer_value(port);
	}
	in->port = r->port;
}

static void fill_actor(struct record *r)
{
	json_t *ancestors = json_object_get(r->actor, "ancestors"), *ancestor,
	       *uid = json_object_get(r->actor, "uid");
	struct policy_input *in = &r->input;
	size_t i;

	if (!json_is_true(json_object_get(r->actor, "exe_deleted")))
		in->exe = record_text(r->actor, "exe");
	in->sha256 = record_text(r->actor, "exe_sha256");
	in->cgroup = record_text(r->actor, "cgroup");
	in->uid = json_is_integer(uid) ? json_integer_value(uid) : POLICY_UNSET;
	json_array_foreach (ancestors, i, ancestor) {
		if (i < ANCESTORS_MAX)
			in->ancestor[in->ancestors++] = record_text(ancestor, "exe");
	}
}

static void fill_conn(struct record *r)
{
	const char *ip = record_text(json_object_get(r->conn, "remote"), "ip"),
		   *opened = record_text(r->conn, "opened");
	struct policy_input *in = &r->input;

	if (!ip || !opened)
		return;
	if (inet_pton(AF_INET, ip, r->peer + 12) == 1)
		r->peer[10] = r->peer[11] = 0xff;
	else if (inet_pton(AF_INET6, ip, r->peer) != 1)
		return;
	in->peer = r->peer;
	in->peer_port = (uint16_t)json_integer_value(
		json_object_get(json_object_get(r->conn, "remote"), "port"));
	in->conn_owner = record_text(r->conn, "opener");
}

/* Fill r from its line. Returns what is wrong with the line, NULL if nothing. */
static const char *fill(struct record *r)
{
	struct policy_input *in = &r->input;
	const char *verdict;

	r->own = json_object_get(json_object_get(r->line, "unmapped"), "cachewarden");
	r->actor = json_object_get(r->own, "actor");
	r->instance = json_object_get(r->own, "instance");
	r->conn = json_object_get(r->own, "conn");
	if (!json_is_object(r->own))
		return "has no unmapped.cachewarden";
	in->rule = policy_rule_find(record_text(r->own, "rule") ?: "");
	verdict = record_text(r->own, "verdict");
	if (!in->rule || !verdict)
		return "has no known rule or verdict";
	if (!severity_parse(record_text(r->own, "severity"), &in->severity))
		return "has no known severity";
	if (!json_is_integer(json_object_get(r->line, "start_time")))
		return "has no start_time";
	r->time_ms = json_integer_value(json_object_get(r->line, "start_time"));
	in->prevented = !strcmp(verdict, "prevented");
	in->routine = json_is_true(json_object_get(r->own, "routine"));
	fill_instance(r);
	fill_actor(r);
	fill_conn(r);
	return NULL;
}

/* Incidents and blind spots: not evaluated. */
static bool is_other(const json_t *line)
{
	json_t *own = json_object_get(json_object_get(line, "unmapped"), "cachewarden");
	const char *kind = record_text(own, "kind"), *rule = record_text(own, "rule");

	return (kind && strcmp(kind, "event")) ||
	       (rule && !strcmp(rule, rule_name(RULE_SELF_BLIND)));
}

bool record_each(const char *path, void (*fn)(void *ctx, const struct record *r), void *ctx,
		 char *error, size_t size)
{
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	char *line = NULL;
	unsigned int nr = 0;
	size_t room = 0;

	if (!f) {
		snprintf(error, size, "%s: %s; expected a file of recorded events", path,
			 strerror(errno));
		return false;
	}
	while (!wrong && getline(&line, &room, f) > 0) {
		struct record r = {.nr = ++nr, .line = json_loads(line, 0, NULL)};

		if (!json_is_object(r.line))
			wrong = "is not a JSON object";
		else if (!is_other(r.line) && !(wrong = fill(&r)))
			fn(ctx, &r);
		json_decref(r.line);
	}
	free(line);
	fclose(f);
	if (!wrong)
		return true;
	snprintf(error, size,
		 "%s:%u: line %s; expected output of 'cachewarden run --events --output json'",
		 path, nr, wrong);
	return false;
}
