// SPDX-License-Identifier: BSD-2-Clause
/* entry.c - see entry.h. */
#include "evidence/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 64 /* of one object */
#define CUT_LEN 128 /* of texts of a record that is too large otherwise */
#define INTEGER_MAX                                                                                \
	9007199254740991ll /* 2^53 - 1: larger ones are no JSON number that all readers agree on */

/* --- canonical text --- */

struct canon {
	char buf[ENTRY_MAX];
	size_t len;
	int err;
};

static void put(struct canon *c, const char *bytes, size_t n)
{
	if (!c->err && n > sizeof(c->buf) - c->len)
		c->err = -E2BIG;
	if (c->err)
		return;
	memcpy(c->buf + c->len, bytes, n);
	c->len += n;
}

static void put_text(struct canon *c, const char *text)
{
	put(c, text, strlen(text));
}

static void put_string(struct canon *c, const char *s, size_t len)
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
		put_text(c, esc);
	}
	put(c, s + done, len - done);
	put(c, "\"", 1);
}

static void put_integer(struct canon *c, json_int_t v)
{
	bool exact = v >= -INTEGER_MAX && v <= INTEGER_MAX;
	char text[32];

	snprintf(text, sizeof(text), exact ? "%" PRId64 : "\"%" PRId64 "\"", (int64_t)v);
	put_text(c, text);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_value(struct canon *c, json_t *v);

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
		put_string(c, keys[i], strlen(keys[i]));
		put(c, ":", 1);
		put_value(c, json_object_get(object, keys[i]));
	}
	put(c, "}", 1);
}

static void put_array(struct canon *c, json_t *array)
{
	put(c, "[", 1);
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (i)
			put(c, ",", 1);
		put_value(c, json_array_get(array, i));
	}
	put(c, "]", 1);
}

/* The depth is what jansson accepted. */
static void put_value(struct canon *c, json_t *v)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		put_object(c, v);
		break;
	case JSON_ARRAY:
		put_array(c, v);
		break;
	case JSON_STRING:
		put_string(c, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		put_integer(c, json_integer_value(v));
		break;
	case JSON_REAL:
		c->err = c->err ?: -EINVAL;
		break;
	case JSON_TRUE:
		put_text(c, "true");
		break;
	case JSON_FALSE:
		put_text(c, "false");
		break;
	case JSON_NULL:
		put_text(c, "null");
		break;
	}
}

/* --- entries --- */

struct making {
	const char *kind;
	int64_t time_ms;
	entry_fn fn;
	void *ctx;
	struct canon canon;
};

/* part 0: there are no parts. Returns 0 or a negative errno; the text is in m->canon. */
static int form(struct making *m, json_t *record, size_t part, size_t parts)
{
	struct canon *c = &m->canon;
	char text[64];

	c->len = 0;
	c->err = 0;
	put_text(c, "{\"kind\":");
	put_string(c, m->kind, strlen(m->kind));
	if (part) {
		snprintf(text, sizeof(text), ",\"part\":%zu,\"parts\":%zu", part, parts);
		put_text(c, text);
	}
	put_text(c, ",\"record\":");
	put_value(c, record);
	snprintf(text, sizeof(text), ",\"time\":%" PRId64 "}", m->time_ms);
	put_text(c, text);
	return c->err;
}

/*
 * Cut the list of actions into that many parts. In the first pass nothing is handed out, so that an entry is either there
 * with all its parts or not at all.
 */
static int in_parts(struct making *m, json_t *own, json_t *record, json_t *actions, size_t parts)
{
	size_t n = json_array_size(actions), from = 0;
	int err = 0;

	for (size_t pass = 0; pass < 2; pass++, from = 0) {
		for (size_t p = 1; p <= parts && !err; p++) {
			json_t *slice = json_array();
			size_t to = n * p / parts;

			for (; from < to; from++)
				json_array_append(slice, json_array_get(actions, from));
			if (json_object_set_new(own, "events", slice))
				return -ENOMEM;
			err = form(m, record, p, parts);
			if (!err && pass)
				err = m->fn(m->ctx, m->canon.buf, m->canon.len);
		}
	}
	return err;
}

static int whole(struct making *m, json_t *record)
{
	return form(m, record, 0, 0) ?: m->fn(m->ctx, m->canon.buf, m->canon.len);
}

