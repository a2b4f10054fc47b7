/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_resp.c - include/tls/resp.h: the kind of a payload that is not TLS, the command name in it, and which
 * kinds are certain enough to report on a stream that is not in sync.
 */
#include "unit.h"

#include "tls/resp.h"

#include <stdlib.h>
#include <string.h>

static struct resp_scan scan_bytes(const void *bytes, size_t n)
{
	struct resp_scan s = {.len = n < RESP_SCAN ? (uint32_t)n : RESP_SCAN};

	memcpy(s.bytes, bytes, s.len);
	resp_classify(&s);
	return s;
}

static struct resp_scan scan(const char *text)
{
	return scan_bytes(text, strlen(text));
}

static void assert_payload(const char *text, uint32_t payload, const char *name)
{
	struct resp_scan s = scan(text);

	assert_int_equal(s.payload, payload);
	if (name) {
		assert_true(s.named);
		assert_string_equal(s.word.name, name);
	} else {
		assert_false(s.named);
	}
}

static void resp_array_names_its_command(void **state)
{
	assert_payload("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", PAYLOAD_RESP_COMMAND, "GET");
	assert_payload("*1\r\n$4\r\nping\r\n", PAYLOAD_RESP_COMMAND, "PING");
	assert_payload("*3\r\n$14\r\nRESTORE-ASKING\r\n", PAYLOAD_RESP_COMMAND, "RESTORE-ASKING");
}

static void wrong_length_names_no_command(void **state)
{
	assert_payload("*2\r\n$9\r\nGET\r\n$1\r\nk\r\n", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$99999999\r\nGET\r\n", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$0\r\n\r\n", PAYLOAD_RESP_COMMAND, NULL);
}

static void truncated_name_names_no_command(void **state)
{
	assert_payload("*2\r\n$3\r\nGE", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$3", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("*2", PAYLOAD_OTHER, NULL);
}

static void replies_are_distinguished_from_commands(void **state)
{
	assert_payload("+OK\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("+PONG\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("-ERR unknown\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("-NOAUTH Authentication required.\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload(":1000\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("$5\r\nhello\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("*2\r\n:1\r\n:2\r\n", PAYLOAD_RESP_REPLY, NULL);
}

static void inline_word_is_a_command_candidate(void **state)
{
	assert_payload("PING\r\n", PAYLOAD_INLINE, "PING");
	assert_payload("auth secret\r\n", PAYLOAD_INLINE, "AUTH");
	assert_payload("ab\r\n", PAYLOAD_OTHER, NULL);
	assert_payload("PING", PAYLOAD_OTHER, NULL);
}

static void unknown_word_is_printable_or_other(void **state)
{
	struct resp_scan s = scan("this is some printable text without a command");

	assert_int_equal(resp_settle(&s, 0), PAYLOAD_PRINTABLE);
	assert_int_equal(resp_settle(&s, 1), PAYLOAD_INLINE);
	s = scan("abc def\r\n");
	assert_int_equal(resp_settle(&s, 0), PAYLOAD_OTHER);
}

static void http_request_and_response_are_recognised(void **state)
{
	assert_payload("GET / HTTP/1.1\r\nHost: x\r\n", PAYLOAD_HTTP, NULL);
	assert_payload("OPTIONS * HTTP/1.0\r\n\r\n", PAYLOAD_HTTP, NULL);
	assert_payload("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PAYLOAD_HTTP, NULL);
	assert_payload("KEYS * \r\n", PAYLOAD_INLINE, "KEYS");
	assert_payload("HTTP/1.1 400 Bad Request\r\n", PAYLOAD_HTTP_RESPONSE, NULL);
}

/* Ciphertext occasionally begins with a word, a space and a slash. HTTP has text after it. */
static void bytes_that_only_begin_like_http_are_not_http(void **state)
{
	/* a command, if there is one of that name */
	assert_payload("GET /\x01\xf2", PAYLOAD_INLINE, "GET");
	assert_payload("POST / HTTP/1.\x80", PAYLOAD_INLINE, "POST");
	assert_payload("OPTIONS / HTTP/\x80", PAYLOAD_INLINE, "OPTIONS");
	assert_payload("OPTIONS / HTTP/1\x80", PAYLOAD_HTTP, NULL); /* 16 in a row are not chance */
	assert_payload("GET /a", PAYLOAD_HTTP, NULL);		    /* short, but all text */
	assert_payload("PROPFIND / HTTP/1.1\r\n", PAYLOAD_INLINE,
		       "PROPFIND"); /* longer than any method */
	assert_payload("-ERR\x01\xf2", PAYLOAD_OTHER, NULL);
}

/* All text, or at least RESP_TEXT_MIN bytes of it from the first byte on. */
static void short_text_before_other_bytes_is_not_text(void **state)
{
	char bytes[RESP_SCAN];

	for (uint32_t len = 1; len <= RESP_SCAN; len++) {
		for (uint32_t text = 0; text <= len; text++) {
			struct resp_scan s;

			memset(bytes, 'x', text);
			memset(bytes + text, 0x80, len - text);
			s = scan_bytes(bytes, len);
			assert_int_equal(resp_text(&s), text == len || text >= RESP_TEXT_MIN);
		}
	}
}

static void sslv2_hello_is_recognised(void **state)
{
	static const unsigned char v2[] = {0x80, 0x2e, 1, 3, 1, 0, 15};

	assert_int_equal(scan_bytes(v2, sizeof(v2)).payload, PAYLOAD_SSLV2_HELLO);
}

static void only_long_text_is_certain(void **state)
{
	assert_payload("<<<this is some longer text>>>", PAYLOAD_PRINTABLE, NULL);
	assert_payload("<<<short>>>", PAYLOAD_OTHER, NULL);
	assert_false(resp_certain(PAYLOAD_OTHER, 0));
	assert_false(resp_certain(PAYLOAD_INLINE, 0));
	assert_true(resp_certain(PAYLOAD_INLINE, 1));
}

static void empty_payload_is_other(void **state)
{
	assert_payload("", PAYLOAD_OTHER, NULL);
}

/* The scan sees ciphertext when a TLS stream is not in sync: it must not be called plaintext. */
static void random_bytes_are_never_certain(void **state)
{
	srandom(11);
	for (int i = 0; i < 2000000; i++) {
		unsigned char bytes[RESP_SCAN];
		size_t n = 1 + (size_t)random() % RESP_SCAN;
		struct resp_scan s;

		for (size_t k = 0; k < n; k += 4) {
			long r = random() ^ random() << 8;

			memcpy(bytes + k, &r, k + 4 <= RESP_SCAN ? 4 : RESP_SCAN - k);
		}
		s = scan_bytes(bytes, n);
		assert_false(resp_certain(s.payload, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resp_array_names_its_command),
		cmocka_unit_test(wrong_length_names_no_command),
		cmocka_unit_test(truncated_name_names_no_command),
		cmocka_unit_test(replies_are_distinguished_from_commands),
		cmocka_unit_test(inline_word_is_a_command_candidate),
		cmocka_unit_test(unknown_word_is_printable_or_other),
		cmocka_unit_test(http_request_and_response_are_recognised),
		cmocka_unit_test(bytes_that_only_begin_like_http_are_not_http),
		cmocka_unit_test(short_text_before_other_bytes_is_not_text),
		cmocka_unit_test(sslv2_hello_is_recognised),
		cmocka_unit_test(only_long_text_is_certain),
		cmocka_unit_test(empty_payload_is_other),
		cmocka_unit_test(random_bytes_are_never_certain),
	};

	return cmocka_run_group_tests_name("resp", tests, NULL, NULL);
}
