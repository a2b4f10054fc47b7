/* SPDX-License-Identifier: BSD-2-Clause */
/* ocsf.h - what every OCSF 1.8.0 Detection Finding (class 2004) has, be it an event or an incident. */
#ifndef CACHEWARDEN_OCSF_H
#define CACHEWARDEN_OCSF_H

#include "base/jsonw.h"
#include "model/rule.h"

enum ocsf_activity { OCSF_CREATE = 1, OCSF_UPDATE, OCSF_CLOSE };

/* The members in front: class, activity, severity, status, product. */
void ocsf_head(struct jsonw *j, enum ocsf_activity activity, enum severity severity);

/* ATT&CK techniques of these rules (1u << rule). */
void ocsf_attacks(struct jsonw *j, uint32_t rules);

#endif
