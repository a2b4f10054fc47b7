/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* handshake_chunk.h - the record in which the wire sensor sends clear handshake bytes. */
#ifndef CACHEWARDEN_HANDSHAKE_CHUNK_H
#define CACHEWARDEN_HANDSHAKE_CHUNK_H

#include "event.h"

#define HANDSHAKE_MAX 32768 /* bytes of a direction: fits a long certificate chain */
#define CHUNK_LEN 1920
#define CHUNK_MAGIC 0x434c4331u		       /* "1CLC" */
#define HANDSHAKE_RING_BYTES (2 * 1024 * 1024) /* about 500 handshakes between two polls */

/* handshake_chunk.flags */
#define CHUNK_EGRESS 0x01
#define CHUNK_CLOSED 0x02 /* the connection is over; in place of bytes: what it carried */
/* No bytes: all of this direction's were sent, and a record of type `next` follows. */
#define CHUNK_ENDED 0x04
#define CHUNK_NOT_MINE 0x08 /* another monitor reports what it shows, see bpf/lib/turn.bpf.h */

/* Bytes [offset, offset + len) of a direction of a protected connection. */
struct handshake_chunk {
	__u32 magic;
	__u32 instance;
	__u64 cookie;
	__u64 time_ns; /* CLOCK_BOOTTIME */
	struct conn_ends ends;
	__u32 offset;
	__u16 len;
	__u8 flags;
	__u8 opened; /* enum conn_opened */
	__u8 ipv6;
	__u8 next; /* enum tls_type */
	__u8 pad[2];
	__u8 bytes[CHUNK_LEN];
};

/* What a direction of a connection carried until it ended. */
struct chunk_carried {
	__u64 bytes;  /* since the stream began, or since the monitor saw it */
	__u64 unread; /* passed while out of sync, in holes too; saturating at 32 bits */
};

/* Ingress first. */
static inline const struct chunk_carried *chunk_carried(const struct handshake_chunk *closed)
{
	return (const void *)closed->bytes;
}

#define CHUNK_HEADER_LEN __builtin_offsetof(struct handshake_chunk, bytes)
#define CHUNK_CLOSED_LEN (CHUNK_HEADER_LEN + 2 * sizeof(struct chunk_carried))
_Static_assert(CHUNK_HEADER_LEN == 72, "handshake_chunk is ABI; bytes may hold 64-bit numbers");
_Static_assert(sizeof(struct handshake_chunk) == 1992, "handshake_chunk is ABI");

#endif
