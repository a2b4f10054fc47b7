// SPDX-License-Identifier: BSD-2-Clause
/*
 * event_json.c - see event_json.h. The product's own members are in unmapped.cachewarden, flat enough for scripts that
 * need one of them.
 */
#include "report/event_json.h"

#include "base/macros.h"
#include "base/textw.h"
#include "model/attempt.h"
#include "model/command.h"
#include "model/payload_kind.h"
#include "report/actor_text.h"
#include "report/ocsf.h"
#include "report/tls_json.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const char *opened_name(uint8_t opened)
{
	return opened == OPENED_INBOUND	   ? "inbound"
	       : opened == OPENED_OUTBOUND ? "outbound"
					   : "unknown";
}

/* --- OCSF process objects --- */

static void put_parents(struct jsonw *j, const struct finding *f, uint32_t i)
{
	const struct process_info *p = &f->alert->ev.actor;
	struct actor parent;

	if (i >= p->ancestors)
		return;
	parent = (struct actor){
		.pid = p->ancestor[i].pid,
		.uid = p->ancestor[i].uid,
		.start_ns = p->ancestor[i].start_ns,
		.detailed = true,
		.exe = f->ancestor_exe[i],
		.cmdline = "",
		.container = "",
	};
	memcpy(parent.comm, p->ancestor[i].comm, sizeof(parent.comm));
	jsonw_object(j, "parent_process");
	ocsf_actor(j, &parent);
	put_parents(j, f, i + 1);
	jsonw_end_object(j);
}

static void put_actor_process(struct jsonw *j, const struct finding *f, const struct actor *a)
{
	jsonw_object(j, "actor");
	jsonw_object(j, "process");
	ocsf_actor(j, a);
	if (a->detailed)
		put_parents(j, f, 0);
	jsonw_end_object(j);
	jsonw_end_object(j);
}

static void put_network(struct jsonw *j, const struct finding *f)
{
	const struct conn_info *c = &f->alert->ev.conn;
	int protocol = c->protocol ?: IPPROTO_TCP; /* set for packets other than TCP only */
	bool out = c->egress;

	ocsf_endpoint(j, "src_endpoint", out ? f->local_ip : f->remote_ip,
		      out ? c->ends.local_port : c->ends.remote_port);
	ocsf_endpoint(j, "dst_endpoint", out ? f->remote_ip : f->local_ip,
		      out ? c->ends.remote_port : c->ends.local_port);
	jsonw_object(j, "connection_info");
	jsonw_int(j, "direction_id", out ? 2 : 1); /* Outbound, Inbound */
	jsonw_int(j, "protocol_num", protocol);
	if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)
		jsonw_string(j, "protocol_name", protocol == IPPROTO_TCP ? "tcp" : "udp");
	jsonw_end_object(j);
	if (f->tls)
		tls_json_ocsf(j, f->tls);
}

/* Evidence needs an actor, a target or a connection: a blind spot has none of them. */
static void put_evidences(struct jsonw *j, const struct finding *f, const struct actor *a)
{
	bool conn = f->alert->ev.flags & EVENT_CONN;

	if (!a && !f->instance && !conn)
		return;
	jsonw_array(j, "evidences");
	jsonw_object(j, NULL);
	if (a)
		put_actor_process(j, f, a);
	if (f->instance)
		ocsf_instance(j, f->instance);
	if (conn)
		put_network(j, f);
	jsonw_end_object(j);
	jsonw_end_array(j);
}

static void put_observables(struct jsonw *j, const struct finding *f, const struct actor *a)
{
	bool conn = f->alert->ev.flags & EVENT_CONN;
	const struct ocsf_observable o[] = {
		{"evidences[0].actor.process.file.path", "File Path", a ? a->exe : NULL},
		{"evidences[0].actor.process.name", "Process Name", a ? a->comm : NULL},
		{f->alert->ev.conn.egress ? "evidences[0].dst_endpoint.ip"
					  : "evidences[0].src_endpoint.ip",
		 "IP Address", conn ? f->remote_ip : NULL},
		{"resources[0].name", "Resource Name", f->instance ? f->instance->name : NULL},
	};

	ocsf_observables(j, o, ARRAY_SIZE(o));
}

