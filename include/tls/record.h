/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/record.h - walks TLS record headers (RFC 8446 §5.1, RFC 5246 §6.2.1) through one direction
 * of a TCP stream, segment by segment, by sequence number.
 *
 * Pure: no allocation, no I/O, bounded. It decides one thing: are these bytes TLS records, and if
 * not, which byte is the first that is none. It never guesses: a stream it did not see from the
 * start, or that lost a header in a hole, is *unsynced*, and only a chain of valid headers brings
 * it back.
 *
 * The including side provides, before the include or as a macro: static inline __u64 tls_load(void
 * *ctx, __u32 off, __u32 n); which returns the n (1..5) bytes at offset off of the segment's
 * buffer, first byte lowest.
 */
#ifndef CACHEWARDEN_TLS_RECORD_H
#define CACHEWARDEN_TLS_RECORD_H

#include <linux/types.h>

#include "tls/stream.h"

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define TLS_RECORD_MAX (16384 + 2048) /* RFC 5246 §6.2.3: TLSCiphertext.length */
#define TLS_CHAIN_CONFIRM                                                                          \
	3 /* headers that must hold before a resynced stream may be called broken */

enum tls_type {
	TLS_CHANGE_CIPHER_SPEC = 20,
	TLS_ALERT = 21,
	TLS_HANDSHAKE = 22,
	TLS_APPLICATION_DATA = 23,
	TLS_HEARTBEAT = 24, /* RFC 6520 */
};

/* What a segment turned out to be. */
enum tls_seen {
	TLS_SEEN_RECORDS,  /* records, or inside one */
	TLS_SEEN_NOTHING,  /* retransmission or empty */
	TLS_SEEN_UNSYNCED, /* passed unread */
	TLS_SEEN_PENDING,  /* passed unread for now: a hole before it may yet be filled and tell */
	TLS_SEEN_PLAIN,	   /* walk.bad is the first byte that is no TLS */
	TLS_SEEN_BROKEN,   /* stream was broken before; these bytes follow */
};

/* A walk over one segment: payload is [off, end) of the buffer behind ctx. */
struct tls_walk {
	void *ctx;
	__u32 off;
	__u32 end;
	__u32 left;
	__u32 records;
	__u64 hdr; /* header bytes collected, first byte lowest */
	__u32 have;
	__u32 confirm;
	__u32 bad; /* offset in the buffer of the first byte of what is no header; see tls_step */
	__u32 failed;
};

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n);

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
	if (have >= 4 && len > TLS_RECORD_MAX) /* with 4 bytes: the least that length can be */
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
 * One record's worth of walk: finish the current record, then read the next header. Returns 1 when
 * the segment is used up or failed. On failure w->failed is set and w->bad is where the header
 * began, or the segment's start if it began in an earlier one.
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
 * Userspace: a plain loop. BPF brings its own, on bpf_loop. Each step but the last eats a header.
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
}

/* A part of the stream is not here, and nobody says which. */
static __always_inline void tls_multipath(struct tls_stream *s)
{
	tls_lose_sync(s);
	s->hole = 0;
	s->sync = TLS_MULTIPATH;
	s->clear_done = 1;
}

/* Headers searched for at most this far: one must begin within a record's length. */
#define TLS_SCAN_MAX (TLS_RECORD_MAX + TLS_HEADER_LEN)
#define TLS_SCAN_NONE (~0u)

/* Is there an application data header (the bulk of any stream) at off, ending within end? */
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
/* Offset of the first such header in [off, end), TLS_SCAN_NONE if there is none. BPF brings its own. */
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

/* Data is missing, and a header lies in it: remember where, and look for the next header behind it. */
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

/* It will not be filled in a way that tells: what was passed over stays unread. */
static __always_inline __u32 tls_hole_drop(struct tls_stream *s)
{
	__u32 unread = s->sync == TLS_SYNCED ? s->hole_end + s->found - s->hole_next
					     : s->next - s->hole_next;

	s->hole = 0;
	return unread;
}

/*
 * The hole is full: the walk through it says where the next header stands. Returns the bytes behind
 * the hole that turn out to be unread for good, 0 when everything fits together.
 */
