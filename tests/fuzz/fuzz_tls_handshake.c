/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tls_handshake.c - libFuzzer on the handshake reader of include/tls_handshake.h and on the walk of
 * include/tls_clear.h.
 *
 * The input: how to cut and whose the direction is, then the bytes of a direction; before each of its handshake records a byte may ask
 * for a valid header and message head, so that the inside of messages is reached. Held:
 *
 *  - nothing is read outside a piece (each lies in an allocation of its own size, for ASan);
 *  - the facts are the same however the bytes are cut, and every string ends in its room and is
 *    printable;
 *  - behind the byte where the clear part ends by the kernel's walk the reader finds nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tls/clear.h"
#include "tls/handshake.h"

#define STREAM_ROOM 16384

static void hold(int what)
{
	if (!what)
		__builtin_trap();
}

static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	const uint8_t *b = ctx;
	__u64 v = 0;

	for (__u32 i = 0; i < n; i++)
		v |= (__u64)b[off + i] << (8 * i);
	return v;
}

static volatile unsigned int sum;

/* Every byte of a certificate lies where it can be read. */
static void on_certificate(void *ctx, const __u8 *der, __u32 len)
{
	(void)ctx;
	for (__u32 i = 0; i < len; i++)
		sum += der[i];
}

/*
 * Bytes 0xf0..0xff mean: the rest of a chunk as one record with one message in it, of a kind by the lower
 * half; others are copied as they are.
 */
static uint32_t build(const uint8_t *in, size_t len, uint8_t *to)
{
	static const uint8_t kinds[] = {0, 1, 2, 4, 11, 13, 14, 1, 2, 1, 2, 11, 2, 1, 12, 16};
	uint32_t at = 0;

	while (len && at + 9 + 255 < STREAM_ROOM) {
		uint8_t op = *in++;

		len--;
		if (op < 0xf0 || len < 1) {
			to[at++] = op;
			continue;
		}
		uint32_t n = *in++;

		len--;
		if (n > len)
			n = len;
		to[at++] = 22;
		to[at++] = 3;
		to[at++] = 3;
		to[at++] = (n + 4) >> 8;
		to[at++] = n + 4;
		to[at++] = kinds[op & 15];
		to[at++] = 0;
		to[at++] = 0;
		to[at++] = n;
		memcpy(to + at, in, n);
		at += n;
		in += n;
		len -= n;
	}
	return at;
}

static void hold_text(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	hold(n < room);
	for (size_t i = 0; i < n; i++)
		hold(s[i] > 0x20 && s[i] < 0x7f);
}

static void hold_facts(const struct tls_facts *f)
{
	hold_text(f->sni, sizeof(f->sni));
	hold_text(f->alpn, sizeof(f->alpn));
	hold_text(f->alpn_offered, sizeof(f->alpn_offered));
	hold(f->offered_count <= TLS_OFFERED_MAX);
	hold(f->session_len <= TLS_SESSION_LEN);
}

static int read_all(struct tls_facts *f, const uint8_t *stream, uint32_t len, uint32_t piece,
		    int side)
{
	static struct tls_reader r;

	tls_facts_begin(f);
	tls_reader_begin(&r, f);
	r.side = side;
	r.certificate = on_certificate;
	for (uint32_t at = 0; at < len; at += piece) {
		uint32_t n = piece < len - at ? piece : len - at;
		uint8_t *copy = malloc(n);

		memcpy(copy, stream + at, n);
		tls_reader_feed(&r, copy, n);
		free(copy);
		hold(r.got <= TLS_MESSAGE_MAX && r.have < TLS_HEADER_LEN && r.alert_have < 2);
	}
	hold_facts(f);
	return r.reading;
}

/* How far the kernel would hand on, all in one segment. */
static uint32_t clear_end(const uint8_t *stream, uint32_t len)
{
	struct tls_walk w = {.ctx = (void *)stream, .end = len};
	uint32_t steps = 0;

	while (!tls_clear_step(&w))
		hold(++steps <= len / TLS_HEADER_LEN + 2);
	hold(!w.failed || w.bad <= len);
	return w.failed ? w.bad : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[STREAM_ROOM + 512];
	struct tls_facts whole, cut, clear;
	uint32_t len, end;
	int side;

	if (size < 1)
		return 0;
	side = data[0] % 3;
	len = build(data + 1, size - 1, stream);
	read_all(&whole, stream, len, len + 1, side);
	read_all(&cut, stream, len, 1 + data[0], side);
	hold(!memcmp(&whole, &cut, sizeof(whole)));
	if (len && stream[0] & 0x80) /* SSLv2 framing: the kernel hands on nothing */
		return 0;
	end = clear_end(stream, len);
	read_all(&clear, stream, end, end + 1, side);
	clear.flags |= whole.flags & TLS_MIDDLEBOX_COMPAT; /* the ChangeCipherSpec itself */
	hold(!memcmp(&whole, &clear, sizeof(whole)));
	return 0;
}
