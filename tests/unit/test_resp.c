// SPDX-License-Identifier: BSD-2-Clause
/* What bytes that are no TLS look like, and where a command's name stands in them. */
#include "unit.h"

#include "tls/resp.h"

#include <stdlib.h>
#include <string.h>

static struct resp_scan look_n(const void *bytes, size_t n)
{
	struct resp_scan l = {.len = n < RESP_SCAN ? (uint32_t)n : RESP_SCAN};

	memcpy(l.bytes, bytes, l.len);
	resp_classify(&l);
	return l;
}

static struct resp_scan look(const char *text)
{
	return look_n(text, strlen(text));
}

static void assert_payload(const char *text, uint32_t payload, const char *name)
{
	struct resp_scan l = look(text);

	assert_int_equal(l.payload, payload);
	if (name) {
		assert_true(l.named);
		assert_string_equal(l.word.name, name);
	} else {
		assert_false(l.named);
	}
}

static void resp_array_names_its_command(void **state)
{
	assert_payload("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", PAYLOAD_RESP_COMMAND, "GET");
	assert_payload("*1\r\n$4\r\nping\r\n", PAYLOAD_RESP_COMMAND, "PING");
	assert_payload("*3\r\n$14\r\nRESTORE-ASKING\r\n", PAYLOAD_RESP_COMMAND, "RESTORE-ASKING");
}

static void length_that_lies_names_nothing(void **state)
{
	assert_payload("*2\r\n$9\r\nGET\r\n$1\r\nk\r\n", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$99999999\r\nGET\r\n", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$0\r\n\r\n", PAYLOAD_RESP_COMMAND, NULL);
}

static void name_cut_by_the_segment_names_nothing(void **state)
{
	assert_payload("*2\r\n$3\r\nGE", PAYLOAD_RESP_COMMAND, NULL);
	assert_payload("*2\r\n$3", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("*2", PAYLOAD_OTHER, NULL);
}

static void replies_are_told_from_commands(void **state)
{
	assert_payload("+OK\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("+PONG\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("-ERR unknown\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("-NOAUTH Authentication required.\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload(":1000\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("$5\r\nhello\r\n", PAYLOAD_RESP_REPLY, NULL);
	assert_payload("*2\r\n:1\r\n:2\r\n", PAYLOAD_RESP_REPLY, NULL);
}

static void inline_word_is_a_candidate(void **state)
{
	assert_payload("PING\r\n", PAYLOAD_INLINE, "PING");
	assert_payload("auth secret\r\n", PAYLOAD_INLINE, "AUTH");
	assert_payload("ab\r\n", PAYLOAD_OTHER, NULL);
	assert_payload("PING", PAYLOAD_OTHER, NULL);
}

static void unknown_word_is_what_else_it_may_be(void **state)
{
	struct resp_scan l = look("this is some printable text without a command");

	assert_int_equal(resp_settle(&l, 0), PAYLOAD_PRINTABLE);
	assert_int_equal(resp_settle(&l, 1), PAYLOAD_INLINE);
	l = look("abc def\r\n");
	assert_int_equal(resp_settle(&l, 0), PAYLOAD_OTHER);
}

static void http_is_http(void **state)
{
	assert_payload("GET / HTTP/1.1\r\nHost: x\r\n", PAYLOAD_HTTP, NULL);
	assert_payload("HTTP/1.1 400 Bad Request\r\n", PAYLOAD_HTTP, NULL);
}

/* A word, a space and a slash also stand at the begin of ciphertext now and then: it is HTTP with text behind it. */
static void what_only_begins_like_http_is_not(void **state)
{
	assert_payload("GET /\x01\xf2", PAYLOAD_INLINE, "GET"); /* a command, if one is called so */
	assert_payload("POST / HTTP/1.\x80", PAYLOAD_INLINE, "POST");
	assert_payload("OPTIONS / HTTP/\x80", PAYLOAD_INLINE, "OPTIONS");
	assert_payload("OPTIONS / HTTP/1\x80", PAYLOAD_HTTP, NULL); /* 16 in a row are no chance */
	assert_payload("GET /a", PAYLOAD_HTTP, NULL);		    /* short, and text all of it */
	assert_payload("PROPFIND / HTTP/1.1\r\n", PAYLOAD_INLINE,
		       "PROPFIND"); /* longer than any method */
	assert_payload("-ERR\x01\xf2", PAYLOAD_OTHER, NULL);
}

/* What a part of a stream must be to be called plaintext: all text, or that much of it from the first byte on. */
static void text_is_more_than_chance_brings(void **state)
{
	char bytes[RESP_SCAN];

	for (uint32_t len = 1; len <= RESP_SCAN; len++) {
		for (uint32_t text = 0; text <= len; text++) {
			struct resp_scan l;

			memset(bytes, 'x', text);
			memset(bytes + text, 0x80, len - text);
			l = look_n(bytes, len);
			assert_int_equal(resp_text(&l), text == len || text >= RESP_TEXT_MIN);
		}
	}
}

static void sslv2_hello_is_no_tls_and_named(void **state)
{
	static const unsigned char v2[] = {0x80, 0x2e, 1, 3, 1, 0, 15};

	assert_int_equal(look_n(v2, sizeof(v2)).payload, PAYLOAD_SSLV2_HELLO);
}

static void long_text_is_printable_short_text_is_not_certain(void **state)
{
	assert_payload("<<<this is some longer text>>>", PAYLOAD_PRINTABLE, NULL);
	assert_payload("<<<short>>>", PAYLOAD_OTHER, NULL);
	assert_false(resp_certain(PAYLOAD_OTHER, 0));
	assert_false(resp_certain(PAYLOAD_INLINE, 0));
	assert_true(resp_certain(PAYLOAD_INLINE, 1));
}

static void nothing_is_nothing(void **state)
{
	assert_payload("", PAYLOAD_OTHER, NULL);
}

/* An unsynced TLS stream shows ciphertext here: it must not be taken for plaintext. */
static void random_bytes_are_never_certain(void **state)
{
	srandom(11);
	for (int i = 0; i < 2000000; i++) {
		unsigned char bytes[RESP_SCAN];
		size_t n = 1 + (size_t)random() % RESP_SCAN;
		struct resp_scan l;

		for (size_t k = 0; k < n; k += 4) {
			long r = random() ^ random() << 8;

			memcpy(bytes + k, &r, k + 4 <= RESP_SCAN ? 4 : RESP_SCAN - k);
		}
		l = look_n(bytes, n);
		assert_false(resp_certain(l.payload, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resp_array_names_its_command),
		cmocka_unit_test(length_that_lies_names_nothing),
		cmocka_unit_test(name_cut_by_the_segment_names_nothing),
		cmocka_unit_test(replies_are_told_from_commands),
		cmocka_unit_test(inline_word_is_a_candidate),
		cmocka_unit_test(unknown_word_is_what_else_it_may_be),
		cmocka_unit_test(http_is_http),
		cmocka_unit_test(what_only_begins_like_http_is_not),
		cmocka_unit_test(text_is_more_than_chance_brings),
		cmocka_unit_test(sslv2_hello_is_no_tls_and_named),
		cmocka_unit_test(long_text_is_printable_short_text_is_not_certain),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(random_bytes_are_never_certain),
	};

	return cmocka_run_group_tests_name("resp", tests, NULL, NULL);
}
