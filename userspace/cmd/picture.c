// SPDX-License-Identifier: BSD-2-Clause
/* picture.c - see picture.h. */
#include "cmd/picture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024 /* of one picture_put(); no terminal is wider */

bool picture_init(struct picture *f, int rows, int columns)
{
	size_t cells = rows > 0 && columns > 0 ? (size_t)rows * (size_t)columns : 0;

	*f = (struct picture){.rows = rows, .columns = columns};
	if (!cells)
		return false;
	f->cell = malloc(cells);
	f->look = calloc(cells, 1);
	if (!f->cell || !f->look) {
		picture_free(f);
		return false;
	}
	memset(f->cell, ' ', cells);
	return true;
}

void picture_free(struct picture *f)
{
	free(f->cell);
	free(f->look);
	*f = (struct picture){};
}

/* Escapes what is not printable ASCII. A backslash, too: "\x1b" in a name is no escape character. */
static void escape(const char *from, char *to, size_t size)
{
	size_t len = 0;

	for (; *from && len + 5 <= size; from++) {
		unsigned char c = (unsigned char)*from;

		if (c < 0x20 || c >= 0x7f || c == '\\')
			len += (size_t)snprintf(to + len, size - len, "\\x%02x", c);
		else
			to[len++] = (char)c;
	}
	to[len] = '\0';
}

int picture_put(struct picture *f, int row, int column, int width, enum look look, const char *fmt,
		...)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	int len, room = f->columns - column;
	size_t at;
	va_list args;

	va_start(args, fmt);
	vsnprintf(raw, sizeof(raw), fmt, args);
	va_end(args);
	escape(raw, text, sizeof(text));
	len = (int)strlen(text);
	room = width < room ? width : room;
	if (row < 0 || row >= f->rows || column < 0)
		return column;
	at = (size_t)row * (size_t)f->columns;
	/* it goes on behind a text that ends at the edge */
	if (column == f->columns && len && f->cell[at + (size_t)column - 1] != ' ')
		f->cell[at + (size_t)column - 1] = PICTURE_CUT;
	if (room <= 0)
		return column;
	if (len > room) {
		len = room;
		text[len - 1] = PICTURE_CUT;
	}
	at += (size_t)column;
	memcpy(f->cell + at, text, (size_t)len);
	memset(f->look + at, look, (size_t)len);
	return column + len;
}

int picture_text(const struct picture *f, int row, const char **ret)
{
	int len = f->columns;

	*ret = f->cell + (size_t)row * (size_t)f->columns;
	while (len && (*ret)[len - 1] == ' ')
		len--;
	return len;
}
