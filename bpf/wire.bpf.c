// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * wire.bpf.c - the wire sensor: what really crosses a protected socket, TLS records or not.
 *
 * Hooks, what each decides, and why there:
 *   cgroup/sock_create          marks a socket that an instance makes before it can carry a byte,
 *                               also if it is not TCP: each of its packets is then a finding
 *   iter/task_file              marks sockets from before the monitor, and those that a supervisor
 *                               handed down
 *   iter/bpf_sk_storage_map     reads the state of all marked sockets, on request
 *   iter/tcp                    the same where the kernel takes no iterators over maps, for one
 *                               network namespace at a time
 *   tp_btf/inet_sock_set_state  a socket begins to listen, is closed, connects for MPTCP, or was put
 *                               into a sockmap before its connection was established. Accepted
 *                               sockets inherit the listener's mark in the kernel (BPF_F_CLONE)
 *                               before their first segment
 *   cgroup_skb/egress, ingress  at the root of the cgroup2 hierarchy: every segment, after the
 *                               server's TLS library and before the client's. No process can
 *                               change the bytes on the way
 *
 * A packet of an unmarked socket costs one failed lookup. A segment inside the current record costs
 * one lookup, one compare and one subtraction. All else is a record header, a first segment, or a
 * finding.
 *
 * What is rare is in global functions, here and in the headers: the verifier checks each once, and
 * not along every path that calls it. It wants every pointer checked there.
 */
#include "lib/handshake_send.bpf.h"
#include "conn_snapshot.h"
#include "lib/stream.bpf.h"

#define TCP_CLOSE 7
#define TAKE_TRIES 100000 /* some milliseconds: longer than a virtual CPU is usually preempted */

/* Foreign processes that ran when a protected socket sent, and do not hold it. */
struct bystander {
	u64 cookie;
	u32 tgid;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BYSTANDERS_MAX);
	__type(key, struct bystander);
	__type(value, u64); /* when that was found: bpf_ktime_get_ns() */
} bystanders SEC(".maps");

/*
 * Egress runs in the context of the writer, or of a process that the kernel's own sending
 * interrupted (an ACK made room, a timer fired): about 3 of 1,000 segments. So a foreign process
 * counts as the writer only if it holds the socket. There is one search for each socket, process
 * and second. A task that exits writes nothing; a server's child has its descriptors a moment longer
 * than it is a member.
 */
__noinline int foreign_writer(struct __sk_buff *skb, u64 sk, struct sock_mark *mark,
			      const struct segment *g)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct finding f = {.rule = RULE_TLS_WRITER, .egress = 1};
	struct bystander bystander = {.tgid = task->tgid};
	struct fd_search *search = search_begin(1);
	u64 now, *found_at;
	struct member *m;

	if (!mark || !g || !search || !bystander.tgid || (task->flags & (PF_KTHREAD | PF_EXITING)))
		return 0;
	m = member_of(bystander.tgid);
	if (m && m->instance == mark->instance) {
		mark->writer = bystander.tgid;
		return 0;
	}
	counter_add(COUNTER_BYSTANDERS, 1);
	bystander.cookie = bpf_get_socket_cookie(skb);
	now = bpf_ktime_get_ns();
	found_at = bpf_map_lookup_elem(&bystanders, &bystander);
	if (found_at && now - *found_at < 1000000000ull)
		return 0;
	search->sk = sk;
	if (!current_holds(search)) {
		bpf_map_update_elem(&bystanders, &bystander, &now, BPF_ANY);
		return 0;
	}
	f.bytes = g->len;
	f.writer = bystander.tgid;
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
		foreign_writer(skb, address(sk), mark, g);
}

/*
 * Stops once the stream is taken. The last iteration tries nothing: all of them were run if it was
 * not taken.
 */
static long take_step(u32 i, struct tls_stream **s)
{
	return i + 1 == TAKE_TRIES || !__sync_lock_test_and_set(&(*s)->busy, 1);
}

