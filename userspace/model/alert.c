// SPDX-License-Identifier: BSD-2-Clause
/* alert.c - see alert.h. A hash table of chains, keyed by the kernel's own attempt key. */
#include "model/alert.h"

#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* power of two */

int alerts_init(struct alerts *as)
{
	*as = (struct alerts){};
	as->buckets = calloc(BUCKETS, sizeof(*as->buckets));
	return as->buckets ? 0 : -ENOMEM;
}

void alerts_free(struct alerts *as)
{
	for (size_t b = 0; as->buckets && b < BUCKETS; b++) {
		for (struct alert *a = as->buckets[b], *next; a; a = next) {
			next = a->next;
			free(a->opener);
			free(a);
		}
	}
	free(as->buckets);
	*as = (struct alerts){};
}

static uint64_t hash_key(const struct attempt_key *key)
{
	return hash_bytes(HASH_INIT, key, sizeof(*key));
}

/*
 * Wire events carry the direction in their vector, while the kernel counts them without it. The
 * table goes by what the kernel counts.
 */
static struct attempt_key table_key(const struct attempt_key *key)
{
	struct attempt_key k = *key;

	if (k.vector == VECTOR_EGRESS || k.vector == VECTOR_INGRESS)
		k.vector = VECTOR_NONE;
	return k;
}

static struct alert **slot(struct alerts *as, const struct attempt_key *key)
{
	struct attempt_key k = table_key(key);
	struct alert **p = &as->buckets[hash_key(&k) & (BUCKETS - 1)];

	for (; *p; p = &(*p)->next) {
		struct attempt_key have = table_key(&(*p)->ev.key);

		if (!memcmp(&have, &k, sizeof(k)))
			break;
	}
	return p;
}

static void drop(struct alerts *as, struct alert **p)
{
	struct alert *a = *p;

	*p = a->next;
	free(a->opener);
	free(a);
	as->count--;
}

/* Does a go before b? The kernel still counts what is not kept, and tells its details no second time. */
static bool goes_before(const struct alert *a, const struct alert *b)
{
	return a->kept != b->kept ? a->kept : a->last_ns < b->last_ns;
}

/* Room for one more: the alert that was quiet longest, of those that are shown in full, goes. */
static void make_room(struct alerts *as)
{
	struct alert **oldest = NULL;

	for (size_t b = 0; b < BUCKETS; b++) {
		for (struct alert **p = &as->buckets[b]; *p; p = &(*p)->next) {
			if ((*p)->count == (*p)->shown_count &&
			    (!oldest || goes_before(*p, *oldest)))
				oldest = p;
		}
	}
	if (oldest) {
		drop(as, oldest);
		as->forgotten++;
	}
}

static struct alert *add(struct alerts *as, const struct attempt_key *key)
{
	struct alert *a, **p;

	if (as->count >= ALERTS_MAX)
		make_room(as);
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	p = slot(as, key);
	a->ev.key = *key;
	a->next = *p;
	*p = a;
	as->count++;
	return a;
}

/*
 * The kernel counts `counted` by now; a count never falls, whatever order events and sums arrive
 * in.
 */
static void raise_count(struct alert *a, uint64_t counted)
{
	if (counted + a->uncounted > a->count)
		a->count = counted + a->uncounted;
}

const struct alert *alerts_plaintext(const struct alerts *as, const struct event *ev)
{
	for (size_t b = 0; b < BUCKETS; b++) {
		for (const struct alert *a = as->buckets[b]; a; a = a->next) {
			if (a->ev.key.rule == RULE_TLS_PLAINTEXT && a->detailed &&
			    a->ev.key.instance == ev->key.instance && !a->ev.conn.egress &&
			    (!a->ev.conn.cookie || a->ev.conn.cookie == ev->conn.cookie) &&
			    !memcmp(&a->ev.conn.ends, &ev->conn.ends, sizeof(ev->conn.ends)))
				return a;
		}
	}
	return NULL;
}

struct alert *alerts_event(struct alerts *as, const struct event *ev)
{
	struct alert *a = *slot(as, &ev->key);

	if (a && !(ev->flags & EVENT_UNCOUNTED))
		a->kept = false;
	if (a && a->detailed && !(ev->flags & EVENT_UNCOUNTED))
		return NULL;
	if (!a)
		a = add(as, &ev->key);
	if (!a)
		return NULL;
	a->ev = *ev;
	a->detailed = true;
	a->last_ns = ev->time_ns;
	if (ev->flags & EVENT_UNCOUNTED)
		a->uncounted++;
	raise_count(a, ev->flags & EVENT_UNCOUNTED ? 0 : ev->count);
	if (ev->conn.segment > a->bytes)
		a->bytes = ev->conn.segment;
	return a;
}

struct alert *alerts_counted(struct alerts *as, const struct attempt_key *key,
			     const struct attempt *at, uint64_t now_ns, bool flush)
{
	struct alert *a = *slot(as, key);

	if (!a) {
		if (!at->count ||
		    at->sent) /* sent: its event is still in the ring, and comes first */
			return NULL;
		a = add(as, key);
		if (!a)
			return NULL;
		a->ev.time_ns = at->first_ns;
	}
	a->kept = false;
	raise_count(a, at->count);
	if (at->bytes + a->bytes_before > a->bytes)
		a->bytes = at->bytes + a->bytes_before;
	a->last_ns = at->last_ns;
	if (a->count == a->shown_count ||
	    (!flush && a->shown_ns && now_ns - a->shown_ns < ALERT_UPDATE_NS))
		return NULL;
	return a;
}

bool alert_shown(struct alerts *as, struct alert *a, uint64_t now_ns)
{
	bool before = a->id != 0;

	if (!before)
		a->id = ++as->next_id;
	a->shown_count = a->count;
	a->shown_ns = now_ns;
	return before;
}

struct alert *alerts_blind(struct alerts *as, const char *note, uint64_t total, uint64_t now_ns,
			   bool flush)
{
	struct attempt_key key = {
		.rule = RULE_SELF_BLIND,
		.vector = VECTOR_COLLECTOR,
		.actor = hash_bytes(HASH_INIT, note, strlen(note)),
	};
	struct attempt at = {.count = total, .first_ns = now_ns, .last_ns = now_ns};
	struct alert *a = alerts_counted(as, &key, &at, now_ns, flush);

	if (a && !a->note[0])
		snprintf(a->note, sizeof(a->note), "%s", note);
	return a;
}

void alerts_forget(struct alerts *as, const struct attempt_key *key)
{
	struct alert **p = slot(as, key);

	if (*p)
		drop(as, p);
}

void alerts_keep(struct alerts *as, const struct attempt_key *key)
{
	struct alert *a = *slot(as, key);

	if (!a)
		return;
	a->kept = true;
	a->uncounted = a->count;
	a->bytes_before = a->bytes;
}

void alerts_ended(struct alerts *as, uint32_t instance)
{
	for (size_t b = 0; b < BUCKETS; b++) {
		for (struct alert **p = &as->buckets[b]; *p;) {
			if ((*p)->kept && (*p)->ev.key.instance == instance)
				drop(as, p);
			else
				p = &(*p)->next;
		}
	}
}
