/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_check.h - the checks of a policy that span several of its values. */
#ifndef CACHEWARDEN_POLICY_CHECK_H
#define CACHEWARDEN_POLICY_CHECK_H

#include "policy/policy_table.h"

/*
 * Check references to unknown names, duplicate names, and exceptions to what is prevented. Returns false with the first
 * error, which begins with FILE:LINE and names keys as the table does.
 */
bool policy_validate_with(const struct policy_table *t, const struct policy *p, char *error,
			  size_t size);

/* The same with the product's table. */
bool policy_validate(const struct policy *p, char *error, size_t size);

#endif
