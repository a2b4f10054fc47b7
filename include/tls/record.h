/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/record.h - walks TLS record headers (RFC 8446 §5.1, RFC 5246 §6.2.1) through one direction of
 * a TCP stream, segment by segment, by sequence number.
 *
 * Pure: no allocation, no I/O, bounded. It decides whether bytes are TLS records, and if not, which
 * is the first byte that is not. It never guesses: a stream that was not seen from its start, or
 * that lost a header in a hole, is *unsynced* until a chain of valid headers is found.
 *
 * A stream that has to begin with a handshake (tls_expect_handshake) is also not TLS where a record
 * with a valid header comes out of sequence, see tls/order.h.
 *
 * The including file defines tls_load(ctx, off, n), which returns the n (1 to 5) bytes at offset
 * off of the segment's buffer, first byte lowest.
 */
#ifndef CACHEWARDEN_TLS_RECORD_H
#define CACHEWARDEN_TLS_RECORD_H

#include <linux/types.h>

#include "tls/order.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define TLS_RECORD_MAX (16384 + 2048) /* RFC 5246 §6.2.3: TLSCiphertext.length */
/* Valid headers needed after a resync before the stream may be found broken. */
#define TLS_CHAIN_CONFIRM 3

/* The result of feeding a segment. */
enum tls_seen {
	TLS_SEEN_RECORDS,  /* records, or part of one */
	TLS_SEEN_NOTHING,  /* retransmission or empty */
	TLS_SEEN_UNSYNCED, /* passed unread */
	TLS_SEEN_PENDING,  /* passed unread for now: filling the hole before it may still decide */
	TLS_SEEN_PLAIN,	   /* plaintext: walk.bad is its first byte */
	TLS_SEEN_BROKEN,   /* the stream was broken before */
};

/* A walk over one segment: payload is [off, end) of the buffer behind ctx. */
struct tls_walk {
	void *ctx;
	__u32 off;
	__u32 end;
	__u32 left;
	__u32 records;
	__u64 hdr; /* header bytes collected, first byte lowest */
	__u32 bad; /* buffer offset where an invalid header begins; see tls_step */
	__u8 have;
	__u8 confirm;
	__u8 failed;
	__u8 order; /* enum tls_order */
};

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n);

#ifndef TLS_LOAD_HEADER
/* The header of a segment that begins with one. BPF defines its own. */
#define TLS_LOAD_HEADER(ctx, off) tls_load(ctx, off, TLS_HEADER_LEN)
#endif

static __always_inline __u32 tls_header_length(__u64 h)
{
	return (__u32)((h >> 24) & 0xff) << 8 | ((h >> 32) & 0xff);
}

/* Whether the first `have` (1..5) bytes in h can begin a record header. */
static __always_inline int tls_header_ok(__u64 h, __u32 have)
{
	__u8 type = h, major = h >> 8, minor = h >> 16;
	__u32 len = tls_header_length(h);

	if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_HEARTBEAT)
		return 0;
	if (have >= 2 && major != 3)
		return 0;
	if (have >= 3 && minor > 4)
		return 0;
	if (have >= 4 && len > TLS_RECORD_MAX) /* with 4 bytes len is the minimum */
		return 0;
	if (have < TLS_HEADER_LEN)
		return 1;
	/* RFC 8446 §5.1: only application data may be empty */
	if (!len && type != TLS_APPLICATION_DATA)
		return 0;
	/* 1 in the clear; under CBC up to 16 IV + 1 + 48 MAC + 255 padding: RFC 5246 §6.2.3.2 */
	return type != TLS_CHANGE_CIPHER_SPEC || len <= 320;
}

/*
 * Walk over one record: finish the current one, then read the next header. Returns 1 at the end of
 * the segment and on failure. On failure w->failed is set, and w->bad is where the header begins,
 * or the segment's start if it began in an earlier one.
 */
