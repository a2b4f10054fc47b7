/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/clear.h - how far into a segment the clear part of a handshake reaches.
 *
 * Handshake records and alerts of two bytes are in the clear until the first ChangeCipherSpec or
 * application data: what a direction sends before that, anybody on the wire reads. Nothing of what
 * follows is ever handed on.
 */
#ifndef CACHEWARDEN_TLS_CLEAR_H
#define CACHEWARDEN_TLS_CLEAR_H

#include "tls/record.h"

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
