/* SPDX-License-Identifier: BSD-2-Clause */
/* event_json.h - a finding as an OCSF 1.8.0 Detection Finding, one line of JSON. */
#ifndef CACHEWARDEN_EVENT_JSON_H
#define CACHEWARDEN_EVENT_JSON_H

#include "report/buffer.h"
#include "report/finding.h"

#define EVENT_TITLE_LEN 160

/* What other formats share: a title, and object "cachewarden" with what their schema has no place for. */
void event_title(const struct finding *f, char buf[EVENT_TITLE_LEN]);
void event_own(struct jsonw *j, const struct finding *f);

/* A writer of formats[] (format.h). */
const char *event_json(const struct finding *f, struct report_buf *b, size_t *ret_len);

#endif
