/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * record.bpf.h - the parsers of include/tls/ on packets: how they load bytes and loop in BPF.
 */
#ifndef CACHEWARDEN_RECORD_BPF_H
#define CACHEWARDEN_RECORD_BPF_H

#include "lib/compat.bpf.h"
#include "map.h"

#define WALK_MAX 131072 /* headers in a segment: at most 104,857 in 512 KiB (BIG TCP) */

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n);
static __always_inline __u64 load_header(struct __sk_buff *skb, __u32 off);
#define TLS_LOAD_HEADER(ctx, off) load_header(ctx, off)
struct tls_walk;
static __always_inline void wire_walk(struct tls_walk *w);
#define TLS_WALK_ALL(w) wire_walk(w)
int wire_scan(struct __sk_buff *skb, u32 off, u32 end);
#define TLS_SCAN(ctx, off, end) wire_scan(ctx, off, end)
struct tls_piece;
int wire_place(struct __sk_buff *skb, struct tls_stream *s, struct tls_piece *p);
#define TLS_PLACE(s, ctx, p) wire_place(ctx, s, p)
#define RESP_EACH(n, step, l)                                                                      \
	do {                                                                                       \
		struct resp_scan *each_ = (l);                                                     \
                                                                                                   \
		bpf_loop(n, step, &each_, 0);                                                      \
	} while (0)
#include "tls/resp.h"
#include "tls/clear.h"
#include "tls/record.h"

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	__u64 v = 0;

	load_bytes(ctx, off, &v, n, TLS_HEADER_LEN);
	return v; /* first byte lowest: little-endian only */
}

#define LINEAR_MAX 100 /* a first header is not farther away: behind 40 bytes of IP and 60 of TCP */

/* Often it is in the linear part of the packet, where no call is needed. */
static __always_inline __u64 load_header(struct __sk_buff *skb, __u32 off)
{
	const __u8 *at = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (off > LINEAR_MAX)
		return tls_load(skb, off, TLS_HEADER_LEN);
	at += off;
	barrier_var(at); /* one pointer: the verifier knows how far it may be read */
	if (at + TLS_HEADER_LEN > end)
		return tls_load(skb, off, TLS_HEADER_LEN);
	return *(const __u32 *)at | (__u64)at[4] << 32;
}

struct walk_rest {
	struct __sk_buff *skb;
	struct tls_walk *walk;
};

/* On a copy: what it holds is unknown to the verifier, so that each round is like the one before. */
static long wire_step(u32 i, struct walk_rest *rest)
{
	struct tls_walk w = *rest->walk;
	int ended;

	w.ctx = rest->skb;
	ended = tls_step(&w);
	w.ctx = NULL;
	*rest->walk = w;
	return ended;
}

/* All records of a segment but the first. A global function: the verifier follows it once, not from each of its callers. */
__noinline int wire_rest(struct __sk_buff *skb, struct tls_walk *w)
{
	struct walk_rest rest = {.skb = skb, .walk = w};

	if (w)
		bpf_loop(WALK_MAX, wire_step, &rest, 0);
	return 0;
}

/* One record in one segment is the common case and needs no call of bpf_loop. */
static __always_inline void wire_walk(struct tls_walk *w)
{
	void *skb = w->ctx;

	if (tls_step(w) || w->off >= w->end)
		return;
	wire_rest(skb, w);
	w->ctx = skb; /* the verifier forgets what it was */
}

struct scan {
	struct __sk_buff *skb;
	u32 off;
	u32 end;
};

static long scan_step(u32 i, struct scan *f)
{
	return f->off + i >= f->end || tls_header_at(f->skb, f->off + i, f->end);
}

__noinline int wire_scan(struct __sk_buff *skb, u32 off, u32 end)
{
	struct scan f = {.skb = skb, .off = off, .end = end};
	long tries = bpf_loop(TLS_SCAN_MAX, scan_step, &f, 0); /* the last one stopped the loop */

	off += tries - 1;
	return tries && tls_header_at(skb, off, end) ? off : TLS_SCAN_NONE;
}

__noinline int wire_place(struct __sk_buff *skb, struct tls_stream *s, struct tls_piece *p)
{
	return s && p ? tls_place(s, skb, p) : TLS_SEEN_NOTHING;
}

#endif
