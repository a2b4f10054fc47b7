/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_key.h - the table of everything that a policy file may say; its root is struct policy. */
#ifndef CACHEWARDEN_POLICY_KEY_H
#define CACHEWARDEN_POLICY_KEY_H

#include "policy/policy_table.h"

extern const struct policy_table policy_table;

/* The built-in policy: every rule alerts, nothing is allowed or prevented. */
void policy_init(struct policy *p);

/* Leaves the built-in policy. */
void policy_free(struct policy *p);

#endif
