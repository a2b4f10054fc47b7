// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * wire.bpf.c - what really crosses a protected socket: TLS records, or not.
 *
 * Hooks, and why these:
 *   cgroup/sock_create          a socket made by an instance is marked before it can carry a byte
 *   iter/task_file              marks the sockets that were there before, and those a supervisor
 *                               handed down
 *   iter/bpf_sk_storage_map     reads out what is known of all marked sockets, when asked
 *   tp_btf/inet_sock_set_state  a marked socket that closes; a socket that begins to listen; accepted sockets inherit
 *                               its mark in the kernel (BPF_F_CLONE), before their first segment; one
 *                               that MPTCP dials with
 *   cgroup_skb/egress, ingress  at the root of the cgroup2 hierarchy: every segment, after the
 *                               server's TLS library and before the client's. Nobody can change
 *                               the bytes in between
 *
 * A packet of an unmarked socket costs one failed lookup. A segment inside the current record
 * costs one lookup, one compare, one subtraction. Everything else is a record header, a first
 * segment, or a finding.
 */
#include "common.bpf.h"
#include "clear.h"
#include "holder.bpf.h"
#include "live.h"
#include "mark.bpf.h"

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n);
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
		struct resp_look *each_ = (l);                                                     \
                                                                                                   \
		bpf_loop(n, step, &each_, 0);                                                      \
	} while (0)
#include "resp.h"
#include "tls_clear.h"
#include "tls_record.h"

#define SOCK_STREAM 1
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_CLOSE 7
#define IPV6_EXT_MAX 8192 /* each has 8 bytes: more do not fit into a packet */
#define TCP_OPTIONS_MAX 40
#define TCP_OPTION_MPTCP 30 /* RFC 8684 */
#define LOOPBACK_IFINDEX 1  /* in every network namespace */
#define TAKE_TRIES 100000 /* some milliseconds: longer than a stopped virtual CPU is usually away */
#define NS_PER_MS 1000000ull
#define EARLY_WINDOW 65536 /* a later connection between the same ends begins far from there */
#define WALK_MAX 131072	   /* headers in a segment of 512 KiB (big TCP): 104,857 at most */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COMMANDS_MAX);
	__type(key, struct command_key);
	__type(value, u16);
} commands SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EARLY_MAX);
	__type(key, struct early_key);
	__type(value, struct early);
} early SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct resp_look);
} looks SEC(".maps");

/* The clear part of handshakes, for userspace to read. A ring of its own: it is no evidence of a deed. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CLEAR_RING_BYTES);
} handshakes SEC(".maps");

static u64 early_count; /* connections that began so */

/* A TCP segment as it lies in the packet. */
struct segment {
	u32 seq;
	u32 off; /* of the payload */
	u32 len;
	u32 ip;	 /* 4 or 6 */
	u32 tcp; /* offset of the TCP header */
	u8 flags;
};

static __always_inline __u64 tls_load(void *ctx, __u32 off, __u32 n)
{
	__u64 v = 0;

	/* one less: before 6.8 the verifier learns no minimum from "not 0" */
	n--;
	barrier_var(n);
	if (n >= TLS_HEADER_LEN)
		return 0;
	bpf_skb_load_bytes(ctx, off, &v, n + 1);
	return v; /* first byte lowest: x86-64 is little-endian */
}

static long wire_step(u32 i, struct tls_walk *w)
{
	return tls_step(w);
}

/* One record in one segment is the common case: it needs no loop call. */
static __always_inline void wire_walk(struct tls_walk *w)
{
	if (!tls_step(w) && w->off < w->end)
		bpf_loop(WALK_MAX, wire_step, w, 0);
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
	long tries = bpf_loop(TLS_SCAN_MAX, scan_step, &f, 0); /* the last one stopped it */

	off += tries - 1;
	return tries && tls_header_at(skb, off, end) ? off : TLS_SCAN_NONE;
}

__noinline int wire_place(struct __sk_buff *skb, struct tls_stream *s, struct tls_piece *p)
{
	return s && p ? tls_place(s, skb, p) : TLS_SEEN_NOTHING;
}

static __always_inline void segment_tcp(struct segment *g, const u8 *tcp)
{
	g->seq = (u32)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7];
	g->off = g->tcp + (tcp[12] >> 4) * 4;
	g->flags = tcp[13];
}

/* Steps through IPv6 extension headers. */
struct chain {
	struct __sk_buff *skb;
	u32 at;
	u32 next;
};

/* Those a TCP segment may still have when its socket gets it: RFC 8200 §4; a fragment header if nothing was cut. */
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

/* Find the TCP header and payload. Returns 0, or -1 where there is none. */
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