/*
 * Egress is serialized by the socket lock. Ingress of one connection may run on two CPUs: over
 * loopback, the writer's and the one where the peer's ACK let the kernel send more. One waits for
 * the other, a microsecond at most, since softirqs neither sleep nor nest. If the later segment
 * wins, the earlier one fills the hole it left. Returns 0 if the stream could not be taken.
 */
static __always_inline int stream_take(struct tls_stream *s)
{
	if (likely(!__sync_lock_test_and_set(&s->busy, 1)))
		return 1;
	return bpf_loop(TAKE_TRIES, take_step, &s, 0) < TAKE_TRIES;
}

/*
 * Report a finding. If an instance answers in plaintext on an accepted connection, its listener
 * serves plaintext.
 */
static __always_inline void stream_finding(struct __sk_buff *skb, struct sock_mark *mark,
					   const struct segment *g, struct finding *f)
{
	if (f->egress)
		early_adopt(skb, g, mark);
	finding_report(skb, g, mark, f);
	if (!f->egress || !(mark->flags & SOCK_LISTENER) || f->records)
		return;
	f->rule = RULE_TLS_LISTENER;
	f->credential = f->secret = 0;
	finding_report(skb, g, mark, f);
}

/* A segment that begins before the expected byte. Outbound there is only one copy of each byte. */
static __always_inline int stream_earlier(struct __sk_buff *skb, struct bpf_sock *sk,
					  struct tls_stream *s, const struct segment *g,
					  struct finding *f)
{
	u32 wanted = s->next; /* inbound: what the kernel waits for */
	struct bpf_tcp_sock *tp;

	if (!f->egress) {
		sk = bpf_sk_fullsock(sk);
		tp = sk ? bpf_tcp_sock(sk) : NULL;
		if (!tp)
			return 0;
		wanted = tp->rcv_nxt;
	}
	return stream_before(skb, s, g, wanted, f);
}

/*
 * Does the segment begin beyond the receive window? The kernel drops it then, see tcp_sequence().
 */
static __always_inline int beyond_window(struct bpf_sock *sk, u32 seq)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp && (s32)(seq - (tp->rcv_wup + tp->rcv_wnd)) > 0;
}

/* Both ends of a packet other than TCP, and its IP version. Returns the protocol; negative if it cannot be read. */
__noinline int other_ends(struct __sk_buff *skb, u32 egress, struct conn_ends *ret, u8 *ret_ip)
{
	struct segment g = {};
	u8 ip[10] = {};

	if (!ret || !ret_ip || bpf_skb_load_bytes(skb, 0, ip, sizeof(ip)))
		return -1;
	g.ip = ip[0] >> 4;
	g.tcp = g.ip == 4 ? (ip[0] & 0xf) * 4 : 40;
	segment_ends(skb, &g, egress, ret);
	*ret_ip = g.ip;
	return g.ip == 4 ? ip[9] : ip[6];
}

/*
 * A packet other than TCP on a server's socket: what it carries and how it is protected is unknown.
 * One attempt per peer, within the instance's share. Returns 1: it passes.
 */
