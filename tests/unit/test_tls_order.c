/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_order.c - which records may begin a direction of a connection (include/tls/order.h), on hand-built streams cut
 * everywhere. What OpenSSL sends is in test_tls_session.c, what the messages add to it in test_conn.c.
 */
#include "streams/cut.h"

struct record {
	uint8_t type;
	uint32_t len;
};

#define RECORDS_MAX 8

/* bad: index of the first record that is none of TLS; -1: all are. */
static void check_sequence(const struct record *r, int bad)
{
	struct stream st = {};
	uint64_t at = NEVER;
	uint32_t n;

	for (n = 0; n < RECORDS_MAX && r[n].type; n++) {
		if ((int)n == bad)
			at = st.len;
		stream_add_record(&st, r[n].type, r[n].len);
	}
	check_every_cut(&st, at, bad < 0 ? n : (uint32_t)bad);
	stream_free(&st);
}

#define SEQUENCE(bad, ...) check_sequence((const struct record[RECORDS_MAX]){__VA_ARGS__}, bad)
#define CCS(n)                                                                                     \
	{                                                                                          \
		TLS_CHANGE_CIPHER_SPEC, n                                                          \
	}
#define ALERT(n)                                                                                   \
	{                                                                                          \
		TLS_ALERT, n                                                                       \
	}
#define HANDSHAKE                                                                                  \
	{                                                                                          \
		TLS_HANDSHAKE, 60                                                                  \
	}
#define DATA                                                                                       \
	{                                                                                          \
		TLS_APPLICATION_DATA, 40                                                           \
	}
#define HEARTBEAT                                                                                  \
	{                                                                                          \
		TLS_HEARTBEAT, 19                                                                  \
	}

static void data_without_a_handshake_is_not_tls(void **state)
{
	SEQUENCE(0, DATA);
	SEQUENCE(0, {TLS_APPLICATION_DATA, 0}, HANDSHAKE, DATA);
	SEQUENCE(1, ALERT(2), DATA);
}

static void other_records_without_a_handshake_are_not_tls(void **state)
{
	SEQUENCE(0, CCS(1), DATA);
	SEQUENCE(0, HEARTBEAT, DATA);
	SEQUENCE(0, ALERT(40));
	SEQUENCE(1, ALERT(2), CCS(1));
}

static void what_client_and_server_begin_with_is_tls(void **state)
{
	SEQUENCE(-1, HANDSHAKE, CCS(1), {TLS_HANDSHAKE, 45}, DATA, DATA); /* up to TLS 1.2 */
	SEQUENCE(-1, HANDSHAKE, HANDSHAKE, CCS(1), DATA);
	SEQUENCE(-1, HANDSHAKE, CCS(1), HANDSHAKE, DATA); /* 1.3, HelloRetryRequest */
	SEQUENCE(-1, HANDSHAKE, DATA); /* early data; no middlebox compatibility */
	SEQUENCE(-1, ALERT(2));	       /* refused */
	SEQUENCE(-1, ALERT(2), HANDSHAKE, CCS(1), DATA); /* unrecognized_name, a warning */
	SEQUENCE(-1, HANDSHAKE, ALERT(2));
}

static void alert_in_the_clear_has_two_bytes(void **state)
{
	SEQUENCE(1, HANDSHAKE, ALERT(26));
	SEQUENCE(-1, HANDSHAKE, CCS(1), ALERT(26));
}

static void change_cipher_spec_in_the_clear_has_one_byte(void **state)
{
	SEQUENCE(1, HANDSHAKE, CCS(40));
	SEQUENCE(-1, HANDSHAKE, CCS(1), CCS(40));
}

static void anything_may_follow_the_clear_handshake(void **state)
{
	SEQUENCE(-1, HANDSHAKE, CCS(1), HEARTBEAT, CCS(1), ALERT(2), DATA, HANDSHAKE);
	SEQUENCE(-1, HANDSHAKE, DATA, HEARTBEAT, CCS(33), ALERT(40), DATA, HANDSHAKE);
}

/* A stream that was not seen from its first byte, or in order, is not evaluated. */
static void stream_joined_in_the_middle_may_begin_with_anything(void **state)
{
	struct tls_stream late = begin(0), holed = begin(1);
	struct stream st = {};

	for (int i = 0; i < 4; i++)
		stream_add_record(&st, TLS_APPLICATION_DATA, 20);
	assert_int_equal(feed(&late, &st, ISN, 0, st.len, NULL), TLS_SEEN_RECORDS);
	feed(&holed, &st, ISN, 25, 50, NULL); /* overtook the first record */
	assert_int_equal(holed.order, TLS_ORDER_ANY);
	assert_int_equal(feed(&holed, &st, ISN, 0, 25, NULL), TLS_SEEN_RECORDS);
	stream_free(&st);
}

static void what_broke_the_stream_is_known(void **state)
{
	struct tls_stream data = begin(1), other = begin(1);
	struct stream st = {};
	uint64_t at = NEVER;

	stream_add_record(&st, TLS_APPLICATION_DATA, 20);
	assert_int_equal(feed(&data, &st, ISN, 0, st.len, &at), TLS_SEEN_PLAIN);
	assert_int_equal(at, 0);
	assert_int_equal(data.order, TLS_ORDER_DATA);
	st.data[0] = TLS_HEARTBEAT;
	assert_int_equal(feed(&other, &st, ISN, 0, st.len, &at), TLS_SEEN_PLAIN);
	assert_int_equal(other.order, TLS_ORDER_WRONG);
	stream_free(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_without_a_handshake_is_not_tls),
		cmocka_unit_test(other_records_without_a_handshake_are_not_tls),
		cmocka_unit_test(what_client_and_server_begin_with_is_tls),
		cmocka_unit_test(alert_in_the_clear_has_two_bytes),
		cmocka_unit_test(change_cipher_spec_in_the_clear_has_one_byte),
		cmocka_unit_test(anything_may_follow_the_clear_handshake),
		cmocka_unit_test(stream_joined_in_the_middle_may_begin_with_anything),
		cmocka_unit_test(what_broke_the_stream_is_known),
	};

	handshake_expected = 1;
	return cmocka_run_group_tests_name("tls_order", tests, NULL, NULL);
}
