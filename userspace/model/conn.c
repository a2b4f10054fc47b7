// SPDX-License-Identifier: BSD-2-Clause
/* conn.c - see conn.h. */
#include "model/conn.h"

#include "base/hash.h"
#include "base/macros.h"

/* The parsers are fed here; nothing is loaded by offset. */
static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	return 0;
}
#include "tls/handshake.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct handshake {
	struct tls_reader reader[2]; /* ingress, egress */
	uint64_t number;	     /* in the order they began */
	size_t peer;		     /* index of conns.peers */
};

int conns_init(struct conns *cs)
{
	*cs = (struct conns){};
	TAILQ_INIT(&cs->by_age);
	return hashtable_init(&cs->by_cookie, BUCKETS) ?: hashtable_init(&cs->by_ends, BUCKETS);
}

static uint64_t hash_ends(const struct conn_ends *e)
{
	uint64_t h = hash_bytes(HASH_INIT, e->local_ip, sizeof(e->local_ip));

	h = hash_bytes(h, e->remote_ip, sizeof(e->remote_ip));
	h = hash_bytes(h, &e->local_port, sizeof(e->local_port));
	return hash_bytes(h, &e->remote_port, sizeof(e->remote_port));
}

static bool same_ends(const struct conn_ends *a, const struct conn_ends *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       !memcmp(a->local_ip, b->local_ip, sizeof(a->local_ip)) &&
	       !memcmp(a->remote_ip, b->remote_ip, sizeof(a->remote_ip));
}

const struct conn *conns_find_ends(const struct conns *cs, const struct conn_ends *ends)
{
	for (struct hash_link *l = hashtable_first(&cs->by_ends, hash_ends(ends)); l;
	     l = hashtable_next(l)) {
		const struct conn *c = container_of(l, struct conn, link_ends);

		if (same_ends(&c->ends, ends))
			return c;
	}
	return NULL;
}

/* Cookies are unique and sequential: no hash function is needed. */
struct conn *conns_find(const struct conns *cs, uint64_t cookie)
{
	struct hash_link *l = hashtable_first(&cs->by_cookie, cookie);

	return l ? container_of(l, struct conn, link) : NULL;
}

static void end_handshake(struct conns *cs, struct conn *c)
{
	if (!c->handshake)
		return;
	for (size_t i = 0; i < HANDSHAKES_MAX; i++) {
		if (cs->parsed[i] == c)
			cs->parsed[i] = NULL;
	}
	cs->peers[c->handshake->peer].handshakes--;
	free(c->handshake);
	c->handshake = NULL;
}

static void drop(struct conns *cs, struct conn *c)
{
	end_handshake(cs, c);
	hashtable_remove(&cs->by_cookie, &c->link);
	hashtable_remove(&cs->by_ends, &c->link_ends);
	TAILQ_REMOVE(&cs->by_age, c, by_age);
	free(c->facts);
	free(c);
}