static __always_inline int tls_step(struct tls_walk *w)
{
	__u32 room, want, n;

	if (w->off >= w->end)
		return 1;
	room = w->end - w->off;
	if (w->left) {
		n = w->left < room ? w->left : room;
		w->left -= n;
		w->off += n;
		if (n == room)
			return 1;
		room -= n;
	}
	want = TLS_HEADER_LEN - w->have;
	n = want < room ? want : room;
	if (n < 1 || n > TLS_HEADER_LEN || w->have >= TLS_HEADER_LEN)
		return 1;
	w->hdr |= tls_load(w->ctx, w->off, n) << (8 * w->have);
	w->bad = w->off;
	w->off += n;
	w->have += n;
	if (!tls_header_ok(w->hdr, w->have)) {
		w->failed = 1;
		return 1;
	}
	if (w->have < TLS_HEADER_LEN)
		return 1;
	if (w->order) {
		w->order = tls_order_next(w->order, w->hdr & 0xff, tls_header_length(w->hdr));
		if (w->order >= TLS_ORDER_DATA) {
			w->failed = 1;
			return 1;
		}
	}
	w->left = tls_header_length(w->hdr);
	w->hdr = 0;
	w->have = 0;
	w->records++;
	if (w->confirm)
		w->confirm--;
	return 0;
}

#ifndef TLS_WALK_ALL
/*
 * A plain loop; BPF defines its own on bpf_loop. Each step but the last consumes a header.
 */
#define TLS_WALK_ALL(w)                                                                            \
	do {                                                                                       \
	} while (!tls_step(w))
#endif

static __always_inline void tls_advance(struct tls_stream *s, __u32 n)
{
	s->next += n;
	s->offset += n;
}

static __always_inline void tls_count(struct tls_stream *s, __u32 n)
{
	s->records = n > ~s->records ? ~0u : s->records + n;
}

static __always_inline void tls_lose_sync(struct tls_stream *s)
{
	s->sync = TLS_UNSYNCED;
	s->left = 0;
	s->have = 0;
	s->confirm = 0;
	s->hdr = 0;
	s->order = TLS_ORDER_ANY;
}

/* Part of the stream takes another path, and nothing says which part. */
static __always_inline void tls_multipath(struct tls_stream *s)
{
	tls_lose_sync(s);
	s->hole = 0;
	s->sync = TLS_MULTIPATH;
	s->clear_done = TLS_CLEAR_LOST;
}

/* How far to search for a header: one must begin within a record's length. */
#define TLS_SCAN_MAX (TLS_RECORD_MAX + TLS_HEADER_LEN)
#define TLS_SCAN_NONE (~0u)

/* Is there an application data header, as most are, at off, complete before end? */
static __always_inline int tls_header_at(void *ctx, __u32 off, __u32 end)
{
	__u64 h;

	if (off + TLS_HEADER_LEN > end)
		return 0;
	h = tls_load(ctx, off, TLS_HEADER_LEN);
	return (h & 0xffffff) == (TLS_APPLICATION_DATA | 3 << 8 | 3 << 16) &&
	       tls_header_ok(h, TLS_HEADER_LEN);
}

#ifndef TLS_SCAN
/* Offset of the first such header in [off, end), or TLS_SCAN_NONE. BPF defines its own. */
static inline __u32 tls_scan(void *ctx, __u32 off, __u32 end)
{
	for (__u32 i = 0; i < TLS_SCAN_MAX && off + i < end; i++) {
		if (tls_header_at(ctx, off + i, end))
			return off + i;
	}
	return TLS_SCAN_NONE;
}
#define TLS_SCAN(ctx, off, end) tls_scan(ctx, off, end)
#endif

/* Data is missing that contains a header: remember the hole, and search for a header behind it. */
static __always_inline void tls_hole_open(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
					  __u32 len)
{
	s->hole = 1;
	s->hole_next = s->next;
	s->hole_end = seq;
	s->hole_left = s->left;
	s->hole_have = s->have;
	s->hole_hdr = s->hdr;
	s->found = 0;
	s->after_len = len < TLS_HEADER_LEN - 1 ? len : TLS_HEADER_LEN - 1;
	s->after = tls_load(ctx, off, s->after_len);
	tls_lose_sync(s);
}