/*
 * Functions that are not static are verified once on their own and not along every path that calls
 * them: what is rare stands in such ones. The verifier wants each pointer checked there.
 */

/* Both ends of the connection, from the packet itself: a listener's socket does not know them. */
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

/* Number of the command named there; the name itself goes nowhere. */
static __always_inline u16 command_number(const struct resp_look *look)
{
	u16 *number = look->named ? bpf_map_lookup_elem(&commands, &look->word) : NULL;

	return number ? *number : 0;
}

#define LOOK_TEXT 0x100 /* text, not what ciphertext comes to now and then */

/*
 * Look at bytes [off, end) of a packet, which are no TLS. Returns enum saw_id, and in the upper
 * half the number of the command named there, 0 if none is known. A global function: verified
 * once.
 */
__noinline int look_at(struct __sk_buff *skb, u32 off, u32 end, u32 egress)
{
	u32 len = end - off, less, command;
	struct resp_look *look = bpf_map_lookup_elem(&looks, &egress);

	if (!look || off >= end)
		return SAW_OTHER;
	if (len > RESP_LOOK)
		len = RESP_LOOK;
	__builtin_memset(look->bytes, 0, RESP_LOOK);
	less = len - 1; /* before 6.8 the verifier learns no minimum from "not 0" */
	barrier_var(less);
	if (less >= RESP_LOOK || bpf_skb_load_bytes(skb, off, look->bytes, less + 1))
		return SAW_OTHER;
	look->len = len;
	resp_classify(look);
	command = command_number(look);
	return (resp_settle(look, command) & 0xff) | (resp_text(look) ? LOOK_TEXT : 0) |
	       command << 16;
}

struct clear {
	struct __sk_buff *skb;
	const struct segment *g;
	struct sock_mark *mark;
	u32 off, end; /* what is still to be handed on */
	u32 offset;   /* of off in the stream */
	u32 egress;
	u32 lost;
};

static long clear_walk_step(u32 i, struct tls_walk *w)
{
	return tls_clear_step(w);
}

/* A function of its own: 6.1's verifier counts the stack along the whole chain of calls. */
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

