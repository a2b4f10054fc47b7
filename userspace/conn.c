// SPDX-License-Identifier: BSD-2-Clause
/* conn.c - see conn.h. A hash table of chains by socket cookie, and a list by age. */
#include "conn.h"

/* the readers need no loading of bytes by offset: they are fed */
static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	return 0;
}
#include "tls_handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* power of two */

struct conn_reading {
	struct tls_reader in, out;
	uint32_t in_next, out_next; /* offset each expects */
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
	for (size_t i = 0; c->reading && i < HANDSHAKES_MAX; i++) {
		if (cs->in_handshake[i] == c)
			cs->in_handshake[i] = NULL;
	}
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
 * One more handshake to follow; the one that has been at it longest gives way: most often it is long over, for
 * what ends it is encrypted and not handed on.
 */
static void begin_reading(struct conns *cs, struct conn *c)
{
	struct conn **place = &cs->in_handshake[cs->next_handshake++ % HANDSHAKES_MAX];

	c->reading = malloc(sizeof(*c->reading));
	if (!c->reading)
		return;
	if (*place) {
		(*place)->partly |= !conn_settled(*place);
		end_reading(cs, *place);
	}
	*place = c;
	c->reading->in_next = c->reading->out_next = 0;
	begin_reader(&c->reading->in, c);
	begin_reader(&c->reading->out, c);
}

static struct conn *add(struct conns *cs, const struct clear_piece *p)
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
	begin_reading(cs, c);
	return c;
}

bool clear_piece_valid(const void *record, size_t size)
{
	const struct clear_piece *p = record;

	if (size < CLEAR_HEADER_LEN || p->magic != CLEAR_MAGIC)
		return false;
	return p->flags & CLEAR_CLOSED || (p->len <= CLEAR_PIECE && size >= sizeof(*p));
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

/* Returns true when this direction has nothing more to say. */
static bool feed(struct conn *c, const struct clear_piece *p)
{
	bool out = p->flags & CLEAR_EGRESS;
	struct tls_reader *r = out ? &c->reading->out : &c->reading->in;
	uint32_t *next = out ? &c->reading->out_next : &c->reading->in_next;

	if (p->offset != *next) { /* a piece before it got lost: nothing behind it makes sense */
		c->partly = true;
		r->reading = TLS_READ_FOREIGN;
	}
	*next += p->len;
	return tls_reader_feed(r, p->bytes, p->len) != TLS_READING;
}

struct conn *conns_piece(struct conns *cs, const struct clear_piece *p)
{
	struct conn *c = *slot(cs, p->cookie);

	if (p->flags & CLEAR_CLOSED) {
		conns_close(cs, p->cookie);
		return NULL;
	}
	if (!c)
		c = add(cs, p);
	if (!c || !c->reading)
		return NULL;
	feed(c, p);
	if (c->reading->in.reading != TLS_READING && c->reading->out.reading != TLS_READING)
		end_reading(cs, c);
	if (c->judged || !conn_settled(c))
		return NULL;
	c->judged = true;
	return c;
}

void conn_event(const struct conn *c, unsigned int rule, struct event *ev)
{
	bool out = c->opened == OPENED_INBOUND; /* the ServerHello's direction */

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
