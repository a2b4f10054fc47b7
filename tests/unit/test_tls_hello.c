/* SPDX-License-Identifier: BSD-2-Clause */
/* test_tls_hello.c - the handshake reader of include/tls/handshake.h on messages built by hand. */
#include "unit.h"

#include <stdbool.h>

#include "streams/handshake.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_sslv2_hello_is_read),
		cmocka_unit_test(the_longest_sslv2_hello_stays_in_its_room),
		cmocka_unit_test(a_raw_public_key_is_no_bad_certificate),
		cmocka_unit_test(only_a_server_settles),
		cmocka_unit_test(a_browsers_hello_is_read_in_any_cut),
		cmocka_unit_test(foreign_bytes_end_the_reading),
	};

	make_cert();
	return cmocka_run_group_tests_name("tls_hello", tests, NULL, NULL);
}
