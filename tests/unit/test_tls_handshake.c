/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_handshake.c - the handshake reader of include/tls_handshake.h on the bytes of real OpenSSL
 * handshakes: what OpenSSL's own objects say was settled is the truth, and the reader must say the same
 * however the bytes are cut.
 */
#include "unit.h"

#include "streams/handshake.h"

static int choose_alpn(SSL *s, const unsigned char **out, unsigned char *len,
		       const unsigned char *in, unsigned int inlen, void *arg)
{
	return SSL_select_next_proto((unsigned char **)out, len, (const uint8_t *)"\5redis", 6, in,
				     inlen) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Client hello, then server's flight, in pieces of that size. */
static void talk_read(struct talk *t, uint32_t piece)
{
	tls_facts_begin(&t->facts);
	t->certs = 0;
	read_tape(t, &t->from_client, piece);
	read_tape(t, &t->from_server, piece);
}

/* In every cut the facts are the same, and what OpenSSL says. */
static void check(struct talk *t)
{
	static const uint32_t pieces[] = {ROOM, 1, 2, 3, 5, 7, 100, 1448};
	struct tls_facts first;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		talk_read(t, pieces[i]);
		if (!i)
			first = t->facts;
		assert_memory_equal(&first, &t->facts, sizeof(first));
	}
	assert_false(first.flags & TLS_BAD_HANDSHAKE);
	assert_string_equal(first.sni, "cache.example");
	if (!SSL_is_init_finished(t->client))
		return;
	assert_int_equal(first.version, SSL_version(t->client));
	assert_int_equal(first.cipher,
			 SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(t->client)));
	assert_string_equal(tls_version_name(first.version), SSL_get_version(t->client));
	assert_string_equal(tls_suite_find(first.cipher)->name,
			    SSL_CIPHER_standard_name(SSL_get_current_cipher(t->client)));
	assert_int_equal(!!(first.flags & TLS_RESUMED), SSL_session_reused(t->client));
}

static void every_version_and_cipher_is_read_as_openssl_says(void **state)
{
	static const int versions[] = {SSL3_VERSION, TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION,
				       TLS1_3_VERSION};
	struct talk list;
	STACK_OF(SSL_CIPHER) * all;
	int baselined = 0, by_version[5] = {};

	talk_init(&list);
	assert_true(SSL_CTX_set_cipher_list(list.client_ctx, "ALL:COMPLEMENTOFALL"));
	all = SSL_CTX_get_ciphers(list.client_ctx);
	for (size_t v = 0; v < 5; v++) {
		for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
			const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
			int thirteen = !strcmp(SSL_CIPHER_get_version(c), "TLSv1.3");
			struct talk t;

			if (thirteen != (versions[v] == TLS1_3_VERSION))
				continue;
			talk_init(&t);
			for (int side = 0; side < 2; side++) {
				SSL_CTX *ctx = side ? t.server_ctx : t.client_ctx;

				SSL_CTX_set_min_proto_version(ctx, versions[v]);
				SSL_CTX_set_max_proto_version(ctx, versions[v]);
				if (thirteen)
					SSL_CTX_set_ciphersuites(ctx, SSL_CIPHER_get_name(c));
				else
					SSL_CTX_set_cipher_list(ctx, SSL_CIPHER_get_name(c));
			}
			if (talk_run(&t, NULL)) {
				baselined++;
				by_version[v]++;
				check(&t);
				assert_int_equal(t.certs, !thirteen && SSL_CIPHER_get_auth_nid(c) ==
									       NID_auth_rsa);
				assert_int_equal(t.facts.offered[t.facts.offered_count - 1],
						 versions[v]);
			}
			talk_end(&t);
		}
	}
	talk_end(&list);
	assert_true(baselined > 60);
	assert_true(by_version[1] && by_version[2] && by_version[3] && by_version[4]);
}

