/* SPDX-License-Identifier: BSD-2-Clause */
/* test_incidents.c - `cachewarden incidents`: what it prints, and that names of others do no harm to a terminal. */
#include "unit.h"

#include "base/macros.h"
#include "cmd/incidents_cursor.h"
#include "cmd/incidents_text.h"

#include <stdlib.h>
#include <string.h>

static const char sample[] =
	"[{\"seq\":1,\"uid\":\"x-i1\",\"id\":1,\"open\":true,\"severity\":\"critical\",\"stage\":\"take\","
	"\"title\":\"A process reads the server's memory\",\"rules\":[\"mem-read\",\"mem-inspect\"],"
	"\"count\":2,\"first\":1000,\"last\":5000,\"instance\":{\"name\":\"redis-server:6379\",\"pid\":42},"
	"\"actor\":{\"pid\":7,\"uid\":0,\"comm\":\"g\\u001b[31mdb\",\"exe\":\"/usr/bin/gdb\"}},"
	"{\"seq\":2,\"uid\":\"x-i2\",\"id\":2,\"open\":false,\"severity\":\"medium\",\"stage\":\"look\","
	"\"title\":\"The server serves plaintext on a port\",\"rules\":[\"tls-listener\"],\"count\":1,"
	"\"first\":2000,\"last\":2000,\"instance\":null,\"actor\":null}]";

static char *printed(const char *json)
{
	json_t *all = json_loads(json, 0, NULL);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(all);
	assert_non_null(to);
	incidents_text(all, to);
	fclose(to);
	json_decref(all);
	return text;
}

static void text_names_all_of_it_and_escapes_names(void **state)
{
	static const char *const words[] = {
		" critical incident 1 open: redis-server:6379(42) by g\\x1b[31mdb(7) uid 0 /usr/bin/gdb\n",
		"    A process reads the server's memory: mem-read, mem-inspect; 2 events, the last at 19",
		" medium   incident 2 closed: this host\n", "tls-listener; 1 event, the last"};
	char *text = printed(sample);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strstr(text, words[i]))
			fail_msg("no \"%s\" in: %s", words[i], text);
	}
	free(text);
	text = printed("[]");
	assert_string_equal(text, "no such incidents\n");
	free(text);
}

/* An answer of a later version may lack what is printed: nothing crashes. */
static void what_is_missing_does_no_harm(void **state)
{
	free(printed("[{},{\"actor\":{},\"instance\":{},\"rules\":[1]},3]"));
}

static void a_cursor_is_a_run_and_a_number(void **state)
{
	static const char *const wrong[] = {"",
					    ":",
					    ":5",
					    "ab:",
					    "ab:x",
					    "x",
					    "-1",
					    "5 ",
					    "5:6:7",
					    "99999999999999999999",
					    "0123456789abcdef0123456789abcdef0:5"};
	struct incidents_cursor c;

	assert_true(incidents_cursor_parse(&c, "00ab:42"));
	assert_string_equal(c.run, "00ab");
	assert_int_equal(c.seq, 42);
	assert_true(incidents_cursor_parse(&c, "42"));
	assert_string_equal(c.run, "");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(incidents_cursor_parse(&c, wrong[i]));
}

/* Whose numbers begin anew must not be taken for one that has nothing new. */
static void a_restart_is_known_by_the_run_or_the_number(void **state)
{
	static const struct {
		struct incidents_cursor c;
		bool foreign;
	} cases[] = {
		{{7, "00ab"}, false}, {{3, "00ab"}, false}, {{3, "00ac"}, true},
		{{8, "00ab"}, true},  {{7, ""}, false},	    {{8, ""}, true},
	};
	json_t *answer = json_loads("{\"run\":\"00ab\",\"seq\":7}", 0, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(incidents_cursor_is_foreign(&cases[i].c, answer),
				 cases[i].foreign);
	incidents_cursor_put(answer, true);
	assert_string_equal(json_string_value(json_object_get(answer, "cursor")), "00ab:7");
	assert_true(json_is_true(json_object_get(answer, "restarted")));
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_is_a_run_and_a_number),
		cmocka_unit_test(a_restart_is_known_by_the_run_or_the_number),
		cmocka_unit_test(text_names_all_of_it_and_escapes_names),
		cmocka_unit_test(what_is_missing_does_no_harm),
	};

	return cmocka_run_group_tests_name("incidents", tests, NULL, NULL);
}
