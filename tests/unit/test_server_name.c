// SPDX-License-Identifier: BSD-2-Clause
/* test_server_name.c - model/server_name.c: which names are those of servers. */
#include "model/server_name.h"

#include "unit.h"

#include <string.h>

static void names_with_a_version(void **state)
{
	assert_true(server_name_in_title("redis-server"));
	assert_true(server_name_in_title("redis-server *:6379"));
	assert_true(server_name_in_title("/opt/redis/bin/valkey-server-8.1"));
	assert_true(server_name_in_title("redis-sentinel-7 127.0.0.1:26379 [sentinel]"));
}

static void other_names(void **state)
{
	assert_false(server_name_in_title(""));
	assert_false(server_name_in_title("redis"));
	assert_false(server_name_in_title("redis-servers"));
	assert_false(server_name_in_title("redis-server-"));
	assert_false(server_name_in_title("redis-server-exporter"));
	assert_false(server_name_in_title("not-redis-server"));
	assert_false(server_name_in_title("/redis-server/cat"));
}

static void prefixes(void **state)
{
	char buf[8];

	assert_int_equal(server_name_prefix("redis", 0, buf, sizeof(buf)), 6);
	assert_string_equal(buf, "redis"); /* its NUL counts: no other name begins so */
	assert_int_equal(server_name_prefix("redis", 1, buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "redis-0", 7);
	assert_int_equal(server_name_prefix("redis", 10, buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "redis-9", 7);
	assert_int_equal(server_name_prefix("redis", 11, buf, sizeof(buf)), 0);
}

static void prefixes_that_do_not_fit(void **state)
{
	char buf[8];

	assert_int_equal(server_name_prefix("servers", 0, buf, sizeof(buf)), 8);
	assert_int_equal(server_name_prefix("servers", 1, buf, sizeof(buf)), 0);
	assert_int_equal(server_name_prefix("serverss", 0, buf, sizeof(buf)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_with_a_version),
		cmocka_unit_test(other_names),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(prefixes_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
