// SPDX-License-Identifier: BSD-2-Clause
/* conn_json.c - see conn_json.h. */
#include "report/conn_json.h"

#include "base/clock.h"
#include "report/ocsf.h"
#include "report/tls_json.h"

static void put_stream(struct jsonw *j, const char *key, const struct stream_snapshot *s)
{
	jsonw_object(j, key);
	jsonw_int(j, "records", s->records);
	jsonw_int(j, "bytes", (int64_t)s->bytes);
	jsonw_string(j, "sync", conn_view_sync(s));
	jsonw_bool(j, "from_start", !s->late);
	jsonw_int(j, "unsynced_ms", s->unsynced_ms);
	jsonw_int(j, "unsynced_bytes", s->unsynced_bytes);
	jsonw_end_object(j);
}

static void put_end(struct jsonw *j, const char *key, const struct conn_view *v, const uint8_t *ip,
		    uint16_t port)
{
	char text[48];

	conn_view_ip(v, ip, text, sizeof(text));
	ocsf_endpoint(j, key, text, port);
}

void conn_own(struct jsonw *j, const struct conn_view *v)
{
	const struct conn_snapshot *s = v->snapshot;

	jsonw_string(j, "instance", v->instance ? v->instance->name : NULL);
	jsonw_string(j, "instance_uid", v->instance ? v->instance->uid : NULL);
	jsonw_int(j, "pid", v->instance ? v->instance->pid : 0);
	put_end(j, "local", v, s->ends.local_ip, s->ends.local_port);
	put_end(j, "remote", v, s->ends.remote_ip, s->ends.remote_port);
	jsonw_string(j, "opened", conn_view_opened(v));
	jsonw_string(j, "state", conn_view_state(v));
	if (v->conn)
		jsonw_int(j, "since", clock_epoch_ms(v->conn->since_ns));
	else
		jsonw_null(j, "since");
	put_stream(j, "in", &s->in);
	put_stream(j, "out", &s->out);
	if (v->conn)
		tls_json(j, v->conn);
	else
		jsonw_null(j, "tls");
	jsonw_int(j, "cookie", (int64_t)s->cookie);
}

const char *conn_json(const struct conn_view *v, struct report_buf *b, size_t *ret_len)
{
	struct jsonw *j = &b->json;

	jsonw_reset(j);
	jsonw_object(j, NULL);
	conn_own(j, v);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
