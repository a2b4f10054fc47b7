/* SPDX-License-Identifier: BSD-2-Clause */
/* ocsf.h - the members that events and incidents share as OCSF 1.8.0 Detection Findings (class 2004). */
#ifndef CACHEWARDEN_OCSF_H
#define CACHEWARDEN_OCSF_H

#include "base/jsonw.h"
#include "model/rule.h"

#define OCSF_UID_LEN 64

enum ocsf_activity { OCSF_CREATE = 1, OCSF_UPDATE, OCSF_CLOSE };

/* The first members: class, activity, severity, status and product. */
void ocsf_head(struct jsonw *j, enum ocsf_activity activity, enum severity severity);

/* Member finding_info. Epoch milliseconds; last_seen_ms may be OCSF_NO_TIME. */
#define OCSF_NO_TIME INT64_MIN
void ocsf_finding_info(struct jsonw *j, const char *uid, unsigned int rule, int64_t first_seen_ms,
		       int64_t last_seen_ms);

/* ATT&CK techniques of these rules (1u << rule). */
void ocsf_attacks(struct jsonw *j, uint32_t rules);

/* A network endpoint. */
void ocsf_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port);

/* finding_info.uid of an event, and of an incident. prefix distinguishes two runs of the monitor. */
void ocsf_event_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN]);
void ocsf_incident_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN]);

#endif
