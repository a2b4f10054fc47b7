// SPDX-License-Identifier: BSD-2-Clause
/* log.c - one line at a time on stderr, in one write so that two processes' lines do not mix. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void line(const char *kind, const char *fmt, va_list args) PRINTF(2, 0);

static void line(const char *kind, const char *fmt, va_list args)
{
	char buf[1024];
	size_t used = snprintf(buf, sizeof(buf), "cachewarden: %s", kind);
	int n = vsnprintf(buf + used, sizeof(buf) - used - 1, fmt, args);

	if (n > 0)
		used += (size_t)n < sizeof(buf) - used - 1 ? (size_t)n : sizeof(buf) - used - 2;
	buf[used++] = '\n';
	if (write(STDERR_FILENO, buf, used) < 0)
		return; /* nobody left to tell */
}

#define LOGGER(name, kind)                                                                         \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		line(kind, fmt, args);                                                             \
		va_end(args);                                                                      \
	}

LOGGER(log_info, "")
LOGGER(log_warn, "warning: ")
LOGGER(log_error, "error: ")
