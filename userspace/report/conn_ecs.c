// SPDX-License-Identifier: BSD-2-Clause
/* conn_ecs.c - see conn_ecs.h. The source is who connected, or the remote end where that is not known. */
#include "report/conn_ecs.h"

#include "base/clock.h"
#include "report/conn_json.h"
#include "report/ecs.h"

#include <stdio.h>
#include <string.h>

static void put_ends(struct jsonw *j, const struct conn_view *v)
{
	const struct conn_snapshot *s = v->snapshot;
	bool out = !strcmp(conn_view_opened(v), "outbound");
	char local[48], remote[48];

	conn_view_ip(v, s->ends.local_ip, local, sizeof(local));
	conn_view_ip(v, s->ends.remote_ip, remote, sizeof(remote));
	ecs_endpoint(j, "source", out ? local : remote,
		     out ? s->ends.local_port : s->ends.remote_port);
	ecs_endpoint(j, "destination", out ? remote : local,
		     out ? s->ends.remote_port : s->ends.local_port);
	jsonw_object(j, "network");
	jsonw_string(j, "transport", "tcp");
	jsonw_string(j, "type", s->ipv6 ? "ipv6" : "ipv4");
	jsonw_string(j, "direction", out ? "egress" : "ingress");
	jsonw_int(j, "bytes", (int64_t)(s->in.bytes + s->out.bytes));
	jsonw_end_object(j);
}

const char *conn_ecs(const struct conn_view *v, struct report_buf *b, size_t *ret_len)
{
	int64_t now_ms = clock_epoch_ms(clock_boot_ns());
	struct jsonw *j = &b->json;
	char message[256];

	snprintf(message, sizeof(message), "connection of %s: %s",
		 v->instance ? v->instance->name : "unknown instance", conn_view_state(v));
	jsonw_reset(j);
	jsonw_object(j, NULL);
	ecs_head(j, &(struct ecs_event){
			    .kind = "state",
			    .dataset = "conn",
			    .category = "network",
			    .message = message,
			    .time_ms = now_ms,
			    .start_ms = v->conn ? clock_epoch_ms(v->conn->since_ns) : ECS_NO_TIME,
			    .end_ms = ECS_NO_TIME,
		    });
	ecs_service(j, v->instance);
	put_ends(j, v);
	if (v->conn)
		ecs_tls(j, v->conn);
	jsonw_object(j, "cachewarden");
	jsonw_string(j, "kind", "conn");
	conn_own(j, v);
	jsonw_end_object(j);
	jsonw_end_object(j);
	return jsonw_done(j, ret_len);
}
