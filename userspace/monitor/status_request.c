// SPDX-License-Identifier: BSD-2-Clause
/* status_request.c - see status_request.h. Times are in milliseconds since the epoch. */
#include "monitor/status_request.h"

#include "base/clock.h"
#include "base/host.h"
#include "base/macros.h"
#include "model/file_kind.h"
#include "monitor/conn_count.h"
#include "monitor/health.h"
#include "monitor/loss.h"
#include "sensor/coverage.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_wrong(struct jsonw *j, const struct monitor *m)
{
	static struct health h; /* large */

	health_check(m, &h);
	jsonw_bool(j, "well", !h.lines);
	jsonw_array(j, "wrong");
	for (size_t i = 0; i < h.lines; i++)
		jsonw_string(j, NULL, h.line[i]);
	jsonw_end_array(j);
	jsonw_int(j, "wrong_not_listed", (int64_t)h.more);
}

static void put_monitor(struct jsonw *j, const struct monitor *m)
{
	const struct host *h = host_get();

	jsonw_string(j, "version", CACHEWARDEN_VERSION);
	jsonw_string(j, "host", h->name);
	jsonw_string(j, "kernel", h->kernel);
	jsonw_int(j, "pid", getpid());
	jsonw_int(j, "started", clock_epoch_ms(m->began_ns));
	jsonw_int(j, "uptime_s", (int64_t)((clock_boot_ns() - m->began_ns) / NS_PER_SEC));
	if (m->guard.pid)
		jsonw_int(j, "guard_pid", m->guard.pid);
	else
		jsonw_null(j, "guard_pid");
}