/* Give the hole up. Returns the bytes that stay unread. */
static __always_inline __u32 tls_hole_drop(struct tls_stream *s)
{
	__u32 unread = s->sync == TLS_SYNCED ? s->hole_end + s->found - s->hole_next
					     : s->next - s->hole_next;

	s->hole = 0;
	return unread;
}

/*
 * The hole is filled: the walk through it says where the next header is. Returns the bytes behind
 * the hole that stay unread, 0 if both walks meet.
 */
static __always_inline __u32 tls_hole_close(struct tls_stream *s)
{
	__u32 rest = 0, to; /* from hole_end to the next header */
	__s32 gap;

	s->hole = 0;
	if (s->hole_have) { /* a header split by the hole's end, whose rest was kept */
		__u64 h = s->hole_hdr | (__u64)s->after << (8 * s->hole_have);

		rest = TLS_HEADER_LEN - s->hole_have;
		h &= (1ull << (8 * TLS_HEADER_LEN)) - 1;
		if (s->after_len < rest || !tls_header_ok(h, TLS_HEADER_LEN)) {
			if (s->sync == TLS_SYNCED)
				return s->found;
			return s->next - s->hole_end;
		}
		s->hole_left = tls_header_length(h);
		tls_count(s, 1);
	}
	to = rest + s->hole_left;
	gap = s->hole_end + to - s->next;
	if (s->sync == TLS_SYNCED && to == s->found) {
		s->confirm = 0; /* the two walks meet */
		return 0;
	}
	if (gap >= 0) { /* all that passed is inside one record, even what looked like a header */
		s->sync = TLS_SYNCED;
		s->left = gap;
		s->have = 0;
		s->hdr = 0;
		s->confirm = 0;
		return 0;
	}
	if (s->sync == TLS_SYNCED && to < s->found)
		return s->found - to; /* other kinds of header precede the one found */
	if (s->sync == TLS_SYNCED)
		tls_lose_sync(s); /* what was found was not a header */
	return s->next - s->hole_end;
}

/* Start at the stream's first byte (synced) or anywhere (unsynced). */
static __always_inline void tls_begin(struct tls_stream *s, __u32 seq, int from_start)
{
	s->next = seq;
	s->sync = from_start ? TLS_SYNCED : TLS_UNSYNCED;
	s->late = !from_start;
	s->clear_done = from_start ? TLS_CLEAR_SENDING : TLS_CLEAR_LOST;
}

/* A stream seen from its first byte has to begin as TLS does. */
static __always_inline void tls_expect_handshake(struct tls_stream *s)
{
	s->order = TLS_ORDER_BEGIN;
}

/*
 * The short path of nearly every segment on a busy connection: in order, and either inside the
 * current record, or one header whose record reaches at least to the segment's end. Returns 1 if
 * that was so. Returns 0, with nothing changed, if the segment needs tls_feed.
 */
static __always_inline int tls_feed_short(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
					  __u32 len)
{
	__u32 rest;
	__u64 h;

	if (s->sync != TLS_SYNCED || seq != s->next || s->have)
		return 0;
	if (len <= s->left) {
		s->left -= len;
		tls_advance(s, len);
		return 1;
	}
	if (s->left || len < TLS_HEADER_LEN || s->order)
		return 0;
	h = TLS_LOAD_HEADER(ctx, off);
	rest = len - TLS_HEADER_LEN;
	if (!tls_header_ok(h, TLS_HEADER_LEN) || tls_header_length(h) < rest)
		return 0;
	s->left = tls_header_length(h) - rest;
	tls_count(s, 1);
	if (s->confirm)
		s->confirm--;
	tls_advance(s, len);
	return 1;
}

