/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * carried.h - how many bytes connections carried since the last time somebody asked. The kernel side counts for each connection from its
 * beginning, and says how much it was when it ends (handshake_chunk.h); what is open is read from time to time (conn_snapshot.h). Pure.
 *
 * Each byte is counted once: what was counted of a connection that is still open is remembered until it ends. One for which there is
 * no room is counted at its end.
 */
#ifndef CACHEWARDEN_CARRIED_H
#define CACHEWARDEN_CARRIED_H

#include "base/hashtable.h"

#include "conn_snapshot.h"
#include "handshake_chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARRIED_CONNS_MAX 65536

/* Bytes of both directions, ingress first: all of them, and those whose record headers were not followed. */
struct carried {
	uint64_t bytes[2], unread[2];
};

struct carried_conns {
	struct hashtable by_cookie;
	uint64_t round; /* of reading what is open */
	uint64_t later; /* connections that are open and had no room, in the last round */
};

/* Returns 0 or -ENOMEM. */
int carried_init(struct carried_conns *cc);
void carried_free(struct carried_conns *cc);

/* Begin to read what is open; carried_open() for each connection; end it. whole: none was left out. */
void carried_begin(struct carried_conns *cc);
struct carried carried_open(struct carried_conns *cc, const struct conn_snapshot *snapshot);
void carried_end(struct carried_conns *cc, bool whole);

/* A connection has ended. Both return what was carried since it was last counted. */
struct carried carried_close(struct carried_conns *cc, const struct handshake_chunk *closed);

#endif
