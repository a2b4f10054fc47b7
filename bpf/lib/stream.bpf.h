/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * stream.bpf.h - one direction of a connection, segment by segment: how it begins, what a segment
 * does to it, and data that arrives before the connection has a socket.
 */
#ifndef CACHEWARDEN_STREAM_BPF_H
#define CACHEWARDEN_STREAM_BPF_H

#include "lib/finding.bpf.h"

#define NS_PER_MS 1000000ull
#define EARLY_WINDOW 65536 /* a later connection between the same ends begins farther away */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EARLY_MAX);
	__type(key, struct early_key);
	__type(value, struct early);
} early_streams SEC(".maps");

static u64 early_count; /* connections that began with early data */

/*
 * The kernel has received none of the early data in order. Is it still on its way there: kept
 * because it overtook the first segment, or being received on another CPU, so that this segment
 * follows it? If not, the kernel refused it. A stream that was found not to be TLS stays so.
 */
static __always_inline int early_valid(const struct tls_stream *s, u32 rcv_nxt, u32 seq)
{
	return s->sync == TLS_BROKEN || (s->hole && s->hole_next == rcv_nxt) || s->next == seq;
}

/* The connection received bytes that no program read. */
static __always_inline void passed_unread(struct sock_mark *mark, u32 bytes)
{
	if (!bytes)
		return;
	mark->unsynced[0].bytes = bytes;
	counter_add(COUNTER_BYTES_UNSYNCED, bytes);
}

/* The first segment of a direction. A stream seen from its first byte starts in sync. */
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
	if (egress) {
		tls_begin(s, g->seq, 1);
		goto known;
	}
	tp = bpf_tcp_sock(sk);
	if (!tp)
		goto unknown;
	segment_ends(skb, g, 0, &key.ends);
	first = bpf_map_lookup_elem(&early_streams, &key);
	if (first && first->seq + (u32)tp->bytes_received == tp->rcv_nxt) {
		mark->finding_id = first->finding_id;
		if (tp->bytes_received || early_valid(&first->stream, tp->rcv_nxt, g->seq)) {
			*s = first->stream;
			s->busy = 1; /* taken by the caller */
			passed_unread(mark, first->unread);
			bpf_map_delete_elem(&early_streams, &key);
			return;
		}
		bpf_map_delete_elem(&early_streams, &key);
	}
	if (!tp->bytes_received) { /* nothing arrived before, even if this segment is out of order */
		tls_begin(s, tp->rcv_nxt, 1);
		goto known;
	}
	passed_unread(mark, tp->bytes_received);
unknown:
	tls_begin(s, g->seq, 0);
	return;
known:
	if (!(mark->flags & SOCK_MPTCP))
		tls_expect_handshake(s);
}

/* After a segment: account for the time and the bytes that the stream was out of sync. */
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
	if ((s->sync == TLS_UNSYNCED || s->sync == TLS_MULTIPATH) == (u->since_ns != 0))
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

/* As payload_classify(), for a record that is out of sequence: a command is in its body. */
__noinline int order_payload(struct __sk_buff *skb, const struct tls_stream *s, u32 off, u32 end,
			     u32 egress)
{
	int kind = payload_classify(skb, off + TLS_HEADER_LEN, end, egress);

	if (!s)
		return 0;
	return (kind & ~0xff) |
	       (s->order == TLS_ORDER_DATA ? PAYLOAD_DATA_RECORD : PAYLOAD_WRONG_RECORD);
}

/* Feed what a late segment has for the open hole. Returns 1 if f is to be reported. */
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
	finding_payload(f, s, payload_classify(skb, bad, g->off + g->len, f->egress));
	return 1;
}

/*
 * All but the short path: several records, split headers, holes, findings. Returns 1 if f is to be
 * reported.
 */
