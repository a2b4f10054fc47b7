/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h - the connections of all instances and what their handshakes negotiated, from the handshake chunks that the
 * kernel side hands up. Pure: time comes with the chunks.
 */
#ifndef CACHEWARDEN_CONN_H
#define CACHEWARDEN_CONN_H

#include "base/hashtable.h"
#include "model/cert.h"

#include "event.h"
#include "handshake_chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define CONNS_MAX 16384	   /* beyond it the oldest is forgotten */
#define HANDSHAKES_MAX 256 /* parsed at once; 64 KiB each */

struct tls_facts;
struct handshake;

struct conn {
	uint64_t cookie;
	uint64_t since_ns; /* of the first chunk, CLOCK_BOOTTIME */
	uint32_t instance;
	uint8_t opened; /* enum conn_opened */
	bool ipv6;
	bool evaluated; /* conns_chunk() returned it */
	bool has_cert;
	bool incomplete; /* a part of its handshake is missing */
	bool unread;	 /* what it negotiates will not be known */
	uint8_t wrong;	 /* enum payload_kind: what TLS does not allow; 0: nothing yet */
	bool wrong_out;	 /* in which direction */
	bool wrong_reported;
	struct conn_ends ends;
	uint32_t received[2]; /* bytes per direction, ingress first */
	struct tls_facts *facts;
	struct cert cert;	     /* the server's, if has_cert */
	struct handshake *handshake; /* being parsed; NULL: not */
	struct hash_link link, link_ends;
	TAILQ_ENTRY(conn) by_age;
};

/* A peer's share of the handshakes being parsed. */
struct conn_peer {
	uint8_t net[16];
	uint32_t handshakes;
};

struct conns {
	struct hashtable by_cookie, by_ends;
	TAILQ_HEAD(, conn) by_age; /* oldest first */
	uint64_t seen;
	uint64_t forgotten;		     /* dropped while still open, for lack of room */
	uint64_t unread;		     /* handshakes of which the outcome is unknown */
	uint64_t handshakes;		     /* begun so far */
	struct conn *parsed[HANDSHAKES_MAX]; /* NULL: free */
	struct conn_peer peers[HANDSHAKES_MAX + 1];
};

/* Returns 0 or -ENOMEM. */
int conns_init(struct conns *cs);
void conns_free(struct conns *cs);

/* Is this ring buffer record a chunk that this program understands? */
bool handshake_chunk_valid(const void *record, size_t size);

/*
 * Process a valid chunk. Returns the connection, once, when version and cipher suite are negotiated;
 * else NULL.
 */
struct conn *conns_chunk(struct conns *cs, const struct handshake_chunk *p);
struct conn *conns_find(const struct conns *cs, uint64_t cookie);

/* The latest one between these ends; two network namespaces may have the same ones. */
const struct conn *conns_find_ends(const struct conns *cs, const struct conn_ends *ends);
void conns_close(struct conns *cs, uint64_t cookie);

/* Are version and cipher suite negotiated? */
bool conn_negotiated(const struct conn *c);

/* Is the instance the TLS server, so that egress is the server's direction? */
bool conn_server_out(const struct conn *c);

/* The rule that c->wrong breaks. */
unsigned int conn_wrong_rule(const struct conn *c);
void conn_wrong_event(const struct conn *c, struct event *ev);

/* An attempt event for rule (tls-version, tls-cipher), broken by this handshake. */
void conn_event(const struct conn *c, unsigned int rule, struct event *ev);

#endif