void conns_free(struct conns *cs)
{
	while (!TAILQ_EMPTY(&cs->by_age))
		drop(cs, TAILQ_FIRST(&cs->by_age));
	hashtable_free(&cs->by_cookie);
	hashtable_free(&cs->by_ends);
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
 * The addresses that one peer controls: an IPv4 address, all of 127.0.0.0/8 as one, or the /64 of an IPv6
 * address.
 */
static void peer_net(uint8_t net[16], const struct conn *c)
{
	const uint8_t *ip = c->ends.remote_ip;

	memset(net, 0, 16);
	memcpy(net, ip, c->ipv6 ? 8 : 16);
	if (!c->ipv6 && ip[12] == 127)
		net[13] = net[14] = net[15] = 0;
}

/* Count one more handshake for the peer of c. Returns its index; there is always a free one. */
static size_t peer_enter(struct conns *cs, const struct conn *c)
{
	uint8_t net[16];
	size_t found = 0;

	peer_net(net, c);
	for (size_t i = 0; i <= HANDSHAKES_MAX; i++) {
		if (!cs->peers[i].handshakes) {
			found = i;
		} else if (!memcmp(cs->peers[i].net, net, sizeof(net))) {
			found = i;
			break;
		}
	}
	memcpy(cs->peers[found].net, net, sizeof(net));
	cs->peers[found].handshakes++;
	return found;
}

/*
 * Which of two handshakes is evicted first? A negotiated one: it is most likely over, and its end is encrypted and
 * not seen. Then one of the peer with most of them, so that no peer evicts another's. Then the oldest.
 */
static bool evicted_before(const struct conns *cs, const struct conn *a, const struct conn *b)
{
	uint32_t as = cs->peers[a->handshake->peer].handshakes,
		 bs = cs->peers[b->handshake->peer].handshakes;

	if (conn_negotiated(a) != conn_negotiated(b))
		return conn_negotiated(a);
	if (!conn_negotiated(a) && as != bs)
		return as > bs;
	return a->handshake->number < b->handshake->number;
}

static struct conn **free_or_evicted(struct conns *cs)
{
	struct conn **evicted = cs->parsed;

	for (struct conn **p = cs->parsed; p < cs->parsed + HANDSHAKES_MAX; p++) {
		if (!*p)
			return p;
		if (evicted_before(cs, *p, *evicted))
			evicted = p;
	}
	return evicted;
}

/* Start to parse a handshake, from where both directions are. */
static void begin_parsing(struct conns *cs, struct conn *c)
{
	struct handshake *h = calloc(1, sizeof(*h));
	struct conn **place;

	if (!h)
		return;
	h->number = cs->handshakes++;
	h->peer = peer_enter(cs, c);
	for (int out = 0; out < 2; out++) {
		begin_reader(&h->reader[out], c);
		if (c->opened != OPENED_UNKNOWN)
			h->reader[out].side =
				out == conn_server_out(c) ? TLS_SIDE_SERVER : TLS_SIDE_CLIENT;
		if (c->received[out]) /* evicted in the middle: its beginning is lost */
			h->reader[out].reading = TLS_READ_LOST;
	}
	place = free_or_evicted(cs);
	if (*place)
		end_handshake(cs, *place);
	*place = c;
	c->handshake = h;
}

static struct conn *add(struct conns *cs, const struct handshake_chunk *p)
{
	struct conn *c;

	if (cs->by_cookie.count >= CONNS_MAX) {
		drop(cs, TAILQ_FIRST(&cs->by_age));
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
	hashtable_add(&cs->by_cookie, &c->link, c->cookie);
	hashtable_add(&cs->by_ends, &c->link_ends, hash_ends(&c->ends));
	TAILQ_INSERT_TAIL(&cs->by_age, c, by_age);
	cs->seen++;
	return c;
}

bool handshake_chunk_valid(const void *record, size_t size)
{
	const struct handshake_chunk *p = record;

	if (size < CHUNK_HEADER_LEN || p->magic != CHUNK_MAGIC)
		return false;
	if (p->flags & CHUNK_CLOSED)
		return size >= CHUNK_CLOSED_LEN;
	return p->flags & CHUNK_ENDED || (p->len <= CHUNK_LEN && size >= sizeof(*p));
}

void conns_close(struct conns *cs, uint64_t cookie)
{
	struct conn *c = conns_find(cs, cookie);

	if (c)
		drop(cs, c);
}

bool conn_negotiated(const struct conn *c)
{
	return c->facts->flags & (TLS_SERVER_HELLO | TLS_RETRY);
}

bool conn_server_out(const struct conn *c)
{
	return c->opened == OPENED_INBOUND;
}

/* Was every byte of that direction read so far, in order and as a handshake? */
static bool read_whole(const struct conn *c, bool out)
{
	const struct tls_reader *r = c->handshake ? &c->handshake->reader[out] : NULL;

	return r && (r->reading == TLS_READING || r->reading == TLS_READ_ENCRYPTED);
}

static void note_wrong(struct conn *c, bool out, uint8_t wrong)
{
	if (c->wrong || c->opened == OPENED_UNKNOWN)
		return;
	c->wrong = wrong;
	c->wrong_out = out;
}

/*
 * May application data end that direction's clear handshake? From TLS 1.3 on, once the server's hello is complete; before
 * that, only as the client's early data. Up to 1.2 ChangeCipherSpec comes first. What is not known for certain is
 * allowed.
 */
static bool data_allowed(const struct conn *c, bool out)
{
	bool client = out != conn_server_out(c);
	uint32_t flags = c->facts->flags;

	if (client && flags & (TLS_EARLY_DATA | TLS_RETRY))
		return true;
	if (flags & TLS_SERVER_HELLO)
		return c->facts->version > TLS_1_2;
	return !read_whole(c, false) || !read_whole(c, true);
}

static void end_if_read(struct conns *cs, struct conn *c)
{
	const struct handshake *h = c->handshake;

	if (h && h->reader[0].reading != TLS_READING && h->reader[1].reading != TLS_READING)
		end_handshake(cs, c);
}

/* The direction's clear handshake is over, and nothing of it was lost. */
static void end_clear(struct conns *cs, struct conn *c, const struct handshake_chunk *p)
{
	bool out = p->flags & CHUNK_EGRESS;

	if (p->next == TLS_APPLICATION_DATA && !data_allowed(c, out))
		note_wrong(c, out, PAYLOAD_DATA_RECORD);
	if (read_whole(c, out))
		c->handshake->reader[out].reading = TLS_READ_ENCRYPTED;
	end_if_read(cs, c);
}

static void feed(struct conns *cs, struct conn *c, const struct handshake_chunk *p)
{
	bool out = p->flags & CHUNK_EGRESS;
	struct tls_reader *r = c->handshake ? &c->handshake->reader[out] : NULL;

	/* bytes are missing: what follows cannot be parsed */
	if (r && p->offset != c->received[out])
		r->reading = TLS_READ_LOST;
	c->received[out] = p->offset + p->len;
	if (!r || r->reading != TLS_READING)
		c->incomplete = true;
	if (r && r->reading == TLS_READING &&
	    tls_reader_feed(r, p->bytes, p->len) == TLS_READ_FOREIGN)
		note_wrong(c, out, PAYLOAD_WRONG_HANDSHAKE);
	if (out == conn_server_out(c) && !conn_negotiated(c) && !c->unread && !c->wrong &&
	    (!r || r->reading != TLS_READING)) {
		c->unread = true;
		cs->unread++;
	}
}

/*
 * A handshake evicted before the server's first chunk loses nothing: version and suite come in that
 * direction alone, and parsing starts again with it.
 */
struct conn *conns_chunk(struct conns *cs, const struct handshake_chunk *p)
{
	struct conn *c = conns_find(cs, p->cookie);

	if (p->flags & CHUNK_CLOSED) {
		conns_close(cs, p->cookie);
		return NULL;
	}
	if (p->flags & CHUNK_ENDED) {
		if (c)
			end_clear(cs, c, p);
		return NULL;
	}
	if (!c)
		c = add(cs, p);
	if (!c) {
		cs->unread++;
		return NULL;
	}
	if (!c->handshake && !p->offset && !conn_negotiated(c))
		begin_parsing(cs, c);
	feed(cs, c, p);
	end_if_read(cs, c);
	if (c->evaluated || !conn_negotiated(c))
		return NULL;
	c->evaluated = true;
	return c;
}

unsigned int conn_wrong_rule(const struct conn *c)
{
	/* a direction that carried a hello before has stopped being TLS */
	return c->wrong == PAYLOAD_WRONG_HANDSHAKE ? RULE_TLS_PLAINTEXT : RULE_TLS_MIDSTREAM;
}

void conn_wrong_event(const struct conn *c, struct event *ev)
{
	conn_event(c, conn_wrong_rule(c), ev);
	ev->key.vector = c->wrong_out ? VECTOR_EGRESS : VECTOR_INGRESS;
	ev->conn.egress = c->wrong_out;
	ev->conn.payload = c->wrong;
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