static long clear_step(u32 i, struct clear *c)
{
	u32 n = c->end - c->off, less;
	struct conn_ends ends = {};
	struct clear_piece *p;

	if (c->off >= c->end)
		return 1;
	if (n > CLEAR_PIECE)
		n = CLEAR_PIECE;
	p = bpf_ringbuf_reserve(&handshakes, sizeof(*p), 0);
	if (!p) {
		c->lost = 1;
		return 1;
	}
	p->magic = CLEAR_MAGIC;
	p->instance = c->mark->instance;
	p->cookie = bpf_get_socket_cookie(c->skb);
	p->time_ns = bpf_ktime_get_boot_ns();
	p->opened = clear_fill(c->skb, c->g, c->mark, &ends, c->egress);
	p->ends = ends;
	p->offset = c->offset;
	p->len = n;
	p->flags = c->egress ? CLEAR_EGRESS : 0;
	p->ipv6 = c->g->ip == 6;
	less = n - 1; /* before 6.8 the verifier learns no minimum from "not 0" */
	barrier_var(less);
	if (less >= CLEAR_PIECE || bpf_skb_load_bytes(c->skb, c->off, p->bytes, less + 1)) {
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
 * Before a segment is fed to a stream whose handshake is in the clear: hand on what is. In order only; a
 * handshake with a hole is given up, and counted. Behind the last clear byte nobody comes here again.
 */
__noinline int clear_send(struct __sk_buff *skb, struct sock_mark *mark, struct tls_stream *s,
			  const struct segment *g, u32 egress)
{
	struct tls_walk w = {.ctx = skb};
	struct clear c = {.skb = skb, .g = g, .mark = mark, .egress = egress};
	u32 known, hello;

	if (!mark || !s || !g)
		return 0;
	known = s->next - g->seq;
	if ((s32)known >= 0 && known >= g->len)
		return 0;				   /* seen before */
	hello = egress == !!(mark->flags & SOCK_LISTENER); /* here comes what the server settles */
	if ((s32)known < 0 || s->sync != TLS_SYNCED || s->hole) {
		s->past = 1;
		if (s->sync != TLS_BROKEN)
			counter_add(COUNTER_CLEAR_LOST, hello);
		return 0;
	}
	w.off = g->off + known;
	w.end = g->off + g->len;
	w.left = s->left;
	w.hdr = s->hdr;
	w.have = s->have;
	c.off = w.off;
	c.offset = s->offset;
	bpf_loop(CLEAR_MAX / TLS_HEADER_LEN, clear_walk_step, &w, 0);
	c.end = w.failed ? w.bad : w.end;
	if (w.failed || s->offset + (c.end - c.off) >= CLEAR_MAX)
		s->past = 1;
	bpf_loop(CLEAR_MAX / CLEAR_PIECE + 1, clear_step, &c, 0);
	if (c.lost) {
		s->past = 1;
		counter_add(COUNTER_CLEAR_LOST, hello);
	}
	return 0;
}

/* Small: it stands on the stack below everything that reads a segment. */
struct finding {
	u64 offset;
	u64 filed; /* instead of the mark's, see struct early */
	u32 records;
	u32 bytes;
	u32 writer; /* tgid of a stranger who wrote, for tls-writer */
	u32 unread; /* bytes of which it is certain now that nobody read them */
	u16 command;
	u8 rule;
	u8 egress;
	u8 saw;
	u8 has_offset;
	u8 secret; /* a credential, not with the connection's first plaintext */
	u8 mptcp;  /* the stream may be one of several parts */
};

/* Is plaintext of that instance kept from crossing? Asked for streams that broke only. */
__noinline int wire_denied(u32 instance)
{
	u32 *rules = bpf_map_lookup_elem(&guarded, &instance), host = INSTANCE_HOST;

	if (!rules)
		rules = bpf_map_lookup_elem(&guarded, &host);
	return rules && *rules & (1u << RULE_TLS_PLAINTEXT);
}

/* Local port of a segment that is sent. */
static __always_inline u16 port_of(struct __sk_buff *skb, const struct segment *g)
{
	u16 port = 0;

	bpf_skb_load_bytes(skb, g->tcp, &port, sizeof(port));
	return bpf_ntohs(port);
}

__noinline int finding_report(struct __sk_buff *skb, const struct segment *g,
			      const struct sock_mark *mark, const struct finding *f)
{
	u64 cookie =
		f && f->filed ? 0 : bpf_get_socket_cookie(skb); /* the listener's is nobody's */
	struct attempt_key key = {};
	struct event *e;

	if (!g || !mark || !f)
		return 0;
	key.instance = mark->instance;
	key.rule = f->rule;
	key.actor = f->filed ?: mark->filed ?: cookie;
	if (f->rule == RULE_TLS_LISTENER)
		key.actor = port_of(skb, g);
	key.detail = f->secret;
	key.tgid = f->writer;
	e = attempt_begin(&key, f->bytes);
	if (!e)
		return 0;
	e->flags |= EVENT_CONN;
	e->key.vector = f->egress ? VECTOR_EGRESS : VECTOR_INGRESS;
	segment_ends(skb, g, f->egress, &e->conn.ends);
	e->conn.ipv6 = g->ip == 6;
	e->conn.cookie = cookie;
	e->conn.offset = f->offset;
	e->conn.has_offset = f->has_offset;
	e->conn.records = f->records;
	e->conn.command = f->command;
	e->conn.saw = f->saw;
	e->conn.egress = f->egress;
	e->conn.segment = f->bytes;
	if (f->rule != RULE_TLS_WRITER && wire_denied(mark->instance))
		e->flags |= EVENT_PREVENTED;
	if (mark->flags & SOCK_LISTENER)
		e->conn.opened = OPENED_INBOUND;
	else if (mark->flags & SOCK_FRESH)
		e->conn.opened = OPENED_OUTBOUND;
	if (f->writer ||
	    (!f->egress && skb->ifindex == LOOPBACK_IFINDEX && current_is_peer(&e->conn)))
		event_actor(e, bpf_get_current_task_btf());
	event_send(e);
	return 0;
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

/* Is the segment MPTCP's? Asked for the first data of a direction: they all say so. */
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

/* The first segment of a direction. A stream we see from its birth starts synced. */
static __always_inline void stream_begin(struct __sk_buff *skb, struct bpf_sock *sk,
					 struct sock_mark *mark, struct tls_stream *s,
					 const struct segment *g, int egress)
{
	struct early_key key = {.instance = mark->instance};
	struct bpf_tcp_sock *tp;
	struct early *first;

	if (!(mark->flags & SOCK_MPTCP) && segment_mptcp(skb, g)) {
		mark->flags |= SOCK_MPTCP;
		if (!(mark->flags & SOCK_LISTENER))
			counter_add(COUNTER_SUBFLOWS_UNSEEN, 1);
	}
	if (!(mark->flags & SOCK_FRESH))
		goto unknown;
	if (egress || g->flags & TCP_SYN) {
		tls_begin(s, g->seq, 1);
		return;
	}
	tp = bpf_tcp_sock(sk);
	if (!tp)
		goto unknown;
	segment_ends(skb, g, 0, &key.ends);
	first = bpf_map_lookup_elem(&early, &key);
	if (first && first->seq + (u32)tp->bytes_received == tp->rcv_nxt) {
		*s = first->stream;
		s->busy = 1; /* we hold it */
		mark->filed = first->filed;
		bpf_map_delete_elem(&early, &key);
		return;
	}
	if (!tp->bytes_received) { /* nothing came before, even if this segment is out of order */
		tls_begin(s, tp->rcv_nxt, 1);
		return;
	}
unknown:
	tls_begin(s, g->seq, 0);
}

/* After a segment was read: is the stream out of sync now, or again in sync? */
__noinline int unsynced_note(struct sock_mark *mark, const struct tls_stream *s,
			     const struct finding *f)
{
	struct unsynced *u;
	u64 now;

	if (!mark || !s || !f)
		return 0;
	u = &mark->unsynced[f->egress & 1];
	if (f->unread) {
		counter_add(COUNTER_BYTES_UNSYNCED, f->unread);
		u->bytes = u->bytes + f->unread < f->unread ? ~0u : u->bytes + f->unread;
	}
	if ((s->sync == TLS_UNSYNCED || s->sync == TLS_WOVEN) == (u->since_ns != 0))
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (!u->since_ns) {
		u->since_ns = now;
		counter_add(COUNTER_STREAMS_UNSYNCED, 1);
		return 0;
	}
	u->ms += (now - u->since_ns + NS_PER_MS - 1) / NS_PER_MS;
	u->since_ns = 0;
	if (s->sync == TLS_SYNCED)
		counter_add(COUNTER_STREAMS_RESYNCED, 1);
	return 0;
}

/* What look_at() saw, and which rule a stream with this past breaks by it. */
static __always_inline void finding_bytes(struct finding *f, const struct tls_stream *s, int looked)
{
	f->saw = looked & 0xff;
	f->command = (u32)looked >> 16 & ~COMMAND_SECRET;
	f->rule = s->records ? RULE_TLS_MIDSTREAM : RULE_TLS_PLAINTEXT;
	f->records = s->records;
}

/* What a late segment brings for a hole. Returns 1 if f is to be reported. */
__noinline int stream_late(struct __sk_buff *skb, struct tls_stream *s, const struct segment *g,
			   struct finding *f)
{
	u32 bad;
	u64 bad_at = 0;
	int seen;

	if (!s || !g || !f)
		return 0;
	bad = g->off;
	seen = tls_feed_hole(s, skb, g->seq, g->off, g->len, &bad, &bad_at, &f->unread);
	if (seen != TLS_SEEN_PLAIN)
		return 0;
	f->offset = bad_at;
	f->has_offset = !s->late;
	f->bytes = g->off + g->len - bad;
	finding_bytes(f, s, look_at(skb, bad, g->off + g->len, f->egress));
	return 1;
}

/* Everything that is not the short path: several records, split headers, holes, findings. */
__noinline int stream_segment(struct __sk_buff *skb, struct tls_stream *s, const struct segment *g,
			      struct finding *f)
{
	u32 before, next, bad;
	int seen, looked = 0;
	u64 bad_at = 0;

	if (!s || !g || !f)
		return 0;
	before = s->sync;
	next = s->next;
	bad = g->off;
	f->bytes = g->len;
	seen = tls_feed_rest(s, skb, g->seq, g->off, g->len, &bad, &bad_at, &f->unread);
	if (seen == TLS_SEEN_RECORDS || seen == TLS_SEEN_NOTHING)
		return 0;
	if (seen == TLS_SEEN_UNSYNCED || seen == TLS_SEEN_PENDING) {
		looked = look_at(skb, g->off, g->off + g->len, f->egress);
		if (!resp_certain(looked & 0xff, (u32)looked >> 16) ||
		    (s->sync == TLS_WOVEN && !(looked & LOOK_TEXT)))
			return 0;
		s->sync = TLS_BROKEN;
	} else if (seen == TLS_SEEN_PLAIN) {
		looked = look_at(skb, bad, g->off + g->len, f->egress);
		if (unlikely(f->mptcp) &&
		    (!resp_certain(looked & 0xff, (u32)looked >> 16) || !(looked & LOOK_TEXT))) {
			tls_unweave(s);
			f->unread += g->off + g->len - bad;
			return 0;
		}
		f->offset = bad_at;
		f->has_offset = !s->late;
		f->bytes = g->off + g->len - bad;
	} else { /* broken before: a credential is news all the same */
		looked = look_at(skb, g->off, g->off + g->len, f->egress);
		f->secret = (u32)looked >> 16 & COMMAND_SECRET && before == TLS_BROKEN;
		f->bytes = s->next -
			   next; /* with what was overtaken: it will come late, and be known */
	}
	finding_bytes(f, s, looked);
	return 1;
}

/*
 * Bytes that were read come again, and the kernel takes them from this copy: it refused the first one (an old
 * timestamp, no room), or will not need it. Which record they are in is not known any more, but a command in
 * plaintext is one. wanted: the sequence number the kernel waits for. Returns 1 if f is to be reported.
 */
__noinline int stream_again(struct __sk_buff *skb, struct tls_stream *s, const struct segment *g,
			    u32 wanted, struct finding *f)
{
	u32 skip = wanted - (g ? g->seq : 0), off;
	int looked;

	if (!s || !g || !f || skip >= g->len || (s32)(s->next - wanted) <= 0 ||
	    s->sync == TLS_BROKEN)
		return 0;
	off = g->off + skip;
	looked = look_at(skb, off, g->off + g->len, f->egress);
	if (!resp_certain(looked & 0xff, (u32)looked >> 16) || !(looked & LOOK_TEXT))
		return 0;
	s->sync = TLS_BROKEN;
	s->hole = 0;
	f->offset = s->offset - (s->next - wanted);
	f->has_offset = !s->late;
	f->bytes = g->len - skip;
	if (f->has_offset && !f->offset)
		s->records = 0; /* they were in what was refused */
	finding_bytes(f, s, looked);
	return 1;
}

/* What an ingress segment says of bytes before the expected one. Returns 1 if f is to be reported. */
static __always_inline int stream_before(struct __sk_buff *skb, struct tls_stream *s,
					 const struct segment *g, u32 wanted, struct finding *f)
{
	if (s->hole) {
		if (stream_late(skb, s, g, f))
			return 1;
		if ((s32)(s->hole_end - wanted) > 0)
			wanted = s->hole_end; /* what lies before has just been read */
	}
	return stream_again(skb, s, g, wanted, f);
}

/*
 * Does the kernel keep a request for that segment, a half-open connection? Then *begin is the sequence number of
 * its first byte: this segment may have overtaken the first.
 */
__noinline int half_open(struct __sk_buff *skb, const struct segment *g, u32 *begin)
{
	struct bpf_sock_tuple to = {};
	struct tcp_request_sock *request;
	struct bpf_sock *found;
	u32 size;
	int open;

	if (!g || !begin)
		return 0;
	if (g->ip == 4) {
		bpf_skb_load_bytes(skb, 12, &to.ipv4.saddr, 8);
		bpf_skb_load_bytes(skb, g->tcp, &to.ipv4.sport, 4);
		size = sizeof(to.ipv4);
	} else {
		bpf_skb_load_bytes(skb, 8, &to.ipv6.saddr, 32);
		bpf_skb_load_bytes(skb, g->tcp, &to.ipv6.sport, 4);
		size = sizeof(to.ipv6);
	}
	found = bpf_skc_lookup_tcp(skb, &to, size, BPF_F_CURRENT_NETNS, 0);
	if (!found)
		return 0;
	open = found->state != TCP_LISTEN;
	request = bpf_skc_to_tcp_request_sock(found);
	if (request && g->seq - (request->rcv_isn + 1) < EARLY_WINDOW)
		*begin = request->rcv_isn + 1;
	bpf_sk_release(found);
	return open;
}

/*
 * Data on a listener: it rides on the ACK that makes the connection. Keep where the stream stands
 * for the child. Its findings have a number of their own, since the listener's cookie stands for no connection.
 *
 * Plaintext that would make a connection is not let in when it is denied, so there never is a socket to reset. The
 * monitor has the kernel forget the half-open connection; what is sent again finds the listener only and is let
 * through to it, for the kernel answers that with a reset. Not under SYN cookies, where nothing was kept and
 * the listener would make the connection from it.
 */
static __always_inline int listener_segment(struct __sk_buff *skb, struct sock_mark *mark,
					    const struct segment *g, struct finding *f)
{
	struct early_key key = {.instance = mark->instance};
	u32 begin = g->seq;
	int open = half_open(skb, g, &begin);
	struct early first = {}, *known;
	int late;

	segment_ends(skb, g, 0, &key.ends);
	known = bpf_map_lookup_elem(&early, &key);
	if (known && (open ? known->seq == begin : g->seq - known->seq < EARLY_WINDOW)) {
		first = *known; /* again, or the next one */
	} else {
		first.seq = begin;
		first.filed = FILED_EARLY | (__sync_fetch_and_add(&early_count, 1) + 1);
		tls_begin(&first.stream, begin, 1);
		/* the connection's cookie is not known yet; the ServerHello is still to come */
		first.stream.past = 1;
	}
	first.half_open |= open;
	f->filed = first.filed;
	late = (s32)(g->seq - first.stream.next) < 0;
	if ((late && stream_before(skb, &first.stream, g, first.seq, f)) ||
	    stream_segment(skb, &first.stream, g, f))
		finding_report(skb, g, mark, f);
	if (f->unread)
		counter_add(COUNTER_BYTES_UNSYNCED, f->unread);
	bpf_map_update_elem(&early, &key, &first, BPF_ANY);
	return first.stream.sync != TLS_BROKEN || !wire_denied(mark->instance) ||
	       (first.half_open && !open);
}

/* A SYN begins a connection of its own, whatever was known of these ends and whichever numbers it uses. */
__noinline int early_forget(struct __sk_buff *skb, const struct segment *g, u32 instance)
{
	struct early_key key = {.instance = instance};
	u32 begin;

	if (!g)
		return 0;
	segment_ends(skb, g, 0, &key.ends);
	if (bpf_map_lookup_elem(&early, &key) && !half_open(skb, g, &begin))
		bpf_map_delete_elem(&early, &key);
	return 0;
}

/* The answer is sent before a second segment came: the connection's first one is filed as the listener had it. */
__noinline int early_adopt(struct __sk_buff *skb, const struct segment *g, struct sock_mark *mark)
{
	struct early_key key = {};
	struct early *first;

	if (!mark || !g || mark->filed || mark->in.sync != TLS_NEW ||
	    !(mark->flags & SOCK_LISTENER))
		return 0;
	key.instance = mark->instance;
	segment_ends(skb, g, 1, &key.ends);
	first = bpf_map_lookup_elem(&early, &key);
	if (first)
		mark->filed = first->filed;
	return 0;
}

/* Strangers who were running when a protected socket sent, and were found not to hold it. */
struct bystander {
	u64 cookie;
	u32 tgid;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BYSTANDERS_MAX);
	__type(key, struct bystander);
	__type(value, u64); /* when */
} bystanders SEC(".maps");

/*
 * Egress runs in the writer, or in whoever was interrupted by the kernel's own sending (an ACK made
 * room, a timer fired): measured, some 3 in 1,000 segments. So a stranger is accused only when it
 * holds the socket. One search per socket, stranger and second.
 */
__noinline int stranger_check(struct __sk_buff *skb, u64 sk, struct sock_mark *mark,
			      const struct segment *g)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct finding f = {.rule = RULE_TLS_WRITER, .egress = 1};
	struct bystander who = {.tgid = task->tgid};
	struct fd_search *search = search_begin(1);
	u64 now, *seen;
	struct member *m;

	if (!mark || !g || !search || !who.tgid || (task->flags & PF_KTHREAD))
		return 0;
	m = member_of(who.tgid);
	if (m && m->instance == mark->instance) {
		mark->writer = who.tgid;
		return 0;
	}
	counter_add(COUNTER_BYSTANDERS, 1);
	who.cookie = bpf_get_socket_cookie(skb);
	now = bpf_ktime_get_ns();
	seen = bpf_map_lookup_elem(&bystanders, &who);
	if (seen && now - *seen < 1000000000ull)
		return 0;
	search->sk = sk;
	if (!current_holds(search)) {
		bpf_map_update_elem(&bystanders, &who, &now, BPF_ANY);
		return 0;
	}
	f.bytes = g->len;
	f.writer = who.tgid;
	f.offset = mark->out.offset;
	f.has_offset = !mark->out.late && mark->out.sync != TLS_NEW;
	f.records = mark->out.records;
	return finding_report(skb, g, mark, &f);
}

static __always_inline void writer_check(struct __sk_buff *skb, struct bpf_sock *sk,
					 struct sock_mark *mark, const struct segment *g)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (unlikely((u32)task->tgid != mark->writer))
		stranger_check(skb, plain(sk), mark, g);
}

