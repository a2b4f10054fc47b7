/* SPDX-License-Identifier: BSD-2-Clause */
/* test_entry.c - entries of the evidence log and the records of its write-ahead log. */
#include "unit.h"

#include "base/macros.h"
#include "evidence/canon.h"
#include "evidence/entry.h"
#include "report/event_json.h"
#include "report/finding.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_sample.h"

#define KEPT_MAX 64

static char *kept[KEPT_MAX];
static size_t count;

static int keep(void *ctx, const char *entry, size_t len)
{
	assert_true(count < KEPT_MAX && len <= ENTRY_MAX);
	kept[count++] = strndup(entry, len);
	return 0;
}

static int forget(void **state)
{
	while (count)
		free(kept[--count]);
	return 0;
}

static int make(const char *record)
{
	return entry_make("event", 1795526837123, record, strlen(record), keep, NULL);
}

static void entries_are_canonical(void **state)
{
	static const struct {
		const char *record, *want;
	} cases[] = {
		{"{ \"b\": 1, \"a\" : [true, null, -5 ] }\n", "{\"a\":[true,null,-5],\"b\":1}"},
		{"{\"z\":{\"b\":{},\"a\":[]},\"Z\":\"x\"}",
		 "{\"Z\":\"x\",\"z\":{\"a\":[],\"b\":{}}}"},
		/* RFC 8785, 3.2.2.2: the shortest escape, lower-case digits, and no other */
		{"{\"s\":\"\\u0008\\u000a\\u001F\\u007f\\/\\u20ac\\\"\\\\\"}",
		 "{\"s\":\"\\b\\n\\u001f\x7f/\xe2\x82\xac\\\"\\\\\"}"},
		{"{\"n\":9007199254740991,\"m\":9007199254740992}",
		 "{\"m\":\"9007199254740992\",\"n\":9007199254740991}"},
	};
	char want[256];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(make(cases[i].record), 0);
		snprintf(want, sizeof(want),
			 "{\"kind\":\"event\",\"record\":%s,\"time\":1795526837123}",
			 cases[i].want);
		assert_string_equal(kept[i], want);
		assert_true(entry_is(kept[i], strlen(kept[i]), "event"));
		assert_false(entry_is(kept[i], strlen(kept[i]), "even"));
		assert_false(entry_is(kept[i], strlen(kept[i]), "events"));
	}
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const wrong[] = {
		"", "[]", "1", "{\"a\":1.5}", "{\"a\":1", "{\"a\":1,\"a\":2}"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(make(wrong[i]), -EINVAL);
	assert_int_equal(count, 0);
}

/* Returns whether the text is written without a tree of values; then it is written as that is. */
static bool written_alike(const char *text, size_t len)
{
	static struct canon plain, tree;
	json_t *v;

	plain.len = tree.len = 0;
	plain.err = tree.err = 0;
	if (!canon_plain(&plain, text, len))
		return false;
	v = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!v)
		fail_msg("this is no JSON: %.*s", (int)len, text);
	canon_value(&tree, v);
	json_decref(v);
	assert_int_equal(tree.err, 0);
	if (plain.len != tree.len || memcmp(plain.buf, tree.buf, tree.len) != 0)
		fail_msg("%.*s became %.*s", (int)len, text, (int)plain.len, plain.buf);
	return true;
}

