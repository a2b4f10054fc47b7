// SPDX-License-Identifier: BSD-2-Clause
/* canon.c - see canon.h. */
#include "evidence/canon.h"

#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 64 /* of one object */
#define INTEGER_MAX                                                                                \
	9007199254740991ll /* 2^53 - 1: larger ones are no JSON number that all readers agree on */

/* --- of values --- */

static void put(struct canon *c, const char *bytes, size_t n)
{
	if (!c->err && n > sizeof(c->buf) - c->len)
		c->err = -E2BIG;
	if (c->err)
		return;
	memcpy(c->buf + c->len, bytes, n);
	c->len += n;
}

void canon_put(struct canon *c, const char *text)
{
	put(c, text, strlen(text));
}

void canon_string(struct canon *c, const char *s, size_t len)
{
	static const char shorts[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

	size_t done = 0; /* what is plain goes out in one piece */

	put(c, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		const char *known;
		char esc[8];

		if ((unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
			continue;
		put(c, s + done, i - done);
		done = i + 1;
		known = s[i] ? strchr(shorts, s[i]) : NULL;
		if (known)
			snprintf(esc, sizeof(esc), "\\%c", letters[known - shorts]);
		else
			snprintf(esc, sizeof(esc), "\\u%04x", (unsigned char)s[i]);
		canon_put(c, esc);
	}
	put(c, s + done, len - done);
	put(c, "\"", 1);
}

static void put_integer(struct canon *c, json_int_t v)
{
	bool exact = v >= -INTEGER_MAX && v <= INTEGER_MAX;
	char text[32];

	snprintf(text, sizeof(text), exact ? "%" PRId64 : "\"%" PRId64 "\"", (int64_t)v);
	canon_put(c, text);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void canon_value(struct canon *c, json_t *v);

static void put_object(struct canon *c, json_t *object)
{
	const char *keys[KEYS_MAX], *key;
	json_t *value;
	size_t n = 0;

	if (json_object_size(object) > KEYS_MAX) {
		c->err = -E2BIG;
		return;
	}
	json_object_foreach (object, key, value) {
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(keys[0]), by_bytes);
	put(c, "{", 1);
	for (size_t i = 0; i < n; i++) {
		if (i)
			put(c, ",", 1);
		canon_string(c, keys[i], strlen(keys[i]));
		put(c, ":", 1);
		canon_value(c, json_object_get(object, keys[i]));
	}
	put(c, "}", 1);
}

static void put_array(struct canon *c, json_t *array)
{
	put(c, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			put(c, ",", 1);
		canon_value(c, json_array_get(array, i));
	}
	put(c, "]", 1);
}

/* The depth is what jansson accepted. */
void canon_value(struct canon *c, json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		put_object(c, v);
		break;
	case JSON_ARRAY:
		put_array(c, v);
		break;
	case JSON_STRING:
		canon_string(c, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		put_integer(c, json_integer_value(v));
		break;
	case JSON_REAL:
		c->err = c->err ?: -EINVAL;
		break;
	case JSON_TRUE:
		canon_put(c, "true");
		break;
	case JSON_FALSE:
		canon_put(c, "false");
		break;
	case JSON_NULL:
		canon_put(c, "null");
		break;
	}
}

/* --- of text --- */

#define DEPTH_MAX 32
#define DIGITS_MAX 15 /* fewer than INTEGER_MAX has */

struct source {
	const char *at, *end;
	unsigned int depth;
};

/* A member that was written: where it begins and ends in the buffer, and how long its key is. */
struct member {
	size_t from, to, key;
};

static bool take(struct source *s, char c)
{
	if (s->at == s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

/* Returns how many bytes are plain; the string ends behind them unless they are not. */
static size_t plain_len(const struct source *s)
{
	const unsigned char *at = (const unsigned char *)s->at;
	size_t left = (size_t)(s->end - s->at), len = 0, n = 1;

	for (; n && len < left && at[len] >= 0x20 && at[len] != '"' && at[len] != '\\'; len += n)
		n = at[len] < 0x80 ? 1 : left - len < UTF8_MAX ? 0 : utf8_len(at + len);
	return len;
}

/* With the two escapes that paths may have, in the form that they are in already. */
static bool plain_string(struct canon *c, struct source *s)
{
	if (!take(s, '"'))
		return false;
	put(c, "\"", 1);
	for (;;) {
		size_t n = plain_len(s);

		put(c, s->at, n);
		s->at += n;
		if (take(s, '"'))
			break;
		if (s->end - s->at < 2 || s->at[0] != '\\' || (s->at[1] != '"' && s->at[1] != '\\'))
			return false;
		put(c, s->at, 2);
		s->at += 2;
	}
	put(c, "\"", 1);
	return !c->err;
}

static bool plain_key(struct canon *c, struct source *s, struct member *m)
{
	m->from = c->len;
	if (!plain_string(c, s) || !take(s, ':'))
		return false;
	m->key = c->len - m->from - 2;
	put(c, ":", 1);
	return !c->err && !memchr(c->buf + m->from, '\\', m->key);
}

static bool plain_number(struct canon *c, struct source *s)
{
	const char *from = s->at;
	bool minus = take(s, '-');
	size_t digits = 0;

	for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
		digits++;
	if (!digits || digits > DIGITS_MAX || (from[minus] == '0' && (minus || digits > 1)))
		return false;
	if (s->at < s->end && strchr(".eE", *s->at)) /* the NUL, too */
		return false;
	put(c, from, (size_t)(s->at - from));
	return true;
}

static bool plain_word(struct canon *c, struct source *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(s->end - s->at) < n || memcmp(s->at, words[i], n) != 0)
			continue;
		put(c, words[i], n);
		s->at += n;
		return true;
	}
	return false;
}

/* Like strcmp() of the keys, which have no NUL. */
static int compare(const struct canon *c, const struct member *a, const struct member *b)
{
	size_t n = a->key < b->key ? a->key : b->key;
	int order = memcmp(c->buf + a->from + 1, c->buf + b->from + 1, n);

	return order ?: (a->key > b->key) - (a->key < b->key);
}

/* Insertion sort: what is written is nearly sorted, or short. Returns false if two keys are the same. */
static bool sort(const struct canon *c, struct member *m, size_t count, bool *ret_moved)
{
	for (size_t i = 1; i < count; i++) {
		struct member one = m[i];
		size_t k = i;
		int order = 1;

		while (k && (order = compare(c, &m[k - 1], &one)) > 0) {
			m[k] = m[k - 1];
			k--;
		}
		if (!order)
			return false;
		*ret_moved = *ret_moved || k != i;
		m[k] = one;
	}
	return true;
}

/* The members again, in that order; a comma between two. */
static void rearrange(struct canon *c, const struct member *m, size_t count, size_t from)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		size_t n = m[i].to - m[i].from;

		if (i)
			c->sorting[len++] = ',';
		memcpy(c->sorting + len, c->buf + m[i].from, n);
		len += n;
	}
	memcpy(c->buf + from, c->sorting, len);
}

static bool plain_value(struct canon *c, struct source *s);

static bool plain_object(struct canon *c, struct source *s)
{
	struct member m[KEYS_MAX];
	bool moved = false;
	size_t count = 0, from;

	if (!take(s, '{'))
		return false;
	put(c, "{", 1);
	from = c->len;
	while (!take(s, '}')) {
		if (count == KEYS_MAX || (count && !take(s, ',')))
			return false;
		if (count)
			put(c, ",", 1);
		if (!plain_key(c, s, &m[count]) || !plain_value(c, s))
			return false;
		m[count++].to = c->len;
	}
	if (c->err || !sort(c, m, count, &moved))
		return false;
	if (moved)
		rearrange(c, m, count, from);
	put(c, "}", 1);
	return !c->err;
}

static bool plain_array(struct canon *c, struct source *s)
{
	if (!take(s, '['))
		return false;
	put(c, "[", 1);
	for (bool first = true; !take(s, ']'); first = false) {
		if (!first && !take(s, ','))
			return false;
		if (!first)
			put(c, ",", 1);
		if (!plain_value(c, s))
			return false;
	}
	put(c, "]", 1);
	return !c->err;
}

static bool plain_value(struct canon *c, struct source *s)
{
	bool fine;

	if (s->at == s->end || s->depth == DEPTH_MAX)
		return false;
	s->depth++;
	switch (*s->at) {
	case '{':
		fine = plain_object(c, s);
		break;
	case '[':
		fine = plain_array(c, s);
		break;
	case '"':
		fine = plain_string(c, s);
		break;
	case 't':
	case 'f':
	case 'n':
		fine = plain_word(c, s);
		break;
	default:
		fine = plain_number(c, s);
	}
	s->depth--;
	return fine;
}

bool canon_plain(struct canon *c, const char *text, size_t len)
{
	struct source s = {.at = text, .end = text + len};

	if (len && text[len - 1] == '\n')
		s.end--;
	return plain_object(c, &s) && s.at == s.end;
}
