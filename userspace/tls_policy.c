// SPDX-License-Identifier: BSD-2-Clause
/* tls_policy.c - see tls_policy.h. */
#include "tls_policy.h"

static const struct tls_policy by_default = {.min_version = 0x0303, .min_suite = SUITE_TOLERATED};

const struct tls_policy *tls_policy_default(void)
{
	return &by_default;
}

bool tls_policy_version(const struct tls_policy *p, uint16_t version)
{
	return version >= p->min_version;
}

bool tls_policy_cipher(const struct tls_policy *p, uint16_t cipher)
{
	const struct tls_suite *suite;

	for (size_t i = 0; i < p->allowed_count; i++) {
		if (p->allowed[i] == cipher)
			return true;
	}
	if (p->allowed)
		return false;
	suite = tls_suite_find(cipher);
	return (suite ? suite->verdict : SUITE_TOLERATED) >= p->min_suite;
}
