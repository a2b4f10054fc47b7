// SPDX-License-Identifier: BSD-2-Clause
/* log.c - see log.h. Each line is one write(), so that lines of the monitor and its guard do not mix. */
#include "base/log.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool quiet, verbose;

static void write_line(const char *level, const char *fmt, va_list args) PRINTF(2, 0);

static void write_line(const char *level, const char *fmt, va_list args)
{
	char buf[1024];
	size_t used = snprintf(buf, sizeof(buf), "cachewarden: %s", level);
	int n = vsnprintf(buf + used, sizeof(buf) - used - 1, fmt, args);

	if (n < 0)
		n = 0;
	else if ((size_t)n >= sizeof(buf) - used - 1)
		n = (int)(sizeof(buf) - used - 2);
	for (; n > 0; n--, used++) {
		/* names, and what other hosts answer, are not ours: no second line, nothing for the terminal */
		if (iscntrl((unsigned char)buf[used]) ||
		    (buf[used] == '\xc2' && (unsigned char)buf[used + 1] < 0xa0))
			buf[used] = '?';
	}
	buf[used++] = '\n';
	if (write(STDERR_FILENO, buf, used) < 0)
		return; /* stderr is closed: nowhere to report it */
}

#define LOGGER(name, level)                                                                        \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, fmt);                                                               \
		write_line(level, fmt, args);                                                      \
		va_end(args);                                                                      \
	}

LOGGER(log_warn, "warning: ")
LOGGER(log_error, "error: ")

void log_quiet(void)
{
	quiet = true;
}

void log_verbose(void)
{
	verbose = true;
}

void log_info(const char *fmt, ...)
{
	va_list args;

	if (quiet)
		return;
	va_start(args, fmt);
	write_line("", fmt, args);
	va_end(args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	if (!verbose)
		return;
	va_start(args, fmt);
	write_line("", fmt, args);
	va_end(args);
}
