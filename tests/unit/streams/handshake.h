/* SPDX-License-Identifier: BSD-2-Clause */
/* handshake.h - a tape read by the handshake reader, and by the walk that decides what the kernel hands on. */
#ifndef STREAMS_HANDSHAKE_H
#define STREAMS_HANDSHAKE_H

#include "talk.h"

static inline void on_cert(void *ctx, const __u8 *der, __u32 len)
{
	struct talk *t = ctx;

	t->certs++;
	assert_int_equal(cert_read(&t->cert, der, len), 0);
}

static inline int read_tape(struct talk *t, const struct tape *tape, uint32_t piece)
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

/* The same bytes in records of `size` bytes: one message over several records. */
static inline void recut(struct tape *to, const struct tape *from, uint32_t size)
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

/* Where the clear part of a tape ends, by the walk the kernel makes, in segments of that size. */
static inline uint32_t clear_end(const struct tape *tape, uint32_t piece)
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

#endif
