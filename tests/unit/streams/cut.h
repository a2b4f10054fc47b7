/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cut.h - a byte stream built by hand, and the record walk fed with it in pieces.
 *
 * The walk's verdict must not depend on where TCP cut the stream: check_every_cut() holds it to
 * that. Each load is checked against the segment it may read from.
 */
#ifndef STREAMS_CUT_H
#define STREAMS_CUT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tls/record.h"

#define HEADROOM 54 /* bytes before the payload, as link, IP and TCP headers would be */
#define NEVER UINT64_MAX
#define PAIRS_UP_TO 160		/* streams no longer than this are cut at every pair of places */
#define RANDOM_CUTS 64		/* rounds of random pieces for each stream */
#define WITHOUT_WRAP_OVER 65536 /* longer streams: only two initial sequence numbers */

struct stream {
	uint8_t *data;
	uint32_t len;
	uint32_t room;
};

/* What tls_load may read: len bytes of data, at offset HEADROOM of an imagined packet. */
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

/* xorshift64*: the same cuts in every run */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1du >> 32) % n;
}

static inline void stream_add(struct stream *st, const void *data, uint32_t len)
{
	if (st->len + len > st->room) {
		st->room = (st->len + len) * 2;
		st->data = realloc(st->data, st->room);
		assert_non_null(st->data);
	}
	memcpy(st->data + st->len, data, len);
	st->len += len;
}

static inline void stream_add_text(struct stream *st, const char *text)
{
	stream_add(st, text, strlen(text));
}

static inline void stream_add_header(struct stream *st, uint8_t type, uint8_t minor, uint16_t len)
{
	uint8_t h[TLS_HEADER_LEN] = {type, 3, minor, len >> 8, len & 0xff};

	stream_add(st, h, sizeof(h));
}

static inline void stream_add_record(struct stream *st, uint8_t type, uint16_t len)
{
	stream_add_header(st, type, 3, len);
	for (uint32_t i = 0; i < len; i++) {
		uint8_t c = random_below(256);

		stream_add(st, &c, 1);
	}
}

static inline void stream_free(struct stream *st)
{
	free(st->data);
	*st = (struct stream){};
}

/* Feed bytes [at, at + len) of st; returns enum tls_seen, and where plaintext began if it did. */
static inline int feed(struct tls_stream *s, const struct stream *st, uint32_t isn, uint32_t at,
		       uint32_t len, uint64_t *bad_at)
{
	struct segment seg = {.data = st->data + at, .len = len};
	uint32_t bad = UINT32_MAX, unread = 0;
	__u64 where = NEVER;
	int seen = tls_feed(s, &seg, isn + at, HEADROOM, len, &bad, &where, &unread);

	assert_in_range(seen, TLS_SEEN_RECORDS, TLS_SEEN_BROKEN);
	if (seen == TLS_SEEN_PLAIN) {
		assert_in_range(bad, HEADROOM, HEADROOM + len - 1);
		assert_int_not_equal(where, NEVER);
		if (bad_at)
			*bad_at = where;
	} else {
		assert_int_equal(bad, UINT32_MAX);
		assert_int_equal(where, NEVER);
	}
	return seen;
}

/* The whole of st in pieces that end at the given places; returns where plaintext began, or NEVER.
 */
static inline uint64_t feed_cut(struct tls_stream *s, const struct stream *st, uint32_t isn,
				const uint32_t *cuts, uint32_t n)
{
	uint64_t bad_at = NEVER;
	uint32_t at = 0;

	for (uint32_t i = 0; i <= n; i++) {
		uint32_t end = i < n ? cuts[i] : st->len;
		int before = s->sync;
		int seen = feed(s, st, isn, at, end - at, &bad_at);

		if (at == end)
			assert_int_equal(seen, TLS_SEEN_NOTHING);
		else if (before == TLS_BROKEN)
			assert_int_equal(seen, TLS_SEEN_BROKEN);
		else
			assert_true(seen == TLS_SEEN_RECORDS || seen == TLS_SEEN_PLAIN);
		at = end;
	}
	return bad_at;
}

