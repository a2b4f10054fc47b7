/* SPDX-License-Identifier: BSD-2-Clause */
/* test_finding.c - JSON and text of a finding, and the JSON writer below it. */
#include "unit.h"

#include "report/finding.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "event_sample.h"

static void json_escapes_what_json_forbids(void **state)
{
	struct jsonw j = {};
	json_t *back;
	size_t len;

	jsonw_object(&j, NULL);
	jsonw_string(&j, "s", "a\"b\\c\n\x01\xff\xc3\xa9\xe2\x82");
	jsonw_end_object(&j);
	back = json_loads(jsonw_done(&j, &len), 0, NULL);
	assert_non_null(back);
	assert_string_equal(json_string_value(json_object_get(back, "s")),
			    "a\"b\\c\n\x01\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
	json_decref(back);
	jsonw_free(&j);
}

static void json_left_open_is_not_given_out(void **state)
{
	struct jsonw j = {};
	size_t len;

	jsonw_object(&j, NULL);
	assert_null(jsonw_done(&j, &len));
	jsonw_free(&j);
}

static void finding_is_one_line_of_ocsf(void **state)
{
	struct alert a = {.ev = sample(), .count = 4, .detailed = true};
	struct instance in = {
		.id = 1, .pid = 7, .ports = 1, .port = {6379}, .name = "redis-server:6379"};
	struct finding *f = calloc(1, sizeof(*f));
	struct jsonw j = {};
	const char *line;
	json_t *back, *own;
	size_t len;

	finding_fill(f, &a, &in, NULL);
	f->uid_prefix = "x";
	line = finding_json(f, &j, &len);
	assert_non_null(line);
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	back = json_loads(line, 0, NULL);
	assert_non_null(back);
	assert_int_equal(json_integer_value(json_object_get(back, "class_uid")), 2004);
	assert_int_equal(json_integer_value(json_object_get(back, "type_uid")), 200401);
	assert_int_equal(json_integer_value(json_object_get(back, "severity_id")), 5);
	own = json_object_get(json_object_get(back, "unmapped"), "cachewarden");
	assert_string_equal(json_string_value(json_object_get(own, "rule")), "mem-read");
	assert_int_equal(json_integer_value(json_object_get(own, "count")), 4);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(own, "actor"), "pid")),
			 99);
	json_decref(back);
	jsonw_free(&j);
	free(f);
}

static void text_does_not_obey_an_actors_name(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[8192];

	strcpy(a.ev.actor.comm, "x\033[2J\n");
	finding_fill(f, &a, NULL, NULL);
	finding_text(f, line, sizeof(line), false);
	assert_null(strchr(line, '\033'));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line, "x\\x1b[2J\\x0a(99)"));
	free(f);
}

static void only_a_terminal_gets_colours(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[8192];

	finding_fill(f, &a, NULL, NULL);
	finding_text(f, line, sizeof(line), true);
	assert_non_null(strstr(line, "\033["));
	assert_non_null(strstr(line, "\033[0m"));
	finding_text(f, line, sizeof(line), false);
	assert_null(strchr(line, '\033'));
	free(f);
}

static void text_longer_than_its_room_is_cut_with_its_newline(void **state)
{
	struct alert a = {.ev = sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char line[40];
	size_t len;

	finding_fill(f, &a, NULL, NULL);
	len = finding_text(f, line, sizeof(line), false);
	assert_in_range(len, 1, sizeof(line) - 1);
	assert_int_equal(line[len - 1], '\n');
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_escapes_what_json_forbids),
		cmocka_unit_test(json_left_open_is_not_given_out),
		cmocka_unit_test(finding_is_one_line_of_ocsf),
		cmocka_unit_test(text_does_not_obey_an_actors_name),
		cmocka_unit_test(only_a_terminal_gets_colours),
		cmocka_unit_test(text_longer_than_its_room_is_cut_with_its_newline),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
