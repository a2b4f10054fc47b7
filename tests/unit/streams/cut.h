/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut.h - feeds a stream to the record walk in segments. The verdict must not depend on where TCP cuts
 * the stream; check_every_cut() verifies that. Every load is checked against the bounds of its segment.
 */
#ifndef STREAMS_CUT_H
#define STREAMS_CUT_H

#include "stream.h"

#include "tls/record.h"

#define HEADROOM 54 /* bytes before the payload, as link, IP and TCP headers would be */
#define NEVER UINT64_MAX
#define EVERY_PAIR_MAX 160  /* longest stream that is cut at every pair of offsets */
#define RANDOM_CUTS 64	    /* rounds of random cuts for each stream */
#define EVERY_ISN_MAX 65536 /* longest stream that is fed from every initial sequence number */
#define ISN 0xfffffff0u	    /* most streams are longer than 16 bytes and wrap at 2^32 */

/* What tls_load may read: len bytes of data, at offset HEADROOM of an imaginary packet. */
struct segment {
	const uint8_t *data;
	uint32_t len;
};

static inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	const struct segment *seg = ctx;
	__u64 v = 0;

	if (n < 1 || n > TLS_HEADER_LEN || off < HEADROOM || off - HEADROOM + n > seg->len)
		fail_msg("load of %u bytes at %u of a segment of %u", n, off - HEADROOM, seg->len);
	for (__u32 i = 0; i < n; i++)
		v |= (__u64)seg->data[off - HEADROOM + i] << (8 * i);
	return v;
}

/* Set by a test program whose streams begin as connections do: their order is checked, too. */
static int handshake_expected;

static inline void begin_at(struct tls_stream *s, uint32_t isn, int from_start)
{
	tls_begin(s, isn, from_start);
	if (from_start && handshake_expected)
		tls_expect_handshake(s);
}

static inline struct tls_stream begin(int from_start)
{
	struct tls_stream s = {};

	begin_at(&s, ISN, from_start);
	return s;
}

/* Three records as every connection has them. Returns their number. */
static inline uint32_t stream_add_handshake(struct stream *st)
{
	stream_add_record(st, TLS_HANDSHAKE, 40);
	stream_add_record(st, TLS_CHANGE_CIPHER_SPEC, 1);
	stream_add_record(st, TLS_APPLICATION_DATA, 23);
	return 3;
}

static const char *const plaintexts[] = {
	"PING\r\n",
	"*1\r\n$4\r\nPING\r\n",
	"+PONG\r\n",
	"-ERR\r\n",
	"$-1\r\n",
	":1\r\n",
	"GET / HTTP/1.1\r\n\r\n",
	"\n",
	"\x80\x2e\x01\x03\x01", /* SSLv2 ClientHello: two-byte length, type 1, version 3.1 */
	"\x80\x1c\x01",
	"\x16\x02 a version that does not exist",
	"\x19\x03\x03 a type beyond heartbeat",
};
#define PLAINTEXTS (sizeof(plaintexts) / sizeof(plaintexts[0]))

/*
 * Feeds bytes [at, at + len) of st. Returns enum tls_seen; on TLS_SEEN_PLAIN *plain_at, unless NULL, is
 * the stream offset where plaintext begins.
 */
static inline int feed(struct tls_stream *s, const struct stream *st, uint32_t isn, uint32_t at,
		       uint32_t len, uint64_t *plain_at)
{
	struct segment seg = {.data = st->data + at, .len = len};
	uint32_t bad = UINT32_MAX, unread = 0;
	__u64 bad_at = NEVER;
	int seen = tls_feed(s, &seg, isn + at, HEADROOM, len, &bad, &bad_at, &unread);

	assert_in_range(seen, TLS_SEEN_RECORDS, TLS_SEEN_BROKEN);
	if (seen == TLS_SEEN_PLAIN) {
		assert_in_range(bad, HEADROOM, HEADROOM + len - 1);
		assert_int_not_equal(bad_at, NEVER);
		if (plain_at)
			*plain_at = bad_at;
	} else {
		assert_int_equal(bad, UINT32_MAX);
		assert_int_equal(bad_at, NEVER);
	}
	return seen;
}

