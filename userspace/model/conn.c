// SPDX-License-Identifier: BSD-2-Clause
/* conn.c - see conn.h. A hash table of chains by socket cookie, and a list by age. */
#include "model/conn.h"

/* the readers need no loading of bytes by offset: they are fed */
static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	return 0;
}
#include "tls/handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* power of two */

struct conn_reading {
	struct tls_reader way[2]; /* ingress, egress */
	uint64_t number;	  /* in the order they began */
	size_t peer;
};

int conns_init(struct conns *cs)
{
	*cs = (struct conns){};
	cs->buckets = calloc(BUCKETS, sizeof(*cs->buckets));
	return cs->buckets ? 0 : -ENOMEM;
}

static struct conn **slot(const struct conns *cs, uint64_t cookie)
{
	struct conn **p = &cs->buckets[cookie & (BUCKETS - 1)];

	while (*p && (*p)->cookie != cookie)
		p = &(*p)->next;
	return p;
}

static void end_reading(struct conns *cs, struct conn *c)
{
	if (!c->reading)
		return;
	for (size_t i = 0; i < HANDSHAKES_MAX; i++) {
		if (cs->in_handshake[i] == c)
			cs->in_handshake[i] = NULL;
	}
	cs->peers[c->reading->peer].handshakes--;
	free(c->reading);
	c->reading = NULL;
}

static void drop(struct conns *cs, struct conn *c)
{
	end_reading(cs, c);
	*slot(cs, c->cookie) = c->next;
	*(c->older ? &c->older->newer : &cs->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &cs->newest) = c->older;
	cs->count--;
	free(c->facts);
	free(c);
}

void conns_free(struct conns *cs)
{
	while (cs->oldest)
		drop(cs, cs->oldest);
	free(cs->buckets);
	*cs = (struct conns){};
}

static void on_certificate(void *ctx, const __u8 *der, __u32 len)
{
	struct conn *c = ctx;

	c->has_cert = !cert_read(&c->cert, der, len);
}

static void begin_reader(struct tls_reader *r, struct conn *c)
{
	tls_reader_begin(r, c->facts);
	r->certificate = on_certificate;
	r->ctx = c;
}

/*
 * What one peer has at its disposal: an address of IPv4, all that loop back together; of IPv6 the 64 bits that name
 * a network.
 */
static void peer_net(uint8_t net[16], const struct conn *c)
{
	const uint8_t *ip = c->ends.remote_ip;

	memset(net, 0, 16);
	memcpy(net, ip, c->ipv6 ? 8 : 16);
	if (!c->ipv6 && ip[12] == 127)
		net[13] = net[14] = net[15] = 0;
}

/* One more by the peer of c. Its number; there is always a place for one. */
static size_t peer_enter(struct conns *cs, const struct conn *c)
{
	uint8_t net[16];
	size_t at = 0;

	peer_net(net, c);
	for (size_t i = 0; i <= HANDSHAKES_MAX; i++) {
		if (!cs->peers[i].handshakes) {
			at = i;
		} else if (!memcmp(cs->peers[i].net, net, sizeof(net))) {
			at = i;
			break;
		}
	}
	memcpy(cs->peers[at].net, net, sizeof(net));
	cs->peers[at].handshakes++;
	return at;
}

/*
 * Which of two handshakes gives way to another? One that has settled: most often it is long over, for what ends it
 * is encrypted and not handed on. Then one by the peer that has most of them, so that nobody pushes out another's.
 * Then the one that has been at it longest.
 */
static bool gives_way_before(const struct conns *cs, const struct conn *a, const struct conn *b)
{
	uint32_t as = cs->peers[a->reading->peer].handshakes,
		 bs = cs->peers[b->reading->peer].handshakes;

	if (conn_settled(a) != conn_settled(b))
		return conn_settled(a);
	if (!conn_settled(a) && as != bs)
		return as > bs;
	return a->reading->number < b->reading->number;
}

static struct conn **place_for_one(struct conns *cs)
{
	struct conn **at = cs->in_handshake;

	for (struct conn **p = at; p < cs->in_handshake + HANDSHAKES_MAX; p++) {
		if (!*p)
			return p;
		if (gives_way_before(cs, *p, *at))
			at = p;
	}
	return at;
}

/* One more handshake to read, from where both directions stand. */
static void begin_reading(struct conns *cs, struct conn *c)
{
	struct conn_reading *r = malloc(sizeof(*r));
	struct conn **place;

	if (!r)
		return;
	r->number = cs->readings++;
	r->peer = peer_enter(cs, c);
	for (int out = 0; out < 2; out++) {
		begin_reader(&r->way[out], c);
		if (c->opened != OPENED_UNKNOWN)
			r->way[out].side =
				out == conn_server_out(c) ? TLS_SIDE_SERVER : TLS_SIDE_CLIENT;
		if (c->handed[out]) /* it had been begun, and gave way */
			r->way[out].reading = TLS_READ_FOREIGN;
	}
	place = place_for_one(cs);
	if (*place)
		end_reading(cs, *place);
	*place = c;
	c->reading = r;
}