/* Set *bad and *bad_at, see tls_feed, from a walk that began at off and failed. */
static __always_inline void tls_blame(const struct tls_walk *w, __u32 off, __u64 offset, __u32 have,
				      __u32 *bad, __u64 *bad_at)
{
	*bad = w->bad;
	*bad_at = offset + (w->bad - off);
	if (w->bad == off)
		*bad_at -= have; /* the header began in an earlier segment */
}

/*
 * Feed the part of a late segment that fills the hole; the rest goes to tls_feed_rest. As tls_feed.
 */
static __always_inline int tls_feed_hole(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
					 __u32 len, __u32 *bad, __u64 *bad_at, __u32 *unread)
{
	__s32 known = s->hole_next - seq;
	struct tls_walk w = {.ctx = ctx};
	__u32 n;

	if (!s->hole || (__s32)(seq - s->hole_end) >= 0 || (known >= 0 && (__u32)known >= len))
		return TLS_SEEN_NOTHING;
	if (known < 0) { /* out of order within the hole */
		*unread += tls_hole_drop(s);
		return TLS_SEEN_UNSYNCED;
	}
	off += known;
	n = len - known;
	if (n > s->hole_end - s->hole_next)
		n = s->hole_end - s->hole_next;
	w.off = off;
	w.end = off + n;
	w.left = s->hole_left;
	w.hdr = s->hole_hdr;
	w.have = s->hole_have;
	TLS_WALK_ALL(&w);
	if (w.off < w.end && !w.failed) { /* cut short: more records than a walk may take */
		*unread += tls_hole_drop(s);
		return TLS_SEEN_UNSYNCED;
	}
	if (w.failed) {
		tls_blame(&w, off, s->offset - (s->next - s->hole_next), s->hole_have, bad, bad_at);
		tls_count(s, w.records);
		s->hole = 0;
		s->sync = TLS_BROKEN;
		return TLS_SEEN_PLAIN;
	}
	s->hole_left = w.left;
	s->hole_hdr = w.hdr;
	s->hole_have = w.have;
	s->hole_next += n;
	tls_count(s, w.records);
	if (s->hole_next == s->hole_end)
		*unread += tls_hole_close(s);
	return TLS_SEEN_RECORDS;
}

/* A segment on its way through tls_feed_rest. */
struct tls_piece {
	__u32 seq;
	__u32 off; /* payload, without what was seen before */
	__u32 len;
	__u32 from;   /* where the walk begins, off or behind it */
	__u32 unread; /* grows, see tls_feed */
};

/*
 * Find where the walk over a segment begins: skips what was seen before, handles a gap before it,
 * and streams that are not TLS. Returns TLS_SEEN_RECORDS if the walk is to be done, else the
 * result.
 */
static __always_inline int tls_place(struct tls_stream *s, void *ctx, struct tls_piece *p)
{
	__s32 ahead = p->seq - s->next;

	if (ahead < 0) {
		__u32 old = -(__u32)ahead;

		if (old >= p->len)
			return TLS_SEEN_NOTHING; /* all of it was seen or skipped before */
		p->off += old;
		p->len -= old;
		ahead = 0;
	}
	if (s->sync == TLS_BROKEN) {
		tls_advance(s, ahead + p->len);
		return TLS_SEEN_BROKEN;
	}
	if (s->sync == TLS_MULTIPATH) {
		tls_advance(s, ahead + p->len);
		p->unread += p->len;
		return TLS_SEEN_UNSYNCED;
	}
	if (ahead && s->sync == TLS_SYNCED && (__u32)ahead <= s->left) {
		s->left -= ahead; /* a hole inside the record: the next header's place is known */
	} else if (ahead) {
		if (s->hole)
			p->unread += tls_hole_drop(s);
		if (s->sync == TLS_SYNCED && s->confirm)
			tls_lose_sync(s); /* a hole can only be filled from a confirmed position */
		else if (s->sync == TLS_SYNCED)
			tls_hole_open(s, ctx, p->seq, p->off, p->len);
	}
	tls_advance(s, ahead);
	p->from = p->off;
	if (!s->hole || s->sync == TLS_SYNCED)
		return TLS_SEEN_RECORDS;
	p->from = TLS_SCAN(ctx, p->off, p->off + p->len);
	if (p->from != TLS_SCAN_NONE)
		return TLS_SEEN_RECORDS;
	tls_advance(s, p->len);
	return TLS_SEEN_PENDING;
}

