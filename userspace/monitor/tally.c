// SPDX-License-Identifier: BSD-2-Clause
/* tally.c - see tally.h. */
#include "monitor/tally.h"

#include "base/clock.h"
#include "model/tls_suite.h"
#include "monitor/loss.h"
#include "sensor/coverage.h"
#include "tls/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rows --- */

static struct tally_row *add_row(struct tally *t, uint32_t instance)
{
	if (t->rows == t->room) {
		size_t room = t->room ? 2 * t->room : 8;
		struct tally_row *all = reallocarray(t->row, room, sizeof(*all));

		if (!all)
			return NULL;
		t->row = all;
		t->room = room;
	}
	t->row[t->rows] = (struct tally_row){.instance = instance};
	return &t->row[t->rows++];
}

/* The host's if there is no room, or it is no server's. NULL: nothing is counted, or memory ran out. */
static struct tally_row *row_of(struct monitor *m, uint32_t instance)
{
	struct tally *t = &m->tally;

	if (!t->since_ms)
		return NULL;
	for (size_t i = 0; i < t->rows; i++) {
		if (t->row[i].instance == instance)
			return &t->row[i];
	}
	if (!instances_find(&m->instances, instance) || t->rows == TALLY_ROWS_MAX)
		return t->rows ? &t->row[0] : NULL;
	return add_row(t, instance) ?: t->rows ? &t->row[0] : NULL;
}

/* --- what happens --- */

static void count_allowed(struct tally_row *r, const struct verdict *v, uint64_t more)
{
	const struct policy_place *at = v->allow ? &v->allow->at : v->wire;
	char entry[TALLY_ENTRY_LEN];

	if (!at)
		return;
	snprintf(entry, sizeof(entry), "%s:%u", at->file, at->line);
	for (size_t i = 0; i < TALLY_ALLOWS; i++) {
		if (!r->allow[i].count) {
			memcpy(r->allow[i].entry, entry, sizeof(entry));
			snprintf(r->allow[i].reason, sizeof(r->allow[i].reason), "%s",
				 v->allow && v->allow->reason ? v->allow->reason : "");
		}
		if (!strcmp(r->allow[i].entry, entry)) {
			r->allow[i].count += more;
			return;
		}
	}
	r->other_allows += more;
}

void tally_finding(struct monitor *m, struct alert *a, const struct finding *f)
{
	unsigned int rule = a->ev.key.rule;
	struct tally_row *r = row_of(m, a->ev.key.instance);
	uint64_t bytes = a->bytes - a->tallied_bytes;

	a->tallied_bytes = a->bytes;
	if (!r || rule >= RULE_MAX)
		return;
	r->access[rule][f->verdict.id] += f->more;
	if (rule == RULE_TLS_PLAINTEXT || rule == RULE_TLS_MIDSTREAM)
		r->plaintext_bytes += bytes;
	if (f->verdict.id == VERDICT_ALLOWED)
		count_allowed(r, &f->verdict, f->more);
}

void tally_blind(struct monitor *m, const struct finding *f)
{
	struct tally *t = &m->tally;

	if (!t->since_ms)
		return;
	for (size_t i = 0; i < TALLY_NOTES; i++) {
		struct tally_note *n = &t->note[i];

		if (!n->count)
			snprintf(n->text, sizeof(n->text), "%s", f->detail);
		if (!strcmp(n->text, f->detail)) {
			n->count += f->more;
			return;
		}
	}
	t->other_notes += f->more;
}

void tally_incident(struct monitor *m, uint32_t instance)
{
	struct tally_row *r = row_of(m, instance);

	if (r)
		r->incidents++;
}

void tally_handshake(struct monitor *m, const struct conn *c)
{
	struct tally_row *r = row_of(m, c->instance);

	if (!r)
		return;
	for (size_t i = 0; i < TALLY_SUITES; i++) {
		if (!r->suite[i].count) {
			r->suite[i].version = c->facts->version;
			r->suite[i].cipher = c->facts->cipher;
		}
		if (r->suite[i].version == c->facts->version &&
		    r->suite[i].cipher == c->facts->cipher) {
			r->suite[i].count++;
			return;
		}
	}
	r->other_suites++;
}