/* --- unmapped.cachewarden --- */

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
		jsonw_string(j, "uid", f->instance->uid);
		jsonw_int(j, "pid", f->instance->pid);
		jsonw_int(j, "port", f->instance->ports ? f->instance->port[0] : 0);
		jsonw_array(j, "ports");
		for (uint32_t i = 0; i < f->instance->ports; i++)
			jsonw_int(j, NULL, f->instance->port[i]);
		jsonw_end_array(j);
		jsonw_text(j, "exe", f->instance->exe);
		jsonw_text(j, "started_as", f->instance->started_as);
		jsonw_text(j, "cgroup", f->instance->cgroup);
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

static void put_ancestors(struct jsonw *j, const struct finding *f)
{
	const struct process_info *p = &f->alert->ev.actor;

	jsonw_array(j, "ancestors");
	for (uint32_t i = 0; i < p->ancestors; i++) {
		jsonw_object(j, NULL);
		jsonw_int(j, "pid", p->ancestor[i].pid);
		jsonw_string(j, "comm", p->ancestor[i].comm);
		jsonw_text(j, "exe", f->ancestor_exe[i]);
		jsonw_int(j, "uid", p->ancestor[i].uid);
		jsonw_int(j, "start_time", f->ancestor_start_ms[i]);
		ocsf_process_uid(j, p->ancestor[i].pid, p->ancestor[i].start_ns);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void put_actor_details(struct jsonw *j, const struct finding *f)
{
	const struct process_info *p = &f->alert->ev.actor;

	jsonw_int(j, "pid", p->pid);
	jsonw_int(j, "tid", p->tid);
	jsonw_string(j, "comm", p->comm);
	jsonw_text(j, "exe", f->exe);
	jsonw_bool(j, "exe_deleted", p->exe.flags & PATH_DELETED);
	jsonw_int(j, "exe_ino", (int64_t)p->exe_ino);
	jsonw_int(j, "uid", p->uid);
	jsonw_int(j, "euid", p->euid);
	if (p->loginuid == UINT32_MAX)
		jsonw_null(j, "loginuid");
	else
		jsonw_int(j, "loginuid", p->loginuid);
	jsonw_int(j, "start_time", f->start_ms);
	ocsf_process_uid(j, p->pid, p->start_ns);
	jsonw_int(j, "cgroup_id", (int64_t)p->cgroup_id);
	jsonw_text(j, "cgroup", f->cgroup);
	jsonw_text(j, "exe_sha256", f->sha256);
	jsonw_text(j, "cmdline", f->alert->ev.args.text);
	jsonw_text(j, "unit", f->unit);
	jsonw_text(j, "container", f->container);
	jsonw_int(j, "pid_ns", p->pid_ns);
	jsonw_int(j, "ns_pid", p->ns_pid);
	if (f->tenant)
		jsonw_string(j, "instance", f->tenant->name);
	put_ancestors(j, f);
}

static void put_actor(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	if (!finding_has_actor(f)) {
		jsonw_null(j, "actor");
		return;
	}
	jsonw_object(j, "actor");
	if (ev->flags & EVENT_ACTOR) {
		put_actor_details(j, f);
	} else {
		jsonw_int(j, "pid", ev->key.tgid);
		jsonw_text(j, "exe", f->exe);
		jsonw_int(j, "start_time", f->start_ms);
		ocsf_process_uid(j, ev->key.tgid, ev->key.actor);
	}
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
	ocsf_endpoint(j, "local", f->local_ip, c->ends.local_port);
	ocsf_endpoint(j, "remote", f->remote_ip, c->ends.remote_port);
	jsonw_string(j, "opened", opened_name(c->opened));
	jsonw_text(j, "opener", f->opener);
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
		jsonw_null(j, "cookie"); /* data arrived before the connection had a socket */
	if (f->tls)
		tls_json(j, f->tls);
	else
		jsonw_null(j, "tls");
	jsonw_end_object(j);
}

/* The policy entry that decided, or would have if it had not expired. */
static void put_policy(struct jsonw *j, const struct finding *f)
{
	const struct verdict *v = &f->verdict;
	const struct policy_allow *a = v->allow ?: v->expired;
	const struct policy_place *at = a ? &a->at : v->wire;
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
	char uid[OCSF_UID_LEN];

	if (!f->incident) {
		jsonw_null(j, "incident");
		return;
	}
	ocsf_incident_uid(f->uid_prefix, f->incident, uid);
	jsonw_string(j, "incident", uid);
}

/* The outcome in words, and how many bytes of the instance were read or written. */
static void put_result(struct jsonw *j, const struct finding *f)
{
	const struct alert *a = f->alert;
	char result[64];

	attempt_result(&a->ev, a->bytes, result, sizeof(result));
	jsonw_string(j, "result", result);
	if (a->bytes && attempt_transfers(&a->ev))
		jsonw_int(j, "bytes", (int64_t)a->bytes);
	else
		jsonw_null(j, "bytes");
}

void event_own(struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "event");
	jsonw_string(j, "rule", rule_name(ev->key.rule));
	jsonw_string(j, "severity", severity_name(f->severity));
	jsonw_string(j, "verdict", verdict_name(f->verdict.id));
	jsonw_bool(j, "routine", f->routine);
	put_policy(j, f);
	jsonw_string(j, "vector", f->vector);
	jsonw_string(j, "detail", f->detail);
	jsonw_text(j, "object", f->object);
	jsonw_string(j, "outcome", attempt_outcome(ev));
	put_result(j, f);
	jsonw_int(j, "errno", ev->key.err);
	jsonw_string(j, "found_by", ev->flags & EVENT_FOUND_BY_SWEEP ? "sweep" : "hook");
	jsonw_int(j, "count", (int64_t)f->alert->count);
	if (ev->flags & EVENT_CROWD)
		jsonw_bool(j, "crowd", true);
	if (f->alert->last_seen)
		jsonw_string(j, "last_seen", f->alert->last_seen);
	put_incident(j, f);
	put_instance(j, f);
	put_actor(j, f);
	put_conn(j, f);
	jsonw_end_object(j);
}

/* "mem-read: redis-server:6379 by gdb(4711)": what a queue of findings shows of each. */
void event_title(const struct finding *f, char buf[EVENT_TITLE_LEN])
{
	const struct attempt_key *key = &f->alert->ev.key;
	struct textw t = {buf, EVENT_TITLE_LEN, 0, false, false};
	struct actor a;

	textw_put(&t, "%s: ", rule_name(key->rule));
	if (key->rule == RULE_SELF_BLIND) {
		textw_put(&t, "%s", f->detail);
		return;
	}
	textw_put(&t, "%s",
		  f->instance	  ? f->instance->name
		  : key->instance ? "unknown instance"
				  : "this host");
	if (finding_has_actor(f)) {
		a = finding_actor(f);
		actor_title(&t, &a);
	} else {
		actor_title(&t, NULL);
	}
}

const char *event_json(const struct finding *f, struct report_buf *b, size_t *ret_len)
{
	unsigned int rule = f->alert->ev.key.rule;
	struct actor actor, *known = NULL;
	struct jsonw *j = &b->json;
	char uid[OCSF_UID_LEN], title[EVENT_TITLE_LEN];

	if (finding_has_actor(f)) {
		actor = finding_actor(f);
		known = &actor;
	}
	event_title(f, title);
	ocsf_event_uid(f->uid_prefix, f->alert->id, uid);
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ocsf_head(j, f->update ? OCSF_UPDATE : OCSF_CREATE, f->severity);
	jsonw_bool(j, "is_alert", f->verdict.id >= VERDICT_ALERT);
	jsonw_int(j, "time", f->update ? f->now_ms : f->time_ms);
	jsonw_int(j, "start_time", f->time_ms);
	jsonw_int(j, "count", (int64_t)f->alert->count);
	jsonw_string(j, "message", title);
	ocsf_finding_info(
		j, &(struct ocsf_finding){uid, title, rule, 1u << rule, f->time_ms, OCSF_NO_TIME});
	ocsf_remediation(j, rule, attempt_stage(&f->alert->ev));
	ocsf_resources(j, f->instance);
	put_evidences(j, f, known);
	put_observables(j, f, known);
	jsonw_object(j, "unmapped");
	event_own(j, f);
	jsonw_end_object(j);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
