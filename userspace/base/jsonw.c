// SPDX-License-Identifier: BSD-2-Clause
/* jsonw.c - see jsonw.h. RFC 8259, on one line. */
#include "base/jsonw.h"

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

/* Length of the UTF-8 sequence at s (RFC 3629), 0 if it is invalid. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80		   ? 1
		   : (s[0] & 0xe0) == 0xc0 ? 2
		   : (s[0] & 0xf0) == 0xe0 ? 3
		   : (s[0] & 0xf8) == 0xf0 ? 4
					   : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((n == 2 && s[0] < 0xc2) || (n == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (n == 3 && s[0] == 0xed && s[1] > 0x9f) || (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
	    (n == 4 && (s[0] > 0xf4 || (s[0] == 0xf4 && s[1] > 0x8f))))
		return 0; /* overlong, a surrogate, or above U+10FFFF */
	return n;
}

static void quoted(struct jsonw *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	put(j, "\"", 1);
	while (*s) {
		size_t n = utf8_len(s);
		char esc[8];

		if (!n) {
			put(j, "\\ufffd", 6);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			esc[0] = '\\';
			esc[1] = (char)*s;
			put(j, esc, 2);
		} else if (*s < 0x20 || *s == 0x7f) {
			snprintf(esc, sizeof(esc), "\\u%04x", *s);
			put(j, esc, 6);
		} else {
			put(j, (const char *)s, n);
		}
		s += n;
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
