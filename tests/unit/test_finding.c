/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_finding.c - the JSON and text of a finding, and the JSON writer below it: escaping, cutting and
 * colour. That every line is valid OCSF is checked by the live tests.
 */
#include "unit.h"

#include "base/textw.h"
#include "report/event_json.h"
#include "report/event_text.h"
#include "report/finding.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "event_sample.h"

static void json_string_is_escaped_and_invalid_utf_8_replaced(void **state)
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

static void unfinished_json_is_not_returned(void **state)
{
	struct jsonw j = {};
	size_t len;

	jsonw_object(&j, NULL);
	assert_null(jsonw_done(&j, &len));
	jsonw_free(&j);
}

static void finding_is_one_line_of_ocsf(void **state)
{
	struct alert a = {.ev = event_sample(), .count = 4, .detailed = true};
	struct instance in = {
		.id = 1, .pid = 7, .ports = 1, .port = {6379}, .name = "redis-server:6379"};
	struct finding *f = calloc(1, sizeof(*f));
	static struct report_buf b;
	const char *line;
	json_t *back, *own;
	size_t len;

	finding_fill(f, &(struct finding_source){.alert = &a, .instance = &in, .uid_prefix = "x"});
	line = event_json(f, &b, &len);
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
	report_buf_free(&b);
	free(f);
}

/* The IP protocol that OCSF's connection_info names for a connection with conn.protocol. */
static void ocsf_protocol_is(uint8_t protocol, int number, const char *name)
{
	struct alert a = {.ev = event_sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	static struct report_buf b;
	json_t *back, *info;
	size_t len;

	a.ev.flags |= EVENT_CONN;
	a.ev.key.rule = RULE_TLS_BYPASS;
	a.ev.key.vector = VECTOR_EGRESS;
	a.ev.conn.protocol = protocol;
	finding_fill(f, &(struct finding_source){.alert = &a, .uid_prefix = "x"});
	back = json_loads(event_json(f, &b, &len), 0, NULL);
	info = json_object_get(json_array_get(json_object_get(back, "evidences"), 0),
			       "connection_info");
	assert_int_equal(json_integer_value(json_object_get(info, "protocol_num")), number);
	if (name)
		assert_string_equal(json_string_value(json_object_get(info, "protocol_name")),
				    name);
	else
		assert_null(json_object_get(info, "protocol_name"));
	json_decref(back);
	report_buf_free(&b);
	free(f);
}

static void ocsf_names_the_protocol_of_a_packet(void **state)
{
	ocsf_protocol_is(0, 6, "tcp"); /* not set: a TCP connection */
	ocsf_protocol_is(17, 17, "udp");
	ocsf_protocol_is(132, 132, NULL);
}

static void control_characters_in_an_actor_name_are_escaped(void **state)
{
	struct alert a = {.ev = event_sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	static struct report_buf b;
	const char *line;
	size_t len;

	strcpy(a.ev.actor.comm, "x\033[2J\n");
	finding_fill(f, &(struct finding_source){.alert = &a});
	line = event_text(f, &b, &len);
	assert_null(strchr(line, '\033'));
	assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	assert_int_equal(strlen(line), len);
	assert_non_null(strstr(line, "x\\x1b[2J\\x0a(99)"));
	free(f);
}

static void colour_is_only_used_on_request(void **state)
{
	struct alert a = {.ev = event_sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	static struct report_buf b;
	const char *line;
	size_t len;

	finding_fill(f, &(struct finding_source){.alert = &a});
	b.colour = true;
	line = event_text(f, &b, &len);
	assert_non_null(strstr(line, "\033["));
	assert_non_null(strstr(line, "\033[0m"));
	b.colour = false;
	line = event_text(f, &b, &len);
	assert_null(strchr(line, '\033'));
	free(f);
}

static void text_is_cut_after_a_whole_word(void **state)
{
	char buf[16];
	struct textw t = {buf, sizeof(buf), 0, false, false};

	textw_put(&t, "one two ");
	textw_put(&t, "three four");
	textw_put(&t, "five");
	assert_string_equal(buf, "one two ...");
	assert_int_equal(t.len, strlen(buf));
	t = (struct textw){buf, sizeof(buf), 0, false, false};
	textw_name(&t, "onetwothreefour!");
	assert_string_equal(buf, "onetwothreef...");
}

static void text_that_does_not_fit_is_truncated_and_keeps_its_newline(void **state)
{
	struct alert a = {.ev = event_sample(), .count = 1, .detailed = true};
	struct finding *f = calloc(1, sizeof(*f));
	char *reason = calloc(1, REPORT_TEXT_LEN);
	const struct policy_allow allow = {.at = {"policy.yaml", 1}, .reason = reason};
	static struct report_buf b;
	const char *line;
	size_t len;

	memset(reason, 'x', REPORT_TEXT_LEN - 1);
	finding_fill(f, &(struct finding_source){.alert = &a});
	f->verdict.allow = &allow;
	line = event_text(f, &b, &len);
	assert_int_equal(len, sizeof(b.text) - 2);
	assert_string_equal(line + len - 5, "x...\n");
	assert_int_equal(strlen(line), len);
	free(reason);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_string_is_escaped_and_invalid_utf_8_replaced),
		cmocka_unit_test(unfinished_json_is_not_returned),
		cmocka_unit_test(finding_is_one_line_of_ocsf),
		cmocka_unit_test(ocsf_names_the_protocol_of_a_packet),
		cmocka_unit_test(control_characters_in_an_actor_name_are_escaped),
		cmocka_unit_test(colour_is_only_used_on_request),
		cmocka_unit_test(text_is_cut_after_a_whole_word),
		cmocka_unit_test(text_that_does_not_fit_is_truncated_and_keeps_its_newline),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
