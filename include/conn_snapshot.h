/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live.h - what the wire sensor knows of a connection at the moment it is asked. */
#ifndef CACHEWARDEN_LIVE_H
#define CACHEWARDEN_LIVE_H

#include "event.h"

#define LIVE_MAGIC 0x564c4331u /* "1CLV" */

struct live_stream {
	__u64 bytes; /* since it began, or since it was attached to */
	__u32 records;
	__u8 sync; /* enum tls_sync */
	__u8 late; /* not seen from its first byte */
	__u8 pad[2];
	__u32 unsynced_ms;
	__u32 unsynced_bytes; /* passed unread */
};

struct conn_live {
	__u32 magic;
	__u32 instance;
	__u64 cookie;
	__u32 flags; /* of struct sock_mark */
	__u8 ipv6;
	__u8 pad[3];
	struct conn_ends ends;
	__u32 pad2;
	struct live_stream in, out;
};

_Static_assert(sizeof(struct conn_live) == 112, "conn_live is ABI");

#endif
