/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handshake.h - a handshake and what the reader in include/tls/handshake.h makes of its bytes, and the
 * walk in include/tls/clear.h that ends what the kernel hands to userspace.
 */
#ifndef STREAMS_HANDSHAKE_H
#define STREAMS_HANDSHAKE_H

#include "load.h"
#include "session.h"

#include "tls/clear.h"
#include "tls/handshake.h"

#include "model/cert.h"

#define IN_ONE_PIECE UINT32_MAX

struct handshake {
	struct session s;
	struct tls_facts facts; /* as the reader reports them */
	struct cert cert;
	int certs; /* how many the reader found */
};

/* Handshake and a little data both ways. Returns whether the ends agreed. */
static inline bool handshake_run(struct handshake *h, SSL_SESSION *resumed)
{
	session_open(&h->s, resumed);
	if (!session_handshake(&h->s))
		return false;
	session_send(&h->s, CLIENT, 17);
	session_send(&h->s, SERVER, 17);
	return true;
}

static inline void handshake_on_cert(void *ctx, const __u8 *der, __u32 len)
{
	struct handshake *h = ctx;

	h->certs++;
	assert_int_equal(cert_read(&h->cert, der, len), 0);
}

/* One direction in pieces of that size, added to h->facts. Returns the reader's enum tls_reading. */
static inline int handshake_read(struct handshake *h, const struct stream *st, uint32_t piece)
{
	static struct tls_reader r;

	memset(&r, 0xa5, sizeof(r));
	tls_reader_begin(&r, &h->facts);
	r.certificate = handshake_on_cert;
	r.ctx = h;
	for (uint32_t at = 0, n; at < st->len; at += n) {
		/* an allocation of exactly n bytes lets ASan see a read past the piece */
		uint8_t *copy;

		n = piece < st->len - at ? piece : st->len - at;
		copy = malloc(n);
		memcpy(copy, st->data + at, n);
		tls_reader_feed(&r, copy, n);
		free(copy);
	}
	return r.reading;
}

/* The client's direction, then the server's, into new facts. */
static inline void handshake_read_both(struct handshake *h, uint32_t piece)
{
	tls_facts_begin(&h->facts);
	h->certs = 0;
	handshake_read(h, &h->s.sent[CLIENT], piece);
	handshake_read(h, &h->s.sent[SERVER], piece);
}

static inline uint32_t record_length(const struct stream *st, uint32_t at)
{
	return (uint32_t)st->data[at + 3] << 8 | st->data[at + 4];
}

/* The same bytes with handshake records of at most `size` bytes, so that messages span records. */
static inline void split_records(struct stream *to, const struct stream *from, uint32_t size)
{
	to->len = 0;
	for (uint32_t at = 0, len; at + TLS_HEADER_LEN <= from->len; at += TLS_HEADER_LEN + len) {
		uint32_t most;

		len = record_length(from, at);
		most = from->data[at] == TLS_HANDSHAKE ? size : len;
		for (uint32_t done = 0, n; done < len; done += n) {
			n = most < len - done ? most : len - done;
			stream_add(to, from->data + at, 3);
			stream_add_number(to, n, 2);
			stream_add(to, from->data + at + TLS_HEADER_LEN + done, n);
		}
	}
}

/* Where the kernel stops handing bytes on, if the stream comes in segments of that size. */
static inline uint32_t clear_end(const struct stream *st, uint32_t piece)
{
	struct tls_stream s = {};
	uint32_t bad, unread = 0;
	__u64 bad_at;

	tls_begin(&s, 0, 1);
	for (uint32_t at = 0, n; at < st->len; at += n) {
		struct tls_walk w = {
			.ctx = st->data, .off = at, .left = s.left, .hdr = s.hdr, .have = s.have};

		n = piece < st->len - at ? piece : st->len - at;
		w.end = at + n;
		while (!tls_clear_step(&w))
			;
		if (w.failed)
			return w.bad;
		tls_feed(&s, st->data, at, at, n, &bad, &bad_at, &unread);
	}
	return st->len;
}

#endif
