// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_json.c - a finding as OCSF 1.8.0 Detection Finding (class 2004), and flat under
 * unmapped.cachewarden for scripts that want to ask one question.
 */
#include "finding.h"

#include <stdio.h>

#define OCSF_VERSION "1.8.0"
#define CLASS_DETECTION_FINDING 2004

static const char *opened_name(uint8_t opened)
{
	return opened == OPENED_INBOUND ? "inbound" : opened == OPENED_OUTBOUND ? "outbound" : "unknown";
}

static const char *path_or_null(const char *path)
{
	return path[0] ? path : NULL;
}

static bool has_actor(const struct event *ev)
{
	return (ev->flags & EVENT_ACTOR) || (!(ev->flags & EVENT_CONN) && ev->key.tgid);
}

static void put_endpoint(struct json *j, const char *key, const char *ip, uint16_t port)
{
	json_object(j, key);
	json_string(j, "ip", ip);
	json_int(j, "port", port);
	json_end_object(j);
}

/* OCSF process objects */

static void put_file(struct json *j, const char *path)
{
	const char *name = path;

	if (!path[0])
		return;
	for (const char *p = path; *p; p++) {
		if (*p == '/' && p[1])
			name = p + 1;
	}
	json_object(j, "file");
	json_string(j, "name", name);
	json_string(j, "path", path);
	json_int(j, "type_id", 1);
	json_end_object(j);
}

static void put_user(struct json *j, uint32_t uid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", uid);
	json_object(j, "user");
	json_string(j, "uid", text);
	json_end_object(j);
}

static void put_parents(struct json *j, const struct finding *f, uint32_t i)
{
	const struct process_info *p = &f->alert->ev.actor;

	if (i >= p->ancestors)
		return;
	json_object(j, "parent_process");
	json_int(j, "pid", p->ancestor[i].pid);
	json_string(j, "name", p->ancestor[i].comm);
	json_int(j, "created_time", f->ancestor_start_ms[i]);
	put_file(j, f->ancestor_exe[i]);
	put_user(j, p->ancestor[i].uid);
	put_parents(j, f, i + 1);
	json_end_object(j);
}

static void put_evidence(struct json *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	json_array(j, "evidences");
	json_object(j, NULL);
	if (has_actor(ev)) {
		json_object(j, "actor");
		json_object(j, "process");
		json_int(j, "pid", ev->flags & EVENT_ACTOR ? ev->actor.pid : ev->key.tgid);
		if (ev->flags & EVENT_ACTOR) {
			json_int(j, "tid", ev->actor.tid);
			json_string(j, "name", ev->actor.comm);
			put_user(j, ev->actor.uid);
		}
		json_int(j, "created_time", f->start_ms);
		put_file(j, f->exe);
		if (ev->flags & EVENT_ACTOR)
			put_parents(j, f, 0);
		json_end_object(j);
		json_end_object(j);
	}
	if (f->instance) {
		json_object(j, "process");
		json_int(j, "pid", f->instance->pid);
		json_string(j, "name", f->instance->comm);
		put_file(j, f->instance->exe);
		json_end_object(j);
	}
	if (ev->flags & EVENT_CONN) {
		bool out = ev->conn.egress;

		put_endpoint(j, "src_endpoint", out ? f->local_ip : f->remote_ip,
			     out ? ev->conn.local_port : ev->conn.remote_port);
		put_endpoint(j, "dst_endpoint", out ? f->remote_ip : f->local_ip,
			     out ? ev->conn.remote_port : ev->conn.local_port);
		json_object(j, "connection_info");
		json_int(j, "direction_id", out ? 2 : 1);
		json_int(j, "protocol_num", 6);
		json_string(j, "protocol_name", "tcp");
		json_end_object(j);
	}
	json_end_object(j);
	json_end_array(j);
}

/* Our own flat summary */

static void put_instance(struct json *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	if (!ev->key.instance) {
		json_null(j, "instance");
		return;
	}
	json_object(j, "instance");
	json_int(j, "id", ev->key.instance);
	json_string(j, "name", f->instance ? f->instance->name : NULL);
	if (f->instance) {
		json_int(j, "pid", f->instance->pid);
		json_int(j, "port", f->instance->ports ? f->instance->port[0] : 0);
		json_string(j, "exe", path_or_null(f->instance->exe));
	} else {
		json_null(j, "pid");
		json_null(j, "port");
	}
	if (ev->target_tgid) {
		json_int(j, "target_pid", ev->target_tgid);
		json_int(j, "target_tid", ev->target_tid);
	}
	json_end_object(j);
}

