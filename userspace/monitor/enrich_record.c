// SPDX-License-Identifier: BSD-2-Clause
/* enrich_record.c - see enrich_job.h. docs/evidence.md says what each member is, and how far it can be trusted. */
#include "monitor/enrich_job.h"

#include "base/clock.h"
#include "base/ip.h"
#include "base/macros.h"
#include "base/procdir.h"
#include "model/tls_suite.h"
#include "tls/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct members members_take(struct jsonw *j)
{
	struct members m = {};
	size_t len;
	const char *text = jsonw_done(j, &len);

	if (text && len > 3 &&
	    (m.text = malloc(len - 3))) { /* without the braces and the line end */
		m.len = len - 3;
		memcpy(m.text, text + 1, m.len);
	}
	return m;
}

static void release(struct members *m)
{
	free(m->text);
	*m = (struct members){};
}

/* --- what is known at once --- */

static void put_instance(struct jsonw *j, const struct instance *in)
{
	jsonw_object(j, "instance");
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "uid", in->uid);
	jsonw_int(j, "pid", in->pid);
	jsonw_int(j, "start_time", clock_epoch_ms(in->start_ns));
	jsonw_end_object(j);
}

static void put_process(struct jsonw *j, const struct finding *f)
{
	const struct process_info *p = &f->alert->ev.actor;
	char comm[COMM_LEN + 1] = "";

	memcpy(comm, p->comm, COMM_LEN);
	jsonw_int(j, "pid", p->pid);
	jsonw_int(j, "tid", p->tid);
	jsonw_int(j, "start_time", f->start_ms);
	ocsf_process_uid(j, p->pid, p->start_ns);
	jsonw_string(j, "comm", comm);
	jsonw_text(j, "exe", f->exe);
	jsonw_bool(j, "exe_deleted", p->exe.flags & PATH_DELETED);
	jsonw_text(j, "cmdline", f->alert->ev.args.text);
	jsonw_int(j, "uid", p->uid);
	jsonw_int(j, "euid", p->euid);
	if (p->loginuid != UINT32_MAX)
		jsonw_int(j, "loginuid", p->loginuid);
	jsonw_int(j, "session_leader", p->session);
	jsonw_int(j, "pid_ns", p->pid_ns);
	jsonw_int(j, "ns_pid", p->ns_pid);
}

static void put_place(struct jsonw *j, const struct finding *f)
{
	char place[INSTANCE_PLACE];

	policy_place(f->cgroup, place, sizeof(place));
	jsonw_text(j, "cgroup", f->cgroup);
	jsonw_text(j, "unit", f->unit);
	jsonw_text(j, "container", f->container);
	jsonw_text(j, "pod", !strncmp(place, "pod-", 4) ? place + 4 : NULL);
}

void job_actor_head(struct job *job, struct jsonw *j, const struct finding *f)
{
	const struct event *ev = &f->alert->ev;

	jsonw_reset(j);
	jsonw_object(j, NULL);
	jsonw_int(j, "deed_time", f->time_ms);
	jsonw_string(j, "rule", rule_name(ev->key.rule));
	put_process(j, f);
	put_place(j, f);
	if (f->instance)
		put_instance(j, f->instance);
	jsonw_end_object(j);
	job->head = members_take(j);
	job->info = ev->actor;
	memcpy(job->path, f->exe, sizeof(job->path));
	job->server = f->tenant || (f->instance && f->instance->pid == ev->actor.pid);
	job_layout_head(job, j, f);
}

void job_layout_head(struct job *job, struct jsonw *j, const struct finding *f)
{
	if (job->target < 0 || !f->instance)
		return;
	jsonw_reset(j);
	jsonw_object(j, NULL);
	put_instance(j, f->instance);
	jsonw_end_object(j);
	job->of_target = members_take(j);
}

void job_server_head(struct job *job, struct jsonw *j, const struct instance *in)
{
	jsonw_reset(j);
	jsonw_object(j, NULL);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "uid", in->uid);
	jsonw_int(j, "pid", in->pid);
	jsonw_int(j, "start_time", clock_epoch_ms(in->start_ns));
	jsonw_string(j, "exe", in->exe);
	jsonw_end_object(j);
	job->head = members_take(j);
	job->cwd = strdup(in->cwd);
}

/* --- in the thread --- */

struct layout_job {
	struct job *job;
	struct jsonw *j;
};

