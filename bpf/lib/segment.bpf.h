/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * segment.bpf.h - finds the TCP segment in a packet, behind any layout of headers; its ends and its
 * options.
 */
#ifndef CACHEWARDEN_SEGMENT_BPF_H
#define CACHEWARDEN_SEGMENT_BPF_H

#include "lib/mark.bpf.h"

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define IPV6_EXT_MAX 8192 /* of at least 8 bytes each: more do not fit in a packet */
#define TCP_OPTIONS_MAX 40
#define TCP_OPTION_MPTCP 30 /* RFC 8684 */

/* A TCP segment. Offsets are from the IP header. */
struct segment {
	u32 seq;
	u32 off; /* payload */
	u32 len;
	u32 ip;	 /* 4 or 6 */
	u32 tcp; /* TCP header */
	u8 flags;
};

static __always_inline void segment_tcp(struct segment *g, const u8 *tcp)
{
	g->seq = (u32)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
	g->off = g->tcp + (tcp[12] >> 4) * 4;
	g->flags = tcp[13];
}

/* A walk through IPv6 extension headers. */
struct chain {
	struct __sk_buff *skb;
	u32 at;
	u32 next;
};

/*
 * The extension headers (RFC 8200 §4) that a segment may still have at its socket; of fragments
 * only the atomic.
 */
static long chain_step(u32 i, struct chain *c)
{
	u8 ext[2];

	if (c->next != IPPROTO_HOPOPTS && c->next != IPPROTO_ROUTING &&
	    c->next != IPPROTO_FRAGMENT && c->next != IPPROTO_DSTOPTS)
		return 1;
	if (bpf_skb_load_bytes(c->skb, c->at, ext, 2))
		return 1;
	c->at += c->next == IPPROTO_FRAGMENT ? 8 : (ext[1] + 1) * 8;
	c->next = ext[0];
	return 0;
}

/* Any header layout: options, extension headers, headers that are not linear. */
static __noinline int segment_parse_slow(struct __sk_buff *skb, struct segment *g)
{
	u8 ip[20] = {}, tcp[14] = {}, next;
	u32 at;

	if (bpf_skb_load_bytes(skb, 0, ip, sizeof(ip)))
		return -1;
	g->ip = ip[0] >> 4;
	if (g->ip == 4) {
		at = (ip[0] & 0xf) * 4;
		next = ip[9];
	} else if (g->ip == 6) {
		struct chain c = {.skb = skb, .at = 40, .next = ip[6]};

		bpf_loop(IPV6_EXT_MAX, chain_step, &c, 0);
		at = c.at;
		next = c.next;
	} else {
		return -1;
	}
	if (next != IPPROTO_TCP || bpf_skb_load_bytes(skb, at, tcp, sizeof(tcp)))
		return -1;
	g->tcp = at;
	segment_tcp(g, tcp);
	return 0;
}

/* Find the TCP header and payload. Returns 0, or -1 if there is no TCP header. */
static __always_inline int segment_parse(struct __sk_buff *skb, struct segment *g)
{
	const u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	if (data + 40 <= end && data[0] == 0x45 && data[9] == IPPROTO_TCP) {
		g->ip = 4;
		g->tcp = 20;
		segment_tcp(g, data + 20);
	} else if (data + 60 <= end && data[0] >> 4 == 6 && data[6] == IPPROTO_TCP) {
		g->ip = 6;
		g->tcp = 40;
		segment_tcp(g, data + 40);
	} else if (segment_parse_slow(skb, g)) {
		return -1;
	}
	g->len = skb->len > g->off ? skb->len - g->off : 0;
	return 0;
}

/* Both ends of the connection, from the packet: a listener's socket does not know them. */
__noinline int segment_ends(struct __sk_buff *skb, const struct segment *g, int egress,
			    struct conn_ends *k)
{
	u8 *src, *dst;
	u16 ports[2] = {};

	if (!g || !k)
		return 0;
	src = egress ? k->local_ip : k->remote_ip;
	dst = egress ? k->remote_ip : k->local_ip;
	if (g->ip == 4) {
		src[10] = src[11] = dst[10] = dst[11] = 0xff;
		bpf_skb_load_bytes(skb, 12, src + 12, 4);
		bpf_skb_load_bytes(skb, 16, dst + 12, 4);
	} else {
		bpf_skb_load_bytes(skb, 8, src, 16);
		bpf_skb_load_bytes(skb, 24, dst, 16);
	}
	bpf_skb_load_bytes(skb, g->tcp, ports, sizeof(ports));
	k->local_port = bpf_ntohs(egress ? ports[0] : ports[1]);
	k->remote_port = bpf_ntohs(egress ? ports[1] : ports[0]);
	return 0;
}

/* Source port. */
static __always_inline u16 port_of(struct __sk_buff *skb, const struct segment *g)
{
	u16 port = 0;

	bpf_skb_load_bytes(skb, g->tcp, &port, sizeof(port));
	return bpf_ntohs(port);
}

struct options {
	struct __sk_buff *skb;
	u32 at;
	u32 end;
	u32 found;
};

static long option_step(u32 i, struct options *o)
{
	u8 option[2] = {};

	if (o->at >= o->end || bpf_skb_load_bytes(o->skb, o->at, option, 2) || !option[0])
		return 1;
	o->found = option[0] == TCP_OPTION_MPTCP;
	if (o->found)
		return 1;
	if (option[0] == 1) { /* padding */
		o->at++;
		return 0;
	}
	o->at += option[1];
	return option[1] < 2;
}

/*
 * Does the segment belong to MPTCP? Checked on the first data of a direction: every segment has the
 * option.
 */
__noinline int segment_mptcp(struct __sk_buff *skb, const struct segment *g)
{
	struct options o = {.skb = skb};

	if (!g)
		return 0;
	o.at = g->tcp + 20;
	o.end = g->off;
	bpf_loop(TCP_OPTIONS_MAX, option_step, &o, 0);
	return o.found;
}

#endif