/* --- bytes --- */

static void add_carried(struct monitor *m, uint32_t instance, const struct carried *more)
{
	struct tally_row *r = row_of(m, instance);

	for (int i = 0; r && i < 2; i++) {
		r->carried.bytes[i] += more->bytes[i];
		r->carried.unread[i] += more->unread[i];
	}
}

void tally_closed(struct monitor *m, const struct handshake_chunk *closed)
{
	struct carried more;

	if (!m->tally.since_ms)
		return;
	more = carried_close(&m->tally.carried, closed);
	add_carried(m, closed->instance, &more);
}

static void count_open(void *ctx, const struct conn_snapshot *s)
{
	struct monitor *m = ctx;
	struct carried more = carried_open(&m->tally.carried, s);

	add_carried(m, s->instance, &more);
}

/* What is open now. Ends of connections wait in the ring buffer meanwhile. */
static void count_all_open(struct monitor *m)
{
	struct tally *t = &m->tally;
	size_t count;
	pid_t *pids = monitor_servers(m, &count);
	int err = -ENOMEM;

	carried_begin(&t->carried);
	if (pids)
		err = sensors_snapshots(m->sensors, pids, count, count_open, m);
	t->carried_failed += err && err != -ENOENT;
	carried_end(&t->carried, !err);
	free(pids);
}

void tally_sensors_lost(struct monitor *m)
{
	m->tally.sensors_lost = true;
}

/* --- as JSON --- */

static void put_access(struct jsonw *j, const struct tally_row *r)
{
	jsonw_object(j, "accesses");
	for (unsigned int rule = 1; rule < RULE_MAX; rule++) {
		bool any = false;

		for (unsigned int v = 0; v < VERDICT_MAX; v++) {
			if (!r->access[rule][v])
				continue;
			if (!any)
				jsonw_object(j, rule_name(rule));
			any = true;
			jsonw_int(j, verdict_name(v), (int64_t)r->access[rule][v]);
		}
		if (any)
			jsonw_end_object(j);
	}
	jsonw_end_object(j);
}

static void put_suites(struct jsonw *j, const struct tally_row *r)
{
	char name[96], number[16];

	jsonw_object(j, "handshakes");
	for (size_t i = 0; i < TALLY_SUITES && r->suite[i].count; i++) {
		const struct tls_suite *s = tls_suite_find(r->suite[i].cipher);

		snprintf(number, sizeof(number), "0x%04x", r->suite[i].cipher);
		snprintf(name, sizeof(name), "%s %s",
			 tls_version_name(r->suite[i].version) ?: "unknown", s ? s->name : number);
		jsonw_int(j, name, (int64_t)r->suite[i].count);
	}
	if (r->other_suites)
		jsonw_int(j, "others", (int64_t)r->other_suites);
	jsonw_end_object(j);
}

static void put_allows(struct jsonw *j, const struct tally_row *r)
{
	jsonw_object(j, "allowed");
	for (size_t i = 0; i < TALLY_ALLOWS && r->allow[i].count; i++) {
		jsonw_object(j, r->allow[i].entry);
		jsonw_int(j, "count", (int64_t)r->allow[i].count);
		jsonw_text(j, "reason", r->allow[i].reason);
		jsonw_end_object(j);
	}
	if (r->other_allows) {
		jsonw_object(j, "others");
		jsonw_int(j, "count", (int64_t)r->other_allows);
		jsonw_end_object(j);
	}
	jsonw_end_object(j);
}

/* Of TCP connections. Where record headers were followed the rest is TLS, or plaintext that is counted as such. */
static void put_bytes(struct jsonw *j, const struct carried *c)
{
	jsonw_object(j, "bytes");
	jsonw_int(j, "received_walked", (int64_t)(c->bytes[0] - c->unread[0]));
	jsonw_int(j, "received_not_walked", (int64_t)c->unread[0]);
	jsonw_int(j, "sent_walked", (int64_t)(c->bytes[1] - c->unread[1]));
	jsonw_int(j, "sent_not_walked", (int64_t)c->unread[1]);
	jsonw_end_object(j);
}