static struct jsonw *begin_part(void *ctx, unsigned int part)
{
	struct layout_job *l = ctx;

	jsonw_reset(l->j);
	jsonw_object(l->j, NULL);
	return l->j;
}

static void end_part(void *ctx, unsigned int part)
{
	struct layout_job *l = ctx;

	jsonw_end_object(l->j);
	l->job->layout[part - 1] = members_take(l->j);
	l->job->parts = part;
}

static void run_layout(struct job *job, struct jsonw *j)
{
	struct layout_job l = {job, j};

	job->layout_error = layout_json(job->target, &(struct layout_out){begin_part, end_part, &l},
					&job->left_out);
}

/* What is gone with the process comes first: the file stays pinned. */
static void run_actor(struct job *job, struct jsonw *j, const char *proc, const char *dpkg,
		      struct known_packages *known, struct keeping *keeping)
{
	char link[PATH_LEN] = "";
	struct actor_file file = {.pinned = job->exe,
				  .path = job->path,
				  .ino = job->info.exe_ino,
				  .dev = job->info.exe_dev,
				  .link = link};

	jsonw_reset(j);
	jsonw_object(j, NULL);
	jsonw_int(j, "read_time", clock_epoch_ms(clock_boot_ns()));
	if (job->dir >= 0)
		procdir_link(job->dir, "exe", link, sizeof(link));
	actor_facts_json(j, &(struct actor_source){proc, job->dir, &job->info, job->server},
			 &job->conns);
	actor_file_json(j, &file, dpkg, known, keeping);
	host_facts_json(j);
	jsonw_end_object(j);
	job->body = members_take(j);
	if (job->target >= 0)
		run_layout(job, j);
}

static void run_server(struct job *job, struct jsonw *j)
{
	struct server_source s = {.dir = job->dir, .cwd = job->cwd ?: "/", .configs = job->configs};

	for (size_t i = 0; i < job->configs; i++)
		s.config[i] = job->config[i];
	jsonw_reset(j);
	jsonw_object(j, NULL);
	server_facts_json(j, &s);
	jsonw_end_object(j);
	job->body = members_take(j);
}

void job_run(struct job *job, struct jsonw *j, const char *proc, const char *dpkg,
	     struct known_packages *known, struct keeping *keeping)
{
	if (job->kind == JOB_ACTOR)
		run_actor(job, j, proc, dpkg, known, keeping);
	else if (job->kind == JOB_LAYOUT)
		run_layout(job, j);
	else
		run_server(job, j);
}

/* --- records --- */

/* The handshake of a connection to or from a server, which has the other end. */
static const struct conn *find_conn(const struct conns *cs, const struct conn_ends *of)
{
	struct conn_ends other = {.local_port = of->remote_port, .remote_port = of->local_port};

	if (!cs)
		return NULL;
	memcpy(other.local_ip, of->remote_ip, sizeof(other.local_ip));
	memcpy(other.remote_ip, of->local_ip, sizeof(other.remote_ip));
	return conns_find_ends(cs, &other);
}

static bool is_mapped(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(ip, prefix, sizeof(prefix));
}

static void put_end(struct jsonw *j, const char *key, const uint8_t ip[16], uint16_t port)
{
	char text[IP_TEXT_LEN];

	ip_text(ip, !is_mapped(ip), text, sizeof(text));
	ocsf_endpoint(j, key, text, port);
}

static void put_conn(struct jsonw *j, const struct socket_line *l, const struct conns *conns)
{
	const struct conn *c = find_conn(conns, &l->ends);

	jsonw_object(j, NULL);
	put_end(j, "local", l->ends.local_ip, l->ends.local_port);
	put_end(j, "remote", l->ends.remote_ip, l->ends.remote_port);
	jsonw_string(j, "state", socket_state_name(l->state));
	/* known of connections with a protected server alone */
	if (c && conn_negotiated(c))
		jsonw_string(j, "tls_version", tls_version_name(c->facts->version));
	jsonw_end_object(j);
}

static void put_incidents(const struct job *job, struct jsonw *j)
{
	jsonw_array(j, "incidents");
	for (size_t i = job->told; i < job->incidents; i++)
		jsonw_string(j, NULL, job->incident[i]);
	jsonw_end_array(j);
}

struct telling {
	struct jsonw *j;
	void (*put)(void *ctx, const char *kind, const char *record, size_t len);
	void *ctx;
};

