/* SPDX-License-Identifier: BSD-2-Clause */
/* incident_fact.h - a finding, reduced to what the incident model takes in. */
#ifndef CACHEWARDEN_INCIDENT_FACT_H
#define CACHEWARDEN_INCIDENT_FACT_H

#include "model/incident.h"
#include "report/finding.h"

/* Strings of *ret are valid until the next call. */
void incident_fact_fill(struct incident_fact *ret, const struct finding *f);

#endif
