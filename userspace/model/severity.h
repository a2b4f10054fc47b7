/* SPDX-License-Identifier: BSD-2-Clause */
/* severity.h - how bad a finding is. */
#ifndef CACHEWARDEN_SEVERITY_H
#define CACHEWARDEN_SEVERITY_H

#include <stdbool.h>

/* The values are OCSF's severity_id. */
enum severity {
	SEVERITY_INFO = 1,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
	SEVERITY_MAX,
};

/* "info" to "critical". NULL for a number that is no severity. */
const char *severity_name(enum severity s);

/* Returns false and leaves *ret alone if name is NULL or no severity. */
bool severity_parse(const char *name, enum severity *ret);

#endif
