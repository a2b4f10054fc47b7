// SPDX-License-Identifier: BSD-2-Clause
/* actor.c - see actor.h. */
#include "model/actor.h"

#include <stdlib.h>
#include <string.h>

static const char *keep(char **at, const char *text)
{
	char *kept = *at;

	*at = stpcpy(kept, text) + 1;
	return kept;
}

struct actor *actor_copy(const struct actor *a)
{
	size_t text = strlen(a->exe) + strlen(a->cmdline) + strlen(a->unit) + strlen(a->container) +
		      strlen(a->instance) + 5;
	struct actor *copy = malloc(sizeof(*copy) + text);
	char *at;

	if (!copy)
		return NULL;
	*copy = *a;
	at = (char *)(copy + 1);
	copy->exe = keep(&at, a->exe);
	copy->cmdline = keep(&at, a->cmdline);
	copy->unit = keep(&at, a->unit);
	copy->container = keep(&at, a->container);
	copy->instance = keep(&at, a->instance);
	return copy;
}
