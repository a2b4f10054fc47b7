/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_hello.c - the handshake reader of include/tls/handshake.h on messages built by hand: what
 * OpenSSL does not send (SSLv2 framing, raw public keys, browser hellos) and what no peer should send.
 * Real handshakes are in test_tls_handshake.c.
 */
#include "streams/handshake.h"

#define MESSAGE_START 9 /* record header and message header */

static void sslv2_hello_is_read(void **state)
{
	static uint8_t bytes[2 + 0x1c] = {0x80, 0x1c, 1, 3,    1,    0,	   3,
					  0,	0,    0, 0x10, 0x01, 0x00, 0x80};
	const struct stream hello = {.data = bytes, .len = sizeof(bytes)};
	struct handshake h = {};

	for (uint32_t piece = 1; piece < 40; piece++) {
		tls_facts_begin(&h.facts);
		handshake_read(&h, &hello, piece);
		assert_int_equal(h.facts.flags, TLS_CLIENT_HELLO);
		assert_int_equal(h.facts.record_version, TLS_SSL2);
		assert_int_equal(h.facts.client_version, TLS_1_0);
		assert_int_equal(h.facts.suites_offered, 1);
	}
}

/*
 * The SSLv2 length field has 15 bits, as many as the reader's message buffer holds; with the two bytes
 * of the length itself the message would overflow it.
 */
static void longest_sslv2_hello_does_not_overflow_the_buffer(void **state)
{
	struct {
		struct tls_reader reader;
		uint8_t guard[64];
	} *guarded = malloc(sizeof(*guarded));
	static uint8_t hello[2 + 0x7fff] = {0xff, 0xff, 1, 3, 1};
	static uint8_t untouched[sizeof(guarded->guard)];
	struct tls_facts f;

	memset(untouched, 0x5a, sizeof(untouched));
	memset(guarded, 0x5a, sizeof(*guarded));
	tls_facts_begin(&f);
	tls_reader_begin(&guarded->reader, &f);
	assert_int_equal(tls_reader_feed(&guarded->reader, hello, sizeof(hello)),
			 TLS_READ_TOO_LARGE);
	assert_memory_equal(guarded->guard, untouched, sizeof(untouched));
	assert_int_equal(guarded->reader.message[TLS_MESSAGE_MAX - 1], 0x5a);
	free(guarded);
}

/* A vector with a length prefix of that many bytes (RFC 8446 §3.4). Returns where its content starts. */
static uint32_t vector_begin(struct stream *st, uint32_t length_bytes)
{
	stream_add_number(st, 0, length_bytes);
	return st->len;
}

static void vector_end(struct stream *st, uint32_t start, uint32_t length_bytes)
{
	stream_set_number(st, start - length_bytes, st->len - start, length_bytes);
}

/* One message in a record of its own. Returns where its body starts. */
static uint32_t message_begin(struct stream *st, uint32_t record_version, uint32_t kind)
{
	stream_add_number(st, TLS_HANDSHAKE, 1);
	stream_add_number(st, record_version, 2);
	vector_begin(st, 2);
	stream_add_number(st, kind, 1);
	return vector_begin(st, 3);
}

static void message_end(struct stream *st, uint32_t body)
{
	vector_end(st, body, 3);
	vector_end(st, body - 4, 2);
}

/* An extension, or a key share, with arbitrary content. */
static void add_extension(struct stream *st, uint32_t type, uint32_t len)
{
	stream_add_number(st, type, 2);
	stream_add_number(st, len, 2);
	for (; len; len--)
		stream_add_number(st, len * 7, 1);
}

/* A server's flight with a raw public key that claims a length of key_len (RFC 7250). */
static void add_raw_key_flight(struct stream *st, bool negotiated, uint32_t key_len)
{
	uint32_t body;

	st->len = 0;
	body = message_begin(st, TLS_1_2, TLS_MSG_SERVER_HELLO);
	stream_add_number(st, TLS_1_2, 2);
	stream_extend(st, 32); /* random */
	stream_add_number(st, 0, 1);
	stream_add_number(st, 0xc02b00, 3);
	stream_add_number(st, negotiated ? 5 : 0, 2);
	if (negotiated) {
		stream_add_number(st, 0x00140001, 4); /* server_certificate_type */
		stream_add_number(st, 2, 1);	      /* RawPublicKey */
	}
	message_end(st, body);
	body = message_begin(st, TLS_1_2, TLS_MSG_CERTIFICATE);
	stream_add_number(st, key_len, 3);
	stream_add_number(st, 0x30593013, 4); /* how a SubjectPublicKeyInfo begins */
	stream_extend(st, 87);
	message_end(st, body);
}

