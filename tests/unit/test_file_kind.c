/* SPDX-License-Identifier: BSD-2-Clause */
/* test_file_kind.c - the kind of a file a server opened, and the directives of a server configuration. */
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

static void data_file_is_recognised_by_name_or_magic(void **state)
{
	assert_int_equal(kind("/d/dump.rdb", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/temp-17.rdb", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/appendonly.aof.1.incr.aof", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/appendonly.aof.manifest", true, ""), FILE_DATA);
	assert_int_equal(kind("/d/anything", false, "REDIS0011\372"), FILE_DATA);
	assert_int_equal(kind("/d/anything", false, "VALKEY080"), FILE_DATA);
}

static void private_key_is_recognised_and_certificate_is_not_one(void **state)
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

static void configuration_is_recognised_by_its_directives(void **state)
{
	assert_int_equal(kind("/c/redis.conf", false, ""), FILE_CONFIG);
	assert_int_equal(kind("/c/mine", false, "# comment\nport 0\n  tls-port 6380\n"),
			 FILE_CONFIG);
	assert_int_equal(kind("/c/mine", false, "port is a word\nand no more\n"), 0);
	assert_int_equal(kind("/c/nodes.conf", true, ""), FILE_CONFIG);
}

static void acl_and_key_log_are_recognised(void **state)
{
	assert_int_equal(kind("/c/users.acl", false, ""), FILE_ACL);
	assert_int_equal(kind("/c/people", false, "user default on nopass\n"), FILE_ACL);
	assert_int_equal(kind("/k/log", true, "CLIENT_RANDOM 00 11\n"), FILE_KEYLOG);
	assert_int_equal(kind("/k/log", true, "SERVER_HANDSHAKE_TRAFFIC_SECRET 00 11\n"),
			 FILE_KEYLOG);
}

static void common_files_have_no_kind(void **state)
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
	/* a log that quotes a configuration */
	assert_int_equal(kind("/d/log", true, "port 1\nbind 2\n"), 0);
}

static void a_library_is_code_wherever_it_lies(void **state)
{
	assert_int_equal(kind("/opt/modules/search.so", false, "\177ELF\2\1\1"), FILE_CODE);
	assert_int_equal(kind("/usr/lib/libssl.so.3", false, "\177ELF\2\1\1"), FILE_CODE);
	assert_int_equal(kind("/d/written", true, "\177ELF\2\1\1"), PROC_FILE_NONE);
	assert_int_equal(file_kind_get(FILE_CODE)->read_rule, RULE_NONE);
	assert_int_equal(file_kind_get(FILE_CODE)->write_rule, RULE_MEM_INJECT);
}

static void every_kind_has_an_exposure_finding_and_a_rule(void **state)
{
	for (unsigned int k = FILE_DATA; k <= FILE_KEYLOG; k++) {
		assert_true(file_kind_get(k)->exposed >= FINDING_EXPOSED_DATA);
		assert_int_equal(file_kind_get(k)->read_rule,
				 k >= FILE_KEY ? RULE_TLS_KEY : RULE_REST_FILE);
	}
	assert_int_equal(file_kind_get(PROC_FILE_MEM)->exposed, 0);
	assert_null(file_kind_get(PROC_FILE_NONE));
}

struct directives {
	char text[256];
};

static void collect(void *ctx, const char *directive, const char *value)
{
	struct directives *d = ctx;
	size_t used = strlen(d->text);

	snprintf(d->text + used, sizeof(d->text) - used, "[%s=%s]", directive, value);
}

static void directives_are_parsed_as_the_server_parses_them(void **state)
{
	static const char text[] = "# port 1\n\n  PORT 6379 \r\ndir \"/var/lib/a b\"\n"
				   "aclfile '/x'\nsave\nrequirepass foo";
	struct directives d = {};

	assert_int_equal(server_config_each(text, strlen(text), collect, &d), 4);
	assert_string_equal(d.text, "[port=6379][dir=/var/lib/a b][aclfile=/x][requirepass=foo]");
}

static void overlong_and_binary_lines_are_skipped(void **state)
{
	static char text[5000];
	struct directives d = {};

	memset(text, 'a', sizeof(text));
	memcpy(text + 4000, "\nport 1\nb\0c d\nport 2", 20);
	assert_int_equal(server_config_each(text, 4020, collect, &d), 2);
	assert_string_equal(d.text, "[port=1][port=2]");
	d.text[0] = '\0';
	assert_int_equal(server_config_each("", 0, collect, &d), 0);
	assert_int_equal(server_config_each("\n\n\n", 3, collect, &d), 0);
	assert_string_equal(d.text, "");
}

#define ARGS(text) text, sizeof(text)

static void a_command_line_has_directives(void **state)
{
	struct directives d = {};

	server_config_args(ARGS("redis-server\0/etc/r.conf\0--TLS-Key-File\0/a key\0--save\0"
				"60\0"
				"1\0--port\0--dir\0/d"),
			   collect, &d);
	assert_string_equal(d.text,
			    "[include=/etc/r.conf][tls-key-file=/a key][save=60 1][dir=/d]");
	d.text[0] = '\0';
	server_config_args(ARGS("redis-server\0--dir\0/d"), collect, &d);
	assert_string_equal(d.text, "[dir=/d]");
	d.text[0] = '\0';
	server_config_args(ARGS("redis-server\0-\0--dir\0/d"), collect, &d);
	assert_string_equal(d.text, "[dir=/d]");
}

static void a_title_or_a_cut_command_line_has_no_directives(void **state)
{
	static const char cut[] = {'r', 0, '-', '-', 'd', 'i', 'r', 0, '/', 'a'};
	struct directives d = {};

	server_config_args(ARGS("redis-server 127.0.0.1:6379\0\0\0\0"), collect, &d);
	server_config_args(cut, sizeof(cut), collect, &d);
	server_config_args("", 0, collect, &d);
	assert_string_equal(d.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_file_is_recognised_by_name_or_magic),
		cmocka_unit_test(private_key_is_recognised_and_certificate_is_not_one),
		cmocka_unit_test(configuration_is_recognised_by_its_directives),
		cmocka_unit_test(acl_and_key_log_are_recognised),
		cmocka_unit_test(common_files_have_no_kind),
		cmocka_unit_test(a_library_is_code_wherever_it_lies),
		cmocka_unit_test(every_kind_has_an_exposure_finding_and_a_rule),
		cmocka_unit_test(directives_are_parsed_as_the_server_parses_them),
		cmocka_unit_test(overlong_and_binary_lines_are_skipped),
		cmocka_unit_test(a_command_line_has_directives),
		cmocka_unit_test(a_title_or_a_cut_command_line_has_no_directives),
	};

	return cmocka_run_group_tests_name("file_kind", tests, NULL, NULL);
}
