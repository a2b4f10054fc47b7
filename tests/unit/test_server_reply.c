/* SPDX-License-Identifier: BSD-2-Clause */
/* test_server_reply.c - replies of a server are read, whole or in parts, and never repeated in its own words. */
#include "unit.h"

#include "model/server_reply.h"

#include <stdlib.h>
#include <string.h>

static const char pair[] = "*2\r\n$3\r\ndir\r\n$11\r\n/srv/redis \r\n";

static struct server_reply whole(const char *text)
{
	struct server_reply r;

	assert_int_equal(server_reply_parse(text, strlen(text), &r), strlen(text));
	return r;
}

static void assert_text(const struct server_reply *r, const char *text)
{
	assert_int_equal(r->len, strlen(text));
	assert_memory_equal(r->text, text, r->len);
}

static void each_kind_of_reply_is_read(void **state)
{
	struct server_reply r = whole("+OK\r\n");

	assert_int_equal(r.kind, REPLY_STATUS);
	assert_text(&r, "OK");
	r = whole("-NOAUTH Authentication required.\r\n");
	assert_int_equal(r.kind, REPLY_ERROR);
	r = whole("$4\r\na\r\nb\r\n");
	assert_int_equal(r.kind, REPLY_TEXT);
	assert_text(&r, "a\r\nb");
	r = whole(pair);
	assert_int_equal(r.kind, REPLY_PAIR);
	assert_text(&r, "/srv/redis ");
	assert_int_equal(whole("*0\r\n").kind, REPLY_NONE);
	assert_int_equal(whole("$-1\r\n").kind, REPLY_NONE);
	r = whole("*2\r\n$7\r\naclfile\r\n$0\r\n\r\n");
	assert_int_equal(r.kind, REPLY_PAIR);
	assert_int_equal(r.len, 0);
}

/* Every prefix is a reply that is not whole yet, and nothing beyond it is read. */
static void a_part_of_a_reply_is_not_one(void **state)
{
	struct server_reply r;

	for (size_t n = 0; n < strlen(pair); n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, pair, n);
		assert_int_equal(server_reply_parse(copy, n, &r), 0);
		free(copy);
	}
	assert_int_equal(server_reply_parse("+OK\r\n-ERR\r\n", 11, &r), 5);
}

static void what_is_no_reply_is_refused(void **state)
{
	static const char *const wrong[] = {"HTTP/1.1 200 OK\r\n", ":1\r\n",  "*3\r\n$1\r\na\r\n",
					    "*2\r\n:1\r\n",	   "$x\r\n",  "$12345678901\r\n",
					    "$1\r\nabc",	   "*-1\r\n", "\025\003\003"};
	struct server_reply r;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(server_reply_parse(wrong[i], strlen(wrong[i]), &r), -1);
}

static void an_error_is_never_repeated(void **state)
{
	struct server_reply r = whole("-WRONGPASS invalid: hunter2\r\n");

	assert_null(strstr(server_reply_error(&r), "hunter2"));
	assert_non_null(strstr(server_reply_error(&r), "WRONGPASS"));
	assert_false(server_reply_passes(&r));
	r = whole("-HUNTER2\r\n");
	assert_null(strstr(server_reply_error(&r), "HUNTER2"));
	r = whole("-ERR unknown command 'CONFIG', with args beginning with: 'GET' 'dir'\r\n");
	assert_non_null(strstr(server_reply_error(&r), "renamed"));
	r = whole("-LOADING Redis is loading the dataset in memory\r\n");
	assert_true(server_reply_passes(&r));
	r = whole("+OK\r\n");
	assert_false(server_reply_passes(&r));
}

static void a_value_of_info_is_found_by_its_whole_name(void **state)
{
	struct server_reply r =
		whole("$60\r\n# Server\r\nxconfig_file:/no\r\nconfig_file:/etc/r.conf\r\n"
		      "b:\r\nc:d\r\n");
	const char *value = NULL;

	assert_int_equal(server_reply_info(&r, "config_file", &value), 11);
	assert_memory_equal(value, "/etc/r.conf", 11);
	assert_int_equal(server_reply_info(&r, "b", &value), 0);
	assert_int_equal(server_reply_info(&r, "none", &value), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_reply_is_read),
		cmocka_unit_test(a_part_of_a_reply_is_not_one),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(an_error_is_never_repeated),
		cmocka_unit_test(a_value_of_info_is_found_by_its_whole_name),
	};

	return cmocka_run_group_tests_name("server_reply", tests, NULL, NULL);
}