static void raw_public_key_is_not_a_malformed_certificate(void **state)
{
	static const struct {
		bool negotiated;
		uint32_t key_len;
		bool bad;
	} rows[] = {{true, 91, false}, {true, 90, true}, {false, 91, true}};
	struct stream flight = {};
	struct handshake h = {};

	for (size_t i = 0; i < 3; i++) {
		tls_facts_begin(&h.facts);
		add_raw_key_flight(&flight, rows[i].negotiated, rows[i].key_len);
		handshake_read(&h, &flight, 7);
		assert_int_equal(h.facts.version, TLS_1_2);
		assert_int_equal(!!(h.facts.flags & TLS_RAW_KEY), rows[i].negotiated);
		assert_int_equal(!!(h.facts.flags & TLS_BAD_HANDSHAKE), rows[i].bad);
		assert_false(h.facts.flags & TLS_CERTIFICATE);
		assert_int_equal(h.certs, 0);
	}
	stream_free(&flight);
}

static void server_hello_from_a_client_negotiates_nothing(void **state)
{
	struct stream both = {};
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	assert_true(handshake_run(&h, NULL));
	stream_add(&both, h.s.sent[CLIENT].data,
		   TLS_HEADER_LEN + record_length(&h.s.sent[CLIENT], 0));
	stream_add(&both, h.s.sent[SERVER].data, 200);
	tls_facts_begin(&h.facts);
	handshake_read(&h, &both, IN_ONE_PIECE);
	assert_true(h.facts.flags & TLS_CLIENT_HELLO);
	assert_false(h.facts.flags & TLS_SERVER_HELLO);
	assert_int_equal(h.facts.version, 0);
	stream_free(&both);
	session_free(&h.s);
}

static int read_as(enum tls_side side, const struct stream *st, uint32_t len, struct tls_facts *f)
{
	static struct tls_reader r;

	tls_facts_begin(f);
	tls_reader_begin(&r, f);
	r.side = side;
	return tls_reader_feed(&r, st->data, len);
}

static void hello_of_the_other_side_is_refused(void **state)
{
	struct tls_facts f;
	struct handshake h;

	session_init(&h.s);
	SSL_CTX_set_max_proto_version(h.s.ctx[CLIENT], TLS1_2_VERSION);
	assert_true(handshake_run(&h, NULL));
	for (enum tls_side side = TLS_SIDE_CLIENT; side <= TLS_SIDE_SERVER; side++) {
		assert_int_equal(read_as(side, &h.s.sent[SERVER], 200, &f),
				 side == TLS_SIDE_SERVER ? TLS_READING : TLS_READ_FOREIGN);
		assert_int_equal(!!(f.flags & TLS_SERVER_HELLO), side == TLS_SIDE_SERVER);
		assert_int_equal(read_as(side, &h.s.sent[CLIENT], 100, &f),
				 side == TLS_SIDE_CLIENT ? TLS_READING : TLS_READ_FOREIGN);
	}
	session_free(&h.s);
}

static void add_key_shares(struct stream *st)
{
	uint32_t extension, list;

	stream_add_number(st, 51, 2);
	extension = vector_begin(st, 2);
	list = vector_begin(st, 2);
	stream_add_number(st, 0x9a9a, 2); /* GREASE */
	stream_add_number(st, 0x000100, 3);
	add_extension(st, 0x11ec, 1216); /* X25519MLKEM768 */
	add_extension(st, 29, 32);	 /* X25519 */
	vector_end(st, list, 2);
	vector_end(st, extension, 2);
}

static void add_supported_versions(struct stream *st)
{
	uint32_t extension, list;

	stream_add_number(st, 43, 2);
	extension = vector_begin(st, 2);
	list = vector_begin(st, 1);
	stream_add_number(st, 0x7a7a0304, 4); /* GREASE first */
	stream_add_number(st, 0x0303, 2);
	vector_end(st, list, 1);
	vector_end(st, extension, 2);
}

static void add_server_name(struct stream *st, const char *host)
{
	uint32_t extension, list, name;

	stream_add_number(st, 0, 2);
	extension = vector_begin(st, 2);
	list = vector_begin(st, 2);
	stream_add_number(st, 0, 1); /* host_name */
	name = vector_begin(st, 2);
	stream_add_text(st, host);
	vector_end(st, name, 2);
	vector_end(st, list, 2);
	vector_end(st, extension, 2);
}

static void add_alpn(struct stream *st, const char *const *protocols)
{
	uint32_t extension, list, name;

	stream_add_number(st, 16, 2);
	extension = vector_begin(st, 2);
	list = vector_begin(st, 2);
	for (; *protocols; protocols++) {
		name = vector_begin(st, 1);
		stream_add_text(st, *protocols);
		vector_end(st, name, 1);
	}
	vector_end(st, list, 2);
	vector_end(st, extension, 2);
}

/*
 * A ClientHello as current browsers send it: GREASE (RFC 8701) first among suites, extensions, groups
 * and versions; a post-quantum key share that alone is longer than many segments; an encrypted hello
 * beside the outer name; ALPS; compressed certificates (RFC 8879); padding (RFC 7685). Extensions are
 * in no particular order, since browsers shuffle them.
 */
