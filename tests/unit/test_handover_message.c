/* SPDX-License-Identifier: BSD-2-Clause */
/* test_handover_message.c - what two monitors say to each other: each message as it is written, and nothing else. */
#include "unit.h"

#include "base/macros.h"
#include "monitor/handover_message.h"

#include <stdio.h>
#include <string.h>

static void every_message_is_read_as_it_was_written(void **state)
{
	static const struct {
		struct handover_message m;
		const char *text;
	} all[] = {
		{{HANDOVER_HELLO, {1, 0}}, "hello 1 0"},
		{{HANDOVER_READY, {1}}, "ready 1"},
		{{HANDOVER_AT, {UINT64_MAX, 1796066145231}},
		 "at 18446744073709551615 1796066145231"},
		{{HANDOVER_DONE}, "done"},
	};
	char text[HANDOVER_MESSAGE_LEN];
	struct handover_message read;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t len = handover_put(&all[i].m, text);

		assert_int_equal(len, strlen(all[i].text));
		assert_memory_equal(text, all[i].text, len);
		assert_true(handover_parse(text, len, &read));
		assert_int_equal(read.word, all[i].m.word);
		assert_memory_equal(read.number, all[i].m.number, sizeof(read.number));
	}
}

static void nothing_else_is_a_message(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"hell",
		"hello",
		"hello 1",
		"hello 1 ",
		"hello 1  2",
		"hello 1 2 3",
		"hello 1 2\n",
		"hello -1 2",
		"hello 1 0x2",
		"hellos 1 2",
		"Hello 1 2",
		"ready",
		"ready 18446744073709551616",
		"at 1",
		"at 99999999999999999999 1",
		"done 1",
		"done ",
		"doner",
	};
	struct handover_message m = {HANDOVER_AT, {7, 8}};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (handover_parse(wrong[i], strlen(wrong[i]), &m))
			fail_msg("'%s' is taken for a message", wrong[i]);
		assert_int_equal(m.word, HANDOVER_AT);
		assert_int_equal(m.number[0], 7);
	}
}

/* A packet need not end with a NUL: nothing behind it is looked at. */
static void the_length_counts(void **state)
{
	struct handover_message m;

	assert_true(handover_parse("ready 123", 8, &m));
	assert_int_equal(m.number[0], 12);
	assert_false(handover_parse("ready 123", 6, &m));
	assert_false(handover_parse("done", 3, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_read_as_it_was_written),
		cmocka_unit_test(nothing_else_is_a_message),
		cmocka_unit_test(the_length_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
