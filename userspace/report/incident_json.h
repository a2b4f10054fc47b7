/* SPDX-License-Identifier: BSD-2-Clause */
/* incident_json.h - an incident as an OCSF 1.8.0 Detection Finding, one line of JSON. */
#ifndef CACHEWARDEN_INCIDENT_JSON_H
#define CACHEWARDEN_INCIDENT_JSON_H

#include "report/buffer.h"
#include "report/incident_view.h"

#define INCIDENT_TITLE_LEN 224

/* What other formats share: a title, and object "cachewarden" with what their schema has no place for. */
void incident_title(const struct incident_view *v, char buf[INCIDENT_TITLE_LEN]);
void incident_own(struct jsonw *j, const struct incident_view *v);

/* A writer of formats[] (format.h). */
const char *incident_json(const struct incident_view *v, struct report_buf *b, size_t *ret_len);

#endif