__noinline int other_packet(struct __sk_buff *skb, const struct sock_mark *mark, u32 egress)
{
	struct attempt_key key = {.rule = RULE_TLS_BYPASS};
	struct conn_ends ends = {};
	struct attempt *a;
	struct event *e;
	u64 *peer = (u64 *)ends.remote_ip;
	int protocol;
	u8 ip = 0;

	protocol = other_ends(skb, egress, &ends, &ip);
	if (!mark || protocol < 0 ||
	    !turn_mine(bpf_get_socket_cookie(skb), (u64)skb->len << 1 | egress))
		return 1;
	key.instance = mark->instance;
	key.actor = (peer[0] ^ peer[1] ^ (u64)ends.remote_port << 16) & ~ACTOR_CROWD;
	a = bpf_map_lookup_elem(&attempts, &key);
	if (!a) {
		conn_admit(&key, 0, peer_group(&ends), 0);
		a = bpf_map_lookup_elem(&attempts, &key);
	}
	e = attempt_count(a, &key, 1, skb->len);
	if (!e)
		return 1;
	e->flags |= EVENT_CONN | (key.actor & ACTOR_CROWD ? EVENT_CROWD : 0);
	e->key.vector = egress ? VECTOR_EGRESS : VECTOR_INGRESS;
	e->conn.cookie = bpf_get_socket_cookie(skb);
	e->conn.ends = ends;
	e->conn.ipv6 = ip == 6;
	e->conn.egress = egress;
	e->conn.segment = skb->len;
	e->conn.protocol = protocol;
	event_send(e);
	return 1;
}

/* Sequence number, and the bytes that hold the length of the header and the flags. */
static __always_inline void short_tcp(const u8 *tcp, u32 *seq, u32 *bits)
{
	*seq = bpf_ntohl(*(const u32 *)(tcp + 4));
	*bits = *(const u16 *)(tcp + 12);
}

/*
 * Nearly every packet of a busy connection: no data, or a segment that continues a stream of records and has at most
 * one header, at its start. Returns 0, with nothing changed, if it needs wire_long().
 */
static __always_inline int wire_short(struct __sk_buff *skb, const struct sock_mark *mark,
				      struct tls_stream *s, int egress)
{
	const u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	u32 seq, bits, off, done;

	if (data + 40 <= end && data[0] == 0x45 && data[9] == IPPROTO_TCP) {
		short_tcp(data + 20, &seq, &bits);
		off = 20;
	} else if (data + 60 <= end && data[0] >> 4 == 6 && data[6] == IPPROTO_TCP) {
		short_tcp(data + 40, &seq, &bits);
		off = 40;
	} else {
		return 0;
	}
	if (bits & (TCP_SYN | TCP_RST) << 8)
		return 0;
	off += bits >> 2 & 0x3c;
	if (skb->len <= off)
		return 1;
	if (s->sync != TLS_SYNCED || !s->clear_done)
		return 0;
	if (egress)
		return (u32)bpf_get_current_task_btf()->tgid == mark->writer &&
		       tls_feed_short(s, skb, seq, off, skb->len - off);
	if (__sync_lock_test_and_set(&s->busy, 1))
		return 0;
	done = tls_feed_short(s, skb, seq, off, skb->len - off);
	s->busy = 0;
	return done;
}

static __always_inline int wire_long(struct __sk_buff *skb, struct bpf_sock *sk,
				     struct sock_mark *mark, struct tls_stream *s, int egress)
{
	struct segment g;
	struct finding f = {.egress = egress};
	int pass = 1;