/* Stops when the stream is had; the last try is none, so that the count of tries tells. */
static long take_step(u32 i, struct tls_stream **s)
{
	return i + 1 == TAKE_TRIES || !__sync_lock_test_and_set(&(*s)->busy, 1);
}

/*
 * Egress is serial under the socket's lock. Ingress of one connection may run on two CPUs: the writer's,
 * and the one where the other side's ACK let the kernel send more. The later one waits for the earlier,
 * which takes a microsecond at most, since softirqs do not sleep and do not nest. Should the later one
 * win, the earlier segment fills the hole it left. Returns 0 if the stream could not be had.
 */
static __always_inline int stream_take(struct tls_stream *s)
{
	if (likely(!__sync_lock_test_and_set(&s->busy, 1)))
		return 1;
	return bpf_loop(TAKE_TRIES, take_step, &s, 0) < TAKE_TRIES;
}

/* What an instance answers in plaintext, where it was dialled, says that plaintext is served there. */
static __always_inline void stream_finding(struct __sk_buff *skb, struct sock_mark *mark,
					   const struct segment *g, struct finding *f)
{
	if (f->egress)
		early_adopt(skb, g, mark);
	finding_report(skb, g, mark, f);
	if (!f->egress || !(mark->flags & SOCK_LISTENER) || f->records)
		return;
	f->rule = RULE_TLS_LISTENER;
	f->secret = 0;
	finding_report(skb, g, mark, f);
}

