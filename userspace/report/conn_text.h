/* SPDX-License-Identifier: BSD-2-Clause */
/* conn_text.h - a connection as one line of text. */
#ifndef CACHEWARDEN_CONN_TEXT_H
#define CACHEWARDEN_CONN_TEXT_H

#include "report/buffer.h"
#include "report/conn_view.h"

/* A writer of formats[] (format.h). */
const char *conn_text(const struct conn_view *v, struct report_buf *b, size_t *ret_len);

#endif
