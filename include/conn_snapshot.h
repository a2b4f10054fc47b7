/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * conn_snapshot.h - the state of a connection in the wire sensor, read through an iterator on
 * request.
 */
#ifndef CACHEWARDEN_CONN_SNAPSHOT_H
#define CACHEWARDEN_CONN_SNAPSHOT_H

#include "event.h"

#define SNAPSHOT_MAGIC 0x564c4331u /* "1CLV" */

struct stream_snapshot {
	__u64 bytes; /* since the stream began, or since the monitor saw it */
	__u32 records;
	__u8 sync; /* enum tls_sync */
	__u8 late; /* not seen from its first byte */
	__u8 pad[2];
	__u32 unsynced_ms;
	__u32 unsynced_bytes; /* passed unread */
};

struct conn_snapshot {
	__u32 magic;
	__u32 instance;
	__u64 cookie;
	__u32 flags; /* of struct sock_mark */
	__u8 ipv6;
	__u8 pad[3];
	struct conn_ends ends;
	__u32 pad2;
	struct stream_snapshot in, out;
};

_Static_assert(sizeof(struct conn_snapshot) == 112, "conn_snapshot is ABI");

#endif
