/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/stream.h - what is remembered of one direction of a TLS connection between two segments.
 */
#ifndef CACHEWARDEN_TLS_STREAM_H
#define CACHEWARDEN_TLS_STREAM_H

#include <linux/types.h>

#define TLS_HEADER_LEN 5

enum tls_sync {
	TLS_NEW,       /* no byte seen */
	TLS_SYNCED,    /* next header's place is known */
	TLS_UNSYNCED,  /* it is not */
	TLS_BROKEN,    /* bytes that are no TLS were seen: for good */
	TLS_MULTIPATH, /* some of its bytes come another way (MPTCP): for good */
};

/*
 * One direction of one connection. Segments may arrive out of order (a network, or on loopback two CPUs
 * that send for one socket): then [hole_next, hole_end) is what has been passed over, with the state of
 * the walk before it, while the walk behind goes on from the first header found there.
 */
struct tls_stream {
	__u64 offset;  /* stream offset of `next`; counted from where we began if attached late */
	__u64 hdr;     /* the current header's bytes, first one lowest, have of them */
	__u32 next;    /* sequence number expected next */
	__u32 records; /* headers accepted, saturating */
	__u16 left;    /* bytes of the current record still to come */
	__u8 sync;     /* enum tls_sync */
	__u8 have;     /* 0..4 */
	__u8 confirm;  /* headers still to hold after a resync; until then a bad one only unsyncs */
	__u8 late;     /* offset does not count from the stream's first byte */
	__u8 hole;     /* a hole is open */
	__u8 hole_have;
	__u64 hole_hdr;
	__u32 hole_next;
	__u32 hole_end;
	__u32 found; /* bytes from hole_end to the header the walk went on from; valid if synced */
	__u32 after; /* the first bytes behind the hole: a header may be split by its end */
	__u16 hole_left;
	__u8 after_len;	 /* 0..4 */
	__u8 clear_done; /* the clear handshake is over, or was not seen from its first byte */
	__u32 busy;	 /* one CPU at a time, see wire.bpf.c */
};

_Static_assert(sizeof(struct tls_stream) == 64, "a cache line, see map.h");

#endif
