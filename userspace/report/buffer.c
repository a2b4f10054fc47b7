// SPDX-License-Identifier: BSD-2-Clause
/* buffer.c - see buffer.h. */
#include "report/buffer.h"

#include "base/clock.h"

#include <inttypes.h>

void report_buf_free(struct report_buf *b)
{
	jsonw_free(&b->json);
}

void report_time(struct report_buf *b, struct textw *t)
{
	int64_t now_ms = clock_epoch_ms(clock_boot_ns());
	char time[CLOCK_TEXT_LEN];

	if (now_ms > b->last_ms)
		b->last_ms = now_ms;
	clock_text(b->last_ms, time, sizeof(time));
	textw_put(t, "%s ", time);
}

void report_age(const struct report_buf *b, struct textw *t, int64_t at_ms)
{
	int64_t seconds = (b->last_ms - at_ms) / 1000;

	if (seconds > 0)
		textw_put(t, " [%" PRId64 " s ago]", seconds);
}

const char *report_colour(enum severity severity)
{
	static const char *const codes[] = {
		[SEVERITY_INFO] = "36", [SEVERITY_LOW] = "36",	      [SEVERITY_MEDIUM] = "33",
		[SEVERITY_HIGH] = "31", [SEVERITY_CRITICAL] = "1;31",
	};

	return codes[severity] ?: "";
}