/* A segment that begins before the expected byte. Outbound, its bytes are those that were sent before. */
static __always_inline int stream_earlier(struct __sk_buff *skb, struct bpf_sock *sk,
					  struct tls_stream *s, const struct segment *g,
					  struct finding *f)
{
	struct bpf_tcp_sock *tp;

	if (f->egress)
		return s->hole && stream_late(skb, s, g, f);
	sk = bpf_sk_fullsock(sk);
	tp = sk ? bpf_tcp_sock(sk) : NULL;
	return tp && stream_before(skb, s, g, tp->rcv_nxt, f);
}

static __always_inline int wire_segment(struct __sk_buff *skb, int egress)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_mark *mark;
	struct tls_stream *s;
	struct segment g;
	struct finding f = {.egress = egress};
	int pass = 1;

	if (!sk)
		return 1;
	mark = bpf_sk_storage_get(&socks, sk, NULL, 0);
	if (likely(!mark))
		return 1;
	if (unlikely(segment_parse(skb, &g))) {
		counter_add(COUNTER_UNREAD, 1);
		return 1;
	}
	s = egress ? &mark->out : &mark->in;
	if (unlikely(g.flags & TCP_SYN) && !egress && s->sync == TLS_NEW)
		early_forget(skb, &g, mark->instance);
	if (!g.len || g.flags & TCP_RST)
		return 1;
	if (unlikely(g.flags & TCP_SYN)) { /* TCP Fast Open: RFC 7413 */
		if (s->sync != TLS_NEW)
			return 1;
		g.seq++;
	}
	if (egress)
		writer_check(skb, sk, mark, &g);
	if (unlikely(s->sync == TLS_NEW)) {
		sk = bpf_sk_fullsock(sk);
		if (!sk)
			return 1;
		if (sk->state == TCP_LISTEN) {
			return egress || listener_segment(skb, mark, &g, &f);
		}
	}
	if (!egress && !stream_take(s)) {
		counter_add(COUNTER_CONTENDED, 1);
		return 1;
	}
	if (unlikely(!s->past)) {
		if (s->sync == TLS_NEW)
			stream_begin(skb, sk, mark, s, &g, egress);
		if (!s->past)
			clear_send(skb, mark, s, &g, egress);
	}
	if (likely(tls_feed_short(s, skb, g.seq, g.off, g.len)))
		goto done;
	f.mptcp = !!(mark->flags & SOCK_MPTCP);
	if ((s32)(g.seq - s->next) < 0 && stream_earlier(skb, sk, s, &g, &f))
		finding_report(skb, &g, mark, &f);
	else if (stream_segment(skb, s, &g, &f))
		stream_finding(skb, mark, &g, &f);
	if (unlikely(f.unread || mark->unsynced[egress].since_ns || s->sync == TLS_UNSYNCED))
		unsynced_note(mark, s, &f);
	if (unlikely(s->sync == TLS_BROKEN))
		pass = !wire_denied(mark->instance);
