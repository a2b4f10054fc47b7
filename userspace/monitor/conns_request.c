// SPDX-License-Identifier: BSD-2-Clause
/* conns_request.c - see conns_request.h. */
#include "monitor/conns_request.h"

#include "base/clock.h"
#include "monitor/state.h"
#include "report/conn_view.h"
#include "report/format.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(CONTROL_NAME >= INSTANCE_NAME, "a request can name every instance");

struct reply {
	struct monitor *m;
	int fd;
	const struct format_ops *format;
	const struct control_request *request;
	struct report_buf buf;
	bool begun;
};

static void put(struct reply *r, const char *text)
{
	if (text)
		control_reply(&r->m->control, r->fd, text, strlen(text));
}

/* Of a connection without a handshake that was seen, it is not known since when it is open. */
static bool is_asked_for(const struct conn_view *v, const struct control_request *request)
{
	int64_t since_ms = (int64_t)request->number;

	return (!request->name[0] || (v->instance && !strcmp(v->instance->name, request->name))) &&
	       (!since_ms || (v->conn && clock_epoch_ms(v->conn->since_ns) >= since_ms));
}

static void reply_conn(void *ctx, const struct conn_snapshot *snapshot)
{
	struct reply *r = ctx;
	const struct conn_view view = {
		.snapshot = snapshot,
		.conn = conns_find(&r->m->conns, snapshot->cookie),
		.instance = monitor_instance(r->m, snapshot->instance),
	};
	const char *line;
	size_t len;

	if (!is_asked_for(&view, r->request))
		return;
	line = r->format->conn(&view, &r->buf, &len);
	if (!r->begun)
		put(r, r->format->conn_header);
	r->begun = true;
	if (line)
		control_reply(&r->m->control, r->fd, line, len);
}

void conns_request(void *ctx, int fd, const struct control_request *request)
{
	struct reply r = {.m = ctx,
			  .fd = fd,
			  .format = format_by_letter(request->letter),
			  .request = request};
	size_t count;
	pid_t *pids;

	if (!r.format)
		return;
	pids = monitor_servers(r.m, &count);
	sensors_snapshots(r.m->sensors, pids, count, reply_conn, &r);
	free(pids);
	if (!r.begun)
		put(&r, r.format->conn_none);
	report_buf_free(&r.buf);
}
