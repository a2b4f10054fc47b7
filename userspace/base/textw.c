// SPDX-License-Identifier: BSD-2-Clause
/* textw.c - see textw.h. */
#include "base/textw.h"

#include <stdarg.h>
#include <stdio.h>

#define LONGEST_WORD 64 /* a longer one is cut within */

/* The buffer is full: end it with the mark, behind a whole word, and write nothing more. */
static void cut(struct textw *t)
{
	size_t mark = sizeof(TEXTW_CUT), end = t->size > mark ? t->size - mark : 0;

	t->len = end;
	while (t->len && end - t->len < LONGEST_WORD && t->buf[t->len - 1] != ' ')
		t->len--;
	if (!t->len || t->buf[t->len - 1] != ' ')
		t->len = end;
	t->len += (size_t)snprintf(t->buf + t->len, t->size - t->len, TEXTW_CUT);
	if (t->len >= t->size)
		t->len = t->size - 1;
	t->full = true;
}

void textw_put(struct textw *t, const char *fmt, ...)
{
	va_list args;
	int n;

	if (t->full)
		return;
	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (n > 0 && (size_t)n >= t->size - t->len)
		cut(t);
	else if (n > 0)
		t->len += (size_t)n;
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
