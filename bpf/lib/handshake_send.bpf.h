/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * handshake_send.bpf.h - sends the clear part of handshakes to userspace, in chunks.
 */
#ifndef CACHEWARDEN_HANDSHAKE_SEND_BPF_H
#define CACHEWARDEN_HANDSHAKE_SEND_BPF_H

#include "handshake_chunk.h"
#include "lib/record.bpf.h"
#include "lib/segment.bpf.h"
#include "lib/turn.bpf.h"

/* A ring buffer of its own, so that no number of handshakes displaces an event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HANDSHAKE_RING_BYTES);
} handshakes SEC(".maps");

struct clear_range {
	struct __sk_buff *skb;
	const struct segment *g;
	struct sock_mark *mark;
	u32 off, end; /* still to send */
	u32 offset;   /* stream offset of off */
	u32 egress;
	u32 lost;
};

static long clear_walk_step(u32 i, struct tls_walk *w)
{
	return tls_clear_step(w);
}

/*
 * Global, to keep the call chain of clear_step within 6.1's 512 bytes of stack. Returns enum
 * conn_opened.
 */
__noinline int clear_fill(struct __sk_buff *skb, const struct segment *g,
			  const struct sock_mark *mark, struct conn_ends *ends, u32 egress)
{
	if (!g || !mark || !ends)
		return OPENED_UNKNOWN;
	segment_ends(skb, g, egress, ends);
	if (mark->flags & SOCK_LISTENER)
		return OPENED_INBOUND;
	return mark->flags & SOCK_FRESH ? OPENED_OUTBOUND : OPENED_UNKNOWN;
}

static long clear_step(u32 i, struct clear_range *c)
{
	u32 n = c->end - c->off;
	struct conn_ends ends = {};
	struct handshake_chunk *p;

	if (c->off >= c->end)
		return 1;
	if (n > CHUNK_LEN)
		n = CHUNK_LEN;
	p = bpf_ringbuf_reserve(&handshakes, sizeof(*p), 0);
	if (!p) {
		c->lost = 1;
		return 1;
	}
	p->magic = CHUNK_MAGIC;
	p->instance = c->mark->instance;
	p->cookie = bpf_get_socket_cookie(c->skb);
	p->time_ns = bpf_ktime_get_boot_ns();
	p->opened = clear_fill(c->skb, c->g, c->mark, &ends, c->egress);
	p->ends = ends;
	p->offset = c->offset;
	p->len = n;
	p->flags = (c->egress ? CHUNK_EGRESS : 0) |
		   (turn_mine(p->cookie, (u64)c->offset << 1 | c->egress) ? 0 : CHUNK_NOT_MINE);
	p->ipv6 = c->g->ip == 6;
	if (load_bytes(c->skb, c->off, p->bytes, n, CHUNK_LEN)) {
		bpf_ringbuf_discard(p, 0);
		c->lost = 1;
		return 1;
	}
	bpf_ringbuf_submit(p, 0);
	c->off += n;
	c->offset += n;
	return 0;
}

/*
 * Report that the clear part was sent whole, and which type of record follows. Not if a part of the
 * server's direction is missing: then userspace cannot know what may follow.
 */
__noinline int clear_ended(struct __sk_buff *skb, const struct sock_mark *mark, u32 next,
			   u32 egress)
{
	struct handshake_chunk *p;

	if (!mark)
		return 0;
	if ((mark->flags & SOCK_LISTENER ? mark->out.clear_done : mark->in.clear_done) ==
	    TLS_CLEAR_LOST)
		return 0;
	p = bpf_ringbuf_reserve(&handshakes, CHUNK_HEADER_LEN, 0);
	if (!p)
		return 0;
	__builtin_memset(p, 0, CHUNK_HEADER_LEN);
	p->magic = CHUNK_MAGIC;
	p->instance = mark->instance;
	p->cookie = bpf_get_socket_cookie(skb);
	p->time_ns = bpf_ktime_get_boot_ns();
	p->flags = CHUNK_ENDED | (egress ? CHUNK_EGRESS : 0) |
		   (turn_mine(p->cookie, ~(u64)egress) ? 0 : CHUNK_NOT_MINE);
	p->next = next;
	bpf_ringbuf_submit(p, 0);
	return 0;
}

/*
 * Called before a segment is fed to a stream whose handshake is still in the clear: send what is.
 * In order only; a handshake with a hole is given up and counted. After the last clear byte
 * s->clear_done keeps later segments away.
 */
__noinline int clear_send(struct __sk_buff *skb, struct sock_mark *mark, struct tls_stream *s,
			  const struct segment *g, u32 egress)
{
	struct tls_walk w = {.ctx = skb};
	struct clear_range c = {.skb = skb, .g = g, .mark = mark, .egress = egress};
	u32 known, hello;

	if (!mark || !s || !g)
		return 0;
	known = s->next - g->seq;
	if ((s32)known >= 0 && known >= g->len)
		return 0; /* retransmission */
	hello = egress ==
		!!(mark->flags & SOCK_LISTENER); /* the server negotiates in this direction */
	if ((s32)known < 0 || s->sync != TLS_SYNCED || s->hole) {
		s->clear_done = TLS_CLEAR_LOST;
		if (s->sync != TLS_BROKEN)
			counter_add(COUNTER_CHUNKS_LOST, hello);
		return 0;
	}
	w.off = g->off + known;
	w.end = g->off + g->len;
	w.left = s->left;
	w.hdr = s->hdr;
	w.have = s->have;
	c.off = w.off;
	c.offset = s->offset;
	bpf_loop(HANDSHAKE_MAX / TLS_HEADER_LEN, clear_walk_step, &w, 0);
	c.end = w.failed ? w.bad : w.end;
	if (w.failed)
		s->clear_done = TLS_CLEAR_SENT;
	else if (s->offset + (c.end - c.off) >= HANDSHAKE_MAX)
		s->clear_done = TLS_CLEAR_LOST;
	bpf_loop(HANDSHAKE_MAX / CHUNK_LEN + 1, clear_step, &c, 0);
	if (c.lost) {
		s->clear_done = TLS_CLEAR_LOST;
		counter_add(COUNTER_CHUNKS_LOST, hello);
	} else if (s->clear_done == TLS_CLEAR_SENT) {
		clear_ended(skb, mark, (w.have ? w.hdr : tls_load(skb, w.bad, 1)) & 0xff, egress);
	}
	return 0;
}

#endif
