/* SPDX-License-Identifier: BSD-2-Clause */
/* test_entry.c - entries of the evidence log and the records of its write-ahead log. */
#include "unit.h"

#include "base/macros.h"
#include "evidence/entry.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	char *record = incident(3, 40000);

	assert_int_equal(make(record), -E2BIG);
	assert_int_equal(count, 0);
	free(record);
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
		cmocka_unit_test_teardown(large_incidents_become_several_entries_with_every_action,
					  forget),
		cmocka_unit_test_teardown(too_large_is_an_error_and_leaves_nothing, forget),
		cmocka_unit_test(text_of_a_record),
		cmocka_unit_test(records_are_read_back),
		cmocka_unit_test(every_cut_and_changed_bit_of_a_record_is_found),
		cmocka_unit_test(zeroes_are_no_record),
	};

	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
