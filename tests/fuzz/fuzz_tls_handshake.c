/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tls_handshake.c - libFuzzer on the handshake reader of include/tls/handshake.h and the walk of
 * include/tls/clear.h.
 *
 * Input: one byte that selects the segment size and the side, then the bytes of one direction; see build().
 * Invariants:
 *
 *  - nothing is read outside a piece (each is an allocation of its own size, for ASan);
 *  - the facts are the same however the bytes are cut, and every string is terminated and printable;
 *  - the reader finds nothing behind the byte at which the kernel's walk ends the clear part.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/streams/load.h"

#include "tls/clear.h"
#include "tls/handshake.h"

#define STREAM_ROOM 16384

static void check(int ok)
{
	if (!ok)
		__builtin_trap();
}

static volatile unsigned int sum;

/* Reads every byte, for ASan to check. */
static void on_certificate(void *ctx, const __u8 *der, __u32 len)
{
	(void)ctx;
	for (__u32 i = 0; i < len; i++)
		sum += der[i];
}

/*
 * A byte of 0xf0..0xff is replaced by the headers of a handshake record and of the message it holds: the
 * low half selects the message type, the next byte the length. This reaches the inside of messages. All
 * other bytes are copied.
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

static void check_text(const char *s, size_t room)
{
	size_t n = strnlen(s, room);

	check(n < room);
	for (size_t i = 0; i < n; i++)
		check(s[i] > 0x20 && s[i] < 0x7f);
}

static void check_facts(const struct tls_facts *f)
{
	check_text(f->sni, sizeof(f->sni));
	check_text(f->alpn, sizeof(f->alpn));
	check_text(f->alpn_offered, sizeof(f->alpn_offered));
	check(f->offered_count <= TLS_OFFERED_MAX);
	check(f->session_len <= TLS_SESSION_LEN);
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
		check(r.got <= TLS_MESSAGE_MAX && r.have < TLS_HEADER_LEN && r.alert_have < 2);
	}
	check_facts(f);
	return r.reading;
}

/* How many bytes the kernel passes on if they are one segment. */
static uint32_t clear_end(const uint8_t *stream, uint32_t len)
{
	struct tls_walk w = {.ctx = (void *)stream, .end = len};
	uint32_t steps = 0;

	while (!tls_clear_step(&w))
		check(++steps <= len / TLS_HEADER_LEN + 2);
	check(!w.failed || w.bad <= len);
	return w.failed ? w.bad : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t stream[STREAM_ROOM + 512];
	struct tls_facts uncut, cut, clear;
	uint32_t len, end;
	int side;

	if (size < 1)
		return 0;
	side = data[0] % 3;
	len = build(data + 1, size - 1, stream);
	read_all(&uncut, stream, len, len + 1, side);
	read_all(&cut, stream, len, 1 + data[0], side);
	check(!memcmp(&uncut, &cut, sizeof(uncut)));
	if (len && stream[0] & 0x80) /* SSLv2 framing: the kernel passes on nothing */
		return 0;
	end = clear_end(stream, len);
	read_all(&clear, stream, end, end + 1, side);
	clear.flags |=
		uncut.flags &
		TLS_MIDDLEBOX_COMPAT; /* set by the ChangeCipherSpec that ends the clear part */
	check(!memcmp(&uncut, &clear, sizeof(uncut)));
	return 0;
}