static int split(struct making *m, json_t *own, json_t *record)
{
	json_t *actions = json_incref(json_object_get(own, "events"));
	int err = -E2BIG;

	for (size_t parts = 1; parts <= json_array_size(actions) && err == -E2BIG; parts++)
		err = in_parts(m, own, record, actions, parts);
	if (json_object_set_new(own, "events", actions) && err == -E2BIG)
		err = -ENOMEM;
	return err;
}

static int cut_text(json_t *v)
{
	const char *text = json_string_value(v);
	char cut[CUT_LEN + 4];
	int n = CUT_LEN;

	if (json_string_length(v) <= CUT_LEN)
		return 0;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80) /* between two characters */
		n--;
	n = snprintf(cut, sizeof(cut), "%.*s...", n, text);
	return json_string_setn(v, cut, (size_t)n) ? -ENOMEM : 0;
}

static int cut_texts(json_t *v)
{
	const char *key;
	json_t *member;
	int err = 0;

	if (json_is_string(v))
		return cut_text(v);
	for (size_t i = 0; i < json_array_size(v) && !err; i++)
		err = cut_texts(json_array_get(v, i));
	json_object_foreach (v, key, member) {
		err = err ?: cut_texts(member);
	}
	return err;
}

/*
 * What OCSF repeats of each action goes first, and the list of actions is split. Control characters take six bytes each: if
 * an action fills an entry with its paths, they are cut, so that nobody keeps what they do out of the log.
 */
static int make_smaller(struct making *m, json_t *record)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	int err = -E2BIG;

	json_object_del(record, "evidences");
	json_object_del(record, "observables");
	for (int cut = 0; cut < 2 && err == -E2BIG; cut++) {
		if (cut && cut_texts(own))
			return -ENOMEM;
		err = json_is_array(json_object_get(own, "events")) ? split(m, own, record)
								    : whole(m, record);
	}
	return err;
}

int entry_make(const char *kind, int64_t time_ms, const char *record, size_t len, entry_fn fn,
	       void *ctx)
{
	json_t *v = json_loadb(record, len, JSON_REJECT_DUPLICATES, NULL);
	struct making *m = malloc(sizeof(*m));
	int err = !m ? -ENOMEM : json_is_object(v) ? 0 : -EINVAL;

	if (!err) {
		m->kind = kind;
		m->time_ms = time_ms;
		m->fn = fn;
		m->ctx = ctx;
		err = whole(m, v);
		if (err == -E2BIG)
			err = make_smaller(m, v);
	}
	free(m);
	json_decref(v);
	return err;
}

bool entry_is(const char *entry, size_t len, const char *kind)
{
	static const char head[] = "{\"kind\":\"";
	size_t skip = sizeof(head) - 1, n = strlen(kind);

	return len > skip + n && !memcmp(entry, head, skip) && !memcmp(entry + skip, kind, n) &&
	       entry[skip + n] == '"';
}

size_t entry_text(const char *entry, size_t len, const char *key, char *buf, size_t size)
{
	json_t *v = json_loadb(entry, len, 0, NULL);
	json_t *text = json_object_get(json_object_get(v, "record"), key);
	size_t n = json_string_length(text);

	if (n >= size)
		n = 0;
	if (n)
		memcpy(buf, json_string_value(text), n + 1);
	json_decref(v);
	return n;
}

bool entry_number(const char *entry, size_t len, const char *key, uint64_t *ret)
{
	json_t *v = json_loadb(entry, len, 0, NULL);
	json_t *number = json_object_get(json_object_get(v, "record"), key);
	bool ok = json_is_integer(number) && json_integer_value(number) >= 0;

	if (ok)
		*ret = (uint64_t)json_integer_value(number);
	json_decref(v);
	return ok;
}

/* The keys are sorted, so that it is the last member. */
int64_t entry_time(const char *entry, size_t len)
{
	static const char key[] = ",\"time\":";
	size_t digits = 0;
	int64_t v = 0;

	if (len < sizeof(key) || entry[len - 1] != '}')
		return INT64_MAX;
	while (digits < 18 && digits + 1 < len && entry[len - 2 - digits] >= '0' &&
	       entry[len - 2 - digits] <= '9')
		digits++;
	if (!digits || len < digits + sizeof(key) ||
	    memcmp(entry + len - digits - sizeof(key), key, sizeof(key) - 1) != 0)
		return INT64_MAX;
	for (size_t i = len - 1 - digits; i < len - 1; i++)
		v = v * 10 + (entry[i] - '0');
	return v;
}