done:
	if (!egress)
		s->busy = 0;
	return pass;
}

SEC("cgroup_skb/egress")
int wire_egress(struct __sk_buff *skb)
{
	return wire_segment(skb, 1);
}

SEC("cgroup_skb/ingress")
int wire_ingress(struct __sk_buff *skb)
{
	return wire_segment(skb, 0);
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *sk)
{
	struct member *m;

	if (sk->type != SOCK_STREAM)
		return 1;
	m = server_of(bpf_get_current_pid_tgid() >> 32);
	if (m)
		sock_mark_set(sk, m->instance, SOCK_FRESH);
	return 1;
}

/* A connection of which userspace was told a handshake is over. */
static __always_inline int closed_report(struct sock *sk)
{
	struct sock_mark *mark = bpf_sk_storage_get(&socks, sk, NULL, 0);
	struct clear_piece *p;

	if (!mark || mark->in.sync == TLS_NEW)
		return 0;
	p = bpf_ringbuf_reserve(&handshakes, CLEAR_HEADER_LEN, 0);
	if (!p)
		return 0; /* it stays in the table until another one needs the place */
	__builtin_memset(p, 0, CLEAR_HEADER_LEN);
	p->magic = CLEAR_MAGIC;
	p->instance = mark->instance;
	p->cookie = bpf_get_socket_cookie(sk);
	p->time_ns = bpf_ktime_get_boot_ns();
	p->flags = CLEAR_CLOSED;
	bpf_ringbuf_submit(p, 0);
	return 0;
}

