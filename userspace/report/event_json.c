// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_json.c - a finding as OCSF 1.8.0 Detection Finding (class 2004), and flat under
 * unmapped.cachewarden for scripts that want to ask one question.
 */
#include "report/finding.h"

#include "model/attempt.h"
#include "model/command.h"
#include "model/payload_kind.h"
#include "report/conn_report.h"
#include "report/ocsf.h"

#include <stdio.h>

static const char *opened_name(uint8_t opened)
{
	return opened == OPENED_INBOUND	   ? "inbound"
	       : opened == OPENED_OUTBOUND ? "outbound"
					   : "unknown";
}

static const char *path_or_null(const char *path)
{
	return path[0] ? path : NULL;
}

static bool has_actor(const struct event *ev)
{
	return (ev->flags & EVENT_ACTOR) || (!(ev->flags & EVENT_CONN) && ev->key.tgid);
}

static void put_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port)
{
	jsonw_object(j, key);
	jsonw_string(j, "ip", ip);
	jsonw_int(j, "port", port);
	jsonw_end_object(j);
}

/* OCSF process objects */

static void put_file(struct jsonw *j, const char *path)
{
	const char *name = path;

	if (!path[0])
		return;
	for (const char *p = path; *p; p++) {
		if (*p == '/' && p[1])
			name = p + 1;
	}
	jsonw_object(j, "file");
	jsonw_string(j, "name", name);
	jsonw_string(j, "path", path);
	jsonw_int(j, "type_id", 1);
	jsonw_end_object(j);
}

static void put_user(struct jsonw *j, uint32_t uid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", uid);
	jsonw_object(j, "user");
	jsonw_string(j, "uid", text);
	jsonw_end_object(j);
}

static void put_parents(struct jsonw *j, const struct finding *f, uint32_t i)
{
	const struct process_info *p = &f->alert->ev.actor;

	if (i >= p->ancestors)
		return;
	jsonw_object(j, "parent_process");
	jsonw_int(j, "pid", p->ancestor[i].pid);
	jsonw_string(j, "name", p->ancestor[i].comm);
	jsonw_int(j, "created_time", f->ancestor_start_ms[i]);
	put_file(j, f->ancestor_exe[i]);
	put_user(j, p->ancestor[i].uid);
	put_parents(j, f, i + 1);
	jsonw_end_object(j);
}

static void put_evidence(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	jsonw_array(j, "evidences");
	jsonw_object(j, NULL);
	if (has_actor(ev)) {
		jsonw_object(j, "actor");
		jsonw_object(j, "process");
		jsonw_int(j, "pid", ev->flags & EVENT_ACTOR ? ev->actor.pid : ev->key.tgid);
		if (ev->flags & EVENT_ACTOR) {
			jsonw_int(j, "tid", ev->actor.tid);
			jsonw_string(j, "name", ev->actor.comm);
			put_user(j, ev->actor.uid);
		}
		jsonw_int(j, "created_time", f->start_ms);
		put_file(j, f->exe);
		if (ev->flags & EVENT_ACTOR)
			put_parents(j, f, 0);
		jsonw_end_object(j);
		jsonw_end_object(j);
	}
	if (f->instance) {
		jsonw_object(j, "process");
		jsonw_int(j, "pid", f->instance->pid);
		jsonw_string(j, "name", f->instance->comm);
		put_file(j, f->instance->exe);
		jsonw_end_object(j);
	}
	if (ev->flags & EVENT_CONN) {
		bool out = ev->conn.egress;

		put_endpoint(j, "src_endpoint", out ? f->local_ip : f->remote_ip,
			     out ? ev->conn.ends.local_port : ev->conn.ends.remote_port);
		put_endpoint(j, "dst_endpoint", out ? f->remote_ip : f->local_ip,
			     out ? ev->conn.ends.remote_port : ev->conn.ends.local_port);
		jsonw_object(j, "connection_info");
		jsonw_int(j, "direction_id", out ? 2 : 1);
		jsonw_int(j, "protocol_num", 6);
		jsonw_string(j, "protocol_name", "tcp");
		jsonw_end_object(j);
		if (f->tls)
			conn_json_ocsf(j, f->tls);
	}
	jsonw_end_object(j);
	jsonw_end_array(j);
}

