/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_check.h - the checks of a policy that span several of its values. */
#ifndef CACHEWARDEN_POLICY_CHECK_H
#define CACHEWARDEN_POLICY_CHECK_H

#include "policy/policy.h"

/*
 * Check what no single value shows: references to unknown names, duplicate names, exceptions to what the kernel
 * prevents. Returns false with the first error, which begins with FILE:LINE.
 */
bool policy_validate(const struct policy *p, char *error, size_t size);

#endif
