/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_ecs.h - a connection as a document of the Elastic Common Schema, one line of JSON. */
#ifndef CACHEWARDEN_CONN_ECS_H
#define CACHEWARDEN_CONN_ECS_H

#include "report/buffer.h"
#include "report/conn_view.h"

/* A writer of formats[] (format.h). */
const char *conn_ecs(const struct conn_view *v, struct report_buf *b, size_t *ret_len);

#endif