/* Our own flat summary */

static void put_instance(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	if (!ev->key.instance) {
		jsonw_null(j, "instance");
		return;
	}
	jsonw_object(j, "instance");
	jsonw_int(j, "id", ev->key.instance);
	jsonw_string(j, "name", f->instance ? f->instance->name : NULL);
	if (f->instance) {
		jsonw_int(j, "pid", f->instance->pid);
		jsonw_int(j, "port", f->instance->ports ? f->instance->port[0] : 0);
		jsonw_array(j, "ports");
		for (uint32_t i = 0; i < f->instance->ports; i++)
			jsonw_int(j, NULL, f->instance->port[i]);
		jsonw_end_array(j);
		jsonw_string(j, "exe", path_or_null(f->instance->exe));
		jsonw_string(j, "cgroup", path_or_null(f->instance->cgroup));
	} else {
		jsonw_null(j, "pid");
		jsonw_null(j, "port");
	}
	if (ev->target_tgid) {
		jsonw_int(j, "target_pid", ev->target_tgid);
		jsonw_int(j, "target_tid", ev->target_tid);
	}
	jsonw_end_object(j);
}

static void put_actor(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;
	const struct process_info *p = &ev->actor;

	if (!has_actor(ev)) {
		jsonw_null(j, "actor");
		return;
	}
	jsonw_object(j, "actor");
	if (!(ev->flags & EVENT_ACTOR)) {
		jsonw_int(j, "pid", ev->key.tgid);
		jsonw_string(j, "exe", path_or_null(f->exe));
		jsonw_int(j, "start_time", f->start_ms);
		jsonw_end_object(j);
		return;
	}
	jsonw_int(j, "pid", p->pid);
	jsonw_int(j, "tid", p->tid);
	jsonw_string(j, "comm", p->comm);
	jsonw_string(j, "exe", path_or_null(f->exe));
	jsonw_bool(j, "exe_deleted", p->exe.flags & PATH_DELETED);
	jsonw_int(j, "exe_ino", (int64_t)p->exe_ino);
	jsonw_int(j, "uid", p->uid);
	jsonw_int(j, "euid", p->euid);
	if (p->loginuid == UINT32_MAX)
		jsonw_null(j, "loginuid");
	else
		jsonw_int(j, "loginuid", p->loginuid);
	jsonw_int(j, "start_time", f->start_ms);
	jsonw_int(j, "cgroup_id", (int64_t)p->cgroup_id);
	jsonw_string(j, "cgroup", path_or_null(f->cgroup));
	jsonw_string(j, "exe_sha256", path_or_null(f->sha256));
	jsonw_int(j, "pid_ns", p->pid_ns);
	jsonw_int(j, "ns_pid", p->ns_pid);
	if (f->tenant)
		jsonw_string(j, "instance", f->tenant->name);
	jsonw_array(j, "ancestors");
	for (uint32_t i = 0; i < p->ancestors; i++) {
		jsonw_object(j, NULL);
		jsonw_int(j, "pid", p->ancestor[i].pid);
		jsonw_string(j, "comm", p->ancestor[i].comm);
		jsonw_string(j, "exe", path_or_null(f->ancestor_exe[i]));
		jsonw_int(j, "uid", p->ancestor[i].uid);
		jsonw_int(j, "start_time", f->ancestor_start_ms[i]);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
	jsonw_end_object(j);
}

static void put_conn(struct jsonw *j, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;

	if (!(f->alert->ev.flags & EVENT_CONN)) {
		jsonw_null(j, "conn");
		return;
	}
	jsonw_object(j, "conn");
	jsonw_string(j, "family", c->ipv6 ? "ipv6" : "ipv4");
	put_endpoint(j, "local", f->local_ip, c->ends.local_port);
	put_endpoint(j, "remote", f->remote_ip, c->ends.remote_port);
	jsonw_string(j, "opened", opened_name(c->opened));
	jsonw_string(j, "opener", path_or_null(f->opener));
	jsonw_string(j, "direction", c->egress ? "egress" : "ingress");
	if (c->has_offset)
		jsonw_int(j, "offset", (int64_t)c->offset);
	else
		jsonw_null(j, "offset");
	jsonw_int(j, "records_before", (int64_t)c->records);
	jsonw_string(j, "command", command_name(c->command));
	jsonw_string(j, "saw", payload_kind_name(c->payload));
	jsonw_int(j, "bytes", (int64_t)f->alert->bytes);
	if (c->cookie)
		jsonw_int(j, "cookie", (int64_t)c->cookie);
	else
		jsonw_null(j, "cookie"); /* its data came before it had a socket */
	if (f->tls)
		conn_json_tls(j, f->tls);
	else
		jsonw_null(j, "tls");
	jsonw_end_object(j);
}

/* The entry that decided, if one did. */
static void put_policy(struct jsonw *j, const struct finding *f)
{
	const struct verdict *v = &f->verdict;
	const struct policy_allow *a = v->allow ?: v->expired;
	const struct policy_place *at = a ? &a->at : v->plaintext ? &v->plaintext->at : NULL;
	char place[512];

	if (!at) {
		jsonw_null(j, "policy");
		return;
	}
	snprintf(place, sizeof(place), "%s:%u", at->file, at->line);
	jsonw_object(j, "policy");
	jsonw_string(j, "entry", place);
	jsonw_string(j, "reason", a ? a->reason : NULL);
	jsonw_bool(j, "expired", v->expired != NULL);
	jsonw_end_object(j);
}

static void put_incident(struct jsonw *j, const struct finding *f)
{
	char uid[64];

	if (!f->incident) {
		jsonw_null(j, "incident");
		return;
	}
	snprintf(uid, sizeof(uid), "%s-i%llu", f->uid_prefix, (unsigned long long)f->incident);
	jsonw_string(j, "incident", uid);
}

static void put_own(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	jsonw_object(j, "unmapped");
	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "event");
	jsonw_string(j, "rule", rule_name(ev->key.rule));
	jsonw_string(j, "severity", severity_name(f->severity));
	jsonw_string(j, "verdict", verdict_name(f->verdict.id));
	put_policy(j, f);
	jsonw_string(j, "vector", f->vector);
	jsonw_string(j, "detail", f->detail);
	jsonw_string(j, "object", path_or_null(f->object));
	jsonw_string(j, "outcome", attempt_outcome(ev));
	jsonw_int(j, "errno", ev->key.err);
	jsonw_string(j, "found_by", ev->flags & EVENT_FOUND_BY_SWEEP ? "sweep" : "hook");
	jsonw_int(j, "count", (int64_t)f->alert->count);
	put_incident(j, f);
	put_instance(j, f);
	put_actor(j, f);
	put_conn(j, f);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

const char *finding_json(const struct finding *f, struct jsonw *j, size_t *ret_len)
{
	const struct event *ev = &f->alert->ev;
	char text[128];

	jsonw_reset(j);
	jsonw_object(j, NULL);
	ocsf_head(j, f->update ? OCSF_UPDATE : OCSF_CREATE, f->severity);
	jsonw_bool(j, "is_alert", f->verdict.id >= VERDICT_ALERT);
	jsonw_int(j, "time", f->update ? f->now_ms : f->time_ms);
	jsonw_int(j, "start_time", f->time_ms);
	jsonw_int(j, "count", (int64_t)f->alert->count);
	snprintf(text, sizeof(text), "%s: %s", rule_name(ev->key.rule),
		 f->instance	    ? f->instance->name
		 : ev->key.instance ? "unknown instance"
				    : "this host");
	jsonw_string(j, "message", ev->key.rule == RULE_SELF_BLIND ? f->detail : text);
	jsonw_object(j, "finding_info");
	snprintf(text, sizeof(text), "%s-%llu", f->uid_prefix, (unsigned long long)f->alert->id);
	jsonw_string(j, "uid", text);
	jsonw_string(j, "title", rule_title(ev->key.rule));
	jsonw_int(j, "first_seen_time", f->time_ms);
	jsonw_object(j, "analytic");
	jsonw_string(j, "uid", rule_name(ev->key.rule));
	jsonw_string(j, "name", rule_title(ev->key.rule));
	jsonw_int(j, "type_id", 1);
	jsonw_end_object(j);
	jsonw_end_object(j);
	ocsf_attacks(j, 1u << ev->key.rule);
	put_evidence(j, f);
	put_own(j, f);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
