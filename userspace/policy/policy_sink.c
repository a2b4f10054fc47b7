// SPDX-License-Identifier: BSD-2-Clause
/* policy_sink.c - see policy_sink.h. */
#include "policy/policy_sink.h"

#include "base/macros.h"

#include <string.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct kind {
	const char *name;
	bool (*valid)(const char *rest);
	const char *preset; /* the rest, where it may be left out */
};

/* --- what follows the colon --- */

static bool is_path(const char *rest)
{
	return rest[0] == '/' && rest[1] && rest[strlen(rest) - 1] != '/';
}

static const struct kind kinds[] = {
	[SINK_FILE] = {"file", is_path},
	[SINK_JOURNALD] = {"journald", is_path, JOURNAL_SOCKET},
};
_Static_assert(ARRAY_SIZE(kinds) == SINK_KIND_MAX, "every kind has a row");

const char *policy_sink_kind_name(enum policy_sink_kind kind)
{
	return kinds[kind].name;
}

bool policy_target_parse(const char *text, struct policy_target *ret)
{
	size_t len = strcspn(text, ":");

	for (unsigned int k = 0; k < SINK_KIND_MAX; k++) {
		if (strlen(kinds[k].name) != len || strncmp(kinds[k].name, text, len))
			continue;
		*ret = (struct policy_target){k, text + len + (text[len] == ':')};
		if (!text[len] && kinds[k].preset)
			ret->rest = kinds[k].preset;
		return kinds[k].valid(ret->rest);
	}
	return false;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_sink(const struct policy_sink *a, const struct policy_sink *b)
{
	return same_text(a->name, b->name) && same_text(a->to, b->to) && a->severity == b->severity;
}

bool policy_sinks_equal(const struct policy *a, const struct policy *b)
{
	for (size_t i = 0; i < a->sinks && i < b->sinks; i++) {
		if (!same_sink(&a->sink[i], &b->sink[i]))
			return false;
	}
	return a->sinks == b->sinks;
}