static void plain_records_are_written_as_all_are(void **state)
{
	static const struct {
		const char *record;
		bool plain;
	} cases[] = {
		{"{}", true},
		{"{\"b\":{\"d\":1,\"c\":[{\"z\":0,\"a\":-7}]},\"a\":null,\"ab\":true,\"A\":false}\n",
		 true},
		{"{\"s\":\"a\\\\b\\\"c \x7f \xe2\x82\xac\"}", true},
		{"{\"n\":999999999999999}", true},
		{"{\"n\":9007199254740992}", false},
		{"{\"n\":-0}", false},
		{"{\"n\":01}", false},
		{"{\"n\":1.0}", false},
		{"{\"n\":-}", false},
		{"{\"s\":\"\\n\"}", false},
		{"{\"s\":\"\xc3\"}", false},
		{"{\"s\":\"\xed\xa0\x80\"}", false},
		{"{\"s\":\"\x01\"}", false},
		{"{\"a\":1,\"a\":2}", false},
		{"{\"b\":1,\"a\":2,\"b\":3}", false},
		{"{\"a\\\"\":1}", false},
		{"{\"a\":1,}", false},
		{"{\"a\":[1,]}", false},
		{"{\"a\" :1}", false},
		{"{\"a\":tru}", false},
		{"{\"a\":1}}", false},
		{"{\"a\":1", false},
		{"{\"a\":\"", false},
		{"{\"a\"", false},
		{"[]", false},
		{"", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (written_alike(cases[i].record, strlen(cases[i].record)) != cases[i].plain)
			fail_msg("plain or not: %s", cases[i].record);
	}
}

/* All that the two ways have in common is what they are given: random changes of a record with everything in it. */
static void changed_records_are_written_alike(void **state)
{
	static const char record[] =
		"{\"b\":{\"d\":1,\"c\":[{\"z\":0,\"a\":-70},[],{}]},\"a\":null,\"ab\":true,\"A\":"
		"\"x\\\\\xc3\xa9\\\"\",\"aa\":[1,20,\"\"]}";
	static const char common[] = "{}[]\",:\\-0159.eE \n\xc3\xa9truefalsnbcdA";
	unsigned int plain = 0;

	srand(12);
	for (int i = 0; i < 300000; i++) {
		char text[sizeof(record)];
		size_t len = sizeof(record) - 1;

		memcpy(text, record, sizeof(record));
		for (int changes = rand() % 3; changes >= 0; changes--)
			text[(size_t)rand() % len] = common[(size_t)rand() % (sizeof(common) - 1)];
		plain += written_alike(text, len - (size_t)(rand() % 8 ? 0 : rand() % 20));
	}
	assert_true(plain > 10000);
}

/* An incident of 24 actions with long command lines, as report/incident_json.c writes it. */
static char *incident(size_t actions, size_t line)
{
	json_t *evidences = json_array(), *events = json_array();
	char *text = malloc(line + 1), *record;
	json_t *v;

	memset(text, 'x', line);
	text[line] = '\0';
	for (size_t i = 0; i < actions; i++) {
		json_array_append_new(evidences, json_pack("{s:s}", "cmd_line", text));
		json_array_append_new(events,
				      json_pack("{s:i, s:s}", "pid", (int)i, "cmdline", text));
	}
	v = json_pack("{s:o, s:{s:{s:s, s:o}}}", "evidences", evidences, "unmapped", "cachewarden",
		      "kind", "incident", "events", events);
	record = json_dumps(v, 0);
	json_decref(v);
	free(text);
	return record;
}

static json_t *own_events(json_t *entry)
{
	json_t *own = json_object_get(json_object_get(entry, "record"), "unmapped");

	return json_object_get(json_object_get(own, "cachewarden"), "events");
}

static void large_incidents_become_several_entries_with_every_action(void **state)
{
	char *record = incident(24, 4000);
	int next = 0;

	assert_int_equal(make(record), 0);
	assert_true(count > 1);
	for (size_t i = 0; i < count; i++) {
		json_t *v = json_loads(kept[i], 0, NULL), *events = own_events(v);

		assert_int_equal(json_integer_value(json_object_get(v, "part")), i + 1);
		assert_int_equal(json_integer_value(json_object_get(v, "parts")), count);
		for (size_t k = 0; k < json_array_size(events); k++) {
			json_t *event = json_array_get(events, k);

			assert_int_equal(json_integer_value(json_object_get(event, "pid")), next++);
			assert_int_equal(json_string_length(json_object_get(event, "cmdline")),
					 4000);
		}
		json_decref(v);
	}
	assert_int_equal(next, 24);
	free(record);
}

static void too_large_is_an_error_and_leaves_nothing(void **state)
{
	char *text = malloc(40001), *record;
	json_t *v;

	memset(text, 'x', 40000);
	text[40000] = '\0';
	v = json_pack("{s:s}", "text", text);
	record = json_dumps(v, 0);
	assert_int_equal(make(record), -E2BIG);
	assert_int_equal(count, 0);
	json_decref(v);
	free(record);
	free(text);
}

static void texts_are_cut_between_characters_if_an_action_does_not_fit(void **state)
{
	char *record = incident(3, 40000), *at;
	json_t *v;

	for (at = record; (at = strstr(at, "xxxx"));
	     at += 4) /* at an odd place, before another x */
		memcpy(at, "x\xe2\x82\xac", 4);
	assert_int_equal(make(record), 0);
	assert_int_equal(count, 1);
	v = json_loads(kept[0], 0, NULL);
	assert_int_equal(json_array_size(own_events(v)), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *line = json_object_get(json_array_get(own_events(v), i), "cmdline");

		assert_in_range(json_string_length(line), 128, 131);
		assert_string_equal(json_string_value(line) + json_string_length(line) - 3, "...");
	}
	json_decref(v);
	free(record);
}

static void fill(char *text, size_t size)
{
	memset(text, 1, size - 1); /* six bytes as JSON */
	text[size - 1] = '\0';
}

#define FILL(text) fill(text, sizeof(text))

/* Nobody keeps an event out of the log by the length of its paths. */
static void largest_finding_is_an_entry(void **state)
{
	struct alert *a = calloc(1, sizeof(*a));
	struct instance *in = calloc(1, sizeof(*in));
	struct finding *f = calloc(1, sizeof(*f));
	struct report_buf b = {};
	const char *record;
	json_t *v, *own;
	size_t len;

	a->ev = event_sample();
	a->ev.flags |= EVENT_CONN;
	a->ev.actor.ancestors = ANCESTORS_MAX;
	FILL(a->ev.args.text);
	FILL(a->ev.actor.comm);
	FILL(in->exe);
	FILL(in->started_as);
	FILL(in->cgroup);
	FILL(in->name);
	finding_fill(f, &(struct finding_source){.alert = a, .instance = in, .uid_prefix = "x"});
	FILL(f->object);
	FILL(f->exe);
	FILL(f->opener);
	FILL(f->cgroup);
	FILL(f->detail);
	FILL(f->unit);
	FILL(f->container);
	for (size_t i = 0; i < ANCESTORS_MAX; i++) {
		FILL(f->ancestor_exe[i]);
		FILL(a->ev.actor.ancestor[i].comm);
	}
	record = event_json(f, &b, &len);
	assert_non_null(record);
	assert_true(len > 3 * ENTRY_MAX);
	assert_int_equal(entry_make("event", 1, record, len, keep, NULL), 0);
	assert_int_equal(count, 1);
	v = json_loads(kept[0], 0, NULL);
	own = json_object_get(json_object_get(v, "record"), "unmapped");
	own = json_object_get(own, "cachewarden");
	assert_string_equal(json_string_value(json_object_get(own, "rule")), "mem-read");
	own = json_object_get(own, "actor");
	assert_int_equal(json_integer_value(json_object_get(own, "pid")), 99);
	assert_int_equal(json_array_size(json_object_get(own, "ancestors")), ANCESTORS_MAX);
	json_decref(v);
	report_buf_free(&b);
	free(f);
	free(in);
	free(a);
}

/* What comes in floods takes the fast way. */
static void events_are_plain(void **state)
{
	struct alert a = {.ev = event_sample(), .count = 4, .detailed = true};
	struct instance in = {
		.id = 1, .pid = 7, .ports = 1, .port = {6379}, .name = "redis-server:6379"};
	struct finding *f = calloc(1, sizeof(*f));
	struct report_buf b = {};
	const char *record;
	size_t len;

	a.ev.actor.ancestors = 3;
	finding_fill(f, &(struct finding_source){.alert = &a, .instance = &in, .uid_prefix = "x"});
	strcpy(f->exe, "/home/\xc3\xa9tienne/a \"tool\"");
	record = event_json(f, &b, &len);
	assert_true(written_alike(record, len));
	report_buf_free(&b);
	free(f);
}

static void text_of_a_record(void **state)
{
	static const char entry[] =
		"{\"kind\":\"epoch\",\"record\":{\"note\":\"a\\nb\"},\"time\":1}";
	char buf[8];

	assert_int_equal(entry_text(entry, strlen(entry), "note", buf, sizeof(buf)), 3);
	assert_string_equal(buf, "a\nb");
	assert_int_equal(entry_text(entry, strlen(entry), "none", buf, sizeof(buf)), 0);
	assert_int_equal(entry_text(entry, strlen(entry), "note", buf, 3), 0);
}

/* --- records --- */

static size_t two_records(uint8_t buf[64])
{
	frame_put(buf, "one", 3);
	frame_put(buf + FRAME_HEAD + 3, "second", 6);
	return 2 * FRAME_HEAD + 9;
}

static size_t good_records(const uint8_t *bytes, size_t size)
{
	size_t at = 0, len, n = 0;
	const char *entry;

	while (frame_next(bytes, size, &at, &entry, &len) == FRAME_FINE)
		n++;
	return n;
}

static void records_are_read_back(void **state)
{
	uint8_t buf[64];
	size_t size = two_records(buf), at = 0, len;
	const char *entry;

	assert_int_equal(frame_next(buf, size, &at, &entry, &len), FRAME_FINE);
	assert_int_equal(len, 3);
	assert_memory_equal(entry, "one", 3);
	assert_int_equal(frame_next(buf, size, &at, &entry, &len), FRAME_FINE);
	assert_memory_equal(entry, "second", 6);
	assert_int_equal(frame_next(buf, size, &at, &entry, &len), FRAME_END);
	assert_int_equal(at, size);
}

static void every_cut_and_changed_bit_of_a_record_is_found(void **state)
{
	uint8_t buf[64];
	size_t size = two_records(buf), first = FRAME_HEAD + 3;

	for (size_t cut = 0; cut <= size; cut++)
		assert_int_equal(good_records(buf, cut), cut == size ? 2 : cut >= first);
	for (size_t bit = 0; bit < size * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(good_records(buf, size), bit / 8 >= first);
		buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* What a file system may leave behind a crash. */
static void zeroes_are_no_record(void **state)
{
	uint8_t zero[64] = {};

	assert_int_equal(good_records(zero, sizeof(zero)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(entries_are_canonical, forget),
		cmocka_unit_test_teardown(what_is_no_record_is_refused, forget),
		cmocka_unit_test(plain_records_are_written_as_all_are),
		cmocka_unit_test(changed_records_are_written_alike),
		cmocka_unit_test_teardown(large_incidents_become_several_entries_with_every_action,
					  forget),
		cmocka_unit_test_teardown(too_large_is_an_error_and_leaves_nothing, forget),
		cmocka_unit_test_teardown(
			texts_are_cut_between_characters_if_an_action_does_not_fit, forget),
		cmocka_unit_test_teardown(largest_finding_is_an_entry, forget),
		cmocka_unit_test(events_are_plain),
		cmocka_unit_test(text_of_a_record),
		cmocka_unit_test(records_are_read_back),
		cmocka_unit_test(every_cut_and_changed_bit_of_a_record_is_found),
		cmocka_unit_test(zeroes_are_no_record),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
