/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_record.c - the record walk of include/tls/record.h on hand-built streams that arrive in order,
 * cut everywhere. The test knows where the first byte that is not TLS is; it never takes that from the
 * walk. Segments out of order are in test_tls_resync.c.
 */
#include "streams/cut.h"

static const uint8_t types[] = {TLS_CHANGE_CIPHER_SPEC, TLS_ALERT, TLS_HANDSHAKE,
				TLS_APPLICATION_DATA, TLS_HEARTBEAT};

static void every_record_type_is_tls(void **state)
{
	struct stream st = {};

	for (size_t i = 0; i < sizeof(types); i++)
		stream_add_record(&st, types[i], 1 + i);
	check_every_cut(&st, NEVER, sizeof(types));
	stream_free(&st);
}

static void every_version_from_3_0_to_3_4_is_tls(void **state)
{
	struct stream st = {};

	for (uint8_t minor = 0; minor <= 4; minor++) {
		stream_add_header(&st, TLS_HANDSHAKE, minor, 2);
		stream_add_text(&st, "\r\n");
	}
	check_every_cut(&st, NEVER, 5);
	stream_free(&st);
}

static void empty_application_data_is_tls(void **state)
{
	struct stream st = {};

	for (int i = 0; i < 9; i++)
		stream_add_header(&st, TLS_APPLICATION_DATA, 3, 0);
	check_every_cut(&st, NEVER, 9);
	stream_free(&st);
}

static void empty_record_of_any_other_type_is_not_tls(void **state)
{
	for (size_t i = 0; i < sizeof(types); i++) {
		struct stream st = {};
		uint32_t records;

		if (types[i] == TLS_APPLICATION_DATA)
			continue;
		records = stream_add_handshake(&st);
		stream_add_header(&st, types[i], 3, 0);
		check_every_cut(&st, st.len - TLS_HEADER_LEN, records);
		stream_free(&st);
	}
}

static void longest_record_is_tls(void **state)
{
	struct stream st = {};

	stream_add_record(&st, TLS_HANDSHAKE, TLS_RECORD_MAX);
	stream_add_record(&st, TLS_APPLICATION_DATA, TLS_RECORD_MAX);
	check_every_cut(&st, NEVER, 2);
	stream_free(&st);
}

static void record_over_the_limit_is_not_tls(void **state)
{
	static const uint16_t lengths[] = {TLS_RECORD_MAX + 1, TLS_RECORD_MAX + 255,
					   TLS_RECORD_MAX + 256, 0xffff};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct stream st = {};
		uint32_t records = stream_add_handshake(&st), at = st.len;

		stream_add_header(&st, TLS_APPLICATION_DATA, 3, lengths[i]);
		stream_add_text(&st, "whatever");
		check_every_cut(&st, at, records);
		stream_free(&st);
	}
}

static void excessive_length_is_detected_at_its_first_byte(void **state)
{
	for (uint32_t high = 0; high < 256; high++) {
		struct stream st = {};

		stream_add_header(&st, TLS_APPLICATION_DATA, 3, high << 8);
		st.len--;
		check_every_cut(&st, high << 8 <= 18432 ? NEVER : 0, 0);
		stream_free(&st);
	}
}

/* RFC 5246 §6.2.3.2, under CBC: 16 bytes of IV, 1 of message, 48 of MAC, up to 255 of padding: 320 */
static void change_cipher_spec_is_at_most_320_bytes(void **state)
{
	for (uint32_t len = 1; len < 1024; len++) {
		struct stream st = {};
		struct tls_stream s = begin(1);

		stream_add_header(&st, TLS_CHANGE_CIPHER_SPEC, 3, len);
		assert_int_equal(feed(&s, &st, ISN, 0, st.len, NULL),
				 len <= 320 ? TLS_SEEN_RECORDS : TLS_SEEN_PLAIN);
		stream_free(&st);
	}
}

/* Every value of each of the first three bytes, the other bytes valid. */
static void header_is_checked_byte_by_byte(void **state)
{
	for (uint32_t at = 0; at < 3; at++) {
		for (uint32_t value = 0; value < 256; value++) {
			uint8_t h[3] = {TLS_HANDSHAKE, 3, 1};
			struct stream st = {};
			int tls = at == 0   ? value >= 20 && value <= 24
				  : at == 1 ? value == 3
					    : value <= 4;

			h[at] = value;
			stream_add(&st, h, at + 1);
			check_every_cut(&st, tls ? NEVER : 0, 0);
			stream_free(&st);
		}
	}
}