static struct conn *add(struct conns *cs, const struct handshake_chunk *p)
{
	struct conn *c, **chain;

	if (cs->count >= CONNS_MAX) {
		drop(cs, cs->oldest);
		cs->forgotten++;
	}
	c = calloc(1, sizeof(*c));
	if (c)
		c->facts = malloc(sizeof(*c->facts));
	if (!c || !c->facts) {
		free(c);
		return NULL;
	}
	tls_facts_begin(c->facts);
	c->cookie = p->cookie;
	c->since_ns = p->time_ns;
	c->instance = p->instance;
	c->opened = p->opened;
	c->ipv6 = p->ipv6;
	c->ends = p->ends;
	chain = slot(cs, p->cookie);
	c->next = *chain;
	*chain = c;
	c->older = cs->newest;
	*(cs->newest ? &cs->newest->newer : &cs->oldest) = c;
	cs->newest = c;
	cs->count++;
	cs->seen++;
	return c;
}

bool handshake_chunk_valid(const void *record, size_t size)
{
	const struct handshake_chunk *p = record;

	if (size < CHUNK_HEADER_LEN || p->magic != CHUNK_MAGIC)
		return false;
	return p->flags & CHUNK_CLOSED || (p->len <= CHUNK_LEN && size >= sizeof(*p));
}

struct conn *conns_find(const struct conns *cs, uint64_t cookie)
{
	return *slot(cs, cookie);
}

void conns_close(struct conns *cs, uint64_t cookie)
{
	struct conn *c = *slot(cs, cookie);

	if (c)
		drop(cs, c);
}

bool conn_settled(const struct conn *c)
{
	return c->facts->flags & (TLS_SERVER_HELLO | TLS_RETRY);
}

bool conn_server_out(const struct conn *c)
{
	return c->opened == OPENED_INBOUND;
}

static void feed(struct conns *cs, struct conn *c, const struct handshake_chunk *p)
{
	bool out = p->flags & CHUNK_EGRESS;
	struct tls_reader *r = c->reading ? &c->reading->way[out] : NULL;

	/* what came before it is not here: nothing behind makes sense */
	if (r && p->offset != c->handed[out])
		r->reading = TLS_READ_FOREIGN;
	c->handed[out] = p->offset + p->len;
	if (!r || r->reading != TLS_READING)
		c->partly = true;
	if (r)
		tls_reader_feed(r, p->bytes, p->len);
	if (out == conn_server_out(c) && !conn_settled(c) && !c->unjudged &&
	    (!r || r->reading != TLS_READING)) {
		c->unjudged = true;
		cs->unjudged++;
	}
}

/*
 * Whoever gave way before the server said anything loses nothing: what settles version and suite comes in one
 * direction, and is read when that begins.
 */
struct conn *conns_chunk(struct conns *cs, const struct handshake_chunk *p)
{
	struct conn *c = *slot(cs, p->cookie);
	const struct conn_reading *r;

	if (p->flags & CHUNK_CLOSED) {
		conns_close(cs, p->cookie);
		return NULL;
	}
	if (!c)
		c = add(cs, p);
	if (!c) {
		cs->unjudged++;
		return NULL;
	}
	if (!c->reading && !p->offset && !conn_settled(c))
		begin_reading(cs, c);
	feed(cs, c, p);
	r = c->reading;
	if (r && r->way[0].reading != TLS_READING && r->way[1].reading != TLS_READING)
		end_reading(cs, c);
	if (c->evaluated || !conn_settled(c))
		return NULL;
	c->evaluated = true;
	return c;
}

void conn_event(const struct conn *c, unsigned int rule, struct event *ev)
{
	bool out = conn_server_out(c);

	*ev = (struct event){
		.magic = EVENT_MAGIC,
		.version = EVENT_VERSION,
		.type = EVENT_ATTEMPT,
		.size = sizeof(*ev),
		.flags = EVENT_CONN,
		.time_ns = c->since_ns,
		.key = {.actor = c->cookie,
			.instance = c->instance,
			.rule = (uint8_t)rule,
			.vector = out ? VECTOR_EGRESS : VECTOR_INGRESS},
		.count = 1,
		.conn = {.cookie = c->cookie,
			 .ends = c->ends,
			 .egress = out,
			 .opened = c->opened,
			 .ipv6 = c->ipv6,
			 .tls_version = c->facts->version,
			 .tls_cipher = c->facts->cipher},
	};
}