/* What a synced stream must look like after all of st: bad_at NEVER means it stays TLS. */
static inline void check_end(const struct tls_stream *s, const struct tls_stream *want,
			     uint64_t bad_at, uint64_t want_bad_at)
{
	assert_int_equal(bad_at, want_bad_at);
	assert_int_equal(s->sync, want->sync);
	assert_int_equal(s->records, want->records);
	assert_int_equal(s->next, want->next);
	assert_int_equal(s->offset, want->offset);
	if (s->sync == TLS_BROKEN)
		return;
	assert_int_equal(s->left, want->left);
	assert_int_equal(s->have, want->have);
	assert_int_equal(s->hdr, want->hdr);
}

static inline void check_cuts(const struct stream *st, uint32_t isn, const struct tls_stream *want,
			      uint64_t bad_at, const uint32_t *cuts, uint32_t n)
{
	struct tls_stream s = {};
	uint64_t got;

	tls_begin(&s, isn, 1);
	got = feed_cut(&s, st, isn, cuts, n);
	check_end(&s, want, got, bad_at);
}

static inline void check_every_cut_from(const struct stream *st, uint32_t isn, uint64_t bad_at,
					uint32_t records)
{
	struct tls_stream want = {};
	uint32_t *cuts = calloc(st->len + 1, sizeof(*cuts));
	uint32_t n;

	assert_non_null(cuts);
	tls_begin(&want, isn, 1);
	assert_int_equal(feed_cut(&want, st, isn, NULL, 0), bad_at);
	assert_int_equal(want.sync, bad_at == NEVER ? TLS_SYNCED : TLS_BROKEN);
	assert_int_equal(want.records, records);
	assert_int_equal(want.offset, st->len);
	assert_int_equal(want.next, (uint32_t)(isn + st->len));
	for (uint32_t i = 0; i <= st->len; i++)
		check_cuts(st, isn, &want, bad_at, &i, 1);
	for (n = 0; n + 1 < st->len; n++)
		cuts[n] = n + 1;
	check_cuts(st, isn, &want, bad_at, cuts, n);
	for (uint32_t i = 0; st->len <= PAIRS_UP_TO && i < st->len; i++) {
		for (uint32_t k = i + 1; k < st->len; k++) {
			cuts[0] = i;
			cuts[1] = k;
			check_cuts(st, isn, &want, bad_at, cuts, 2);
		}
	}
	for (int round = 0; round < RANDOM_CUTS; round++) {
		uint32_t most = 1 + random_below(round % 2 ? 12 : 1448);
		uint32_t at = 0;

		for (n = 0; at < st->len; n++) {
			uint32_t piece = 1 + random_below(most);

			at = piece < st->len - at ? at + piece : st->len;
			cuts[n] = at;
		}
		check_cuts(st, isn, &want, bad_at, cuts, n);
	}
	free(cuts);
}

/*
 * st holds `records` headers that hold and, unless bad_at is NEVER, bytes that are none from bad_at
 * on: say so however it is cut, and wherever the sequence numbers begin.
 */
static inline void check_every_cut(const struct stream *st, uint64_t bad_at, uint32_t records)
{
	check_every_cut_from(st, 1, bad_at, records);
	check_every_cut_from(st, -(st->len / 2), bad_at, records); /* wraps at 2^32 half way */
	if (st->len > WITHOUT_WRAP_OVER)
		return;
	check_every_cut_from(st, 0x7fffffff, bad_at, records); /* passes the signed border */
	check_every_cut_from(st, UINT32_MAX, bad_at, records); /* wraps after one byte */
}

#define ISN 0xfffffff0u /* most streams here pass the wrap at 2^32 */

static inline struct tls_stream begun(int from_start)
{
	struct tls_stream s = {};

	tls_begin(&s, ISN, from_start);
	return s;
}

/* Records in front of what a test adds. */
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
	"\x16\x02 a version that never was",
	"\x19\x03\x03 a type beyond heartbeat",
};
#define PLAINTEXTS (sizeof(plaintexts) / sizeof(plaintexts[0]))

#endif
