// SPDX-License-Identifier: BSD-2-Clause
/* conn_view.c - see conn_view.h. */
#include "report/conn_view.h"

#include "base/macros.h"
#include "base/ip.h"
#include "map.h"
#include "tls/facts.h"
#include "tls/stream.h"

const char *conn_view_opened(const struct conn_view *v)
{
	uint32_t flags = v->snapshot->flags;

	return flags & SOCK_LISTENER ? "inbound" : flags & SOCK_FRESH ? "outbound" : "unknown";
}

/* Whether the server's part can still arrive: bytes that the kernel saw and did not hand on are lost. */
static bool under_way(const struct conn_view *v)
{
	bool egress = conn_server_out(v->conn);
	const struct stream_snapshot *s = egress ? &v->snapshot->out : &v->snapshot->in;

	return !v->conn->unread && s->bytes <= v->conn->received[egress];
}

const char *conn_view_state(const struct conn_view *v)
{
	const struct conn *c = v->conn;

	if (c && conn_negotiated(c))
		return "settled";
	if (c && (c->facts->alert_fatal[0] || c->facts->alert_fatal[1]))
		return "handshake refused";
	if (c && under_way(v))
		return "handshake under way";
	return c || v->snapshot->in.records || v->snapshot->out.records ? "handshake not seen"
									: "no TLS";
}

const char *conn_view_sync(const struct stream_snapshot *s)
{
	static const char *const names[] = {
		[TLS_NEW] = "silent",	     [TLS_SYNCED] = "synced",
		[TLS_UNSYNCED] = "unsynced", [TLS_BROKEN] = "plaintext",
		[TLS_MULTIPATH] = "subflow",
	};

	return s->sync < ARRAY_SIZE(names) ? names[s->sync] : "unknown";
}

void conn_view_ip(const struct conn_view *v, const uint8_t ip[16], char *buf, size_t size)
{
	ip_text(ip, v->snapshot->ipv6, buf, size);
}
