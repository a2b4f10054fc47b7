// SPDX-License-Identifier: BSD-2-Clause
/* entry.c - see entry.h. */
#include "evidence/entry.h"

#include "evidence/canon.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_LEN 128 /* of texts of a record that is too large otherwise */

/* --- entries --- */

struct making {
	const char *kind;
	int64_t time_ms;
	entry_fn fn;
	void *ctx;
	struct canon canon;
};

static void begin(struct making *m)
{
	m->canon.len = 0;
	m->canon.err = 0;
	canon_put(&m->canon, "{\"kind\":");
	canon_string(&m->canon, m->kind, strlen(m->kind));
}

static int end(struct making *m)
{
	char text[64];

	snprintf(text, sizeof(text), ",\"time\":%" PRId64 "}", m->time_ms);
	canon_put(&m->canon, text);
	return m->canon.err;
}

/* part 0: there are no parts. Returns 0 or a negative errno; the text is in m->canon. */
static int form(struct making *m, json_t *record, size_t part, size_t parts)
{
	char text[64];

	begin(m);
	if (part) {
		snprintf(text, sizeof(text), ",\"part\":%zu,\"parts\":%zu", part, parts);
		canon_put(&m->canon, text);
	}
	canon_put(&m->canon, ",\"record\":");
	canon_value(&m->canon, record);
	return end(m);
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

/* Nearly all records are plain and fit: no tree of values is made of them. False: this one is not, or does not. */
static bool plain(struct making *m, const char *record, size_t len)
{
	begin(m);
	canon_put(&m->canon, ",\"record\":");
	return canon_plain(&m->canon, record, len) && !end(m);
}

static int parsed(struct making *m, const char *record, size_t len)
{
	json_t *v = json_loadb(record, len, JSON_REJECT_DUPLICATES, NULL);
	int err = json_is_object(v) ? whole(m, v) : -EINVAL;

	if (err == -E2BIG)
		err = make_smaller(m, v);
	json_decref(v);
	return err;
}

int entry_make(const char *kind, int64_t time_ms, const char *record, size_t len, entry_fn fn,
	       void *ctx)
{
	struct making *m = malloc(sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->kind = kind;
	m->time_ms = time_ms;
	m->fn = fn;
	m->ctx = ctx;
	err = plain(m, record, len) ? fn(ctx, m->canon.buf, m->canon.len) : parsed(m, record, len);
	free(m);
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
