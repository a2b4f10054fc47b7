// SPDX-License-Identifier: BSD-2-Clause
/* progress.c - see progress.h. */
#include "validate/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 79	   /* a longer line would wrap, and could not be replaced */
#define REPLACE "\r\033[K" /* back to its beginning, and erase it (ECMA-48 EL) */

static bool shown;

static bool is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void progress(const char *fmt, ...)
{
	char line[COLUMNS + 1];
	va_list args;

	if (!is_terminal())
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	fprintf(stderr, REPLACE "%s", line);
	fflush(stderr);
	shown = true;
}

void progress_end(void)
{
	if (!shown)
		return;
	fputs(REPLACE, stderr);
	fflush(stderr);
	shown = false;
}
