/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* clear.h - how the wire sensor hands on the clear part of a handshake. */
#ifndef CACHEWARDEN_CLEAR_H
#define CACHEWARDEN_CLEAR_H

#include "event.h"

#define CLEAR_MAX 32768 /* bytes of a direction: a long chain of certificates */
#define CLEAR_PIECE 1920
#define CLEAR_MAGIC 0x434c4331u		   /* "1CLC" */
#define CLEAR_RING_BYTES (2 * 1024 * 1024) /* some 500 handshakes between two looks */

/* clear_piece.flags */
#define CLEAR_EGRESS 0x01
#define CLEAR_CLOSED 0x02 /* no bytes: the connection is over */

/* Bytes [offset, offset + len) of a direction of a protected connection. */
struct clear_piece {
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
	__u8 pad[3];
	__u8 bytes[CLEAR_PIECE];
};

#define CLEAR_HEADER_LEN __builtin_offsetof(struct clear_piece, bytes)
_Static_assert(CLEAR_HEADER_LEN == 72, "clear_piece is ABI");
_Static_assert(sizeof(struct clear_piece) == 1992, "clear_piece is ABI");

#endif
