/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ecs.h - the fields that events, incidents and connections share as documents of the Elastic Common Schema 8.17. What the schema has
 * no field for is below "cachewarden", with the same members as unmapped.cachewarden of OCSF.
 */
#ifndef CACHEWARDEN_ECS_H
#define CACHEWARDEN_ECS_H

#include "base/jsonw.h"
#include "model/actor.h"
#include "model/conn.h"
#include "model/instance.h"
#include "model/rule.h"

/* Field set "event", and what precedes it: time, version, message, observer, host. Epoch milliseconds. */
struct ecs_event {
	const char *kind, *dataset;   /* dataset: behind "cachewarden." */
	const char *category;	      /* without rules; NULL: "host" */
	const char *id, *action;      /* action NULL: none */
	const char *message, *reason; /* reason NULL: none */
	uint32_t rules;		      /* 1 << rule: what they are about makes category and type */
	const char *type;	      /* one more type, as "denied"; NULL: none */
	const char *outcome;	      /* "success", "failure" or "unknown"; NULL: none */
	int severity;		      /* enum severity; 0: none */
	int64_t time_ms, start_ms, end_ms; /* the last two may be ECS_NO_TIME */
};
#define ECS_NO_TIME INT64_MIN

void ecs_head(struct jsonw *j, const struct ecs_event *e);

/* Field sets rule (the one that names the document) and threat (the ATT&CK techniques of all). Nothing for RULE_NONE. */
void ecs_rule(struct jsonw *j, unsigned int rule, enum stage stage, uint32_t rules);

/* Fields of a process: the actor, and below "process.parent" the first of those it descends from. */
void ecs_process(struct jsonw *j, const struct actor *a);

/* Field set service: the server. Nothing if NULL. */
void ecs_service(struct jsonw *j, const struct instance *in);

/* "source" or "destination". */
void ecs_endpoint(struct jsonw *j, const char *key, const char *ip, uint16_t port);

/* Field set tls; nothing before version and cipher are negotiated. */
void ecs_tls(struct jsonw *j, const struct conn *c);

#endif
