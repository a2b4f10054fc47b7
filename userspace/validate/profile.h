/* SPDX-License-Identifier: BSD-2-Clause */
/* profile.h - what a server and its host are validated against: promises, each with the checks that prove it. */
#ifndef CACHEWARDEN_PROFILE_H
#define CACHEWARDEN_PROFILE_H

#include "policy/policy.h"

struct profile_promise {
	struct policy_place at;
	char *promise;
	char **check;
	size_t checks;
};

struct profile {
	char *name;
	struct policy_tls tls; /* minimum, and patterns of suites */
	int64_t certificate_days;
	int64_t certificate_strength;
	struct profile_promise *promise;
	size_t promises;
};

#endif
