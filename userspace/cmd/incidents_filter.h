/* SPDX-License-Identifier: BSD-2-Clause */
/* incidents_filter.h - which of the monitor's incidents `cachewarden incidents` prints, and as what lines. Pure. */
#ifndef CACHEWARDEN_INCIDENTS_FILTER_H
#define CACHEWARDEN_INCIDENTS_FILTER_H

#include "model/severity.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/* What is not asked for is NULL, 0 or INT64_MIN, and passes. */
struct incidents_filter {
	const char *instance; /* its name, as printed */
	const char *rule;     /* one of those that were broken */
	const char *actor;    /* pid, name or executable of who led it */
	enum severity severity;
	int64_t since_ms; /* of its last event */
};

/* Remove from the array all that do not pass. */
void incidents_filter(json_t *incidents, const struct incidents_filter *f);

/* Names are chosen by others: what is not printable is escaped. */
void incidents_text(const json_t *incidents, FILE *to);

#endif
