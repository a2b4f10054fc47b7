/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incident_view.h - incidents as people and machines read them, and findings as incidents are told of them.
 */
#ifndef CACHEWARDEN_INCIDENT_VIEW_H
#define CACHEWARDEN_INCIDENT_VIEW_H

#include "report/finding.h"
#include "model/incident.h"

/* An incident about to be shown. */
struct incident_view {
	const struct incident *incident;
	enum incident_change change;
	const struct instance *instance; /* NULL: the whole host, or one nobody knows */
	const struct instance *tenant;	 /* the actor's own instance, NULL: none */
	const char *uid_prefix;
};

/* What an incident is told of a finding: `more` attempts of it. Valid as long as f is. */
void incident_fact_fill(struct incident_fact *ret, const struct finding *f, uint64_t more);

/* One line of JSON, an OCSF Detection Finding; NULL if memory ran out. */
const char *incident_json(const struct incident_view *v, struct jsonw *j, size_t *ret_len);

/* A short block of text; its length, 0 where nothing is new but counts. */
size_t incident_text(const struct incident_view *v, char *buf, size_t size, bool colour);

#endif
