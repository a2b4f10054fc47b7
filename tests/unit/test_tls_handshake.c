/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_handshake.c - the handshake reader of include/tls/handshake.h, and the walk of
 * include/tls/clear.h, on real OpenSSL handshakes. OpenSSL's own objects say what was negotiated; the
 * reader must report the same however the bytes are cut. Messages OpenSSL does not send are in
 * test_tls_hello.c.
 */
#include "streams/handshake.h"

#include "model/tls_suite.h"

/* The reader's facts are what OpenSSL reports, in pieces of any size. */
static void check(struct handshake *h)
{
	static const uint32_t pieces[] = {IN_ONE_PIECE, 1, 2, 3, 5, 7, 100, 1448};
	const SSL *client = h->s.ssl[CLIENT];
	const SSL_CIPHER *cipher = SSL_get_current_cipher(client);
	struct tls_facts first;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		handshake_read_both(h, pieces[i]);
		if (!i)
			first = h->facts;
		assert_memory_equal(&first, &h->facts, sizeof(first));
	}
	assert_false(first.flags & TLS_BAD_HANDSHAKE);
	assert_string_equal(first.sni, SESSION_HOST);
	if (!SSL_is_init_finished(client))
		return;
	assert_int_equal(first.version, SSL_version(client));
	assert_int_equal(first.cipher, SSL_CIPHER_get_protocol_id(cipher));
	assert_string_equal(tls_version_name(first.version), SSL_get_version(client));
	assert_string_equal(tls_suite_find(first.cipher)->name, SSL_CIPHER_standard_name(cipher));
	assert_int_equal(!!(first.flags & TLS_RESUMED), SSL_session_reused(client));
}

/* Returns whether OpenSSL can negotiate this cipher in this version; if so, checks what is read. */
static bool check_cipher(const SSL_CIPHER *c, int version)
{
	bool tls_1_3 = version == TLS1_3_VERSION, agreed;
	struct handshake h;

	session_init(&h.s);
	session_set_version(&h.s, version);
	for (int side = CLIENT; side < SIDES; side++) {
		if (tls_1_3)
			SSL_CTX_set_ciphersuites(h.s.ctx[side], SSL_CIPHER_get_name(c));
		else
			SSL_CTX_set_cipher_list(h.s.ctx[side], SSL_CIPHER_get_name(c));
	}
	agreed = handshake_run(&h, NULL);
	if (agreed) {
		check(&h);
		assert_int_equal(h.certs, !tls_1_3 && SSL_CIPHER_get_auth_nid(c) == NID_auth_rsa);
		assert_int_equal(h.facts.offered[h.facts.offered_count - 1], version);
	}
	session_free(&h.s);
	return agreed;
}

static void every_version_and_cipher_is_read_as_openssl_reports_it(void **state)
{
	static const int versions[] = {SSL3_VERSION, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
				       TLS1_3_VERSION};
	struct session every;
	STACK_OF(SSL_CIPHER) * ciphers;
	int agreed = 0, by_version[5] = {};

	session_init(&every);
	assert_true(SSL_CTX_set_cipher_list(every.ctx[CLIENT], "ALL:COMPLEMENTOFALL"));
	ciphers = SSL_CTX_get_ciphers(every.ctx[CLIENT]);
	for (size_t v = 0; v < 5; v++) {
		for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
			const SSL_CIPHER *c = sk_SSL_CIPHER_value(ciphers, i);
			bool of_1_3 = !strcmp(SSL_CIPHER_get_version(c), "TLSv1.3");

			if (of_1_3 == (versions[v] == TLS1_3_VERSION) &&
			    check_cipher(c, versions[v])) {
				agreed++;
				by_version[v]++;
			}
		}
	}
	session_free(&every);
	assert_true(agreed > 60);
	assert_true(by_version[1] && by_version[2] && by_version[3] && by_version[4]);
}