	if (unlikely(segment_parse(skb, &g))) {
		if (mark->flags & SOCK_OTHER)
			return other_packet(skb, mark, egress);
		counter_add(COUNTER_UNREAD, 1);
		return 1;
	}
	if (unlikely(g.flags & TCP_SYN) && !egress && s->sync == TLS_NEW)
		early_forget(skb, &g, mark->instance);
	if (!g.len || g.flags & TCP_RST)
		return 1;
	if (unlikely(g.flags & TCP_SYN)) { /* data on a SYN: TCP Fast Open, RFC 7413 */
		if (s->sync != TLS_NEW)
			return 1;
		g.seq++;
	}
	if (egress)
		writer_check(skb, sk, mark, &g);
	if (unlikely(s->sync == TLS_NEW)) {
		if (mark->flags & SOCK_OTHER) /* a raw socket that sends TCP */
			return other_packet(skb, mark, egress);
		sk = bpf_sk_fullsock(sk);
		if (!sk)
			return 1;
		if (sk->state == TCP_LISTEN) {
			return egress || listener_segment(skb, mark, &g, &f);
		}
		if (!egress && g.flags & TCP_SYN)
			return 1; /* only a listener accepts data on a SYN */
	}
	if (!egress && !stream_take(s)) {
		counter_add(COUNTER_CONTENDED, 1);
		return 1;
	}
	if (unlikely(!s->clear_done)) {
		if (s->sync == TLS_NEW)
			stream_begin(skb, sk, mark, s, &g, egress);
		if (!s->clear_done)
			clear_send(skb, mark, s, &g, egress);
	}
	f.mptcp = !!(mark->flags & SOCK_MPTCP);
	if (!egress && !f.mptcp && (s32)(g.seq - s->next) > 0 && beyond_window(sk, g.seq))
		goto done;
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

static __always_inline int wire_segment(struct __sk_buff *skb, int egress)
{
	struct bpf_sock *sk = skb->sk;
	struct sock_mark *mark;
	struct tls_stream *s;

	if (!sk)
		return 1;
	mark = bpf_sk_storage_get(&sock_marks, sk, NULL, 0);
	if (likely(!mark))
		return 1;
	s = egress ? &mark->out : &mark->in;
	return wire_short(skb, mark, s, egress) ? 1 : wire_long(skb, sk, mark, s, egress);
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

	m = server_of(bpf_get_current_pid_tgid() >> 32);
	if (m)
		sock_mark_set(sk, m->instance,
			      is_other(sk->type, sk->protocol) ? SOCK_OTHER : SOCK_FRESH);
	return 1;
}

/* Bytes in a hole that nobody will fill any more stay unread. */
static __always_inline void carried_fill(struct chunk_carried *c, const struct tls_stream *s,
					 const struct unsynced *u)
{
	u64 unread = u->bytes;

	if (s->hole)
		unread += s->sync == TLS_SYNCED ? s->hole_end + s->found - s->hole_next
						: s->next - s->hole_next;
	c->bytes = s->offset;
	c->unread = unread > ~0u ? ~0u : unread;
}

/* Tell userspace, which has the handshake of the connection, that it is closed. */
static __always_inline int closed_report(struct sock *sk)
{
	struct chunk_carried *c;
	struct sock_mark *mark = bpf_sk_storage_get(&sock_marks, sk, NULL, 0);
	struct handshake_chunk *p;

	if (!mark || (mark->in.sync == TLS_NEW && mark->out.sync == TLS_NEW))
		return 0;
	p = bpf_ringbuf_reserve(&handshakes, CHUNK_CLOSED_LEN, 0);
	if (!p) { /* userspace keeps it until its table needs the room */
		counter_add(COUNTER_ENDS_LOST, 1);
		return 0;
	}
	__builtin_memset(p, 0, CHUNK_CLOSED_LEN);
	p->magic = CHUNK_MAGIC;
	p->instance = mark->instance;
	p->cookie = bpf_get_socket_cookie(sk);
	p->time_ns = bpf_ktime_get_boot_ns();
	p->flags = CHUNK_CLOSED;
	c = (void *)p->bytes;
	carried_fill(&c[0], &mark->in, &mark->unsynced[0]);
	carried_fill(&c[1], &mark->out, &mark->unsynced[1]);
	bpf_ringbuf_submit(p, 0);
	return 0;
}

/* A server connects with an unmarked socket: the kernel makes the TCP sockets of MPTCP itself. */
static __always_inline int mark_connecting(struct sock *sk)
{
	struct member *m = server_of(bpf_get_current_pid_tgid() >> 32);

	if (m && sk->sk_protocol == IPPROTO_TCP && !bpf_sk_storage_get(&sock_marks, sk, NULL, 0))
		sock_mark_set(sk, m->instance, SOCK_FRESH);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sock_state, struct sock *sk, int oldstate, int newstate)
{
	struct task_struct *task;
	struct sock_mark *mark;
	struct member *m;

	if (newstate == TCP_ESTABLISHED) {
		mark = bpf_sk_storage_get(&sock_marks, sk, NULL, 0);
		return mark ? sockmap_check(sk, mark, 0) : 0;
	}
	if (newstate == TCP_CLOSE)
		return closed_report(sk);
	if (newstate == TCP_SYN_SENT)
		return mark_connecting(sk);
	if (newstate != TCP_LISTEN || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	task = bpf_get_current_task_btf();
	m = server_of(task->tgid);
	if (m && sock_mark_set(sk, m->instance, SOCK_FRESH | SOCK_LISTENER))
		listen_report(sk, m->instance, 0);
	return 0;
}

static __always_inline void stream_snapshot(struct stream_snapshot *to, const struct tls_stream *s,
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

static __always_inline void snapshot_ends(struct sock *sk, struct conn_snapshot *snap)
{
	u32 v4;

	if (snap->ipv6) {
		BPF_CORE_READ_INTO(&snap->ends.local_ip, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&snap->ends.remote_ip, sk, __sk_common.skc_v6_daddr);
		/* IPv4 on an IPv6 socket */
		if (!*(u64 *)snap->ends.local_ip &&
		    *(u32 *)(snap->ends.local_ip + 8) == bpf_htonl(0xffff))
			snap->ipv6 = 0;
		return;
	}
	snap->ends.local_ip[10] = snap->ends.local_ip[11] = 0xff;
	snap->ends.remote_ip[10] = snap->ends.remote_ip[11] = 0xff;
	v4 = sk->__sk_common.skc_rcv_saddr;
	__builtin_memcpy(&snap->ends.local_ip[12], &v4, 4);
	v4 = sk->__sk_common.skc_daddr;
	__builtin_memcpy(&snap->ends.remote_ip[12], &v4, 4);
}

/* --- snapshots of all connections, for the control socket; one of the two programs is loaded --- */

static __always_inline int snapshot(struct seq_file *seq, struct sock *sk, struct sock_mark *mark)
{
	struct conn_snapshot snap = {};

	if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state == TCP_LISTEN ||
	    sk->__sk_common.skc_state == TCP_CLOSE)
		return 0;
	snap.magic = SNAPSHOT_MAGIC;
	snap.instance = mark->instance;
	snap.flags = mark->flags;
	snap.cookie = bpf_get_socket_cookie(sk);
	snap.ipv6 = sk->__sk_common.skc_family == AF_INET6;
	snap.ends.local_port = sk->__sk_common.skc_num;
	snap.ends.remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	snapshot_ends(sk, &snap);
	stream_snapshot(&snap.in, &mark->in, &mark->unsynced[0]);
	stream_snapshot(&snap.out, &mark->out, &mark->unsynced[1]);
	bpf_seq_write(seq, &snap, sizeof(snap));
	return 0;
}

SEC("?iter/bpf_sk_storage_map")
int snapshot_conns(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_mark *mark = ctx->value;
	struct sock *sk = ctx->sk;

	return mark && sk ? snapshot(ctx->meta->seq, sk, mark) : 0;
}

SEC("?iter/tcp")
int snapshot_netns(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tcp = skc ? bpf_skc_to_tcp_sock(skc) : NULL;
	struct sock_mark *mark = tcp ? bpf_sk_storage_get(&sock_marks, tcp, NULL, 0) : NULL;

	return mark ? snapshot(ctx->meta->seq, (struct sock *)tcp, mark) : 0;
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
	if (!sk || bpf_sk_storage_get(&sock_marks, sk, NULL, 0))
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP) {
		mark_found(sk, m->instance);
	} else { /* MPTCP: subflows are in no descriptor table, only new ones are seen */
		counter_add(COUNTER_SUBFLOWS_UNSEEN, 1);
		sock_mark_set(sk, m->instance, 0);
	}
	return 0;
}
