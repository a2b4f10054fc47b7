/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_view.h - one open connection as `cachewarden conns` lists it, and the words that all formats use for it. */
#ifndef CACHEWARDEN_CONN_VIEW_H
#define CACHEWARDEN_CONN_VIEW_H

#include "conn_snapshot.h"
#include "model/conn.h"
#include "model/instance.h"

struct conn_view {
	const struct conn_snapshot *snapshot;
	const struct conn *conn;	 /* its handshake, NULL if none was seen */
	const struct instance *instance; /* NULL if its start was never seen */
};

/* Who connected: "inbound", "outbound" or "unknown". */
const char *conn_view_opened(const struct conn_view *v);

/* "settled", "handshake under way", "handshake refused", "handshake not seen" or "no TLS". */
const char *conn_view_state(const struct conn_view *v);

/* Record tracking of one direction: "silent", "synced", "unsynced", "plaintext", "subflow" or "unknown". */
const char *conn_view_sync(const struct stream_snapshot *s);

/* An address of the snapshot's family as text. */
void conn_view_ip(const struct conn_view *v, const uint8_t ip[16], char *buf, size_t size);

#endif