static void tls_1_2_certificate_is_read(void **state)
{
	unsigned char digest[32];
	unsigned int n;
	char hex[65];
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	assert_true(handshake_run(&h, NULL));
	check(&h);
	X509_digest(session_cert, EVP_sha256(), digest, &n);
	for (unsigned int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(h.cert.sha256, hex);
	assert_string_equal(h.cert.subject, "O=Unit,CN=" SESSION_HOST);
	assert_string_equal(h.cert.issuer, h.cert.subject);
	assert_string_equal(h.cert.key, "RSA");
	assert_int_equal(h.cert.bits, 2048);
	assert_int_equal(h.cert.not_before, CERT_NOT_BEFORE);
	assert_int_equal(h.cert.not_after, CERT_NOT_AFTER);
	session_free(&h.s);
}

/* RFC 8446 §4.1.3 */
static void downgrade_sentinel_is_read(void **state)
{
	static const struct {
		int client_max; /* 0: no limit */
		unsigned int flag;
	} rows[] = {{TLS1_1_VERSION, TLS_DOWNGRADE_11}, {TLS1_2_VERSION, TLS_DOWNGRADE_12}, {0, 0}};

	for (size_t i = 0; i < 3; i++) {
		struct handshake h;

		session_init(&h.s);
		SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], rows[i].client_max);
		assert_true(handshake_run(&h, NULL));
		check(&h);
		assert_int_equal(h.facts.flags & (TLS_DOWNGRADE_11 | TLS_DOWNGRADE_12),
				 rows[i].flag);
		session_free(&h.s);
	}
}

static void hello_retry_request_is_read(void **state)
{
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set1_groups_list(h.s.ctx[CLIENT], "X25519:P-384");
	SSL_CTX_set1_groups_list(h.s.ctx[SERVER], "P-384");
	assert_true(handshake_run(&h, NULL));
	check(&h);
	assert_true(h.facts.flags & TLS_RETRY);
	assert_true(h.facts.flags & TLS_MIDDLEBOX_COMPAT);
	assert_string_equal(tls_group_name(h.facts.group), "secp384r1");
	session_free(&h.s);
}