static void put_policy(struct jsonw *j, const struct monitor *m)
{
	const struct evidence *e = &m->evidence;

	jsonw_array(j, "policy"); /* empty: the built-in one */
	for (size_t i = 0; i < e->policies; i++) {
		jsonw_object(j, NULL);
		jsonw_string(j, "file", e->policy[i].path);
		jsonw_text(j, "sha256", e->policy[i].sha256);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void put_sensors(struct jsonw *j, const struct monitor *m)
{
	coverage_json(m->sensors, j);
}

static void put_ports(struct jsonw *j, const struct instance *in)
{
	jsonw_array(j, "ports");
	for (unsigned int i = 0; i < in->ports; i++) {
		jsonw_object(j, NULL);
		jsonw_int(j, "port", in->port[i]);
		jsonw_bool(j, "tls", in->secure >> i & 1);
		jsonw_bool(j, "plaintext", in->plain >> i & 1);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void put_files(struct jsonw *j, const struct monitor *m, const struct instance *in)
{
	jsonw_int(j, "files_protected", (int64_t)files_count(m->files, in->id));
	jsonw_object(j, "files_known");
	for (size_t i = 0; i < FILES_EXPECTED; i++)
		jsonw_bool(j, file_kind_name(files_expected[i]),
			   files_any(m->files, in->id, files_expected[i], NULL, NULL));
	jsonw_end_object(j);
}

struct connections {
	struct conn_count row[CONN_COUNTS_MAX];
	size_t rows;
};

static void put_connections(struct jsonw *j, const struct connections *c, uint32_t instance)
{
	jsonw_object(j, "connections");
	for (size_t i = 0; i < c->rows; i++) {
		if (c->row[i].instance == instance)
			jsonw_int(j, conn_count_version(&c->row[i]), (int64_t)c->row[i].count);
	}
	jsonw_end_object(j);
}

static void put_instance(struct jsonw *j, const struct monitor *m, const struct instance *in,
			 const struct connections *c)
{
	jsonw_object(j, NULL);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "uid", in->uid);
	jsonw_int(j, "pid", in->pid);
	jsonw_int(j, "processes", in->members);
	jsonw_int(j, "user", in->user);
	jsonw_string(j, "exe", in->exe);
	jsonw_text(j, "started_as", in->started_as);
	jsonw_string(j, "place", in->place);
	jsonw_int(j, "since", clock_epoch_ms(in->began_ns));
	jsonw_bool(j, "found_running", in->found_running);
	/* its start is over: code that is loaded from now on is reported */
	jsonw_bool(j, "baselined", in->baselined);
	put_ports(j, in);
	put_connections(j, c, in->id);
	jsonw_int(j, "plaintext_bytes", (int64_t)in->plaintext_bytes);
	put_files(j, m, in);
	jsonw_end_object(j);
}

static void put_instances(struct jsonw *j, const struct monitor *m)
{
	static struct connections c; /* large */

	c.rows = conn_counts(m, c.row);
	jsonw_array(j, "instances");
	for (size_t i = 0; i < m->instances.count; i++) {
		if (m->instances.all[i]->members)
			put_instance(j, m, m->instances.all[i], &c);
	}
	jsonw_end_array(j);
}

static void put_totals(struct jsonw *j, const struct monitor *m)
{
	const struct totals *t = &m->totals;

	jsonw_object(j, "events");
	jsonw_int(j, "all", (int64_t)t->attempts);
	for (unsigned int v = 0; v < VERDICT_MAX; v++)
		jsonw_int(j, verdict_name(v), (int64_t)totals_of(t, v));
	jsonw_end_object(j);
	jsonw_object(j, "incidents");
	jsonw_int(j, "all", (int64_t)m->incidents.next_id);
	jsonw_int(j, "open", (int64_t)m->incidents.by_lineage.count);
	jsonw_string(j, "worst", t->worst ? severity_name(t->worst) : NULL);
	jsonw_end_object(j);
}

static void put_lost(struct jsonw *j, const struct monitor *m)
{
	uint64_t counted[COUNTER_MAX];

	for (enum counter_id id = 0; id < COUNTER_MAX; id++)
		counted[id] = sensors_counter(m->sensors, id);
	losses_json(j, counted);
	jsonw_array(j, "blind_spots");
	for (struct alert *a = NULL; (a = alerts_next(&m->alerts, a));) {
		if (a->ev.key.rule != RULE_SELF_BLIND)
			continue;
		jsonw_object(j, NULL);
		jsonw_string(j, "what", a->note);
		jsonw_int(j, "count", (int64_t)a->count);
		jsonw_int(j, "last", clock_epoch_ms(a->shown_ns));
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void put_work(struct jsonw *j, const struct monitor *m)
{
	jsonw_object(j, "lag");
	jsonw_int(j, "most_ms", (int64_t)(m->lag.most_ns / NS_PER_MS));
	jsonw_int(j, "late", (int64_t)m->lag.late);
	jsonw_end_object(j);
	jsonw_object(j, "sweeps");
	jsonw_int(j, "all", (int64_t)m->sweeps.count);
	jsonw_int(j, "failed", (int64_t)m->sweeps.failed);
	jsonw_int(j, "longest_ms", (int64_t)(m->sweeps.longest_ns / NS_PER_MS));
	jsonw_int(j, "last", clock_epoch_ms(m->sweeps.began_ns));
	jsonw_end_object(j);
}

static void put_output(struct jsonw *j, const struct monitor *m)
{
	jsonw_array(j, "output");
	for (size_t i = 0; i < m->sinks.count; i++) {
		const struct sink_status *s = &m->output[i];

		jsonw_object(j, NULL);
		jsonw_string(j, "to", m->sinks.sink[i].name);
		jsonw_int(j, "waiting", (int64_t)s->lag);
		jsonw_int(j, "lost", (int64_t)s->dropped);
		jsonw_string(j, "error", s->error ? sink_error(&m->sinks.sink[i], s->error) : NULL);
		jsonw_end_object(j);
	}
	jsonw_end_array(j);
}

static void put_heartbeat(struct jsonw *j, const struct monitor *m)
{
	uint64_t every_ns = m->options->heartbeat_s * NS_PER_SEC;

	if (!every_ns) {
		jsonw_null(j, "heartbeat");
		return;
	}
	jsonw_object(j, "heartbeat");
	jsonw_int(j, "every_s", m->options->heartbeat_s);
	jsonw_int(j, "sent", (int64_t)m->heartbeat.count);
	jsonw_int(j, "next", clock_epoch_ms(m->heartbeat.next_ns));
	jsonw_end_object(j);
}

static void put_witness(struct jsonw *j, const struct monitor *m)
{
	const char *witness = m->policy.policy.witness;
	const struct witnessing *w = &m->witnessing;
	char url[256];

	if (!witness) {
		jsonw_null(j, "witness");
		return;
	}
	snprintf(url, sizeof(url), "%.*s", (int)strcspn(witness, " "), witness);
	jsonw_object(j, "witness");
	jsonw_string(j, "url", url);
	jsonw_int(j, "entries", (int64_t)w->size);
	if (w->time_ms)
		jsonw_int(j, "last_cosigned", w->time_ms);
	else
		jsonw_null(j, "last_cosigned");
	jsonw_int(j, "failed", (int64_t)w->failed);
	jsonw_int(j, "refused", (int64_t)w->refused);
	jsonw_int(j, "damaged", (int64_t)w->damaged);
	jsonw_text(j, "error", w->error);
	jsonw_end_object(j);
}

static void put_evidence(struct jsonw *j, const struct monitor *m)
{
	const struct evidence *e = &m->evidence;
	struct writer_status s;

	if (!e->dir[0]) {
		jsonw_null(j, "evidence");
		return;
	}
	jsonw_object(j, "evidence");
	jsonw_string(j, "directory", e->dir);
	jsonw_string(j, "origin", e->writer ? writer_origin(e->writer) : NULL);
	jsonw_text(j, "error", e->error);
	if (e->writer) {
		writer_status(e->writer, &s);
		jsonw_int(j, "entries", (int64_t)s.entries);
		jsonw_int(j, "last_checkpoint", s.signed_ms);
		jsonw_int(j, "waiting", (int64_t)s.waiting);
		jsonw_int(j, "lost", (int64_t)(s.lost + s.refused));
		jsonw_int(j, "failed_commits", (int64_t)s.failed);
		put_witness(j, m);
	}
	jsonw_end_object(j);
}

void status_request(void *ctx, int fd)
{
	static void (*const parts[])(struct jsonw *, const struct monitor *) = {
		put_wrong, put_monitor, put_policy, put_sensors,   put_instances, put_totals,
		put_lost,  put_work,	put_output, put_heartbeat, put_evidence,
	};
	struct monitor *m = ctx;
	struct jsonw j = {};
	const char *reply;
	size_t len;

	jsonw_object(&j, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		parts[i](&j, m);
	jsonw_end_object(&j);
	reply = jsonw_done(&j, &len);
	if (reply)
		control_reply(&m->control, fd, reply, len);
	jsonw_free(&j);
}
