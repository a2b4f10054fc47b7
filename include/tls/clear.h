/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/clear.h - finds where the clear part of a handshake ends within a segment.
 *
 * Until the first ChangeCipherSpec or application data record, handshake records and two-byte
 * alerts are in the clear: anybody on the wire can read them. Nothing after that is ever passed on.
 */
#ifndef CACHEWARDEN_TLS_CLEAR_H
#define CACHEWARDEN_TLS_CLEAR_H

#include "tls/record.h"

/*
 * One record of a walk over clear records, starting from the stream's state. Returns as tls_step
 * does; if w->failed is set, w->bad is where the clear part ends.
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