static void handshake_without_retry_or_compatibility_mode_sets_neither_flag(void **state)
{
	struct handshake h;

	session_init(&h.s);
	for (int side = CLIENT; side < SIDES; side++)
		SSL_CTX_clear_options(h.s.ctx[side], SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	assert_true(handshake_run(&h, NULL));
	check(&h);
	assert_false(h.facts.flags & (TLS_RETRY | TLS_MIDDLEBOX_COMPAT));
	assert_true(h.facts.flags & TLS_SERVER_HELLO);
	session_free(&h.s);
}

static int select_alpn(SSL *s, const unsigned char **out, unsigned char *len,
		       const unsigned char *in, unsigned int inlen, void *arg)
{
	return SSL_select_next_proto((unsigned char **)out, len, (const uint8_t *)"\5redis", 6, in,
				     inlen) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void alpn_is_read_in_both_directions(void **state)
{
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	SSL_CTX_set_alpn_protos(h.s.ctx[CLIENT], (const uint8_t *)"\2h2\5redis", 9);
	SSL_CTX_set_alpn_select_cb(h.s.ctx[SERVER], select_alpn, NULL);
	assert_true(handshake_run(&h, NULL));
	check(&h);
	assert_string_equal(h.facts.alpn_offered, "h2,redis");
	assert_string_equal(h.facts.alpn, "redis");
	session_free(&h.s);
}

static void check_resumption(int version, unsigned int offered)
{
	struct handshake first, second = {};
	SSL_SESSION *ticket;

	session_init(&first.s);
	SSL_CTX_set_max_proto_version(first.s.ctx[CLIENT], version);
	SSL_CTX_set_min_proto_version(first.s.ctx[CLIENT], version);
	assert_true(handshake_run(&first, NULL));
	check(&first);
	ticket = SSL_get1_session(first.s.ssl[CLIENT]);
	SSL_shutdown(first.s.ssl[CLIENT]);
	second.s.ctx[CLIENT] = first.s.ctx[CLIENT];
	second.s.ctx[SERVER] = first.s.ctx[SERVER];
	assert_true(handshake_run(&second, ticket));
	check(&second);
	assert_true(second.facts.flags & TLS_RESUMED);
	assert_int_equal(second.facts.flags & (TLS_PSK_OFFERED | TLS_TICKET_OFFERED), offered);
	assert_int_equal(second.certs, 0);
	session_close(&second.s);
	SSL_SESSION_free(ticket);
	session_free(&first.s);
}

static void resumption_is_read(void **state)
{
	check_resumption(TLS1_3_VERSION, TLS_PSK_OFFERED);
	check_resumption(TLS1_2_VERSION, TLS_TICKET_OFFERED);
}

static void alert_of_a_refused_handshake_is_read(void **state)
{
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	SSL_CTX_set_min_proto_version(h.s.ctx[SERVER], TLS1_3_VERSION);
	assert_false(handshake_run(&h, NULL));
	check(&h);
	assert_string_equal(tls_alert_name(h.facts.alert[1]), "protocol_version");
	assert_true(h.facts.alert_fatal[1]);
	assert_int_equal(h.facts.alert[0], TLS_ALERT_NONE);
	assert_false(h.facts.flags & TLS_SERVER_HELLO);
	session_free(&h.s);
}

static void message_in_several_records_is_reassembled(void **state)
{
	struct handshake h, split = {};
	struct tls_facts want;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	assert_true(handshake_run(&h, NULL));
	handshake_read_both(&h, IN_ONE_PIECE);
	want = h.facts;
	for (uint32_t size = 1; size < 200; size += 33) {
		for (int side = CLIENT; side < SIDES; side++)
			split_records(&split.s.sent[side], &h.s.sent[side], size);
		handshake_read_both(&split, 11);
		assert_memory_equal(&want, &split.facts, sizeof(want));
		assert_int_equal(split.certs, 1);
	}
	session_close(&split.s);
	session_free(&h.s);
}

/* An independent count: whole records from the start, as long as their type is in the clear. */
static uint32_t clear_length(const struct stream *st)
{
	uint32_t at = 0;

	while (at + TLS_HEADER_LEN <= st->len &&
	       (st->data[at] == TLS_HANDSHAKE ||
		(st->data[at] == TLS_ALERT && st->data[at + 4] == 2)))
		at += TLS_HEADER_LEN + record_length(st, at);
	return at;
}

static void only_the_clear_part_is_passed_to_userspace(void **state)
{
	static const int versions[] = {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	static const uint32_t pieces[] = {IN_ONE_PIECE, 1, 2, 5, 6, 100, 1448};

	for (size_t v = 0; v < 3; v++) {
		struct handshake h;

		session_init(&h.s);
		SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], versions[v]);
		assert_true(handshake_run(&h, NULL));
		for (size_t i = 0; i < 7; i++) {
			for (int side = CLIENT; side < SIDES; side++) {
				const struct stream *sent = &h.s.sent[side];
				uint32_t end = clear_end(sent, pieces[i]);

				assert_int_equal(end, clear_length(sent));
				assert_true(end && end < sent->len);
			}
		}
		session_free(&h.s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_and_cipher_is_read_as_openssl_reports_it),
		cmocka_unit_test(tls_1_2_certificate_is_read),
		cmocka_unit_test(downgrade_sentinel_is_read),
		cmocka_unit_test(hello_retry_request_is_read),
		cmocka_unit_test(handshake_without_retry_or_compatibility_mode_sets_neither_flag),
		cmocka_unit_test(alpn_is_read_in_both_directions),
		cmocka_unit_test(resumption_is_read),
		cmocka_unit_test(alert_of_a_refused_handshake_is_read),
		cmocka_unit_test(message_in_several_records_is_reassembled),
		cmocka_unit_test(only_the_clear_part_is_passed_to_userspace),
	};

	return cmocka_run_group_tests_name("tls_handshake", tests, NULL, NULL);
}
