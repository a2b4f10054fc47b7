// SPDX-License-Identifier: BSD-2-Clause
/* buffer.c - see buffer.h. */
#include "report/buffer.h"

void report_buf_free(struct report_buf *b)
{
	jsonw_free(&b->json);
}

const char *report_colour(enum severity severity)
{
	static const char *const codes[] = {
		[SEVERITY_INFO] = "36", [SEVERITY_LOW] = "36",	      [SEVERITY_MEDIUM] = "33",
		[SEVERITY_HIGH] = "31", [SEVERITY_CRITICAL] = "1;31",
	};

	return codes[severity] ?: "";
}