static void add_browser_hello(struct stream *st)
{
	static const char *const protocols[] = {"h2", "http/1.1", NULL};
	uint32_t body, extensions;

	body = message_begin(st, TLS_1_0, TLS_MSG_CLIENT_HELLO);
	stream_add_number(st, TLS_1_2, 2);
	stream_extend(st, 32); /* random */
	stream_add_number(st, 32, 1);
	stream_extend(st, 32); /* session id */
	stream_add_number(st, 8, 2);
	stream_add_number(st, 0xeaea1301, 4);
	stream_add_number(st, 0x1302cca9, 4);
	stream_add_number(st, 0x0100, 2); /* compression: none */
	extensions = vector_begin(st, 2);
	add_extension(st, 0x2a2a, 0);
	add_extension(st, 0xfe0d, 282); /* encrypted_client_hello */
	add_extension(st, 0x44cd, 5);	/* application_settings */
	add_key_shares(st);
	add_supported_versions(st);
	add_extension(st, 27, 3);    /* compress_certificate */
	add_extension(st, 0x8a, 70); /* unassigned */
	add_server_name(st, "outer.example");
	add_alpn(st, protocols);
	add_extension(st, 0xcaca, 1);
	add_extension(st, 21, 400); /* padding */
	vector_end(st, extensions, 2);
	message_end(st, body);
}

static void browser_hello_is_read_however_it_is_cut(void **state)
{
	static const uint32_t records[] = {16384, 1, 3, 100, 517, 1200},
			      pieces[] = {IN_ONE_PIECE, 1, 5, 536, 1208, 1448};
	struct stream hello = {}, split = {};
	struct handshake h = {};

	add_browser_hello(&hello);
	assert_true(hello.len > 2 * 1024);
	for (size_t i = 0; i < 36; i++) {
		split_records(&split, &hello, records[i / 6]);
		tls_facts_begin(&h.facts);
		assert_int_equal(handshake_read(&h, &split, pieces[i % 6]), TLS_READING);
		assert_int_equal(h.facts.flags, TLS_CLIENT_HELLO);
		assert_int_equal(h.facts.record_version, TLS_1_0);
		assert_int_equal(h.facts.client_version, TLS_1_2);
		assert_int_equal(h.facts.offered_count, 2);
		assert_int_equal(h.facts.offered[0], TLS_1_3);
		assert_int_equal(h.facts.offered[1], TLS_1_2);
		assert_int_equal(h.facts.suites_offered, 4);
		assert_string_equal(h.facts.sni, "outer.example");
		assert_string_equal(h.facts.alpn_offered, "h2,http/1.1");
		assert_int_equal(clear_end(&split, pieces[i % 6]), split.len);
	}
	stream_free(&hello);
	stream_free(&split);
}

/* Nothing in the list of extensions is trusted, not even those before the end. */
static void extensions_longer_than_the_message_are_ignored(void **state)
{
	struct stream hello = {};
	struct handshake h = {};

	add_browser_hello(&hello);
	hello.len -= 400;
	message_end(&hello, MESSAGE_START);
	tls_facts_begin(&h.facts);
	handshake_read(&h, &hello, IN_ONE_PIECE);
	assert_int_equal(h.facts.flags, TLS_CLIENT_HELLO | TLS_BAD_HANDSHAKE);
	assert_string_equal(h.facts.sni, "");
	stream_free(&hello);
}

static void bytes_that_are_not_a_handshake_end_reading(void **state)
{
	static const char *const texts[] = {"GET / HTTP/1.1\r\n", "*1\r\n$4\r\nPING\r\n",
					    "\x16\x03\x01\x00\x05"
					    "\x0b\x00\x00\x01\x00"};
	static const size_t lens[] = {16, 14, 10};

	for (size_t i = 0; i < 3; i++) {
		struct stream st = {};
		struct handshake h = {};

		stream_add(&st, texts[i], lens[i]);
		tls_facts_begin(&h.facts);
		assert_int_equal(handshake_read(&h, &st, 3), TLS_READ_FOREIGN);
		assert_int_equal(h.facts.flags, 0);
		stream_free(&st);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sslv2_hello_is_read),
		cmocka_unit_test(longest_sslv2_hello_does_not_overflow_the_buffer),
		cmocka_unit_test(raw_public_key_is_not_a_malformed_certificate),
		cmocka_unit_test(server_hello_from_a_client_negotiates_nothing),
		cmocka_unit_test(hello_of_the_other_side_is_refused),
		cmocka_unit_test(browser_hello_is_read_however_it_is_cut),
		cmocka_unit_test(extensions_longer_than_the_message_are_ignored),
		cmocka_unit_test(bytes_that_are_not_a_handshake_end_reading),
	};

	return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
