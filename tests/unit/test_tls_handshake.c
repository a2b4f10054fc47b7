/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_handshake.c - the handshake reader of include/tls_handshake.h on the bytes of real OpenSSL
 * handshakes: what OpenSSL's own objects say was settled is the truth, and the reader must say the same
 * however the bytes are cut.
 */
#include "unit.h"

#include "policy/policy.h"
#include "streams/talk.h"

static int choose_alpn(SSL *s, const unsigned char **out, unsigned char *len,
		       const unsigned char *in, unsigned int inlen, void *arg)
{
	return SSL_select_next_proto((unsigned char **)out, len, (const uint8_t *)"\5redis", 6, in,
				     inlen) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void on_cert(void *ctx, const __u8 *der, __u32 len)
{
	struct talk *t = ctx;

	t->certs++;
	assert_int_equal(cert_read(&t->cert, der, len), 0);
}

static int read_tape(struct talk *t, const struct tape *tape, uint32_t piece)
{
	static struct tls_reader r;
	uint32_t end = tape->len;

	memset(&r, 0xa5, sizeof(r));
	tls_reader_begin(&r, &t->facts);
	r.certificate = on_cert;
	r.ctx = t;
	for (uint32_t at = 0; at < end; at += piece) {
		/* of its own size, for the sanitizer */
		uint32_t n = piece < end - at ? piece : end - at;
		uint8_t *copy = malloc(n);

		memcpy(copy, tape->bytes + at, n);
		tls_reader_feed(&r, copy, n);
		free(copy);
	}
	return r.reading;
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
	assert_true(t.facts.flags & TLS_COMPAT);
	assert_string_equal(tls_group_name(t.facts.group), "secp384r1");
	talk_end(&t);

	talk_init(&t); /* the twin: no retry, and no compatibility mode */
	SSL_CTX_clear_options(t.client_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	SSL_CTX_clear_options(t.server_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	assert_true(talk_run(&t, NULL));
	check(&t);
	assert_false(t.facts.flags & (TLS_RETRY | TLS_COMPAT));
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

/* The same bytes in records of `size` bytes: one message over several records. */
static void recut(struct tape *to, const struct tape *from, uint32_t size)
{
	uint32_t at = 0;

	to->len = 0;
	while (at + 5 <= from->len) {
		uint32_t len = (uint32_t)from->bytes[at + 3] << 8 | from->bytes[at + 4];
		uint32_t part = from->bytes[at] == TLS_HANDSHAKE ? size : len;

		for (uint32_t done = 0, n; done < len; done += n) {
			n = part < len - done ? part : len - done;
			if (to->len + 5 + n > ROOM)
				return;
			memcpy(to->bytes + to->len, from->bytes + at, 3);
			to->bytes[to->len + 3] = n >> 8;
			to->bytes[to->len + 4] = n;
			memcpy(to->bytes + to->len + 5, from->bytes + at + 5 + done, n);
			to->len += 5 + n;
		}
		at += 5 + len;
	}
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

static void an_sslv2_hello_is_read(void **state)
{
	static struct tape tape = {
		.bytes = {0x80, 0x1c, 1, 3, 1, 0, 3, 0, 0, 0, 0x10, 0x01, 0x00, 0x80},
		.len = 2 + 0x1c};
	struct talk t = {};

	for (uint32_t piece = 1; piece < 40; piece++) {
		tls_facts_begin(&t.facts);
		read_tape(&t, &tape, piece);
		assert_int_equal(t.facts.flags, TLS_CLIENT_HELLO);
		assert_int_equal(t.facts.record_version, TLS_SSL2);
		assert_int_equal(t.facts.client_version, TLS_1_0);
		assert_int_equal(t.facts.suites_offered, 1);
	}
}

/* Its length has 15 bits, and a message's room is as large: the two bytes before it came on top. */
static void the_longest_sslv2_hello_stays_in_its_room(void **state)
{
	struct {
		struct tls_reader reader;
		uint8_t guard[64];
	} *room = malloc(sizeof(*room));
	static uint8_t hello[2 + 0x7fff] = {0xff, 0xff, 1, 3, 1};
	static uint8_t good[sizeof(room->guard)];
	struct tls_facts f;

	memset(good, 0x5a, sizeof(good));
	memset(room, 0x5a, sizeof(*room));
	tls_facts_begin(&f);
	tls_reader_begin(&room->reader, &f);
	assert_int_equal(tls_reader_feed(&room->reader, hello, sizeof(hello)), TLS_READ_TOO_LARGE);
	assert_memory_equal(room->guard, good, sizeof(good));
	assert_int_equal(room->reader.message[TLS_MESSAGE_MAX - 1], 0x5a);
	free(room);
}

static void put(struct tape *t, uint32_t v, uint32_t n)
{
	while (n--)
		t->bytes[t->len++] = v >> 8 * n;
}

static void put_text(struct tape *t, const char *text)
{
	memcpy(t->bytes + t->len, text, strlen(text));
	t->len += strlen(text);
}

static void put_extension(struct tape *t, uint32_t type, uint32_t len)
{
	put(t, type, 2);
	put(t, len, 2);
	for (; len; len--)
		put(t, len * 7, 1);
}

static void put_length(struct tape *t, uint32_t at, uint32_t n)
{
	uint32_t len = t->len - at - n, end = t->len;

	t->len = at;
	put(t, len, n);
	t->len = end;
}

/* One message in one record; returns where its body begins, for put_end. */
static uint32_t put_message(struct tape *t, uint32_t kind)
{
	put(t, TLS_HANDSHAKE, 1);
	put(t, TLS_1_2, 2);
	put(t, 0, 2);
	put(t, kind, 1);
	put(t, 0, 3);
	return t->len;
}

static void put_end(struct tape *t, uint32_t body)
{
	put_length(t, body - 3, 3);
	put_length(t, body - 6, 2);
}

/* By a server that takes a raw public key, and shows one of `key` bytes: RFC 7250. */
static void put_raw_key(struct tape *t, bool agreed, uint32_t key)
{
	uint32_t body;

	*t = (struct tape){};
	body = put_message(t, TLS_MSG_SERVER_HELLO);
	put(t, TLS_1_2, 2);
	t->len += 32;
	put(t, 0, 1);
	put(t, 0xc02b00, 3);
	put(t, agreed ? 5 : 0, 2);
	if (agreed)
		put(t, 0x00140001, 4), put(t, 2, 1);
	put_end(t, body);
	body = put_message(t, TLS_MSG_CERTIFICATE);
	put(t, key, 3);
	put(t, 0x30593013, 4); /* as a SubjectPublicKeyInfo begins */
	t->len += 87;
	put_end(t, body);
}

static void a_raw_public_key_is_no_bad_certificate(void **state)
{
	static struct tape tape;
	struct talk t = {};

	for (int i = 0; i < 3; i++) {
		bool agreed = i < 2, whole = !i;

		tls_facts_begin(&t.facts);
		put_raw_key(&tape, agreed, whole || !agreed ? 91 : 90);
		read_tape(&t, &tape, 7);
		assert_int_equal(t.facts.version, TLS_1_2);
		assert_int_equal(!!(t.facts.flags & TLS_RAW_KEY), agreed);
		assert_int_equal(!!(t.facts.flags & TLS_BAD_HANDSHAKE), !whole);
		assert_false(t.facts.flags & TLS_CERTIFICATE);
		assert_int_equal(t.certs, 0);
	}
}

/* What a client says of versions is an offer, whatever message it says it in. */
static void only_a_server_settles(void **state)
{
	static struct tape hello;
	static struct tls_reader r;
	struct talk t;

	talk_init(&t);
	SSL_CTX_set_max_proto_version(t.client_ctx, TLS1_2_VERSION);
	assert_true(talk_run(&t, NULL));
	hello = t.from_client;
	hello.len = 5 + (hello.bytes[3] << 8 | hello.bytes[4]);
	memcpy(hello.bytes + hello.len, t.from_server.bytes, 200);
	hello.len += 200;
	tls_facts_begin(&t.facts);
	read_tape(&t, &hello, ROOM);
	assert_true(t.facts.flags & TLS_CLIENT_HELLO);
	assert_false(t.facts.flags & TLS_SERVER_HELLO);
	assert_int_equal(t.facts.version, 0);
	/* nor one that begins with it, where it is known that it is the client */
	for (int side = TLS_SIDE_CLIENT; side <= TLS_SIDE_SERVER; side++) {
		tls_facts_begin(&t.facts);
		tls_reader_begin(&r, &t.facts);
		r.side = side;
		assert_int_equal(tls_reader_feed(&r, t.from_server.bytes, 200),
				 side == TLS_SIDE_SERVER ? TLS_READING : TLS_READ_FOREIGN);
		assert_int_equal(!!(t.facts.flags & TLS_SERVER_HELLO), side == TLS_SIDE_SERVER);
		tls_facts_begin(&t.facts);
		tls_reader_begin(&r, &t.facts);
		r.side = side;
		assert_int_equal(tls_reader_feed(&r, hello.bytes, 100),
				 side == TLS_SIDE_CLIENT ? TLS_READING : TLS_READ_FOREIGN);
	}
	talk_end(&t);
}

/*
 * As today's browsers greet: GREASE (RFC 8701) first among suites, extensions, groups and versions, a
 * post-quantum key share that alone is longer than a segment, an encrypted hello beside the outer
 * name, ALPS, compressed certificates (RFC 8879), padding (RFC 7685); in no order (they shuffle).
 */
static void put_browser_hello(struct tape *t)
{
	uint32_t message, extensions, list;

	t->len = 0;
	put(t, TLS_HANDSHAKE, 1);
	put(t, 0x0301, 2);
	put(t, 0, 2);
	put(t, 1, 1);
	message = t->len;
	put(t, 0, 3);
	put(t, TLS_1_2, 2);
	t->len += 32;
	put(t, 32, 1);
	t->len += 32;
	put(t, 8, 2);
	put(t, 0xeaea1301, 4);
	put(t, 0x1302cca9, 4);
	put(t, 0x0100, 2);
	extensions = t->len;
	put(t, 0, 2);
	put_extension(t, 0x2a2a, 0);
	put_extension(t, 0xfe0d, 282); /* encrypted_client_hello */
	put_extension(t, 0x44cd, 5);   /* application settings */
	put(t, 51, 2);		       /* key_share: GREASE, X25519MLKEM768, X25519 */
	put(t, 2 + 5 + 4 + 1216 + 4 + 32, 2);
	put(t, 5 + 4 + 1216 + 4 + 32, 2);
	put(t, 0x9a9a, 2);
	put(t, 0x000100, 3);
	put_extension(t, 0x11ec, 1216);
	put_extension(t, 29, 32);
	put(t, 43, 2);
	put(t, 7, 2);
	put(t, 6, 1);
	put(t, 0x7a7a0304, 4);
	put(t, 0x0303, 2);
	put_extension(t, 27, 3);    /* compress_certificate */
	put_extension(t, 0x8a, 70); /* nobody's */
	put(t, 0, 2);
	list = t->len;
	put(t, 0, 2);
	put(t, 13 + 3, 2);
	put(t, 0, 1);
	put(t, 13, 2);
	put_text(t, "outer.example");
	put_length(t, list, 2);
	put(t, 16, 2);
	put(t, 14, 2);
	put(t, 12, 2);
	put(t, 2, 1);
	put_text(t, "h2");
	put(t, 8, 1);
	put_text(t, "http/1.1");
	put_extension(t, 0xcaca, 1);
	put_extension(t, 21, 400); /* padding */
	put_length(t, extensions, 2);
	put_length(t, message, 3);
	put_length(t, 3, 2);
}

/* Where the clear part of a tape ends, by the walk the kernel makes, in segments of that size. */
static uint32_t clear_end(const struct tape *tape, uint32_t piece)
{
	struct tls_stream s = {};
	uint32_t bad, unread = 0;
	__u64 bad_at;

	tls_begin(&s, 0, 1);
	for (uint32_t at = 0; at < tape->len; at += piece) {
		uint32_t n = piece < tape->len - at ? piece : tape->len - at;
		struct tls_walk w = {.ctx = (void *)tape->bytes,
				     .off = at,
				     .end = at + n,
				     .left = s.left,
				     .hdr = s.hdr,
				     .have = s.have};

		while (!tls_clear_step(&w))
			;
		if (w.failed)
			return w.bad;
		tls_feed(&s, (void *)tape->bytes, at, at, n, &bad, &bad_at, &unread);
	}
	return tape->len;
}

static void a_browsers_hello_is_read_in_any_cut(void **state)
{
	static const uint32_t records[] = {16384, 1, 3, 100, 517, 1200},
			      pieces[] = {ROOM, 1, 5, 536, 1208, 1448};
	static struct tape whole, cut;
	static struct talk t;

	memset(&whole, 0, sizeof(whole));
	put_browser_hello(&whole);
	assert_true(whole.len > 2 * 1024);
	for (size_t i = 0; i < 36; i++) {
		recut(&cut, &whole, records[i / 6]);
		tls_facts_begin(&t.facts);
		assert_int_equal(read_tape(&t, &cut, pieces[i % 6]), TLS_READING);
		assert_int_equal(t.facts.flags, TLS_CLIENT_HELLO);
		assert_int_equal(t.facts.record_version, TLS_1_0);
		assert_int_equal(t.facts.client_version, TLS_1_2);
		assert_int_equal(t.facts.offered_count, 2);
		assert_int_equal(t.facts.offered[0], TLS_1_3);
		assert_int_equal(t.facts.offered[1], TLS_1_2);
		assert_int_equal(t.facts.suites_offered, 4);
		assert_string_equal(t.facts.sni, "outer.example");
		assert_string_equal(t.facts.alpn_offered, "h2,http/1.1");
		assert_int_equal(clear_end(&cut, pieces[i % 6]), cut.len);
	}
	/* shorter than its list of extensions says: that is told, and nothing of the list is believed */
	whole.len -= 400;
	put_length(&whole, 6, 3);
	put_length(&whole, 3, 2);
	tls_facts_begin(&t.facts);
	read_tape(&t, &whole, ROOM);
	assert_int_equal(t.facts.flags, TLS_CLIENT_HELLO | TLS_BAD_HANDSHAKE);
	assert_string_equal(t.facts.sni, "");
}

static void foreign_bytes_end_the_reading(void **state)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\n", "*1\r\n$4\r\nPING\r\n",
					    "\x16\x03\x01\x00\x05"
					    "\x0b\x00\x00\x01\x00"};
	static const size_t lens[] = {16, 14, 10};

	for (size_t i = 0; i < 3; i++) {
		static struct tape tape;
		struct talk t = {};

		memcpy(tape.bytes, texts[i], lens[i]);
		tape.len = lens[i];
		tls_facts_begin(&t.facts);
		assert_int_equal(read_tape(&t, &tape, 3), TLS_READ_FOREIGN);
		assert_int_equal(t.facts.flags, 0);
	}
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

static void the_policy_knows_old_versions_and_broken_suites(void **state)
{
	struct policy p;

	policy_init(&p);
	assert_false(policy_tls_version(&p, 0x0002));
	assert_false(policy_tls_version(&p, 0x0302));
	assert_true(policy_tls_version(&p, 0x0303));
	assert_true(policy_tls_version(&p, 0x0304));
	assert_true(policy_tls_cipher(&p, 0xc02f)); /* ECDHE-RSA-AES128-GCM-SHA256 */
	assert_true(policy_tls_cipher(&p, 0x002f)); /* AES128-SHA: no forward secrecy, not broken */
	assert_true(policy_tls_cipher(&p, 0x1302));
	assert_false(policy_tls_cipher(&p, 0x0005));			    /* RC4-SHA */
	assert_false(policy_tls_cipher(&p, 0x000a));			    /* DES-CBC3-SHA */
	assert_false(policy_tls_cipher(&p, 0x0034));			    /* ADH-AES128-SHA */
	assert_false(policy_tls_cipher(&p, 0x003b));			    /* NULL-SHA256 */
	assert_false(policy_tls_cipher(&p, 0x0003));			    /* EXP-RC4-MD5 */
	assert_int_equal(tls_suite_find(0x002f)->verdict, SUITE_TOLERATED); /* not in Mozilla's */
	assert_int_equal(tls_suite_find(0xcca8)->verdict, SUITE_RECOMMENDED);
	policy_free(&p);
}

/* Found by an OpenSSL 1.0 that settled on what was not in the table: an unknown suite is let pass. */
static void every_suite_whose_name_says_it_is_weak_is_forbidden(void **state)
{
	static const char *const weak[] = {"NULL",   "_anon_", "EXPORT", "_RC4_", "_RC2_",
					   "_3DES_", "_DES_",  "_IDEA_", NULL};
	int found = 0;

	for (unsigned int n = 0; n < 0x10000; n++) {
		const struct tls_suite *s = tls_suite_find((uint16_t)n);
		bool is_weak =
			n == 0xc0b4 || n == 0xc0b5; /* TLS_SHA256_SHA256: signed, not encrypted */

		if (!s)
			continue;
		found++;
		assert_int_equal(s->number, n); /* the table is in order */
		for (int i = 0; weak[i]; i++)
			is_weak = is_weak || strstr(s->name, weak[i]);
		if (is_weak != (s->verdict == SUITE_FORBIDDEN) &&
		    n != 0x001d) /* Skipjack: 80 bits */
			fail_msg("%s: %d", s->name, s->verdict);
	}
	assert_int_equal(found, 366);
	assert_int_equal(tls_suite_find(0x0028)->verdict, SUITE_FORBIDDEN); /* Kerberos, EXPORT */
	assert_int_equal(tls_suite_find(0x008e)->verdict, SUITE_FORBIDDEN); /* DHE_PSK, RC4 */
	assert_int_equal(tls_suite_find(0xc05a)->verdict, SUITE_FORBIDDEN); /* anonymous, ARIA */
	assert_int_equal(tls_suite_find(0xc02d)->verdict,
			 SUITE_TOLERATED); /* ECDH_ECDSA, AES-GCM */
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
		cmocka_unit_test(an_sslv2_hello_is_read),
		cmocka_unit_test(the_longest_sslv2_hello_stays_in_its_room),
		cmocka_unit_test(a_raw_public_key_is_no_bad_certificate),
		cmocka_unit_test(only_a_server_settles),
		cmocka_unit_test(a_browsers_hello_is_read_in_any_cut),
		cmocka_unit_test(foreign_bytes_end_the_reading),
		cmocka_unit_test(nothing_behind_the_clear_part_is_handed_on),
		cmocka_unit_test(the_policy_knows_old_versions_and_broken_suites),
		cmocka_unit_test(every_suite_whose_name_says_it_is_weak_is_forbidden),
	};

	make_cert();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