static void the_certificate_of_tls_1_2_is_read(void **state)
{
	unsigned char digest[32];
	unsigned int n;
	char hex[65];
	struct talk t;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	assert_true(talk_run(&t, NULL));
	check(&t);
	X509_digest(cert_made, EVP_sha256(), digest, &n);
	for (unsigned int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(t.cert.sha256, hex);
	assert_string_equal(t.cert.subject, "O=Unit,CN=cache.example");
	assert_string_equal(t.cert.issuer, t.cert.subject);
	assert_string_equal(t.cert.key, "RSA");
	assert_int_equal(t.cert.bits, 2048);
	assert_int_equal(t.cert.not_before, 1700000000);
	assert_int_equal(t.cert.not_after, 1900000000);
	talk_end(&t);
}

static void a_server_held_below_its_best_warns(void **state)
{
	static const struct {
		int max;
		unsigned int flag;
	} rows[] = {{TLS1_1_VERSION, TLS_DOWNGRADE_11}, {TLS1_2_VERSION, TLS_DOWNGRADE_12}, {0, 0}};

	for (size_t i = 0; i < 3; i++) {
		struct talk t;

		talk_init(&t);
		SSL_CTX_set_max_proto_version(t.client_ctx, rows[i].max);
		assert_true(talk_run(&t, NULL));
		check(&t);
		assert_int_equal(t.facts.flags & (TLS_DOWNGRADE_11 | TLS_DOWNGRADE_12),
				 rows[i].flag);
		talk_end(&t);
	}
}

static void a_retry_is_seen_and_settles(void **state)
{
	struct talk t;

	talk_init(&t);
	SSL_CTX_set1_groups_list(t.client_ctx, "X25519:P-384");
	SSL_CTX_set1_groups_list(t.server_ctx, "P-384");
	assert_true(talk_run(&t, NULL));
	check(&t);
	assert_true(t.facts.flags & TLS_RETRY);
	assert_true(t.facts.flags & TLS_MIDDLEBOX_COMPAT);
	assert_string_equal(tls_group_name(t.facts.group), "secp384r1");
	talk_end(&t);

	talk_init(&t); /* the twin: no retry, and no compatibility mode */
	SSL_CTX_clear_options(t.client_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	SSL_CTX_clear_options(t.server_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	assert_true(talk_run(&t, NULL));
	check(&t);
	assert_false(t.facts.flags & (TLS_RETRY | TLS_MIDDLEBOX_COMPAT));
	assert_true(t.facts.flags & TLS_SERVER_HELLO);
	talk_end(&t);
}

static void alpn_is_read_on_both_sides(void **state)
{
	struct talk t;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	SSL_CTX_set_alpn_protos(t.client_ctx, (const uint8_t *)"\2h2\5redis", 9);
	SSL_CTX_set_alpn_select_cb(t.server_ctx, choose_alpn, NULL);
	assert_true(talk_run(&t, NULL));
	check(&t);
	assert_string_equal(t.facts.alpn_offered, "h2,redis");
	assert_string_equal(t.facts.alpn, "redis");
	talk_end(&t);
}

static void resumption(int version, unsigned int offered)
{
	struct talk t, again;
	SSL_SESSION *session;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, version);
	SSL_CTX_set_min_proto_version(t.client_ctx, version);
	assert_true(talk_run(&t, NULL));
	check(&t); /* not resumed */
	session = SSL_get1_session(t.client);
	SSL_shutdown(t.client);
	memset(&again, 0, sizeof(again));
	again.client_ctx = t.client_ctx;
	again.server_ctx = t.server_ctx;
	assert_true(talk_run(&again, session));
	check(&again);
	assert_true(again.facts.flags & TLS_RESUMED);
	assert_int_equal(again.facts.flags & (TLS_PSK_OFFERED | TLS_TICKET_OFFERED), offered);
	assert_int_equal(again.certs, 0);
	SSL_free(again.client);
	SSL_free(again.server);
	SSL_SESSION_free(session);
	talk_end(&t);
}

static void resumption_is_seen(void **state)
{
	resumption(TLS1_3_VERSION, TLS_PSK_OFFERED);
	resumption(TLS1_2_VERSION, TLS_TICKET_OFFERED);
}

static void a_refusal_is_named(void **state)
{
	struct talk t;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	SSL_CTX_set_min_proto_version(t.server_ctx, TLS1_3_VERSION);
	assert_false(talk_run(&t, NULL));
	check(&t);
	assert_string_equal(tls_alert_name(t.facts.alert[1]), "protocol_version");
	assert_true(t.facts.alert_fatal[1]);
	assert_int_equal(t.facts.alert[0], TLS_ALERT_NONE);
	assert_false(t.facts.flags & TLS_SERVER_HELLO);
	talk_end(&t);
}

static void messages_over_several_records_are_put_together(void **state)
{
	static struct tape client, server;
	static struct talk t;
	struct tls_facts want;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	assert_true(talk_run(&t, NULL));
	talk_read(&t, ROOM);
	want = t.facts;
	client = t.from_client;
	server = t.from_server;
	for (uint32_t size = 1; size < 200; size += 33) {
		recut(&t.from_client, &client, size);
		recut(&t.from_server, &server, size);
		talk_read(&t, 11);
		assert_memory_equal(&want, &t.facts, sizeof(want));
		assert_int_equal(t.certs, 1);
	}
	talk_end(&t);
}

/* The same said in another way: whole records from the front while they are of a clear type. */
static uint32_t clear_wanted(const struct tape *t)
{
	uint32_t at = 0;

	while (at + 5 <= t->len &&
	       (t->bytes[at] == 22 || (t->bytes[at] == 21 && t->bytes[at + 4] == 2)))
		at += 5 + ((uint32_t)t->bytes[at + 3] << 8 | t->bytes[at + 4]);
	return at;
}

static void nothing_behind_the_clear_part_is_handed_on(void **state)
{
	static const int versions[] = {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	static const uint32_t pieces[] = {ROOM, 1, 2, 5, 6, 100, 1448};

	for (size_t v = 0; v < 3; v++) {
		static struct talk t;

		talk_init(&t);
		SSL_CTX_set_max_proto_version(t.client_ctx, versions[v]);
		assert_true(talk_run(&t, NULL));
		for (size_t i = 0; i < 7; i++) {
			uint32_t c = clear_end(&t.from_client, pieces[i]);
			uint32_t s = clear_end(&t.from_server, pieces[i]);

			assert_int_equal(c, clear_wanted(&t.from_client));
			assert_int_equal(s, clear_wanted(&t.from_server));
			assert_true(c && c < t.from_client.len && s && s < t.from_server.len);
		}
		talk_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_and_cipher_is_read_as_openssl_says),
		cmocka_unit_test(the_certificate_of_tls_1_2_is_read),
		cmocka_unit_test(a_server_held_below_its_best_warns),
		cmocka_unit_test(a_retry_is_seen_and_settles),
		cmocka_unit_test(alpn_is_read_on_both_sides),
		cmocka_unit_test(resumption_is_seen),
		cmocka_unit_test(a_refusal_is_named),
		cmocka_unit_test(messages_over_several_records_are_put_together),
		cmocka_unit_test(nothing_behind_the_clear_part_is_handed_on),
	};

	make_cert();
	return cmocka_run_group_tests_name("tls_handshake", tests, NULL, NULL);
}
