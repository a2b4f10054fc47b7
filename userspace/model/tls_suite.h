/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_suite.h - names of TLS cipher suites, versions, alerts and groups, and a rating of each suite. */
#ifndef CACHEWARDEN_TLS_SUITE_H
#define CACHEWARDEN_TLS_SUITE_H

#include <stdint.h>

enum suite_verdict {
	SUITE_FORBIDDEN,   /* an RFC says MUST NOT, or it is broken */
	SUITE_TOLERATED,   /* not recommended, not forbidden; unknown numbers too */
	SUITE_RECOMMENDED, /* Mozilla's intermediate profile */
};

struct tls_suite {
	uint16_t number;
	const char *name; /* IANA's */
	enum suite_verdict verdict;
	const char *source; /* of the rating */
};

/* NULL for a number that is not in the table. */
const struct tls_suite *tls_suite_find(uint16_t number);

/* The suite, or the version as the wire has it, of that name: NULL, 0 if none has it. */
const struct tls_suite *tls_suite_by_name(const char *name);
uint16_t tls_version_by_name(const char *name);

/* NULL if unknown. Versions as OpenSSL writes them: "TLSv1.2". Alerts: RFC 8446 §6 and its predecessors. */
const char *tls_version_name(uint16_t version);
const char *tls_alert_name(uint8_t description);
const char *tls_group_name(uint16_t group);

#endif
