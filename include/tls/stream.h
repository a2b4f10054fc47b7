/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tls/stream.h - the state of one direction of a TLS connection between two segments.
 */
#ifndef CACHEWARDEN_TLS_STREAM_H
#define CACHEWARDEN_TLS_STREAM_H

#include <linux/types.h>

#define TLS_HEADER_LEN 5

enum tls_sync {
	TLS_NEW,       /* no byte seen */
	TLS_SYNCED,    /* the place of the next header is known */
	TLS_UNSYNCED,  /* it is unknown */
	TLS_BROKEN,    /* bytes that are not TLS were seen; final */
	TLS_MULTIPATH, /* some of its bytes take another path (MPTCP); final */
};

/* What was passed on of a direction's clear handshake. */
enum tls_clear {
	TLS_CLEAR_SENDING,
	TLS_CLEAR_SENT, /* all of it */
	TLS_CLEAR_LOST, /* a part is missing, or it was not seen from its first byte */
};

/*
 * One direction of one connection. Segments may arrive out of order, over a network, or over
 * loopback where two CPUs send for one socket. Then [hole_next, hole_end) is what was skipped, with
 * the state of the walk before it, and the walk continues at the first header found behind it.
 */
struct tls_stream {
	__u64 offset;  /* stream offset of `next`; late: from where the monitor began */
	__u64 hdr;     /* `have` bytes of the current header, first one lowest */
	__u32 next;    /* sequence number expected next */
	__u32 records; /* headers accepted, saturating */
	__u16 left;    /* bytes of the current record still to come */
	__u8 sync;     /* enum tls_sync */
	__u8 have;     /* 0..4 */
	__u8 confirm; /* valid headers still needed after a resync; until then a bad one only loses sync */
	__u8 late; /* not seen from the stream's first byte */
	__u8 hole; /* a hole is open */
	__u8 hole_have;
	__u32 hole_hdr; /* at most 4 bytes */
	__u8 order;	/* enum tls_order */
	__u8 pad[3];
	__u32 hole_next;
	__u32 hole_end;
	__u32 found; /* bytes from hole_end to the header where the walk continued; valid if synced */
	__u32 after; /* the first bytes behind the hole, whose end may split a header */
	__u16 hole_left;
	__u8 after_len;	 /* 0..4 */
	__u8 clear_done; /* enum tls_clear */
	__u32 busy;	 /* taken by a CPU, see stream_take in wire.bpf.c */
};

_Static_assert(sizeof(struct tls_stream) == 64, "a cache line, see map.h");

#endif
