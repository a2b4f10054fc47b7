// SPDX-License-Identifier: BSD-2-Clause
/* hello.c - see hello.h. RFC 8446 §4.1, RFC 5246 §7.4.1; before TLS 1.3 a version is offered without supported_versions. */
#include "validate/hello.h"

#include "tls/facts.h"

#include <string.h>

#define RANDOM_LEN 32
#define RECORD_HEADER 5
#define MESSAGE_HEADER 4

enum { TYPE_ALERT = 21, TYPE_HANDSHAKE = 22 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2 };
enum {
	EXT_GROUPS = 10,
	EXT_POINTS = 11,
	EXT_SIGNATURES = 13,
	EXT_TICKET = 35,
	EXT_VERSIONS = 43,
	EXT_KEY_SHARE = 51,
	EXT_RENEGOTIATION = 0xff01,
};

/* --- writing --- */

struct out {
	uint8_t *buf;
	size_t len;
};

static void put(struct out *o, uint32_t value, size_t bytes)
{
	while (bytes--)
		o->buf[o->len++] = (uint8_t)(value >> 8 * bytes);
}

static void put_bytes(struct out *o, const uint8_t *bytes, size_t n)
{
	memcpy(o->buf + o->len, bytes, n);
	o->len += n;
}

/* Begin what has its length before it, in so many bytes; end it by filling that in. */
static size_t begin(struct out *o, size_t bytes)
{
	put(o, 0, bytes);
	return o->len;
}

static void end(struct out *o, size_t began, size_t bytes)
{
	size_t len = o->len - began;

	for (size_t i = 0; i < bytes; i++)
		o->buf[began - 1 - i] = (uint8_t)(len >> 8 * i);
}

/* An extension that is a list of 16-bit numbers with a length of that many bytes. */
static void put_list(struct out *o, uint16_t type, const uint16_t *number, size_t n, size_t bytes)
{
	size_t extension, list;

	put(o, type, 2);
	extension = begin(o, 2);
	list = begin(o, bytes);
	for (size_t i = 0; i < n; i++)
		put(o, number[i], 2);
	end(o, list, bytes);
	end(o, extension, 2);
}

static void put_key_share(struct out *o, const uint8_t key[RANDOM_LEN])
{
	size_t extension, list;

	put(o, EXT_KEY_SHARE, 2);
	extension = begin(o, 2);
	list = begin(o, 2);
	put(o, 29, 2); /* x25519: any 32 bytes are a public key */
	put(o, RANDOM_LEN, 2);
	put_bytes(o, key, RANDOM_LEN);
	end(o, list, 2);
	end(o, extension, 2);
}

static void put_extensions(struct out *o, const struct hello *h)
{
	/* x25519, P-256, P-384, P-521, x448, ffdhe2048, ffdhe3072 */
	static const uint16_t group[] = {29, 23, 24, 25, 30, 256, 257};
	/* ECDSA, RSA-PSS, EdDSA and RSA with SHA-2, then with SHA-1, and DSA */
	static const uint16_t signature[] = {0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804,
					     0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401,
					     0x0501, 0x0601, 0x0203, 0x0201, 0x0402, 0x0202};
	size_t all = begin(o, 2);

	put_list(o, EXT_GROUPS, group, sizeof(group) / 2, 2);
	put(o, EXT_POINTS, 2);
	put(o, 0x00020100, 4); /* length 2: one format, uncompressed */
	if (h->version >= TLS_1_2)
		put_list(o, EXT_SIGNATURES, signature, sizeof(signature) / 2, 2);
	put(o, EXT_RENEGOTIATION, 2);
	put(o, 0x000100, 3);
	if (h->ticket) {
		put(o, EXT_TICKET, 2);
		put(o, 0, 2);
	}
	if (h->version >= TLS_1_3) {
		put_list(o, EXT_VERSIONS, &h->version, 1, 1);
		put_key_share(o, h->random + RANDOM_LEN);
	}
	end(o, all, 2);
}

