/* SPDX-License-Identifier: BSD-2-Clause */
/* tls_policy.h - what a settled handshake is held against. Pure. */
#ifndef CACHEWARDEN_TLS_POLICY_H
#define CACHEWARDEN_TLS_POLICY_H

#include "tls_suite.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_policy {
	uint16_t min_version;
	enum suite_verdict min_suite; /* what is thought less of is a breach */
	const uint16_t *allowed;      /* if given, exactly these suites and no verdict */
	size_t allowed_count;
};

/* TLS 1.2 or newer, no forbidden suite. */
const struct tls_policy *tls_policy_default(void);

bool tls_policy_version(const struct tls_policy *p, uint16_t version);
bool tls_policy_cipher(const struct tls_policy *p, uint16_t cipher);

#endif
