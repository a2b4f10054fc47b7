// SPDX-License-Identifier: BSD-2-Clause
/* jsonw.c - see jsonw.h. RFC 8259, on one line. */
#include "base/jsonw.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jsonw_free(struct jsonw *j)
{
	if (!j)
		return;
	free(j->text);
	*j = (struct jsonw){};
}

void jsonw_reset(struct jsonw *j)
{
	j->len = 0;
	j->depth = 0;
	j->comma = false;
	j->failed = false;
}

static void put(struct jsonw *j, const char *bytes, size_t n)
{
	if (j->failed)
		return;
	if (j->len + n + 1 > j->room) {
		size_t room = (j->len + n + 1) * 2;
		char *text = realloc(j->text, room);

		if (!text) {
			j->failed = true;
			return;
		}
		j->text = text;
		j->room = room;
	}
	memcpy(j->text + j->len, bytes, n);
	j->len += n;
	j->text[j->len] = '\0';
}

/* Characters that need no escape. */
static size_t plain_len(const unsigned char *s)
{
	size_t len = 0, n = 1;

	for (; n && s[len] >= 0x20 && s[len] != 0x7f && s[len] != '"' && s[len] != '\\'; len += n)
		n = utf8_len(s + len);
	return len;
}

static void quoted(struct jsonw *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char esc[8];

	put(j, "\"", 1);
	for (;;) {
		size_t n = plain_len(s);

		put(j, (const char *)s, n); /* in one piece */
		s += n;
		if (!*s)
			break;
		if (*s == '"' || *s == '\\')
			snprintf(esc, sizeof(esc), "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
		else
			snprintf(esc, sizeof(esc), "\\ufffd");
		put(j, esc, strlen(esc));
		s++;
	}
	put(j, "\"", 1);
}

static void member(struct jsonw *j, const char *key)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
	if (key) {
		quoted(j, key);
		put(j, ":", 1);
	}
}

static void open_with(struct jsonw *j, const char *key, const char *bracket)
{
	member(j, key);
	put(j, bracket, 1);
	j->depth++;
	j->comma = false;
}

static void close_with(struct jsonw *j, const char *bracket)
{
	put(j, bracket, 1);
	j->depth--;
	j->comma = true;
}

void jsonw_object(struct jsonw *j, const char *key)
{
	open_with(j, key, "{");
}

void jsonw_array(struct jsonw *j, const char *key)
{
	open_with(j, key, "[");
}

void jsonw_end_object(struct jsonw *j)
{
	close_with(j, "}");
}

void jsonw_end_array(struct jsonw *j)
{
	close_with(j, "]");
}

void jsonw_string(struct jsonw *j, const char *key, const char *value)
{
	if (!value) {
		jsonw_null(j, key);
		return;
	}
	member(j, key);
	quoted(j, value);
}

void jsonw_text(struct jsonw *j, const char *key, const char *value)
{
	jsonw_string(j, key, value && value[0] ? value : NULL);
}

void jsonw_int(struct jsonw *j, const char *key, int64_t value)
{
	char num[24];
	int n = snprintf(num, sizeof(num), "%" PRId64, value);

	member(j, key);
	put(j, num, (size_t)n);
}

void jsonw_bool(struct jsonw *j, const char *key, bool value)
{
	member(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void jsonw_null(struct jsonw *j, const char *key)
{
	member(j, key);
	put(j, "null", 4);
}

void jsonw_members(struct jsonw *j, const char *text, size_t len)
{
	if (!len)
		return;
	member(j, NULL);
	put(j, text, len);
}

const char *jsonw_done(struct jsonw *j, size_t *ret_len)
{
	put(j, "\n", 1);
	if (j->failed || j->depth)
		return NULL;
	*ret_len = j->len;
	return j->text;
}