static void stream_that_ends_within_a_header_is_tls_so_far(void **state)
{
	for (uint32_t n = 1; n < TLS_HEADER_LEN; n++) {
		struct stream st = {};
		uint32_t records = stream_add_handshake(&st);

		stream_add_header(&st, TLS_ALERT, 3, 2);
		st.len -= TLS_HEADER_LEN - n;
		check_every_cut(&st, NEVER, records);
		stream_free(&st);
	}
}

static void plaintext_at_the_start_is_found_at_offset_0(void **state)
{
	for (size_t i = 0; i < PLAINTEXTS; i++) {
		struct stream st = {};

		stream_add_text(&st, plaintexts[i]);
		stream_add_record(&st, TLS_APPLICATION_DATA, 9);
		check_every_cut(&st, 0, 0);
		stream_free(&st);
	}
}

static void plaintext_after_records_is_found_where_it_begins(void **state)
{
	for (uint32_t records = 1; records <= 20; records++) {
		struct stream st = {};
		uint32_t at;

		for (uint32_t i = 0; i < records; i++)
			stream_add_record(&st, TLS_APPLICATION_DATA, random_below(40));
		at = st.len;
		stream_add_text(&st, plaintexts[records % PLAINTEXTS]);
		check_every_cut(&st, at, records);
		stream_free(&st);
	}
}

static void plaintext_between_records_is_found(void **state)
{
	struct stream st = {};
	uint32_t records = stream_add_handshake(&st), at = st.len;

	stream_add_text(&st, "SET k v\r\n");
	stream_add_handshake(&st);
	check_every_cut(&st, at, records);
	stream_free(&st);
}

static void record_content_is_ignored(void **state)
{
	struct stream st = {};

	stream_add_header(&st, TLS_APPLICATION_DATA, 3, 14);
	stream_add_text(&st, "*1\r\n$4\r\nPING\r\n");
	stream_add_record(&st, TLS_ALERT, 2);
	check_every_cut(&st, NEVER, 2);
	stream_free(&st);
}

static void broken_stream_stays_broken(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};
	uint32_t at;

	stream_add_text(&st, "PING\r\n");
	at = st.len;
	for (int i = 0; i < 5; i++)
		stream_add_handshake(&st);
	assert_int_equal(feed(&s, &st, ISN, 0, at, NULL), TLS_SEEN_PLAIN);
	assert_int_equal(feed(&s, &st, ISN, at, 50, NULL), TLS_SEEN_BROKEN);
	assert_int_equal(feed(&s, &st, ISN, 0, at, NULL), TLS_SEEN_NOTHING);
	assert_int_equal(feed(&s, &st, ISN, at + 80, 50, NULL), TLS_SEEN_BROKEN); /* after a hole */
	assert_int_equal(s.offset, at + 130);
	stream_free(&st);
}

static void record_count_saturates(void **state)
{
	struct tls_stream s = begin(1);
	struct stream st = {};

	s.records = UINT32_MAX - 1;
	stream_add_handshake(&st);
	feed(&s, &st, ISN, 0, st.len, NULL);
	assert_int_equal(s.records, UINT32_MAX);
	for (int i = 0; i < 2; i++) { /* one record in a segment of its own */
		uint32_t at = st.len;

		stream_add_record(&st, TLS_APPLICATION_DATA, 10);
		feed(&s, &st, ISN, at, st.len - at, NULL);
		assert_int_equal(s.records, UINT32_MAX);
	}
	stream_free(&st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_type_is_tls),
		cmocka_unit_test(every_version_from_3_0_to_3_4_is_tls),
		cmocka_unit_test(empty_application_data_is_tls),
		cmocka_unit_test(empty_record_of_any_other_type_is_not_tls),
		cmocka_unit_test(longest_record_is_tls),
		cmocka_unit_test(record_over_the_limit_is_not_tls),
		cmocka_unit_test(excessive_length_is_detected_at_its_first_byte),
		cmocka_unit_test(change_cipher_spec_is_at_most_320_bytes),
		cmocka_unit_test(header_is_checked_byte_by_byte),
		cmocka_unit_test(stream_that_ends_within_a_header_is_tls_so_far),
		cmocka_unit_test(plaintext_at_the_start_is_found_at_offset_0),
		cmocka_unit_test(plaintext_after_records_is_found_where_it_begins),
		cmocka_unit_test(plaintext_between_records_is_found),
		cmocka_unit_test(record_content_is_ignored),
		cmocka_unit_test(broken_stream_stays_broken),
		cmocka_unit_test(record_count_saturates),
	};

	return cmocka_run_group_tests_name("tls_record", tests, NULL, NULL);
}
