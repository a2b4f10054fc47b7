// SPDX-License-Identifier: BSD-2-Clause
/* lag.c - see lag.h. */
#include "monitor/lag.h"

#include <stdio.h>

uint64_t lag_note(struct lag *l, uint64_t happened_ns, uint64_t now_ns)
{
	uint64_t late;

	if (happened_ns < l->since_ns || happened_ns >= now_ns)
		return 0;
	late = now_ns - happened_ns;
	if (late > l->most_ns)
		l->most_ns = late;
	if (late <= LAG_LIMIT_NS)
		return late;
	l->late++;
	if (late > l->worst_ns)
		l->worst_ns = late;
	return late;
}

bool lag_report(struct lag *l, uint64_t now_ns, char *buf, size_t size)
{
	if (!l->worst_ns || (l->reported_ns && now_ns - l->reported_ns < LAG_REPORT_NS))
		return false;
	snprintf(
		buf, size,
		"the monitor was up to %.1f s behind, stopped, starved or busy: what happened meanwhile is reported late",
		(double)l->worst_ns / 1e9);
	l->worst_ns = 0;
	l->reported_ns = now_ns;
	return true;
}
