/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_session.c - the record walk of include/tls/record.h on what real OpenSSL sessions send.
 * OpenSSL counts the records, and none of its bytes may be called plaintext or out of sequence.
 */
#include "streams/cut.h"
#include "streams/session.h"

/* First seen anywhere, with segments lost, repeated and swapped: TLS is never called plaintext. */
static void check_rough_network(const struct stream *st)
{
	for (int round = 0; round < 200; round++) {
		uint32_t begin = round % 2 ? random_below(st->len) : 0, at = begin;
		struct tls_stream s = {};

		begin_at(&s, ISN + begin, !begin);
		for (int segments = 0; at < st->len && segments < 2000; segments++) {
			uint32_t len = 1 + random_below(1448), kind = random_below(20), from = at;

			if (kind == 0) /* lost */
				from += random_below(4000);
			else if (kind == 1) /* retransmitted, wholly or partly */
				from -= random_below(from - begin + 1);
			if (from >= st->len)
				break;
			if (len > st->len - from)
				len = st->len - from;
			if (kind == 2 && from + 2 * len <= st->len) /* overtaken by the next */
				assert_int_not_equal(feed(&s, st, ISN, from + len, len, NULL),
						     TLS_SEEN_PLAIN);
			assert_int_not_equal(feed(&s, st, ISN, from, len, NULL), TLS_SEEN_PLAIN);
			if (from + len > at)
				at = from + len;
		}
		assert_int_not_equal(s.sync, TLS_BROKEN);
	}
}

static void check_session(struct session *s)
{
	for (int side = CLIENT; side < SIDES; side++) {
		struct stream *st = &s->sent[side];
		uint32_t end;

		assert_true(s->records[side] >= 3);
		check_every_cut(st, NEVER, s->records[side]);
		check_rough_network(st);
		end = st->len;
		if (end > EVERY_ISN_MAX)
			continue;
		stream_add_text(st, "+OK\r\n");
		check_every_cut(st, end, s->records[side]);
	}
}

static void session_send_sizes(struct session *s, uint32_t biggest)
{
	static const uint32_t sizes[] = {1, 2, 5, 100, 1448, 16383, 16384, 16385, 1024 * 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i] <= biggest; i++) {
		session_send(s, CLIENT, sizes[i]);
		session_send(s, SERVER, sizes[i]);
	}
}

static void session_shut_down(struct session *s)
{
	for (int side = CLIENT; side < SIDES; side++)
		SSL_shutdown(s->ssl[side]);
	session_carry(s);
}

struct options {
	int version;
	const char *ciphers;	   /* TLS 1.2; NULL: OpenSSL's default */
	const char *groups[SIDES]; /* NULL: OpenSSL's default */
};

static void run_session(const struct options *o, uint32_t biggest,
			void (*before_shutdown)(struct session *))
{
	struct session s;

	session_init(&s);
	session_set_version(&s, o->version);
	for (int side = CLIENT; side < SIDES; side++) {
		if (o->ciphers)
			assert_int_equal(SSL_CTX_set_cipher_list(s.ctx[side], o->ciphers), 1);
		if (o->groups[side])
			assert_int_equal(SSL_CTX_set1_groups_list(s.ctx[side], o->groups[side]), 1);
	}
	session_open(&s, NULL);
	assert_true(session_handshake(&s));
	assert_int_equal(SSL_version(s.ssl[CLIENT]), o->version);
	session_send_sizes(&s, biggest);
	if (before_shutdown)
		before_shutdown(&s);
	session_shut_down(&s);
	check_session(&s);
	session_free(&s);
}

static void tls_1_2_session_is_tls_up_to_1_mb(void **state)
{
	run_session(&(struct options){.version = TLS1_2_VERSION}, 1024 * 1024, NULL);
}

static void tls_1_3_session_is_tls_up_to_1_mb(void **state)
{
	run_session(&(struct options){.version = TLS1_3_VERSION}, 1024 * 1024, NULL);
}

static void renegotiate(struct session *s)
{
	for (int side = CLIENT; side < SIDES; side++) {
		long before = SSL_num_renegotiations(s->ssl[CLIENT]);

		assert_int_equal(SSL_renegotiate(s->ssl[side]), 1);
		SSL_do_handshake(s->ssl[side]);
		session_drain(s);
		assert_int_equal(SSL_num_renegotiations(s->ssl[CLIENT]), before + 1);
		session_send_sizes(s, 100);
	}
}

static void renegotiation_is_tls(void **state)
{
	run_session(&(struct options){.version = TLS1_2_VERSION}, 100, renegotiate);
}

static void renegotiation_under_cbc_is_tls(void **state)
{
	run_session(
		&(struct options){.version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES256-SHA384"},
		100, renegotiate);
}

static void update_keys(struct session *s)
{
	for (int side = CLIENT; side < SIDES; side++) {
		assert_int_equal(SSL_key_update(s->ssl[side], SSL_KEY_UPDATE_REQUESTED), 1);
		SSL_do_handshake(s->ssl[side]);
		session_drain(s);
		session_send_sizes(s, 100);
	}
}

static void key_update_is_tls(void **state)
{
	run_session(&(struct options){.version = TLS1_3_VERSION}, 100, update_keys);
}

/* RFC 8446 §4.1.3: a ServerHello with this random is a HelloRetryRequest. It follows 5 + 4 + 2 bytes. */
static void check_for_retry_request(struct session *s)
{
	static const uint8_t retry_random[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11};

	assert_memory_equal(s->sent[SERVER].data + 11, retry_random, sizeof(retry_random));
}

static void hello_retry_request_is_tls(void **state)
{
	run_session(
		&(struct options){.version = TLS1_3_VERSION, .groups = {"X25519:P-384", "P-384"}},
		100, check_for_retry_request);
}

static void check_resumption(int version)
{
	struct session s;
	SSL_SESSION *first;

	session_init(&s);
	session_set_version(&s, version);
	session_open(&s, NULL);
	assert_true(session_handshake(&s));
	session_send_sizes(&s, 100);
	first = SSL_get1_session(s.ssl[CLIENT]);
	assert_non_null(first);
	session_shut_down(&s);
	session_close(&s);

	session_open(&s, first);
	assert_true(session_handshake(&s));
	assert_true(SSL_session_reused(s.ssl[CLIENT]));
	session_send_sizes(&s, 100);
	session_shut_down(&s);
	check_session(&s);
	SSL_SESSION_free(first);
	session_free(&s);
}

static void tls_1_2_resumption_is_tls(void **state)
{
	check_resumption(TLS1_2_VERSION);
}

static void tls_1_3_resumption_is_tls(void **state)
{
	check_resumption(TLS1_3_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_1_2_session_is_tls_up_to_1_mb),
		cmocka_unit_test(tls_1_3_session_is_tls_up_to_1_mb),
		cmocka_unit_test(renegotiation_is_tls),
		cmocka_unit_test(renegotiation_under_cbc_is_tls),
		cmocka_unit_test(key_update_is_tls),
		cmocka_unit_test(hello_retry_request_is_tls),
		cmocka_unit_test(tls_1_2_resumption_is_tls),
		cmocka_unit_test(tls_1_3_resumption_is_tls),
	};

	handshake_expected = 1;
	return cmocka_run_group_tests_name("tls_session", tests, NULL, NULL);
}