static void begin(const struct telling *t)
{
	jsonw_reset(t->j);
	jsonw_object(t->j, NULL);
}

static void end(const struct telling *t, const char *kind)
{
	const char *record;
	size_t len = 0;

	jsonw_end_object(t->j);
	record = jsonw_done(t->j, &len);
	t->put(t->ctx, kind, record ?: "", record ? len : 0);
}

static void put_unread(struct jsonw *j, const char *why)
{
	jsonw_array(j, "unread");
	jsonw_string(j, NULL, why);
	jsonw_end_array(j);
}

/* A thread that is stuck still has what it found out. */
static const char *why_given_up(const struct job *job)
{
	return job->state == JOB_WAITING
		       ? "all that /proc and files say of it: the monitor ended before it had its turn"
		       : "all that /proc and files say of it: reading did not come to an end";
}

static void tell_server(const struct job *job, const struct telling *t)
{
	begin(t);
	jsonw_members(t->j, job->head.text, job->head.len);
	if (job->given_up)
		put_unread(t->j, why_given_up(job));
	else
		jsonw_members(t->j, job->body.text, job->body.len);
	end(t, "server");
}

static void put_conns(const struct job *job, struct jsonw *j, const struct conns *conns)
{
	if (job->conns.err && !job->conns.count)
		return;
	jsonw_array(j, "connections");
	for (size_t i = 0; i < job->conns.count; i++)
		put_conn(j, &job->conns.conn[i], conns);
	jsonw_end_array(j);
	if (job->conns.left_out)
		jsonw_int(j, "connections_left_out", (int64_t)job->conns.left_out);
}

static void tell_actor(const struct job *job, const struct telling *t, const struct conns *conns)
{
	begin(t);
	put_incidents(job, t->j);
	jsonw_members(t->j, job->head.text, job->head.len);
	if (job->given_up) {
		put_unread(t->j, why_given_up(job));
	} else {
		jsonw_members(t->j, job->body.text, job->body.len);
		put_conns(job, t->j, conns);
	}
	end(t, "actor");
}

/* There is none, though it was wanted. */
static void tell_no_layout(const struct job *job, const struct telling *t, const char *why)
{
	begin(t);
	put_incidents(job, t->j);
	jsonw_members(t->j, job->of_target.text, job->of_target.len);
	put_unread(t->j, why);
	end(t, "layout");
}

static void tell_layout(const struct job *job, const struct telling *t)
{
	if (job->layout_error)
		tell_no_layout(job, t, strerror(-job->layout_error));
	for (unsigned int part = 0; part < job->parts; part++) {
		begin(t);
		put_incidents(job, t->j);
		jsonw_members(t->j, job->of_target.text, job->of_target.len);
		jsonw_int(t->j, "number", part + 1);
		jsonw_int(t->j, "numbers", job->parts);
		jsonw_members(t->j, job->layout[part].text, job->layout[part].len);
		if (part + 1 == job->parts && job->left_out)
			jsonw_int(t->j, "left_out", (int64_t)job->left_out);
		end(t, "layout");
	}
}

void job_tell(struct job *job, struct jsonw *j, const struct conns *conns,
	      void (*put)(void *ctx, const char *kind, const char *record, size_t len), void *ctx)
{
	const struct telling t = {j, put, ctx};

	if (job->kind == JOB_SERVER) {
		tell_server(job, &t);
		return;
	}
	if (job->kind == JOB_ACTOR)
		tell_actor(job, &t, conns);
	if (job->given_up) {
		if (job->kind == JOB_LAYOUT)
			tell_no_layout(job, &t, why_given_up(job));
		return;
	}
	tell_layout(job, &t);
	job->layout_error = 0; /* once */
	for (; job->parts; job->parts--)
		release(&job->layout[job->parts - 1]);
}

void job_let_go(struct job *job)
{
	int *const held[] = {&job->dir, &job->exe, &job->target};

	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		if (*held[i] >= 0)
			close(*held[i]);
		*held[i] = -1;
	}
}

void job_release(struct job *job)
{
	job_let_go(job);
	release(&job->head);
	release(&job->body);
	release(&job->of_target);
	for (size_t i = 0; i < LAYOUT_PARTS_MAX; i++)
		release(&job->layout[i]);
	for (size_t i = 0; i < job->configs; i++)
		free(job->config[i]);
	free(job->cwd);
	*job = (struct job){.dir = -1, .exe = -1, .target = -1};
}
