/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_sink_check.h - what must hold between the keys of a sink, and between sinks. */
#ifndef CACHEWARDEN_POLICY_SINK_CHECK_H
#define CACHEWARDEN_POLICY_SINK_CHECK_H

#include "policy/policy_table.h"

/* Names are unique, and no sink has a key that means nothing to its kind. Returns false with the reason in error. */
bool policy_sinks_validate(const struct policy_table *t, const struct policy *p, char *error,
			   size_t size);

#endif
