/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls_record.h - walks TLS record headers (RFC 8446 §5.1, RFC 5246 §6.2.1) through one direction
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

#include "tls_stream.h"

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

/* Begin at the stream's first byte (synced) or anywhere (unsynced). */
static __always_inline void tls_begin(struct tls_stream *s, __u32 seq, int from_start)
{
	s->next = seq;
	s->sync = from_start ? TLS_SYNCED : TLS_UNSYNCED;
	s->late = !from_start;
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
	s->records++;
	if (s->confirm)
		s->confirm--;
	tls_advance(s, len);
	return 1;
}

/*
 * Feed one segment: payload is [off, off+len) of the buffer behind ctx, its first byte has
 * sequence number seq. Returns enum tls_seen; with TLS_SEEN_PLAIN *bad is the offset in the buffer
 * of the first byte read that is no TLS (the header may have begun in an earlier segment) and
 * *bad_at its stream offset, header begin included.
 */
static __always_inline int tls_feed(struct tls_stream *s, void *ctx, __u32 seq, __u32 off,
				    __u32 len, __u32 *bad, __u64 *bad_at)
{
	struct tls_walk w = {};
	__s32 ahead;

	if (!len)
		return TLS_SEEN_NOTHING;
	if (tls_feed_short(s, ctx, seq, off, len))
		return TLS_SEEN_RECORDS;
	ahead = seq - s->next;
	if (ahead < 0) {
		__u32 old = -(__u32)ahead;

		if (old >= len)
			return TLS_SEEN_NOTHING; /* all of it was seen: a retransmission */
		off += old;
		len -= old;
	} else if (ahead > 0 && s->sync == TLS_SYNCED) {
		if ((__u32)ahead > s->left)
			tls_lose_sync(s); /* a header lies in the hole */
		else
			s->left -=
				ahead; /* the hole is inside the record: the next header's place stands */
		tls_advance(s, ahead);
	} else if (ahead > 0) {
		tls_advance(s, ahead);
	}
	if (s->sync == TLS_BROKEN) {
		tls_advance(s, len);
		return TLS_SEEN_BROKEN;
	}
	w.ctx = ctx;
	w.off = off;
	w.end = off + len;
	if (s->sync == TLS_SYNCED) {
		w.left = s->left;
		w.hdr = s->hdr;
		w.have = s->have;
		w.confirm = s->confirm;
	} else {
		w.confirm = TLS_CHAIN_CONFIRM;
	}
	TLS_WALK_ALL(&w);
	if (w.off < w.end && !w.failed)
		w.failed =
			2; /* more records than a walk may take: cannot happen, see TLS_WALK_ALL */
	if (s->sync == TLS_UNSYNCED && (w.failed || !w.records)) {
		tls_advance(s, len);
		return TLS_SEEN_UNSYNCED;
	}
	if (w.failed && (w.failed == 2 || w.confirm)) {
		tls_lose_sync(s);
		tls_advance(s, len);
		return TLS_SEEN_UNSYNCED;
	}
	if (w.failed) {
		*bad = w.bad;
		*bad_at = s->offset + (w.bad - off);
		if (w.bad == off)
			*bad_at -= s->have;
		tls_count(s, w.records);
		s->sync = TLS_BROKEN;
		tls_advance(s, len);
		return TLS_SEEN_PLAIN;
	}
	s->sync = TLS_SYNCED;
	s->left = w.left;
	s->have = w.have;
	s->hdr = w.hdr;
	s->confirm = w.confirm;
	tls_count(s, w.records);
	tls_advance(s, len);
	return TLS_SEEN_RECORDS;
}

#endif