static __always_inline __u32 tls_hole_close(struct tls_stream *s)
{
	__u32 rest = 0, to; /* from hole_end to the next header */
	__s32 gap;

	s->hole = 0;
	if (s->hole_have) { /* a header split by the hole's end: its rest has been kept */
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
		s->confirm = 0; /* proven: no byte between the two walks */
		return 0;
	}
	if (gap >=
	    0) { /* what was passed is the inside of one record, whatever looked like a header */
		s->sync = TLS_SYNCED;
		s->left = gap;
		s->have = 0;
		s->hdr = 0;
		s->confirm = 0;
		return 0;
	}
	if (s->sync == TLS_SYNCED && to < s->found)
		return s->found - to; /* headers of another kind stood before the one found */
	if (s->sync == TLS_SYNCED)
		tls_lose_sync(s); /* the header found was none */
	return s->next - s->hole_end;
}

/* Begin at the stream's first byte (synced) or anywhere (unsynced). */
static __always_inline void tls_begin(struct tls_stream *s, __u32 seq, int from_start)
{
	s->next = seq;
	s->sync = from_start ? TLS_SYNCED : TLS_UNSYNCED;
	s->late = s->clear_done = !from_start;
}

/*
 * The short path, for nearly every segment of a busy connection: in order, and inside the current
 * record, or beginning with a header whose record reaches the segment's end or beyond. Returns 1 if
 * that was so and the segment is dealt with, 0 if tls_feed must look at it; nothing is changed then.
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
	if (s->left || len < TLS_HEADER_LEN)
		return 0;
	h = tls_load(ctx, off, TLS_HEADER_LEN);
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

/* What a walk over [off, end) came to, put into *bad and *bad_at when it met bytes that are no TLS. */
static __always_inline void tls_blame(const struct tls_walk *w, __u32 off, __u64 offset, __u32 have,
				      __u32 *bad, __u64 *bad_at)
{
	*bad = w->bad;
	*bad_at = offset + (w->bad - off);
	if (w->bad == off)
		*bad_at -= have; /* the header began in an earlier segment */
}

/*
 * What a late segment brings for the hole; tls_feed_rest has what it brings beyond. Returns and outputs
 * as tls_feed.
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
	__u32 off; /* payload, moved behind what is known */
	__u32 len;
	__u32 from;   /* where the walk begins, off or behind it */
	__u32 unread; /* grows, see tls_feed */
};

/*
 * Where does the walk over this segment begin? Takes care of what is known already, of what is missing
 * before it, and of streams that are no TLS. Returns TLS_SEEN_RECORDS to go on with the walk, or what
 * the segment was.
 */
static __always_inline int tls_place(struct tls_stream *s, void *ctx, struct tls_piece *p)
{
	__s32 ahead = p->seq - s->next;

	if (ahead < 0) {
		__u32 old = -(__u32)ahead;

		if (old >= p->len)
			return TLS_SEEN_NOTHING; /* all of it was seen or passed over before */
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
		s->left -= ahead; /* a hole inside the record: the next header's place stands */
	} else if (ahead) {
		if (s->hole)
			p->unread += tls_hole_drop(s);
		if (s->sync == TLS_SYNCED)
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
#define TLS_PLACE(s, ctx, p) tls_place(s, ctx, p) /* BPF: on its own, to be verified once */
#endif

/* All but what a late segment brings for a hole, in order or not. As tls_feed. */
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
		/* a header that had been found behind a hole was none, or the stream is not what it was */
		tls_lose_sync(s);
		tls_advance(s, len);
		if (s->hole)
			return TLS_SEEN_PENDING;
		*unread += len;
		return TLS_SEEN_UNSYNCED;
	}
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
 * Feed one segment: payload is [off, off+len) of the buffer behind ctx, its first byte has
 * sequence number seq. Returns enum tls_seen; with TLS_SEEN_PLAIN *bad is the offset in the buffer
 * of the first byte read that is no TLS (the header may have begun in an earlier segment) and
 * *bad_at its stream offset, header begin included. *unread grows by the bytes of which it is now
 * certain that nobody will have read them.
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
