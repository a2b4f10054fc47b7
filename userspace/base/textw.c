// SPDX-License-Identifier: BSD-2-Clause
/* textw.c - see textw.h. */
#include "base/textw.h"

#include <stdarg.h>
#include <stdio.h>

void textw_put(struct textw *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

void textw_name(struct textw *t, const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (*p >= 0x20 && *p < 0x7f && *p != '\\')
			textw_put(t, "%c", *p);
		else
			textw_put(t, "\\x%02x", *p);
	}
}

void textw_colour(struct textw *t, const char *code)
{
	if (t->colour)
		textw_put(t, "\033[%sm", code);
}