static void put_actor(struct json *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;

	if (!has_actor(ev)) {
		json_null(j, "actor");
		return;
	}
	json_object(j, "actor");
	if (!(ev->flags & EVENT_ACTOR)) {
		json_int(j, "pid", ev->key.tgid);
		json_string(j, "exe", path_or_null(f->exe));
		json_int(j, "start_time", f->start_ms);
		json_end_object(j);
		return;
	}
	json_int(j, "pid", p->pid);
	json_int(j, "tid", p->tid);
	json_string(j, "comm", p->comm);
	json_string(j, "exe", path_or_null(f->exe));
	json_bool(j, "exe_deleted", p->flags & PROCESS_EXE_DELETED);
	json_int(j, "exe_ino", (int64_t)p->exe_ino);
	json_int(j, "uid", p->uid);
	json_int(j, "euid", p->euid);
	if (p->loginuid == UINT32_MAX)
		json_null(j, "loginuid");
	else
		json_int(j, "loginuid", p->loginuid);
	json_int(j, "start_time", f->start_ms);
	json_int(j, "cgroup_id", (int64_t)p->cgroup_id);
	json_int(j, "pid_ns", p->pid_ns);
	json_int(j, "ns_pid", p->ns_pid);
	if (f->tenant)
		json_string(j, "instance", f->tenant->name);
	json_array(j, "ancestors");
	for (uint32_t i = 0; i < p->ancestors; i++) {
		json_object(j, NULL);
		json_int(j, "pid", p->ancestor[i].pid);
		json_string(j, "comm", p->ancestor[i].comm);
		json_string(j, "exe", path_or_null(f->ancestor_exe[i]));
		json_int(j, "uid", p->ancestor[i].uid);
		json_int(j, "start_time", f->ancestor_start_ms[i]);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void put_conn(struct json *j, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;

	if (!(f->alert->ev.flags & EVENT_CONN)) {
		json_null(j, "conn");
		return;
	}
	json_object(j, "conn");
	json_string(j, "family", c->ipv6 ? "ipv6" : "ipv4");
	put_endpoint(j, "local", f->local_ip, c->local_port);
	put_endpoint(j, "remote", f->remote_ip, c->remote_port);
	json_string(j, "opened", opened_name(c->opened));
	json_string(j, "direction", c->egress ? "egress" : "ingress");
	if (c->has_offset)
		json_int(j, "offset", (int64_t)c->offset);
	else
		json_null(j, "offset");
	json_int(j, "records_before", (int64_t)c->records);
	json_string(j, "command", command_name(c->command));
	json_string(j, "saw", saw_name(c->saw));
	json_int(j, "bytes", (int64_t)f->alert->bytes);
	json_int(j, "cookie", (int64_t)c->cookie);
	json_end_object(j);
}

static void put_own(struct json *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	json_object(j, "unmapped");
	json_object(j, "cachewarden");
	json_string(j, "rule", rule_name(ev->key.rule));
	json_string(j, "severity", severity_name(f->severity));
	json_string(j, "verdict", "alert");
	json_string(j, "vector", vector_name(ev->key.vector));
	json_string(j, "detail", f->detail);
	json_string(j, "outcome", rule_outcome(ev));
	json_int(j, "errno", ev->key.err);
	json_string(j, "found_by", ev->flags & EVENT_FOUND_BY_SWEEP ? "sweep" : "hook");
	json_int(j, "count", (int64_t)f->alert->count);
	put_instance(j, f);
	put_actor(j, f);
	put_conn(j, f);
	json_end_object(j);
	json_end_object(j);
}

static void put_attacks(struct json *j, unsigned int rule)
{
	const struct technique *t = rule_techniques(rule);

	json_array(j, "attacks");
	for (int i = 0; i < TECHNIQUES_MAX && t[i].uid; i++) {
		json_object(j, NULL);
		json_string(j, "version", ATTACK_VERSION);
		json_object(j, "technique");
		json_string(j, "uid", t[i].uid);
		json_string(j, "name", t[i].name);
		json_end_object(j);
		json_end_object(j);
	}
	json_end_array(j);
}

const char *finding_json(const struct finding *f, struct json *j, size_t *ret_len)
{
	static const char *const severities[] = {"", "Informational", "Low", "Medium", "High", "Critical"};
	const struct event *ev = &f->alert->ev;
	int activity = f->update ? 2 : 1;
	char text[128];

	json_reset(j);
	json_object(j, NULL);
	json_int(j, "class_uid", CLASS_DETECTION_FINDING);
	json_string(j, "class_name", "Detection Finding");
	json_int(j, "category_uid", 2);
	json_string(j, "category_name", "Findings");
	json_int(j, "activity_id", activity);
	json_string(j, "activity_name", f->update ? "Update" : "Create");
	json_int(j, "type_uid", CLASS_DETECTION_FINDING * 100 + activity);
	json_int(j, "severity_id", f->severity);
	json_string(j, "severity", severities[f->severity]);
	json_int(j, "status_id", f->update ? 2 : 1);
	json_bool(j, "is_alert", true);
	json_int(j, "time", f->update ? f->now_ms : f->time_ms);
	json_int(j, "start_time", f->time_ms);
	json_int(j, "count", (int64_t)f->alert->count);
	snprintf(text, sizeof(text), "%s: %s", rule_name(ev->key.rule),
		 f->instance ? f->instance->name : "unknown instance");
	json_string(j, "message", ev->key.rule == RULE_SELF_BLIND ? f->detail : text);
	json_object(j, "metadata");
	json_string(j, "version", OCSF_VERSION);
	json_object(j, "product");
	json_string(j, "name", "cachewarden");
	json_string(j, "vendor_name", "cachewarden");
	json_string(j, "version", CACHEWARDEN_VERSION);
	json_end_object(j);
	json_end_object(j);
	json_object(j, "finding_info");
	snprintf(text, sizeof(text), "%s-%llu", f->uid_prefix, (unsigned long long)f->alert->id);
	json_string(j, "uid", text);
	json_string(j, "title", rule_title(ev->key.rule));
	json_int(j, "first_seen_time", f->time_ms);
	json_object(j, "analytic");
	json_string(j, "uid", rule_name(ev->key.rule));
	json_string(j, "name", rule_title(ev->key.rule));
	json_int(j, "type_id", 1);
	json_end_object(j);
	json_end_object(j);
	put_attacks(j, ev->key.rule);
	put_evidence(j, f);
	put_own(j, f);
	json_end_object(j);
	return json_done(j, ret_len);
}