static void put_row(struct jsonw *j, const struct tally_row *r)
{
	put_access(j, r);
	put_allows(j, r);
	put_suites(j, r);
	jsonw_int(j, "incidents", (int64_t)r->incidents);
	jsonw_int(j, "plaintext_bytes", (int64_t)r->plaintext_bytes);
	put_bytes(j, &r->carried);
}

/* Zeros, too: that nothing was lost is what a statement is for. */
static void put_counters(struct jsonw *j, struct monitor *m)
{
	struct tally *t = &m->tally;
	uint64_t since[COUNTER_MAX], now;

	for (enum counter_id id = 0; id < COUNTER_MAX; id++) {
		now = sensors_counter(m->sensors, id);
		since[id] = now - t->counter[id];
		t->counter[id] = now;
	}
	losses_json(j, since);
	jsonw_object(j, "connections");
	jsonw_int(j, "with_handshake", (int64_t)(m->conns.seen - t->seen));
	jsonw_int(j, "read_in_part", (int64_t)(m->conns.unread - t->unread));
	jsonw_int(j, "bytes_not_read", (int64_t)t->carried_failed);
	jsonw_int(j, "bytes_counted_later", (int64_t)t->carried.later);
	jsonw_end_object(j);
	t->seen = m->conns.seen;
	t->unread = m->conns.unread;
	t->carried_failed = 0;
}

static void put_notes(struct jsonw *j, const struct tally *t)
{
	jsonw_object(j, "blind");
	for (size_t i = 0; i < TALLY_NOTES && t->note[i].count; i++)
		jsonw_int(j, t->note[i].text, (int64_t)t->note[i].count);
	if (t->other_notes)
		jsonw_int(j, "others", (int64_t)t->other_notes);
	jsonw_end_object(j);
}

static void put_sweeps(struct jsonw *j, struct monitor *m)
{
	struct tally *t = &m->tally;

	jsonw_object(j, "sweeps");
	jsonw_int(j, "count", (int64_t)(m->sweeps.count - t->sweeps));
	jsonw_int(j, "failed", (int64_t)(m->sweeps.failed - t->sweeps_failed));
	jsonw_int(j, "longest_gap_ms", (int64_t)(t->longest_gap_ns / NS_PER_MS));
	jsonw_end_object(j);
	t->sweeps = m->sweeps.count;
	t->sweeps_failed = m->sweeps.failed;
	t->longest_gap_ns = 0;
}

static unsigned int every_s(const struct monitor *m)
{
	return m->options->statement_s ?: TALLY_EVERY_S;
}

/* The quiet tier was chosen: other limits are the kernel's, and documented. */
static void put_unseen_in_quiet(struct jsonw *j, const struct sensor_program *p, size_t n)
{
	size_t limits;
	const struct sensor_limit *limit = sensor_limits(&limits);

	for (size_t i = 0; i < limits; i++) {
		if (!strcmp(limit[i].tier, "quiet") && sensor_limit_applies(&limit[i], p, n))
			jsonw_string(j, NULL, limit[i].unseen);
	}
}

static void put_sensors(struct jsonw *j, const struct monitor *m)
{
	const struct sensor_program *p;
	size_t n = sensors_programs(m->sensors, &p);

	jsonw_bool(j, "sensors_lost", m->tally.sensors_lost);
	coverage_json(m->sensors, j);
	jsonw_array(j, "unseen");
	for (size_t i = 0; i < n; i++) {
		if (!p[i].attached)
			jsonw_string(j, NULL, p[i].unseen);
	}
	put_unseen_in_quiet(j, p, n);
	jsonw_end_array(j);
}

/* --- entries --- */

static void put_time(struct jsonw *j, const struct monitor *m, int64_t now_ms)
{
	jsonw_string(j, "run", m->uid_prefix);
	jsonw_int(j, "from", m->tally.since_ms);
	jsonw_int(j, "to", now_ms);
}

