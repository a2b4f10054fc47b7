/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_hello.c - ClientHellos are what the product's own parser reads, and answers are read whatever they hold. */
#include "unit.h"
#include "streams/load.h"

#include "base/macros.h"
#include "tls/facts.h"
#include "tls/handshake.h"
#include "validate/hello.h"

#include <stdlib.h>
#include <string.h>

static void each_version_is_offered_as_itself(void **state)
{
	static const uint16_t versions[] = {TLS_SSL3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3};
	static const uint16_t suites[] = {0x002f, 0xc02f, 0x1301};
	uint8_t buf[HELLO_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct tls_reader *r = calloc(1, sizeof(*r));
		struct tls_facts facts = {};
		struct hello h = {
			.version = versions[i], .suite = suites, .suites = 3, .ticket = true};
		size_t len = hello_write(&h, buf);

		tls_reader_begin(r, &facts);
		tls_reader_feed(r, buf, (uint32_t)len);
		assert_true(facts.flags & TLS_CLIENT_HELLO);
		assert_false(facts.flags & TLS_BAD_HANDSHAKE);
		assert_int_equal(facts.offered_count, 1);
		assert_int_equal(facts.offered[0], versions[i]);
		assert_int_equal(facts.suites_offered, 3);
		free(r);
	}
}

static void all_suites_fit(void **state)
{
	uint16_t suite[HELLO_SUITES + 1] = {};
	uint8_t buf[HELLO_MAX];
	struct hello h = {.version = TLS_1_3,
			  .suite = suite,
			  .suites = HELLO_SUITES,
			  .deflate = true,
			  .ticket = true};
	size_t len = hello_write(&h, buf);

	assert_true(len > 2 * HELLO_SUITES && len <= HELLO_MAX);
	h.suites++;
	assert_int_equal(hello_write(&h, buf), 0);
}

/* A ServerHello of TLS 1.2 with RFC 5746 and a session ticket, compressed. */
static const uint8_t old_server[] = {
	22,   3,    3,	  0,  53, 2,  0,  0,  49, 3,  3, /* version, then random */
	1,    2,    3,	  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
	18,   19,   20,	  21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, /* no session */
	0x00, 0x05, 1,							     /* RC4, DEFLATE */
	0,    9,    0xff, 1,  0,  1,  0,  0,  35, 0,  0			     /* extensions */
};

static enum hello_answer read_copy(const uint8_t *from, size_t len, struct hello_choice *ret)
{
	uint8_t *copy = malloc(len + 1);
	enum hello_answer a;

	memcpy(copy, from, len);
	a = hello_read(copy, len, ret);
	free(copy);
	return a;
}

static void a_server_hello_is_read(void **state)
{
	struct hello_choice c;

	assert_int_equal(read_copy(old_server, sizeof(old_server), &c), HELLO_CHOSEN);
	assert_int_equal(c.version, TLS_1_2);
	assert_int_equal(c.suite, 0x0005);
	assert_true(c.compressed);
	assert_true(c.ticket);
	assert_true(c.safe_renegotiation);
}

static void a_part_of_one_is_not_one(void **state)
{
	struct hello_choice c;

	for (size_t n = 0; n < sizeof(old_server); n++)
		assert_int_equal(read_copy(old_server, n, &c), HELLO_MORE);
}

static void a_version_in_an_extension_counts(void **state)
{
	uint8_t hello[sizeof(old_server)];
	struct hello_choice c;

	memcpy(hello, old_server, sizeof(hello));
	/* supported_versions in place of both extensions */
	memcpy(hello + sizeof(hello) - 9, (uint8_t[]){0, 43, 0, 2, 3, 4}, 6);
	hello[sizeof(hello) - 10] = 6;
	hello[4] -= 3;
	hello[8] -= 3;
	assert_int_equal(read_copy(hello, sizeof(hello), &c), HELLO_CHOSEN);
	assert_int_equal(c.version, TLS_1_3);
	assert_false(c.ticket);
}

static void what_is_no_server_hello_is_not_taken_for_one(void **state)
{
	static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 70};
	uint8_t hello[sizeof(old_server)];
	struct hello_choice c;

	assert_int_equal(read_copy(alert, sizeof(alert), &c), HELLO_REFUSED);
	assert_int_equal(read_copy((const uint8_t *)"-ERR unknown\r\n", 14, &c), HELLO_FOREIGN);
	assert_int_equal(read_copy((const uint8_t *)"+", 1, &c), HELLO_FOREIGN);
	memcpy(hello, old_server, sizeof(hello));
	hello[5] = 11; /* a certificate first */
	assert_int_equal(read_copy(hello, sizeof(hello), &c), HELLO_FOREIGN);
	memcpy(hello, old_server, sizeof(hello));
	hello[10] = 9; /* a version that there is not */
	assert_int_equal(read_copy(hello, sizeof(hello), &c), HELLO_FOREIGN);
	memcpy(hello, old_server, sizeof(hello));
	hello[sizeof(hello) - 10] = 200; /* extensions longer than the message */
	assert_int_equal(read_copy(hello, sizeof(hello), &c), HELLO_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_is_offered_as_itself),
		cmocka_unit_test(all_suites_fit),
		cmocka_unit_test(a_server_hello_is_read),
		cmocka_unit_test(a_part_of_one_is_not_one),
		cmocka_unit_test(a_version_in_an_extension_counts),
		cmocka_unit_test(what_is_no_server_hello_is_not_taken_for_one),
	};

	return cmocka_run_group_tests_name("validate_hello", tests, NULL, NULL);
}
