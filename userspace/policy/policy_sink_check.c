// SPDX-License-Identifier: BSD-2-Clause
/* policy_sink_check.c - see policy_sink_check.h. A key without effect is refused: whoever wrote it expects one. */
#include "policy/policy_sink_check.h"

#include <stdio.h>
#include <string.h>

static const struct policy_key *sink_key(const struct policy_table *t, size_t at)
{
	return policy_table_at(t, policy_table_at(t, NULL, offsetof(struct policy, sink)), at);
}

static bool check_name(const struct policy_table *t, const struct policy *p, size_t n, char *error,
		       size_t size)
{
	const struct policy_sink *s = &p->sink[n], *first = p->sink;

	while (strcmp(first->name, s->name))
		first++;
	if (first == s)
		return true;
	snprintf(error, size, "%s:%u: %s: '%s' is already used at %s:%u; expected a unique name",
		 s->at.file, s->at.line, sink_key(t, offsetof(struct policy_sink, name))->path,
		 s->name, first->at.file, first->at.line);
	return false;
}

bool policy_sinks_validate(const struct policy_table *t, const struct policy *p, char *error,
			   size_t size)
{
	for (size_t i = 0; i < p->sinks; i++) {
		const struct policy_sink *s = &p->sink[i];

		if (i == POLICY_SINKS_MAX) {
			snprintf(error, size, "%s:%u: too many sinks; expected at most %d",
				 s->at.file, s->at.line, POLICY_SINKS_MAX);
			return false;
		}
		if (!check_name(t, p, i, error, size))
			return false;
	}
	return true;
}
