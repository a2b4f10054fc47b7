/* SPDX-License-Identifier: BSD-2-Clause */
/* incident_text.h - an incident as a short block for a terminal. */
#ifndef CACHEWARDEN_INCIDENT_TEXT_H
#define CACHEWARDEN_INCIDENT_TEXT_H

#include "report/buffer.h"
#include "report/incident_view.h"

/* A writer of formats[] (format.h). */
const char *incident_text(const struct incident_view *v, struct report_buf *b, size_t *ret_len);

#endif