__noinline int stream_segment(struct __sk_buff *skb, struct tls_stream *s, const struct segment *g,
			      struct finding *f)
{
	u32 before, next, bad;
	int seen, kind = 0;
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
		kind = payload_classify(skb, g->off, g->off + g->len, f->egress);
		if (!resp_certain(kind & 0xff, (u32)kind >> 16) ||
		    ((s->sync == TLS_MULTIPATH || (kind & 0xff) == PAYLOAD_INLINE) &&
		     !(kind & PAYLOAD_TEXT)))
			return 0; /* ciphertext may have three letters and a line end by chance */
		s->sync = TLS_BROKEN;
	} else if (seen == TLS_SEEN_PLAIN) {
		kind = s->order >= TLS_ORDER_DATA
			       ? order_payload(skb, s, bad, g->off + g->len, f->egress)
			       : payload_classify(skb, bad, g->off + g->len, f->egress);
		if (unlikely(f->mptcp) &&
		    (!resp_certain(kind & 0xff, (u32)kind >> 16) || !(kind & PAYLOAD_TEXT))) {
			tls_multipath(s);
			f->unread += g->off + g->len - bad;
			return 0;
		}
		f->offset = bad_at;
		f->has_offset = !s->late;
		f->bytes = g->off + g->len - bad;
	} else { /* broken before: only a credential is another finding */
		kind = payload_classify(skb, g->off, g->off + g->len, f->egress);
		f->secret = (u32)kind >> 16 & COMMAND_SECRET && before == TLS_BROKEN;
		/* what this segment overtook is counted now: it will be skipped when it arrives */
		f->bytes = s->next - next;
	}
	finding_payload(f, s, kind);
	return 1;
}

/*
 * Bytes that were read already arrive once more, and the kernel may use this copy: it dropped the
 * first one (an old timestamp, no memory). Which record they belong to is not known any more, so
 * that only a command in plaintext is a finding; other text may be part of a certificate. wanted:
 * the sequence number that the kernel waits for; it may keep what lies behind. Returns 1 if f is to
 * be reported.
 */
__noinline int stream_again(struct __sk_buff *skb, struct tls_stream *s, const struct segment *g,
			    u32 wanted, struct finding *f)
{
	u32 skip, payload;
	int kind;

	if (!s || !g || !f || s->sync == TLS_BROKEN)
		return 0;
	if ((s32)(g->seq - wanted) > 0)
		wanted = g->seq;
	skip = wanted - g->seq;
	if (skip >= g->len || (s32)(s->next - wanted) <= 0)
		return 0;
	kind = payload_classify(skb, g->off + skip, g->off + g->len, f->egress);
	payload = kind & 0xff;
	if (!(kind & PAYLOAD_TEXT) || payload == PAYLOAD_PRINTABLE ||
	    !resp_certain(payload, (u32)kind >> 16))
		return 0;
	s->sync = TLS_BROKEN;
	s->hole = 0;
	f->offset = s->offset - (s->next - wanted);
	f->has_offset = !s->late;
	f->bytes = g->len - skip;
	if (f->has_offset && !f->offset)
		s->records = 0; /* they were in the copy that was dropped */
	finding_payload(f, s, kind);
	return 1;
}

/* A segment that begins before the expected byte. Returns 1 if f is to be reported. */
static __always_inline int stream_before(struct __sk_buff *skb, struct tls_stream *s,
					 const struct segment *g, u32 wanted, struct finding *f)
{
	u32 unread = s->hole_next, rest;
	int bad = s->hole && stream_late(skb, s, g, f);

	/*
	 * the part that fills the hole has just been read; what comes before the hole was read from
	 * another copy
	 */
	if (!bad && s->hole && (s32)(wanted - unread) >= 0 && (s32)(s->hole_next - wanted) > 0)
		wanted = s->hole_next;
	bad = bad || stream_again(skb, s, g, wanted, f);
	rest = g->seq + g->len - s->next;
	if (bad && (s32)rest > 0)
		tls_advance(s, rest);
	return bad;
}

/* What the kernel has for a segment that reaches a listener. */
enum receiver {
	RECEIVER_LISTENER,
	RECEIVER_REQUEST, /* a half-open connection */
	RECEIVER_CHILD, /* made by another CPU meanwhile; the segment will be filtered there, too */
};

/*
 * For a request, *begin is set to its first sequence number: this segment may have overtaken the
 * first.
 */
