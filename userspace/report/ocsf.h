/* SPDX-License-Identifier: BSD-2-Clause */
/* ocsf.h - the members that events and incidents share as OCSF 1.8.0 Detection Findings (class 2004). */
#ifndef CACHEWARDEN_OCSF_H
#define CACHEWARDEN_OCSF_H

#include "base/jsonw.h"
#include "model/actor.h"
#include "model/instance.h"
#include "model/rule.h"

#define OCSF_UID_LEN 64

enum ocsf_activity { OCSF_CREATE = 1, OCSF_UPDATE, OCSF_CLOSE };

/* The first members: class, activity, severity, status and product. */
void ocsf_head(struct jsonw *j, enum ocsf_activity activity, enum severity severity);

/*
 * Member finding_info. rules: all that were broken (1u << rule), for their ATT&CK techniques; rule: the one that names
 * the finding. Epoch milliseconds; last_seen_ms may be OCSF_NO_TIME.
 */
#define OCSF_NO_TIME INT64_MIN
struct ocsf_finding {
	const char *uid;
	const char *title;
	unsigned int rule;
	uint32_t rules;
	int64_t first_seen_ms, last_seen_ms;
};
void ocsf_finding_info(struct jsonw *j, const struct ocsf_finding *f);

/* Member remediation: what to do about a broken rule; nothing for RULE_NONE. */
void ocsf_remediation(struct jsonw *j, unsigned int rule, enum stage stage);

/* Members device (this host) and resources (the instance; nothing if NULL). */
void ocsf_device(struct jsonw *j);
void ocsf_resources(struct jsonw *j, const struct instance *in);

/* Members of an object "process" for an actor, and the whole object for an instance. */
void ocsf_actor(struct jsonw *j, const struct actor *a);
void ocsf_instance(struct jsonw *j, const struct instance *in);

/*
 * Member observables: what an analyst searches for, each with its place in the finding. Values that are NULL or empty are
 * left out; without any there is no member.
 */
struct ocsf_observable {
	const char *name, *type, *value;
};
void ocsf_observables(struct jsonw *j, const struct ocsf_observable *o, size_t n);

/* Member process_uid: see host_process_uid(). */
void ocsf_process_uid(struct jsonw *j, uint32_t pid, uint64_t start_ns);

/* A network endpoint. */
void ocsf_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port);

/* finding_info.uid of an event, and of an incident. prefix distinguishes two runs of the monitor. */
void ocsf_event_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN]);
void ocsf_incident_uid(const char *prefix, uint64_t id, char buf[OCSF_UID_LEN]);

#endif
