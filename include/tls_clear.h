/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls_clear.h - how far into a segment the clear part of a handshake reaches, and how it is handed on.
 *
 * Handshake records and alerts of two bytes are in the clear until the first ChangeCipherSpec or
 * application data: what a direction sends before that, anybody on the wire reads. Nothing of what
 * follows is ever handed on.
 */
#ifndef CACHEWARDEN_TLS_CLEAR_H
#define CACHEWARDEN_TLS_CLEAR_H

#include "event.h"
#include "tls_record.h"

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

/*
 * One record of a walk over clear records; begun as the stream stands, it ends as tls_step does. With
 * w->failed set, w->bad is where the clear part ends.
 */
static __always_inline int tls_clear_step(struct tls_walk *w)
{
	__u32 room, n, type;

	if (w->off >= w->end)
		return 1;
	room = w->end - w->off;
	n = w->left < room ? w->left : room;
	w->left -= n;
	w->off += n;
	if (n == room)
		return 1;
	type = (w->have ? w->hdr : tls_load(w->ctx, w->off, 1)) & 0xff;
	if (type != TLS_HANDSHAKE && type != TLS_ALERT) {
		w->failed = 1;
		w->bad = w->off;
		return 1;
	}
	if (tls_step(w))
		return 1;
	if (type == TLS_ALERT && w->left != 2) { /* encrypted */
		w->failed = 1;
		return 1;
	}
	return 0;
}

#endif
