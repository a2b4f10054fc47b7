// SPDX-License-Identifier: BSD-2-Clause
/* periodic.c - see periodic.h. */
#include "attest/periodic.h"

#include "attest/ledger.h"
#include "attest/statement.h"
#include "base/log.h"
#include "evidence/dsse.h"
#include "evidence/entry.h"
#include "evidence/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 256   /* entries that are searched at once for the last statement */
#define BEFORE 1280 /* entries before a statement that may have the tallies it was computed from */

struct periodic {
	struct writer_statements hooks;
	struct ledger *ledger;
	struct chain chain;
	bool broken; /* what the log has is not known: another statement could contradict it */
};

/* --- what the log has already --- */

struct search {
	struct chain chain;
	uint64_t end;
};

static int find_statement(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct search *s = ctx;
	json_t *v;
	char *payload = NULL;
	size_t n;
	int err;

	if (at->index >= s->end)
		return 1;
	if (!entry_is(entry, len, "statement"))
		return 0;
	v = json_loadb(entry, len, 0, NULL);
	err = dsse_payload(json_object_get(v, "record"), &payload, &n)
		      ?: chain_take(&s->chain, at->index, payload, n);
	free(payload);
	json_decref(v);
	return err;
}

static int feed(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	ledger_entry(ctx, entry, len);
	return 0;
}

static void on_open(void *ctx, int dir, uint64_t size)
{
	struct periodic *p = ctx;
	struct search s = {};
	struct reader r;
	uint64_t from = 0;
	int err = reader_open_at(&r, dir);

	for (uint64_t n = (size + BLOCK - 1) / BLOCK; n-- > 0 && !err && !s.chain.number;) {
		s.end = (n + 1) * BLOCK;
		if (n * BLOCK <= r.pruned.before) /* before it is what was kept of the rest */
			n = 0;
		err = reader_each(&r, n * BLOCK, find_statement, &s, NULL);
	}
	if (!err && s.chain.number) {
		p->chain = s.chain;
		/* a period whose parts are not all there is stated again */
		ledger_restart(p->ledger, s.chain.more ? s.chain.from : s.chain.to);
		if (!s.chain.more && s.chain.size > BEFORE)
			from = s.chain.size - BEFORE;
	}
	err = err ?: reader_each(&r, from, feed, p->ledger, NULL);
	p->broken = err != 0;
	if (err)
		log_warn(
			"no statements are made: the earlier ones of the evidence log could not be read: %s",
			r.error[0] ? r.error : strerror(-err));
	reader_close(&r);
}

/* --- what comes --- */

static void on_entry(void *ctx, uint64_t index, const char *entry, size_t len)
{
	struct periodic *p = ctx;

	if (!entry_is(entry, len, "statement"))
		ledger_entry(p->ledger, entry, len);
}

static void on_alive(void *ctx, int64_t time_ms)
{
	struct periodic *p = ctx;

	ledger_alive(p->ledger, time_ms);
}

/* --- a statement --- */

struct making {
	struct store *store;
	int (*append)(void *w, const char *record);
	void *w;
	struct checkpoint head;
	struct statement s;
	struct chain chain; /* with the parts made so far */
	json_t *sum, *servers;
};

static json_t *slice(json_t *all, size_t from, size_t count)
{
	json_t *v = json_array();

	for (size_t i = from; i < from + count; i++)
		json_array_append(v, json_array_get(all, i));
	return v;
}

static char *part_text(struct making *m, size_t from, size_t count)
{
	json_t *servers = slice(m->servers, from, count), *v;
	char *text;

	m->s.more = from + count < json_array_size(m->servers);
	v = statement_new(&m->s, m->sum, servers);
	text = v ? statement_text(v) : NULL;
	json_decref(v);
	json_decref(servers);
	return text;
}

static int sign_part(struct making *m, const char *text)
{
	char *envelope = NULL;
	int err =
		dsse_sign(text, strlen(text), store_key(m->store), store_sign, m->store, &envelope);

	err = err ?: m->append(m->w, envelope);
	free(envelope);
	return err ?: chain_take(&m->chain, store_next(m->store) - 1, text, strlen(text));
}

/* What is large and not about the servers goes first, and the statement says so. Returns false if nothing is left. */
static bool leave_out(json_t *object, const char *key)
{
	static const char said[] = "left out: too large";
	json_t *v = json_object_get(object, key);

	if (!v || json_is_string(v))
		return false;
	json_object_set_new(object, key, json_string(said));
	return true;
}

/* The part does not fit. Returns how many servers to try next, or -E2BIG. */
static ssize_t fewer(struct making *m, size_t from, size_t count)
{
	json_t *row = json_array_get(m->servers, from);
	bool smaller = false;

	if (count > 1 || (count && m->s.part == 1))
		return (ssize_t)count / 2;
	if (count)
		smaller = leave_out(row, "counts") || leave_out(row, "sha256") ||
			  leave_out(row, "exe");
	else
		smaller = leave_out(m->sum, "unseen") || leave_out(m->sum, "policies") ||
			  leave_out(m->sum, "counts") || leave_out(m->sum, "monitor");
	return smaller ? (ssize_t)count : -E2BIG;
}

/* Servers that do not fit into a part go into the next one. */
static int make_parts(struct making *m)
{
	size_t from = 0, all = json_array_size(m->servers);
	ssize_t count = (ssize_t)all;

	do {
		char *text = part_text(m, from, (size_t)count);
		int err = text ? 0 : -ENOMEM;

		if (text && strlen(text) > PERIODIC_TEXT_MAX) {
			count = fewer(m, from, (size_t)count);
			err = count < 0 ? (int)count : 0;
		} else if (text) {
			err = sign_part(m, text);
			from += (size_t)count;
			count = (ssize_t)(all - from);
			m->s.part++;
		}
		free(text);
		if (err)
			return err;
	} while (from < all || m->s.part == 1);
	return 0;
}

static int on_make(void *ctx, struct store *store, int (*append)(void *w, const char *record),
		   void *w)
{
	struct periodic *p = ctx;
	int64_t to = ledger_last(p->ledger);
	struct making m = {.store = store, .append = append, .w = w, .chain = p->chain};
	int err;

	if (p->broken)
		return -EBADMSG;
	m.sum = ledger_sum(p->ledger, to, NULL);
	if (!m.sum)
		return -ENOMEM;
	m.servers = json_incref(json_object_get(m.sum, "servers"));
	store_head(store, &m.head);
	m.s = (struct statement){.from = ledger_from(p->ledger),
				 .to = to,
				 .log = &m.head,
				 .after = &m.chain,
				 .part = 1};
	err = make_parts(&m);
	json_decref(m.servers);
	json_decref(m.sum);
	if (err) {
		ledger_reopen(p->ledger);
		return err;
	}
	p->chain = m.chain;
	ledger_restart(p->ledger, to);
	return 0;
}

/* --- begin and end --- */

struct periodic *periodic_new(void)
{
	struct periodic *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->hooks = (struct writer_statements){
		.ctx = p, .open = on_open, .entry = on_entry, .alive = on_alive, .make = on_make};
	p->ledger = ledger_new(LEDGER_FIRST, LEDGER_OPEN, false);
	if (p->ledger)
		return p;
	free(p);
	return NULL;
}

void periodic_free(struct periodic *p)
{
	if (!p)
		return;
	ledger_free(p->ledger);
	free(p);
}

const struct writer_statements *periodic_hooks(const struct periodic *p)
{
	return &p->hooks;
}