/*
 * A server dials by a socket that was not marked when it was made: the kernel makes MPTCP's TCP sockets by
 * itself.
 */
static __always_inline int dial(struct sock *sk)
{
	struct member *m = server_of(bpf_get_current_pid_tgid() >> 32);

	if (m && sk->sk_protocol == IPPROTO_TCP && !bpf_sk_storage_get(&socks, sk, NULL, 0))
		sock_mark_set(sk, m->instance, SOCK_FRESH);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sock_listen, struct sock *sk, int oldstate, int newstate)
{
	struct task_struct *task;
	struct member *m;

	if (newstate == TCP_CLOSE)
		return closed_report(sk);
	if (newstate == TCP_SYN_SENT)
		return dial(sk);
	if (newstate != TCP_LISTEN || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	task = bpf_get_current_task_btf();
	m = server_of(task->tgid);
	if (m && sock_mark_set(sk, m->instance, SOCK_FRESH | SOCK_LISTENER))
		listen_report(sk, m->instance, 0);
	return 0;
}

static __always_inline void live_stream(struct live_stream *to, const struct tls_stream *s,
					const struct unsynced *u)
{
	u64 since = u->since_ns, ms = u->ms;

	if (since)
		ms += (bpf_ktime_get_boot_ns() - since + NS_PER_MS - 1) / NS_PER_MS;
	to->unsynced_ms = ms > ~0u ? ~0u : ms;
	to->unsynced_bytes = u->bytes;
	to->bytes = s->offset;
	to->records = s->records;
	to->sync = s->sync;
	to->late = s->late;
}

static __always_inline void live_ends(struct sock *sk, struct conn_live *live)
{
	u32 v4;

	if (live->ipv6) {
		BPF_CORE_READ_INTO(&live->ends.local_ip, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&live->ends.remote_ip, sk, __sk_common.skc_v6_daddr);
		/* IPv4 on a socket of IPv6 */
		if (!*(u64 *)live->ends.local_ip &&
		    *(u32 *)(live->ends.local_ip + 8) == bpf_htonl(0xffff))
			live->ipv6 = 0;
		return;
	}
	live->ends.local_ip[10] = live->ends.local_ip[11] = 0xff;
	live->ends.remote_ip[10] = live->ends.remote_ip[11] = 0xff;
	v4 = sk->__sk_common.skc_rcv_saddr;
	__builtin_memcpy(&live->ends.local_ip[12], &v4, 4);
	v4 = sk->__sk_common.skc_daddr;
	__builtin_memcpy(&live->ends.remote_ip[12], &v4, 4);
}

/* What is known of each connection now, for whoever asks. */
SEC("iter/bpf_sk_storage_map")
int live_conns(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_mark *mark = ctx->value;
	struct sock *sk = ctx->sk;
	struct conn_live live = {};

	if (!mark || !sk || sk->sk_protocol != IPPROTO_TCP ||
	    sk->__sk_common.skc_state == TCP_LISTEN || sk->__sk_common.skc_state == TCP_CLOSE)
		return 0;
	live.magic = LIVE_MAGIC;
	live.instance = mark->instance;
	live.flags = mark->flags;
	live.cookie = bpf_get_socket_cookie(sk);
	live.ipv6 = sk->__sk_common.skc_family == AF_INET6;
	live.ends.local_port = sk->__sk_common.skc_num;
	live.ends.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	live_ends(sk, &live);
	live_stream(&live.in, &mark->in, &mark->unsynced[0]);
	live_stream(&live.out, &mark->out, &mark->unsynced[1]);
	bpf_seq_write(ctx->meta->seq, &live, sizeof(live));
	return 0;
}

SEC("iter/task_file")
int mark_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct member *m;
	struct sock *sk;

	if (!task || !file)
		return 0;
	m = server_of(task->tgid);
	sk = m ? stream_sock_of(file) : NULL;
	if (!sk || bpf_sk_storage_get(&socks, sk, NULL, 0))
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP) {
		mark_found(sk, m->instance);
	} else { /* its TCP sockets are in no table of descriptors: those it makes from now on are seen */
		counter_add(COUNTER_SUBFLOWS_UNSEEN, 1);
		sock_mark_set(sk, m->instance, 0);
	}
	return 0;
}
