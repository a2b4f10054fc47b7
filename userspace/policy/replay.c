// SPDX-License-Identifier: BSD-2-Clause
/* replay.c - see replay.h. Records are what report/event_json.c writes; members that are missing are unknown. */
#include "policy/replay.h"

#include "policy/policy_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PORTS_MAX 8

/* An event and what is evaluated of it. */
struct record {
	json_t *line, *own, *actor, *instance, *conn;
	uint16_t port[PORTS_MAX];
	uint8_t peer[16];
	struct policy_input input;
	int64_t time_ms;
};

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void fill_instance(struct record *r)
{
	json_t *ports = json_object_get(r->instance, "ports"), *port;
	struct policy_input *in = &r->input;
	size_t i;

	in->instance = text(r->instance, "name");
	in->instance_uid = text(r->instance, "uid");
	in->instance_exe = text(r->instance, "exe");
	in->instance_cgroup = text(r->instance, "cgroup");
	json_array_foreach (ports, i, port) {
		if (i < PORTS_MAX)
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
		in->exe = text(r->actor, "exe");
	in->sha256 = text(r->actor, "exe_sha256");
	in->cgroup = text(r->actor, "cgroup");
	in->uid = json_is_integer(uid) ? json_integer_value(uid) : POLICY_UNSET;
	json_array_foreach (ancestors, i, ancestor) {
		if (i < ANCESTORS_MAX)
			in->ancestor[in->ancestors++] = text(ancestor, "exe");
	}
}

static void fill_conn(struct record *r)
{
	const char *ip = text(json_object_get(r->conn, "remote"), "ip"),
		   *opened = text(r->conn, "opened");
	struct policy_input *in = &r->input;

	if (!ip || !opened)
		return;
	if (inet_pton(AF_INET, ip, r->peer + 12) == 1)
		r->peer[10] = r->peer[11] = 0xff;
	else if (inet_pton(AF_INET6, ip, r->peer) != 1)
		return;
	in->peer = r->peer;
	in->conn_owner = text(r->conn, "opener");
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
	in->rule = policy_rule_find(text(r->own, "rule") ?: "");
	verdict = text(r->own, "verdict");
	if (!in->rule || !verdict)
		return "has no known rule or verdict";
	if (!severity_parse(text(r->own, "severity"), &in->severity))
		return "has no known severity";
	if (!json_is_integer(json_object_get(r->line, "start_time")))
		return "has no start_time";
	r->time_ms = json_integer_value(json_object_get(r->line, "start_time"));
	in->prevented = !strcmp(verdict, "prevented");
	fill_instance(r);
	fill_actor(r);
	fill_conn(r);
	return NULL;
}

/* Incidents and blind spots: not evaluated. */
static bool is_other(const json_t *line)
{
	json_t *own = json_object_get(json_object_get(line, "unmapped"), "cachewarden");
	const char *kind = text(own, "kind"), *rule = text(own, "rule");

	return (kind && strcmp(kind, "event")) ||
	       (rule && !strcmp(rule, rule_name(RULE_SELF_BLIND)));
}

static void print(FILE *to, unsigned int nr, const struct record *r, const struct verdict *v)
{
	const struct policy_input *in = &r->input;
	const struct policy_allow *a = v->allow ?: v->expired;
	char exe[256];

	policy_printable(in->exe ?: "?", exe, sizeof(exe));
	fprintf(to, "%u: %-9s %-8s %s %s by %s", nr, verdict_name(v->id),
		severity_name(v->severity), rule_name(in->rule), in->instance ?: "this host", exe);
	if (a)
		fprintf(to, " [%s:%u: %s%s]", a->at.file, a->at.line, v->expired ? "expired: " : "",
			a->reason);
	else if (v->plaintext)
		fprintf(to, " [%s:%u]", v->plaintext->at.file, v->plaintext->at.line);
	fputc('\n', to);
}

enum replay_end replay(const struct policy *p, const char *path, int64_t at_ms, FILE *to,
		       char *error, size_t size)
{
	enum replay_end end = REPLAY_NO_ALERT;
	FILE *f = fopen(path, "re");
	const char *wrong = NULL;
	char *line = NULL;
	unsigned int nr = 0;
	size_t room = 0;

	if (!f) {
		snprintf(error, size, "%s: %s; expected a file of recorded events", path,
			 strerror(errno));
		return REPLAY_WRONG;
	}
	while (!wrong && getline(&line, &room, f) > 0) {
		struct record r = {.line = json_loads(line, 0, NULL)};
		struct verdict v;

		nr++;
		if (!json_is_object(r.line))
			wrong = "is not a JSON object";
		else if (!is_other(r.line) && !(wrong = fill(&r))) {
			policy_evaluate(p, &r.input, at_ms == POLICY_UNSET ? r.time_ms : at_ms, &v);
			print(to, nr, &r, &v);
			if (v.id == VERDICT_ALERT)
				end = REPLAY_ALERT;
		}
		json_decref(r.line);
	}
	free(line);
	fclose(f);
	if (!wrong)
		return end;
	snprintf(error, size,
		 "%s:%u: line %s; expected output of 'cachewarden run --events --output json'",
		 path, nr, wrong);
	return REPLAY_WRONG;
}