/* Feeds all of st in segments that end at the n cuts. Returns where plaintext begins, or NEVER. */
static inline uint64_t feed_cut(struct tls_stream *s, const struct stream *st, uint32_t isn,
				const uint32_t *cuts, uint32_t n)
{
	uint64_t plain_at = NEVER;
	uint32_t at = 0;

	for (uint32_t i = 0; i <= n; i++) {
		uint32_t end = i < n ? cuts[i] : st->len;
		int before = s->sync;
		int seen = feed(s, st, isn, at, end - at, &plain_at);

		if (at == end)
			assert_int_equal(seen, TLS_SEEN_NOTHING);
		else if (before == TLS_BROKEN)
			assert_int_equal(seen, TLS_SEEN_BROKEN);
		else
			assert_true(seen == TLS_SEEN_RECORDS || seen == TLS_SEEN_PLAIN);
		at = end;
	}
	return plain_at;
}

/* Compares a synced or broken stream with the one it must equal, and where plaintext began. */
static inline void check_end(const struct tls_stream *s, const struct tls_stream *want,
			     uint64_t plain_at, uint64_t want_plain_at)
{
	assert_int_equal(plain_at, want_plain_at);
	assert_int_equal(s->sync, want->sync);
	assert_int_equal(s->records, want->records);
	assert_int_equal(s->next, want->next);
	assert_int_equal(s->offset, want->offset);
	assert_int_equal(s->order, want->order);
	if (s->sync == TLS_BROKEN)
		return;
	assert_int_equal(s->left, want->left);
	assert_int_equal(s->have, want->have);
	assert_int_equal(s->hdr, want->hdr);
}

static inline void check_cuts(const struct stream *st, uint32_t isn, const struct tls_stream *want,
			      uint64_t plain_at, const uint32_t *cuts, uint32_t n)
{
	struct tls_stream s = {};
	uint64_t got;

	begin_at(&s, isn, 1);
	got = feed_cut(&s, st, isn, cuts, n);
	check_end(&s, want, got, plain_at);
}

static inline void check_every_pair(const struct stream *st, uint32_t isn,
				    const struct tls_stream *want, uint64_t plain_at)
{
	for (uint32_t i = 0; i < st->len; i++)
		for (uint32_t k = i + 1; k < st->len; k++)
			check_cuts(st, isn, want, plain_at, (uint32_t[]){i, k}, 2);
}

static inline void check_random_cuts(const struct stream *st, uint32_t isn,
				     const struct tls_stream *want, uint64_t plain_at,
				     uint32_t *cuts)
{
	for (int round = 0; round < RANDOM_CUTS; round++) {
		uint32_t most = 1 + random_below(round % 2 ? 12 : 1448);
		uint32_t at = 0, n;

		for (n = 0; at < st->len; n++) {
			uint32_t piece = 1 + random_below(most);

			at = piece < st->len - at ? at + piece : st->len;
			cuts[n] = at;
		}
		check_cuts(st, isn, want, plain_at, cuts, n);
	}
}

static inline void check_every_cut_from(const struct stream *st, uint32_t isn, uint64_t plain_at,
					uint32_t records)
{
	struct tls_stream want = {};
	uint32_t *cuts = calloc(st->len + 1, sizeof(*cuts));
	uint32_t n;

	assert_non_null(cuts);
	begin_at(&want, isn, 1);
	assert_int_equal(feed_cut(&want, st, isn, NULL, 0), plain_at);
	assert_int_equal(want.sync, plain_at == NEVER ? TLS_SYNCED : TLS_BROKEN);
	assert_int_equal(want.records, records);
	assert_int_equal(want.offset, st->len);
	assert_int_equal(want.next, (uint32_t)(isn + st->len));
	for (uint32_t i = 0; i <= st->len; i++)
		check_cuts(st, isn, &want, plain_at, &i, 1);
	for (n = 0; n + 1 < st->len; n++)
		cuts[n] = n + 1;
	check_cuts(st, isn, &want, plain_at, cuts, n);
	if (st->len <= EVERY_PAIR_MAX)
		check_every_pair(st, isn, &want, plain_at);
	check_random_cuts(st, isn, &want, plain_at, cuts);
	free(cuts);
}

/*
 * Checks that the walk finds this many record headers in st and plaintext at plain_at (NEVER: none),
 * however st is cut and wherever its sequence numbers begin.
 */
static inline void check_every_cut(const struct stream *st, uint64_t plain_at, uint32_t records)
{
	check_every_cut_from(st, 1, plain_at, records);
	check_every_cut_from(st, -(st->len / 2), plain_at, records); /* wraps at 2^32 half way */
	if (st->len > EVERY_ISN_MAX)
		return;
	check_every_cut_from(st, 0x7fffffff, plain_at, records); /* crosses the sign bit */
	check_every_cut_from(st, UINT32_MAX, plain_at, records); /* wraps after one byte */
}

#endif
