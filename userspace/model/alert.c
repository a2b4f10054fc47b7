// SPDX-License-Identifier: BSD-2-Clause
/* alert.c - see alert.h. Keyed by the kernel's own attempt key. */
#include "model/alert.h"

#include "base/hash.h"
#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

int alerts_init(struct alerts *as)
{
	*as = (struct alerts){};
	return hashtable_init(&as->by_key, BUCKETS);
}

struct alert *alerts_next(const struct alerts *as, const struct alert *a)
{
	struct hash_link *l = hashtable_walk(&as->by_key, a ? &a->link : NULL);

	return l ? container_of(l, struct alert, link) : NULL;
}

static void drop(struct alerts *as, struct alert *a)
{
	hashtable_remove(&as->by_key, &a->link);
	free(a->opener);
	free(a->last_seen);
	free(a);
}

void alerts_free(struct alerts *as)
{
	for (struct alert *a = alerts_next(as, NULL), *next; a; a = next) {
		next = alerts_next(as, a);
		drop(as, a);
	}
	hashtable_free(&as->by_key);
	*as = (struct alerts){};
}

/*
 * Wire events carry the direction in their vector, the kernel counts both directions together: the table
 * leaves it out.
 */
static struct attempt_key table_key(const struct attempt_key *key)
{
	struct attempt_key k = *key;

	if (k.vector == VECTOR_EGRESS || k.vector == VECTOR_INGRESS)
		k.vector = VECTOR_NONE;
	return k;
}

static uint64_t hash_key(const struct attempt_key *key)
{
	struct attempt_key k = table_key(key);

	return hash_bytes(HASH_INIT, &k, sizeof(k));
}

static struct alert *find(const struct alerts *as, const struct attempt_key *key)
{
	struct attempt_key k = table_key(key);

	for (struct hash_link *l = hashtable_first(&as->by_key, hash_key(key)); l;
	     l = hashtable_next(l)) {
		struct alert *a = container_of(l, struct alert, link);
		struct attempt_key other = table_key(&a->ev.key);

		if (!memcmp(&other, &k, sizeof(k)))
			return a;
	}
	return NULL;
}

/* Retained alerts go first: the kernel counts all others, and would not send their details again. */
static bool goes_before(const struct alert *a, const struct alert *b)
{
	return a->retained != b->retained ? a->retained : a->last_ns < b->last_ns;
}

/* Drop the alert that was quiet longest, of those whose count is shown. */
static void make_room(struct alerts *as)
{
	struct alert *oldest = NULL;

	for (struct alert *a = alerts_next(as, NULL); a; a = alerts_next(as, a)) {
		if (a->count == a->shown_count && (!oldest || goes_before(a, oldest)))
			oldest = a;
	}
	if (oldest) {
		drop(as, oldest);
		as->forgotten++;
	}
}

static struct alert *add(struct alerts *as, const struct attempt_key *key)
{
	struct alert *a;

	if (as->by_key.count >= ALERTS_MAX)
		make_room(as);
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->ev.key = *key;
	hashtable_add(&as->by_key, &a->link, hash_key(key));
	return a;
}

/* The kernel counted that many. Events and counts arrive in any order, and a count never falls. */
static void raise_count(struct alert *a, uint64_t counted)
{
	if (counted + a->uncounted > a->count)
		a->count = counted + a->uncounted;
}

const struct alert *alerts_plaintext(const struct alerts *as, const struct event *ev)
{
	for (const struct alert *a = alerts_next(as, NULL); a; a = alerts_next(as, a)) {
		if (a->ev.key.rule == RULE_TLS_PLAINTEXT && a->detailed &&
		    a->ev.key.instance == ev->key.instance && !a->ev.conn.egress &&
		    (!a->ev.conn.cookie || a->ev.conn.cookie == ev->conn.cookie) &&
		    !memcmp(&a->ev.conn.ends, &ev->conn.ends, sizeof(ev->conn.ends)))
			return a;
	}
	return NULL;
}

static uint64_t bytes_of(const struct event *ev)
{
	return ev->flags & EVENT_TRANSFER ? ev->transfer.bytes : ev->conn.segment;
}

struct alert *alerts_event(struct alerts *as, const struct event *ev)
{
	struct alert *a = find(as, &ev->key);

	if (a && !(ev->flags & EVENT_UNCOUNTED))
		a->retained = false;
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
	if (bytes_of(ev) > a->bytes)
		a->bytes = bytes_of(ev);
	return a;
}

struct alert *alerts_counted(struct alerts *as, const struct attempt_key *key,
			     const struct attempt *at, uint64_t now_ns, bool flush)
{
	struct alert *a = find(as, key);

	if (!a) {
		if (!at->count || at->sent) /* sent: its event is still in the ring */
			return NULL;
		a = add(as, key);
		if (!a)
			return NULL;
		a->ev.time_ns = at->first_ns;
	}
	a->retained = false;
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

static struct attempt_key blind_key(const char *note, uint32_t detail)
{
	return (struct attempt_key){
		.rule = RULE_SELF_BLIND,
		.vector = VECTOR_COLLECTOR,
		.detail = detail,
		.actor = hash_bytes(HASH_INIT, note, strlen(note)),
	};
}

uint64_t alerts_blind_count(const struct alerts *as, const char *note)
{
	struct attempt_key key = blind_key(note, 0);
	const struct alert *a = find(as, &key);

	return a ? a->count : 0;
}

struct alert *alerts_blind(struct alerts *as, const char *note, uint32_t detail, uint64_t total,
			   uint64_t now_ns, bool flush)
{
	struct attempt_key key = blind_key(note, detail);
	struct attempt at = {.count = total, .first_ns = now_ns, .last_ns = now_ns};
	struct alert *a = alerts_counted(as, &key, &at, now_ns, flush);

	if (a && !a->note[0])
		snprintf(a->note, sizeof(a->note), "%s", note);
	return a;
}

void alerts_forget(struct alerts *as, const struct attempt_key *key)
{
	struct alert *a = find(as, key);

	if (a)
		drop(as, a);
}

void alerts_retain(struct alerts *as, const struct attempt_key *key)
{
	struct alert *a = find(as, key);

	if (!a)
		return;
	a->retained = true;
	a->uncounted = a->count;
	a->bytes_before = a->bytes;
}

void alerts_instance_ended(struct alerts *as, uint32_t instance)
{
	for (struct alert *a = alerts_next(as, NULL), *next; a; a = next) {
		next = alerts_next(as, a);
		if (a->retained && a->ev.key.instance == instance)
			drop(as, a);
	}
}
