/* SPDX-License-Identifier: BSD-2-Clause */
/* test_proc_text.c - model/proc_text.c: names without values, addresses without contents, whatever a process wrote there. */
#include "model/proc_text.h"

#include "base/ip.h"
#include "base/macros.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static char names[4096];

static void add(void *ctx, const char *name)
{
	strcat(names, name);
	strcat(names, " ");
}

static void assert_names(const char *text, size_t len, const char *want, size_t others)
{
	names[0] = '\0';
	assert_int_equal(environment_names(text, len, add, NULL), others);
	assert_string_equal(names, want);
}

#define NAMES(text, want, others) assert_names(text, sizeof(text) - 1, want, others)

static void values_are_left_out(void **state)
{
	NAMES("TOKEN=kumquat\0PATH=/bin\0", "TOKEN PATH ", 0);
	NAMES("TOKEN=a=b\0", "TOKEN ", 0);
	NAMES("TOKEN=", "TOKEN ", 0); /* not terminated */
	NAMES("", "", 0);
	NAMES("\0\0\0A=1\0", "A ", 0);
	NAMES("http_proxy=http://u:p@h\0", "http_proxy ", 0);
}

/* A process writes its title over its environment: what is there then may be anything. */
static void what_is_no_name_is_counted_only(void **state)
{
	NAMES("kumquat\0", "", 1);
	NAMES("=kumquat\0", "", 1);
	NAMES("redis-server *:6379 password=x\0", "", 1);
	NAMES("c2VjcmV0cw==\0", "", 1);
	NAMES("1A=x\0Z Z=x\0Z\n=x\0", "", 3);
	NAMES("lower=x\0", "", 1);
	NAMES("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=x\0", "", 1);
}

static void capabilities_have_names(void **state)
{
	assert_string_equal(capability_name(0), "chown");
	assert_string_equal(capability_name(19), "sys_ptrace");
	assert_string_equal(capability_name(21), "sys_admin");
	assert_string_equal(capability_name(40), "checkpoint_restore");
	assert_null(capability_name(41));
	assert_null(capability_name(63));
}

static void assert_ip(const uint8_t ip[16], bool ipv6, const char *want)
{
	char text[64];

	ip_text(ip, ipv6, text, sizeof(text));
	assert_string_equal(text, want);
}

static void connections_have_both_ends(void **state)
{
	struct socket_line l;

	/* as a machine writes it whose lowest byte comes first */
	assert_true(socket_line_parse(
		"   1: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 20",
		false, &l));
	assert_ip(l.ends.local_ip, false, "127.0.0.1");
	assert_ip(l.ends.remote_ip, false, "127.0.0.2");
	assert_int_equal(l.ends.local_port, 8080);
	assert_int_equal(l.ends.remote_port, 50000);
	assert_int_equal(l.inode, 4711);
	assert_string_equal(socket_state_name(l.state), "ESTABLISHED");
	assert_true(socket_line_parse(
		"   0: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1",
		true, &l));
	assert_ip(l.ends.local_ip, true, "::1");
	assert_string_equal(socket_state_name(l.state), "LISTEN");
	assert_string_equal(socket_state_name(77), "unknown");
}

static void other_lines_are_no_connections(void **state)
{
	static const char *const wrong[] = {
		"",
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
		"   1: 0100007F:1F90",
		"   1: 0100007:1F90 0200007F:C350 01 0:0 0:0 0 0 0 4711",
		"   1: 0100007g:1F90 0200007F:C350 01 0:0 0:0 0 0 0 4711",
	};
	struct socket_line l;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(socket_line_parse(wrong[i], false, &l));
	assert_int_equal(socket_inode("socket:[4711]"), 4711);
	assert_int_equal(socket_inode("pipe:[4711]"), 0);
	assert_int_equal(socket_inode("socket:[4711"), 0);
	assert_int_equal(socket_inode("/tmp/socket:[4711]"), 0);
}

static void assert_maps(const char *line, const char *want)
{
	char text[128];

	if (!want) {
		assert_false(maps_line_tidy(line, text, sizeof(text)));
		return;
	}
	assert_true(maps_line_tidy(line, text, sizeof(text)));
	assert_string_equal(text, want);
}

static void a_layout_has_addresses_and_names(void **state)
{
	assert_maps(
		"55f380609000-55f380668000 r--p 0005f000 fe:00 10977287                   /usr/bin/x\n",
		"55f380609000-55f380668000 r--p 5f000 fe:0 10977287 /usr/bin/x");
	assert_maps("7ffd-8000 rw-p 00000000 00:00 0                          [stack]\n",
		    "7ffd-8000 rw-p 0 0:0 0 [stack]");
	assert_maps("7000-8000 ---p 00000000 00:00 0 \n", "7000-8000 ---p 0 0:0 0");
	assert_maps("", NULL);
	assert_maps("Size: 4 kB\n", NULL);
	assert_maps("8000-7000 rw-p 0 0:0 0\n", NULL);
	assert_maps("7000-8000 zzzz 0 0:0 0\n", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_left_out),
		cmocka_unit_test(what_is_no_name_is_counted_only),
		cmocka_unit_test(capabilities_have_names),
		cmocka_unit_test(connections_have_both_ends),
		cmocka_unit_test(other_lines_are_no_connections),
		cmocka_unit_test(a_layout_has_addresses_and_names),
	};

	return cmocka_run_group_tests_name("proc_text", tests, NULL, NULL);
}