#ifndef TLS_PLACE
#define TLS_PLACE(s, ctx, p) tls_place(s, ctx, p) /* BPF: a global function, verified once */
#endif

/* Feed a segment, except for the part that fills a hole. As tls_feed. */
static __always_inline int tls_feed_rest(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
					 __u32 len, __u32 *bad, __u64 *bad_at, __u32 *unread)
{
	struct tls_piece p = {.seq = seq, .off = off, .len = len};
	struct tls_walk w = {.ctx = ctx, .confirm = TLS_CHAIN_CONFIRM};
	int seen = TLS_PLACE(s, ctx, &p);
	__u32 from = p.from;

	*unread += p.unread;
	if (seen != TLS_SEEN_RECORDS)
		return seen;
	off = p.off;
	len = p.len;
	w.off = from;
	w.end = off + len;
	if (s->sync == TLS_SYNCED) {
		w.left = s->left;
		w.hdr = s->hdr;
		w.have = s->have;
		w.confirm = s->confirm;
		w.order = s->order;
	}
	TLS_WALK_ALL(&w);
	if (w.off < w.end && !w.failed)
		w.failed = w.confirm = 1; /* cut short: more records than a walk may take */
	if (s->sync == TLS_UNSYNCED && (w.failed || !w.records)) {
		tls_advance(s, len);
		if (s->hole)
			return TLS_SEEN_PENDING;
		*unread += len;
		return TLS_SEEN_UNSYNCED;
	}
	if (w.failed && w.confirm) {
		/* what was found behind a hole was not a header, or the stream changed */
		tls_lose_sync(s);
		tls_advance(s, len);
		if (s->hole)
			return TLS_SEEN_PENDING;
		*unread += len;
		return TLS_SEEN_UNSYNCED;
	}
	s->order = w.order;
	if (w.failed) {
		tls_blame(&w, off, s->offset, s->have, bad, bad_at);
		tls_count(s, w.records);
		s->hole = 0;
		s->sync = TLS_BROKEN;
		tls_advance(s, len);
		return TLS_SEEN_PLAIN;
	}
	if (s->hole && s->sync == TLS_UNSYNCED)
		s->found = s->next + (from - off) - s->hole_end;
	s->sync = TLS_SYNCED;
	s->left = w.left;
	s->have = w.have;
	s->hdr = w.hdr;
	s->confirm = w.confirm;
	tls_count(s, w.records);
	tls_advance(s, len);
	return TLS_SEEN_RECORDS;
}

/*
 * Feed one segment: its payload is [off, off+len) of the buffer behind ctx, seq the sequence number
 * of the first byte. Returns enum tls_seen. With TLS_SEEN_PLAIN, *bad is the buffer offset of the
 * first byte that is not TLS, and *bad_at its stream offset; if the header began in an earlier
 * segment, *bad_at is where it began. *unread grows by the bytes that are now certain to stay
 * unread.
 */
static __always_inline int tls_feed(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
				    __u32 len, __u32 *bad, __u64 *bad_at, __u32 *unread)
{
	int seen = TLS_SEEN_NOTHING, late = (__s32)(seq - s->next) < 0;

	if (!len)
		return TLS_SEEN_NOTHING;
	if (tls_feed_short(s, ctx, seq, off, len))
		return TLS_SEEN_RECORDS;
	if (late && s->hole)
		seen = tls_feed_hole(s, ctx, seq, off, len, bad, bad_at, unread);
	if (seen == TLS_SEEN_PLAIN || (late && s->next - seq >= len))
		return seen;
	return tls_feed_rest(s, ctx, seq, off, len, bad, bad_at, unread);
}

#endif