/* Also those that did nothing: that they ran is what the next statement has to know. */
static bool tell_server(struct monitor *m, const struct instance *in, int64_t now_ms)
{
	const struct tally_row none = {}, *r = &none;
	struct jsonw *j;

	for (size_t i = 0; i < m->tally.rows; i++) {
		if (m->tally.row[i].instance == in->id)
			r = &m->tally.row[i];
	}
	if (!in->members && r == &none)
		return false;
	j = evidence_tally_begin(&m->evidence);
	put_time(j, m, now_ms);
	jsonw_int(j, "id", in->id);
	jsonw_int(j, "pid", in->pid);
	jsonw_string(j, "name", in->name);
	jsonw_string(j, "uid", in->uid);
	jsonw_bool(j, "alive", in->members != 0);
	jsonw_object(j, "counts");
	put_row(j, r);
	jsonw_end_object(j);
	evidence_tally_end(&m->evidence, false);
	return true;
}

/* servers: tallies that precede it. One that the log lost or refused would be missed by nobody else. */
static void tell_host(struct monitor *m, int64_t now_ms, int64_t servers)
{
	struct jsonw *j = evidence_tally_begin(&m->evidence);

	put_time(j, m, now_ms);
	jsonw_int(j, "every_s", every_s(m));
	jsonw_int(j, "server_tallies", servers);
	evidence_tally_host(&m->evidence);
	put_sensors(j, m);
	jsonw_object(j, "counts");
	put_row(j, &m->tally.row[0]);
	put_counters(j, m);
	put_notes(j, &m->tally);
	put_sweeps(j, m);
	jsonw_end_object(j);
	evidence_tally_end(&m->evidence, true);
}

static void tell(struct monitor *m)
{
	struct tally *t = &m->tally;
	int64_t now_ms = m->now == m->handover.at_ns ? m->handover.at_ms : clock_epoch_ms(m->now);
	int64_t servers = 0;
	size_t told = 0;

	count_all_open(m);
	for (size_t i = 0; i < m->instances.count && told < TALLY_ROWS_MAX; i++, told++)
		servers += tell_server(m, m->instances.all[i], now_ms);
	tell_host(m, now_ms, servers);
	t->rows = 0;
	add_row(t, 0); /* has room: it was there */
	memset(t->note, 0, sizeof(t->note));
	t->other_notes = 0;
	t->since_ms = now_ms;
}

/* --- time --- */

void tally_baseline(struct monitor *m)
{
	struct tally *t = &m->tally;

	if (!(m->options->evidence ?: m->policy.policy.evidence) || carried_init(&t->carried))
		return;
	count_all_open(m); /* of which nothing is counted before tally_begin() */
	t->seen = m->conns.seen;
	t->unread = m->conns.unread;
}

void tally_begin(struct monitor *m)
{
	struct tally *t = &m->tally;
	bool has_baseline = t->carried.by_cookie.bucket;

	if (!m->evidence.writer || (!has_baseline && carried_init(&t->carried)) || !add_row(t, 0))
		return;
	m->now = clock_boot_ns();
	/* from where the one before has counted until */
	t->since_ms = m->handover.at_ms ?: clock_epoch_ms(m->now);
	t->next_ns = m->now + every_s(m) * NS_PER_SEC;
	t->swept_ns = m->sweeps.began_ns;
}

/* Sweeps begin at most once a second; two since the last look count as one long gap. */
static void note_sweep(struct monitor *m)
{
	struct tally *t = &m->tally;
	uint64_t until = m->sweeps.began_ns > t->swept_ns ? m->sweeps.began_ns : m->now;
	/* the last tally of a handover ends with it, and a sweep may have begun since */
	uint64_t gap = until > t->swept_ns ? until - t->swept_ns : 0;

	if (gap > t->longest_gap_ns)
		t->longest_gap_ns = gap;
	t->swept_ns = m->sweeps.began_ns;
}

void tally_tick(struct monitor *m, bool last)
{
	struct tally *t = &m->tally;

	if (!t->since_ms)
		return;
	note_sweep(m);
	if (!last && m->now < t->next_ns)
		return;
	while (t->next_ns <= m->now) /* missed intervals are not made up for */
		t->next_ns += every_s(m) * NS_PER_SEC;
	tell(m);
}

void tally_free(struct tally *t)
{
	carried_free(&t->carried);
	free(t->row);
	*t = (struct tally){};
}
