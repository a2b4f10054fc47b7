// SPDX-License-Identifier: BSD-2-Clause
/* carried.c - see carried.h. */
#include "model/carried.h"

#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 8192
#define ROUNDS_KEPT                                                                                \
	2 /* the report of its end may wait in the ring buffer while what is open is read */

struct known {
	struct hash_link link;
	uint64_t cookie, round; /* the last one in which it was open */
	struct carried counted; /* so far */
};

int carried_init(struct carried_conns *cc)
{
	*cc = (struct carried_conns){};
	return hashtable_init(&cc->by_cookie, BUCKETS);
}

static void drop(struct carried_conns *cc, struct known *k)
{
	hashtable_remove(&cc->by_cookie, &k->link);
	free(k);
}

/* Those that were last seen open before that round. */
static void drop_before(struct carried_conns *cc, uint64_t round)
{
	struct hash_link *l, *next;

	for (l = hashtable_walk(&cc->by_cookie, NULL); l; l = next) {
		struct known *k = container_of(l, struct known, link);

		next = hashtable_walk(&cc->by_cookie, l);
		if (k->round < round)
			drop(cc, k);
	}
}

void carried_free(struct carried_conns *cc)
{
	if (cc->by_cookie.bucket)
		drop_before(cc, UINT64_MAX);
	hashtable_free(&cc->by_cookie);
}

static struct known *find(const struct carried_conns *cc, uint64_t cookie)
{
	for (struct hash_link *l = hashtable_first(&cc->by_cookie, cookie); l;
	     l = hashtable_next(l)) {
		struct known *k = container_of(l, struct known, link);

		if (k->cookie == cookie)
			return k;
	}
	return NULL;
}

static struct known *add(struct carried_conns *cc, uint64_t cookie)
{
	struct known *k = cc->by_cookie.count < CARRIED_CONNS_MAX ? calloc(1, sizeof(*k)) : NULL;

	if (!k)
		return NULL;
	k->cookie = cookie;
	hashtable_add(&cc->by_cookie, &k->link, cookie);
	return k;
}

/* Bytes from before the first one that a program saw are unread, and in no other number. */
static uint64_t all_of(uint64_t bytes, uint64_t unread)
{
	return bytes > unread ? bytes : unread;
}

/* What came between two readings of a connection. Unread bytes are counted in 32 bits: at the end of these, all that follow are. */
static struct carried since(const struct carried *was, const struct carried *now)
{
	struct carried ret;

	for (int i = 0; i < 2; i++) {
		uint64_t before = all_of(was->bytes[i], was->unread[i]);
		uint64_t all = all_of(now->bytes[i], now->unread[i]);
		uint64_t unread =
			now->unread[i] > was->unread[i] ? now->unread[i] - was->unread[i] : 0;

		ret.bytes[i] = all > before ? all - before : 0;
		if (now->unread[i] == UINT32_MAX || unread > ret.bytes[i])
			unread = ret.bytes[i];
		ret.unread[i] = unread;
	}
	return ret;
}

void carried_begin(struct carried_conns *cc)
{
	cc->round++;
	cc->later = 0;
}

struct carried carried_open(struct carried_conns *cc, const struct conn_snapshot *s)
{
	struct carried now = {.bytes = {s->in.bytes, s->out.bytes},
			      .unread = {s->in.unsynced_bytes, s->out.unsynced_bytes}},
		       more = {};
	struct known *k = find(cc, s->cookie) ?: add(cc, s->cookie);

	if (!k) {
		cc->later++;
		return more;
	}
	more = since(&k->counted, &now);
	k->counted = now;
	k->round = cc->round;
	return more;
}

void carried_end(struct carried_conns *cc, bool whole)
{
	if (whole && cc->round > ROUNDS_KEPT)
		drop_before(cc, cc->round - ROUNDS_KEPT + 1);
}

struct carried carried_close(struct carried_conns *cc, const struct handshake_chunk *closed)
{
	const struct chunk_carried *c = chunk_carried(closed);
	struct carried now = {.bytes = {c[0].bytes, c[1].bytes},
			      .unread = {c[0].unread, c[1].unread}},
		       none = {}, more;
	struct known *k = find(cc, closed->cookie);

	more = since(k ? &k->counted : &none, &now);
	if (k)
		drop(cc, k);
	return more;
}
