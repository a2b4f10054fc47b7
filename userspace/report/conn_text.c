// SPDX-License-Identifier: BSD-2-Clause
/* conn_text.c - see conn_text.h. */
#include "report/conn_text.h"

#include "base/clock.h"
#include "base/textw.h"
#include "model/tls_suite.h"
#include "tls/facts.h"

#include <inttypes.h>
#include <string.h>

static void put_end(struct textw *t, const struct conn_view *v, const uint8_t *ip, uint16_t port)
{
	char text[48];

	conn_view_ip(v, ip, text, sizeof(text));
	textw_put(t, "%s:%u", text, port);
}

static const char *arrow(const struct conn_view *v)
{
	const char *opened = conn_view_opened(v);

	return !strcmp(opened, "inbound") ? "->" : !strcmp(opened, "outbound") ? "<-" : "--";
}

static void put_tls(struct textw *t, const struct conn_view *v)
{
	const struct conn *c = v->conn;
	const struct tls_suite *suite;

	if (c && conn_negotiated(c)) {
		suite = tls_suite_find(c->facts->cipher);
		textw_put(t, "%s %s", tls_version_name(c->facts->version) ?: "?",
			  suite ? suite->name : "unknown suite");
	} else {
		textw_put(t, "%s -", conn_view_state(v));
	}
	textw_put(t, " %s", c && c->facts->sni[0] ? c->facts->sni : "-");
}

/* "in 512 B 3 rec synced", with what passed unread before the stream was in sync. */
static void put_stream(struct textw *t, const char *direction, const struct stream_snapshot *s)
{
	textw_put(t, "%s %" PRIu64 " B %u rec %s", direction, (uint64_t)s->bytes, s->records,
		  conn_view_sync(s));
	if (s->unsynced_ms || s->unsynced_bytes)
		textw_put(t, " (%u B unread, out of sync for %u.%03u s)", s->unsynced_bytes,
			  s->unsynced_ms / 1000, s->unsynced_ms % 1000);
}

const char *conn_text(const struct conn_view *v, struct report_buf *b, size_t *ret_len)
{
	struct textw t = {b->text, sizeof(b->text), 0, false, false};
	const struct conn_ends *ends = &v->snapshot->ends;
	char time[CLOCK_TEXT_LEN] = "-";

	if (v->conn)
		clock_text(clock_epoch_ms(v->conn->since_ns), time, sizeof(time));
	textw_put(&t, "%s  %s  ", time, v->instance ? v->instance->name : "?");
	put_end(&t, v, ends->remote_ip, ends->remote_port);
	textw_put(&t, " %s ", arrow(v));
	put_end(&t, v, ends->local_ip, ends->local_port);
	textw_put(&t, "  ");
	put_tls(&t, v);
	textw_put(&t, "  ");
	put_stream(&t, "in", &v->snapshot->in);
	textw_put(&t, "  ");
	put_stream(&t, "out", &v->snapshot->out);
	textw_put(&t, "\n");
	*ret_len = t.len;
	return t.buf;
}
