/* SPDX-License-Identifier: BSD-2-Clause */
/* test_file_kind.c - what a file is that a server opened, and what a configuration says. */
#include "unit.h"

#include "model/file_kind.h"
#include "model/rule.h"
#include "model/server_config.h"

#include <stdio.h>
#include <string.h>

static unsigned int kind(const char *path, bool written, const char *head)
{
	return file_kind_classify(path, written, head, strlen(head));
}

static void data_is_known_by_its_name_or_its_magic(void **state)
{
	assert_int_equal(kind("/d/dump.rdb", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/temp-17.rdb", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/appendonly.aof.1.incr.aof", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/appendonly.aof.manifest", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/anything", false, "REDIS0011\372"), FILE_DATA);
	assert_int_equal(kind("/d/anything", false, "VALKEY080"), FILE_DATA);
}

static void a_private_key_is_known_and_a_certificate_is_none(void **state)
{
	assert_int_equal(kind("/t/a.pem", false, "-----BEGIN PRIVATE KEY-----\n"), FILE_KEY);
	assert_int_equal(kind("/t/a.pem", false, "-----BEGIN EC PRIVATE KEY-----\n"), FILE_KEY);
	assert_int_equal(kind("/t/both.pem", false,
			      "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
			      "-----BEGIN PRIVATE KEY-----\n"),
			 FILE_KEY);
	assert_int_equal(kind("/t/server.key", false, "\060\202"), FILE_KEY); /* DER */
	assert_int_equal(kind("/t/a.pem", false, "-----BEGIN CERTIFICATE-----\n"), 0);
}

static void a_configuration_is_known_by_its_directives(void **state)
{
	assert_int_equal(kind("/c/redis.conf", false, ""), FILE_CONFIG);
	assert_int_equal(kind("/c/mine", false, "# comment\nport 0\n  tls-port 6380\n"),
			 FILE_CONFIG);
	assert_int_equal(kind("/c/mine", false, "port is a word\nand no more\n"), 0);
	assert_int_equal(kind("/c/nodes.conf", true, ""), FILE_CONFIG);
}

static void acls_and_key_logs_are_known(void **state)
{
	assert_int_equal(kind("/c/users.acl", false, ""), FILE_ACL);
	assert_int_equal(kind("/c/people", false, "user default on nopass\n"), FILE_ACL);
	assert_int_equal(kind("/k/log", true, "CLIENT_RANDOM 00 11\n"), FILE_KEYLOG);
	assert_int_equal(kind("/k/log", true, "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 11\n"),
			 FILE_KEYLOG);
}

static void what_everybody_reads_is_nothing(void **state)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libc.so.6",
					    "/lib/ld-linux.so.2",
					    "/etc/ld.so.cache",
					    "/etc/resolv.conf",
					    "/etc/nsswitch.conf",
					    "/usr/share/zoneinfo/UTC",
					    "/usr/lib/ssl/openssl.cnf",
					    "/var/log/redis/a.log",
					    "/run/redis.pid",
					    "/sys/kernel/mm/transparent_hugepage/enabled"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(kind(paths[i], false, ""), 0);
	assert_int_equal(kind("/opt/modules/search.so", false, "\177ELF\2\1\1"), 0);
	/* a log that quotes a configuration is none */
	assert_int_equal(kind("/d/log", true, "port 1\nbind 2\n"), 0);
}

static void every_kind_may_be_exposed_and_breaks_a_rule(void **state)
{
	for (unsigned int k = FILE_DATA; k <= FILE_KEYLOG; k++) {
		assert_true(file_kind_get(k)->exposed >= FINDING_EXPOSED_DATA);
		assert_int_equal(file_kind_get(k)->read_rule,
				 k >= FILE_KEY ? RULE_TLS_KEY : RULE_REST_FILE);
	}
	assert_int_equal(file_kind_get(PROC_FILE_MEM)->exposed, 0);
	assert_null(file_kind_get(PROC_FILE_NONE));
}

struct said {
	char text[256];
};

static void say(void *ctx, const char *directive, const char *value)
{
	struct said *s = ctx;
	size_t used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "[%s=%s]", directive, value);
}

static void directives_are_read_as_a_server_reads_them(void **state)
{
	static const char text[] = "# port 1\n\n  PORT 6379 \r\ndir \"/var/lib/a b\"\n"
				   "aclfile '/x'\nsave\nrequirepass foo";
	struct said s = {};

	assert_int_equal(server_config_each(text, strlen(text), say, &s), 4);
	assert_string_equal(s.text, "[port=6379][dir=/var/lib/a b][aclfile=/x][requirepass=foo]");
}

static void lines_too_long_or_binary_are_passed_over(void **state)
{
	static char text[5000];
	struct said s = {};

	memset(text, 'a', sizeof(text));
	memcpy(text + 4000, "\nport 1\nb\0c d\nport 2", 20);
	assert_int_equal(server_config_each(text, 4020, say, &s), 2);
	assert_string_equal(s.text, "[port=1][port=2]");
	s.text[0] = '\0';
	assert_int_equal(server_config_each("", 0, say, &s), 0);
	assert_int_equal(server_config_each("\n\n\n", 3, say, &s), 0);
	assert_string_equal(s.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_is_known_by_its_name_or_its_magic),
		cmocka_unit_test(a_private_key_is_known_and_a_certificate_is_none),
		cmocka_unit_test(a_configuration_is_known_by_its_directives),
		cmocka_unit_test(acls_and_key_logs_are_known),
		cmocka_unit_test(what_everybody_reads_is_nothing),
		cmocka_unit_test(every_kind_may_be_exposed_and_breaks_a_rule),
		cmocka_unit_test(directives_are_read_as_a_server_reads_them),
		cmocka_unit_test(lines_too_long_or_binary_are_passed_over),
	};

	return cmocka_run_group_tests_name("file_kind", tests, NULL, NULL);
}
