/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_json.h - a connection as one line of JSON. */
#ifndef CACHEWARDEN_CONN_JSON_H
#define CACHEWARDEN_CONN_JSON_H

#include "report/buffer.h"
#include "report/conn_view.h"

/* All members. */
void conn_own(struct jsonw *j, const struct conn_view *v);

/* A writer of formats[] (format.h). */
const char *conn_json(const struct conn_view *v, struct report_buf *b, size_t *ret_len);

#endif