size_t hello_write(const struct hello *h, uint8_t buf[HELLO_MAX])
{
	uint16_t legacy = h->version < TLS_1_2 ? h->version : TLS_1_2;
	struct out o = {buf, 0};
	size_t record, message, list;

	if (h->suites > HELLO_SUITES)
		return 0;
	put(&o, TYPE_HANDSHAKE, 1);
	put(&o, h->version > TLS_SSL3 ? TLS_1_0 : TLS_SSL3, 2);
	record = begin(&o, 2);
	put(&o, CLIENT_HELLO, 1);
	message = begin(&o, 3);
	put(&o, legacy, 2);
	put_bytes(&o, h->random, RANDOM_LEN);
	put(&o, 0, 1); /* no session */
	list = begin(&o, 2);
	for (size_t i = 0; i < h->suites; i++)
		put(&o, h->suite[i], 2);
	end(&o, list, 2);
	put(&o, h->deflate ? 0x020100 : 0x0100, h->deflate ? 3 : 2);
	if (h->version > TLS_SSL3)
		put_extensions(&o, h);
	end(&o, message, 3);
	end(&o, record, 2);
	return o.len;
}

/* --- reading --- */

struct in {
	const uint8_t *at;
	size_t left;
	bool bad; /* a read went beyond the end */
};

static uint32_t take(struct in *b, size_t bytes)
{
	uint32_t value = 0;

	if (b->left < bytes) {
		*b = (struct in){b->at, 0, true};
		return 0;
	}
	b->left -= bytes;
	while (bytes--)
		value = value << 8 | *b->at++;
	return value;
}

static void skip(struct in *b, size_t bytes)
{
	if (b->left < bytes) {
		*b = (struct in){b->at, 0, true};
		return;
	}
	b->at += bytes;
	b->left -= bytes;
}

static void read_extensions(struct in *b, struct hello_choice *ret)
{
	uint32_t all;

	if (!b->left)
		return;
	all = take(b, 2);
	b->bad = b->bad || all > b->left;
	while (b->left && !b->bad) {
		uint32_t type = take(b, 2), len = take(b, 2);
		struct in body = *b;

		if (type == EXT_VERSIONS)
			ret->version = (uint16_t)take(&body, 2);
		ret->ticket = ret->ticket || type == EXT_TICKET;
		ret->safe_renegotiation = ret->safe_renegotiation || type == EXT_RENEGOTIATION;
		skip(b, len);
	}
}

static enum hello_answer read_server_hello(struct in *b, struct hello_choice *ret)
{
	*ret = (struct hello_choice){};
	ret->version = (uint16_t)take(b, 2);
	skip(b, RANDOM_LEN);
	skip(b, take(b, 1)); /* session */
	ret->suite = (uint16_t)take(b, 2);
	ret->compressed = take(b, 1);
	read_extensions(b, ret);
	return b->bad || ret->version < TLS_SSL3 || ret->version > TLS_1_3 ? HELLO_FOREIGN
									   : HELLO_CHOSEN;
}

enum hello_answer hello_read(const uint8_t *buf, size_t len, struct hello_choice *ret)
{
	struct in b = {buf, len, false};
	uint32_t type, record, message, size;

	if (len < RECORD_HEADER)
		return len && buf[0] != TYPE_HANDSHAKE && buf[0] != TYPE_ALERT ? HELLO_FOREIGN
									       : HELLO_MORE;
	type = take(&b, 1);
	if (take(&b, 1) != 3 || (type != TYPE_HANDSHAKE && type != TYPE_ALERT))
		return HELLO_FOREIGN;
	if (type == TYPE_ALERT)
		return HELLO_REFUSED;
	skip(&b, 1);
	record = take(&b, 2);
	if (record < MESSAGE_HEADER)
		return HELLO_FOREIGN;
	if (b.left < MESSAGE_HEADER)
		return HELLO_MORE;
	message = take(&b, 1);
	size = take(&b, 3);
	/* a ServerHello is never split over records */
	if (message != SERVER_HELLO || size > record - MESSAGE_HEADER || size > HELLO_SERVER_MAX)
		return HELLO_FOREIGN;
	if (b.left < size)
		return HELLO_MORE;
	b.left = size;
	return read_server_hello(&b, ret);
}
