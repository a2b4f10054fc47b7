/* SPDX-License-Identifier: BSD-2-Clause */
/* event_ecs.h - a finding as a document of the Elastic Common Schema, one line of JSON. */
#ifndef CACHEWARDEN_EVENT_ECS_H
#define CACHEWARDEN_EVENT_ECS_H

#include "report/buffer.h"
#include "report/finding.h"

/* A writer of formats[] (format.h). */
const char *event_ecs(const struct finding *f, struct report_buf *b, size_t *ret_len);

#endif
