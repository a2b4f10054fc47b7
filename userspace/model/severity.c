// SPDX-License-Identifier: BSD-2-Clause
/* severity.c - see severity.h. */
#include "model/severity.h"

#include "base/macros.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
	[SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",	    [SEVERITY_MEDIUM] = "medium",
	[SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};
_Static_assert(ARRAY_SIZE(names) == SEVERITY_MAX, "every severity has a name");

const char *severity_name(enum severity s)
{
	return s < SEVERITY_MAX ? names[s] : NULL;
}

bool severity_parse(const char *name, enum severity *ret)
{
	for (enum severity s = SEVERITY_INFO; name && s < SEVERITY_MAX; s++) {
		if (!strcmp(names[s], name)) {
			*ret = s;
			return true;
		}
	}
	return false;
}
