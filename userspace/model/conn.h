/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conn.h - the connections of all instances, and what their handshakes said. Fed with the clear pieces the
 * kernel hands on. Pure: no I/O, time comes with the pieces.
 */
#ifndef CACHEWARDEN_CONN_H
#define CACHEWARDEN_CONN_H

#include "model/cert.h"
#include "event.h"
#include "handshake_chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONNS_MAX 16384	   /* the oldest goes when one more comes */
#define HANDSHAKES_MAX 256 /* at once in the middle of one; 64 KiB each */

struct tls_facts;
struct conn_reading;

struct conn {
	uint64_t cookie;
	uint64_t since_ns; /* of the first piece, CLOCK_BOOTTIME */
	uint32_t instance;
	uint8_t opened; /* enum conn_opened */
	bool ipv6;
	bool evaluated;
	bool has_cert;
	bool partly;   /* some piece of a handshake is missing */
	bool unjudged; /* what it settles on will not be known */
	struct conn_ends ends;
	uint32_t handed[2]; /* bytes that came of each direction, ingress first */
	struct tls_facts *facts;
	struct cert cert; /* the server's, if has_cert */
	struct conn_reading *reading;
	struct conn *next; /* hash chain */
	struct conn *older, *newer;
};

/* Who is at the other end of how many of the handshakes that are read. */
struct conn_peer {
	uint8_t net[16];
	uint32_t handshakes;
};

struct conns {
	struct conn **buckets;
	struct conn *oldest, *newest;
	size_t count;
	uint64_t seen;
	uint64_t forgotten; /* still open, but no room */
	uint64_t unjudged;  /* handshakes that went on, with what they settle on unread */
	uint64_t readings;
	struct conn *in_handshake[HANDSHAKES_MAX];
	struct conn_peer peers[HANDSHAKES_MAX + 1];
};

/* Returns 0 or -ENOMEM. */
int conns_init(struct conns *cs);
void conns_free(struct conns *cs);

/* Is this record of the ring a piece this program understands? Pure. */
bool handshake_chunk_valid(const void *record, size_t size);

/*
 * A valid piece arrived. Returns the connection if it is now known what was settled and nobody was told
 * before, else NULL.
 */
struct conn *conns_chunk(struct conns *cs, const struct handshake_chunk *p);
struct conn *conns_find(const struct conns *cs, uint64_t cookie);
/* It is over. */
void conns_close(struct conns *cs, uint64_t cookie);

/* Has a version and a cipher been settled? */
bool conn_settled(const struct conn *c);
/* Of which direction (index of handed) is the server's part? */
bool conn_server_out(const struct conn *c);

/* The attempt that breaks rule (tls-version, tls-cipher) by this handshake. */
void conn_event(const struct conn *c, unsigned int rule, struct event *ev);

#endif