__noinline int receiver_of(struct __sk_buff *skb, const struct segment *g, u32 *begin)
{
	struct bpf_sock_tuple to = {};
	struct tcp_request_sock *request;
	struct bpf_sock *found;
	int is = RECEIVER_LISTENER;
	u32 size;

	if (!g || !begin)
		return is;
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
		return is;
	request = bpf_skc_to_tcp_request_sock(found);
	if (request) {
		is = RECEIVER_REQUEST;
		*begin = request->rcv_isn + 1;
	} else if (found->state != TCP_LISTEN) {
		is = RECEIVER_CHILD;
	}
	bpf_sk_release(found);
	return is;
}

/*
 * Data on a listener comes with the ACK that completes a handshake. Keep the state of the stream
 * for the child socket. Findings get an id of their own, since the listener's cookie names no
 * connection.
 *
 * Plaintext that is prevented is dropped here, before there is a socket that could be reset. The
 * monitor makes the kernel forget the half-open connection. A retransmission then finds the
 * listener only, and passes: the kernel answers it with a reset. This does not hold under SYN
 * cookies, where no request is kept and the listener would make the connection from it: there it is
 * dropped, too.
 *
 * Data without a request and a SYN belongs to a connection by SYN cookie, or to one that this host
 * forgot. Its position in the stream is unknown.
 */
static __always_inline int listener_segment(struct __sk_buff *skb, struct sock_mark *mark,
					    const struct segment *g, struct finding *f)
{
	struct early_key key = {.instance = mark->instance};
	u32 begin = g->seq;
	int is = receiver_of(skb, g, &begin), open = is == RECEIVER_REQUEST;
	struct early first = {}, *known;
	int late;

	if (is == RECEIVER_CHILD)
		return 1;
	segment_ends(skb, g, 0, &key.ends);
	known = bpf_map_lookup_elem(&early_streams, &key);
	if (known && (open ? known->seq == begin : g->seq - known->seq < EARLY_WINDOW)) {
		first = *known; /* a retransmission, or the next segment */
	} else {
		first.seq = begin;
		first.finding_id = FINDING_ID_EARLY | (__sync_fetch_and_add(&early_count, 1) + 1);
		tls_begin(&first.stream, begin, open || g->flags & TCP_SYN);
		if (!first.stream.late && !segment_mptcp(skb, g))
			tls_expect_handshake(&first.stream);
		/* no chunks: they are sent under the connection's cookie, which is not known yet */
		first.stream.clear_done = TLS_CLEAR_LOST;
	}
	first.half_open |= open;
	f->finding_id = first.finding_id;
	late = (s32)(g->seq - first.stream.next) < 0;
	if ((late && stream_before(skb, &first.stream, g, first.seq, f)) ||
	    stream_segment(skb, &first.stream, g, f))
		finding_report(skb, g, mark, f);
	first.unread += f->unread; /* 31 bits: a few segments do not fill them */
	bpf_map_update_elem(&early_streams, &key, &first, BPF_ANY);
	return first.stream.sync != TLS_BROKEN || !wire_denied(mark->instance) ||
	       (first.half_open && !open);
}

/* A SYN begins a new connection, whatever was kept for these ends. */
__noinline int early_forget(struct __sk_buff *skb, const struct segment *g, u32 instance)
{
	struct early_key key = {.instance = instance};
	u32 begin = 0;

	if (!g)
		return 0;
	segment_ends(skb, g, 0, &key.ends);
	if (bpf_map_lookup_elem(&early_streams, &key) &&
	    receiver_of(skb, g, &begin) == RECEIVER_LISTENER)
		bpf_map_delete_elem(&early_streams, &key);
	return 0;
}

/*
 * The first answer is sent before a second segment arrives: findings on it use the id of the early
 * data.
 */
__noinline int early_adopt(struct __sk_buff *skb, const struct segment *g, struct sock_mark *mark)
{
	struct early_key key = {};
	struct early *first;

	if (!mark || !g || mark->finding_id || mark->in.sync != TLS_NEW ||
	    !(mark->flags & SOCK_LISTENER))
		return 0;
	key.instance = mark->instance;
	segment_ends(skb, g, 1, &key.ends);
	first = bpf_map_lookup_elem(&early_streams, &key);
	if (first)
		mark->finding_id = first->finding_id;
	return 0;
}

#endif
