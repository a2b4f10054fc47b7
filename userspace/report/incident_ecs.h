/* SPDX-License-Identifier: BSD-2-Clause */
/* incident_ecs.h - an incident as a document of the Elastic Common Schema, one line of JSON. */
#ifndef CACHEWARDEN_INCIDENT_ECS_H
#define CACHEWARDEN_INCIDENT_ECS_H

#include "report/buffer.h"
#include "report/incident_view.h"

/* A writer of formats[] (format.h). */
const char *incident_ecs(const struct incident_view *v, struct report_buf *b, size_t *ret_len);

#endif
