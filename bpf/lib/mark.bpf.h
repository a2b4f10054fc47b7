/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mark.bpf.h - the mark that says which instance a socket belongs to, in socket storage beside the
 * state of its streams. A socket that a marked listener accepts inherits the mark from the kernel
 * (BPF_F_CLONE).
 */
#ifndef CACHEWARDEN_MARK_BPF_H
#define CACHEWARDEN_MARK_BPF_H

#include "lib/event.bpf.h"

#define SOCK_STREAM 1
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define IPPROTO_HOPOPTS 0
#define IPPROTO_TCP 6
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_DSTOPTS 60
#define IPPROTO_MPTCP 262
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_LISTEN 10

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct sock_mark);
} sock_marks SEC(".maps");

/*
 * Mark a socket as an instance's; sk is the kind of socket pointer that the hook has. Returns NULL
 * on failure.
 */
static __always_inline struct sock_mark *sock_mark_set(void *sk, u32 instance, u32 flags)
{
	struct sock_mark *mark =
		bpf_sk_storage_get(&sock_marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!mark) {
		counter_add(COUNTER_MARK_FAILED, 1);
		return NULL;
	}
	mark->instance = instance;
	mark->flags = flags;
	return mark;
}

static __always_inline void sock_ends(const struct sock *sk, struct conn_info *conn)
{
	u32 v4;

	conn->ipv6 = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6;
	conn->ends.local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	conn->ends.remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (conn->ipv6) {
		BPF_CORE_READ_INTO(&conn->ends.local_ip, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&conn->ends.remote_ip, sk, __sk_common.skc_v6_daddr);
		return;
	}
	conn->ends.local_ip[10] = conn->ends.local_ip[11] = 0xff;
	conn->ends.remote_ip[10] = conn->ends.remote_ip[11] = 0xff;
	v4 = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	__builtin_memcpy(&conn->ends.local_ip[12], &v4, 4);
	v4 = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	__builtin_memcpy(&conn->ends.remote_ip[12], &v4, 4);
}

#define SK_USER_DATA_PSOCK 4 /* include/net/sock.h, since Linux 6.0 */
#define SK_USER_DATA_FLAGS 7

/* The program that decides where a socket's bytes go; 0: the sockmap has none, or not yet. */
static __noinline u32 sockmap_program(u64 user_data)
{
	struct sk_psock *psock = (void *)(user_data & ~(u64)SK_USER_DATA_FLAGS);
	struct bpf_prog *prog = BPF_CORE_READ(psock, progs.msg_parser);

	if (!prog)
		prog = BPF_CORE_READ(psock, progs.stream_verdict);
	if (!prog)
		prog = BPF_CORE_READ(psock, progs.skb_verdict);
	return prog ? BPF_CORE_READ(prog, aux, id) : 0;
}

/*
 * Report a socket that is in a sockmap, once. Its operations are replaced, so that what its owner
 * sends may go to another socket, and what it receives may come from one, without a packet.
 */
static __always_inline int sockmap_check(struct sock *sk, struct sock_mark *mark, u32 flags)
{
	struct attempt_key key = {.rule = RULE_TLS_BYPASS, .detail = FINDING_SOCKMAP};
	u64 user_data = (u64)BPF_CORE_READ(sk, sk_user_data);
	struct event *e;

	if (!(user_data & SK_USER_DATA_PSOCK) || (mark->flags & SOCK_SOCKMAP))
		return 0;
	mark->flags |= SOCK_SOCKMAP;
	if (!turn_mine(bpf_get_socket_cookie(sk), FINDING_SOCKMAP))
		return 0;
	key.instance = mark->instance;
	key.actor = bpf_get_socket_cookie(sk);
	e = attempt_begin(&key, 0);
	if (!e)
		return 0;
	e->key.vector = VECTOR_INGRESS;
	e->flags |= EVENT_CONN | flags;
	e->conn.cookie = key.actor;
	e->fd = sockmap_program(user_data);
	sock_ends(sk, &e->conn);
	if (mark->flags & SOCK_LISTENER)
		e->conn.opened = OPENED_INBOUND;
	event_send(e);
	return 0;
}

/* Report a listener, without an actor. */
static __always_inline void listen_report(const struct sock *sk, u32 instance, u32 flags)
{
	struct event *e = event_reserve(EVENT_LISTEN);
	u32 v4;

	if (!e) {
		lost_add(instance, RULE_NONE);
		return;
	}
	e->key.instance = instance;
	e->flags = flags | EVENT_CONN;
	e->conn.ends.local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	e->conn.ipv6 = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6;
	if (e->conn.ipv6) {
		BPF_CORE_READ_INTO(&e->conn.ends.local_ip, sk, __sk_common.skc_v6_rcv_saddr);
	} else {
		v4 = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		e->conn.ends.local_ip[10] = e->conn.ends.local_ip[11] = 0xff;
		__builtin_memcpy(&e->conn.ends.local_ip[12], &v4, 4);
	}
	event_send(e);
}

/* The TCP or MPTCP socket behind a file, NULL if it is another kind of file. */
static __always_inline struct sock *stream_sock_of(struct file *file)
{
	struct socket *sock = bpf_sock_from_file(file);
	struct sock *sk;
	u16 family;

	if (!sock)
		return NULL;
	sk = sock->sk;
	if (!sk)
		return NULL;
	family = sk->__sk_common.skc_family;
	if ((family != AF_INET && family != AF_INET6) ||
	    (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_MPTCP))
		return NULL;
	return sk;
}

/* Does an IP socket carry packets other than TCP? */
static __always_inline int is_other(u32 type, u32 protocol)
{
	return type != SOCK_STREAM || (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP);
}

/* The TCP socket behind a file: as stream_sock_of(), without MPTCP. */
static __always_inline struct sock *tcp_sock_of(struct file *file)
{
	struct sock *sk = stream_sock_of(file);

	return sk && sk->sk_protocol == IPPROTO_TCP ? sk : NULL;
}

/* Mark a socket that a sweep found among the descriptors of an instance. */
static __always_inline struct sock_mark *mark_found(struct sock *sk, u32 instance)
{
	int listens = sk->__sk_common.skc_state == TCP_LISTEN;
	struct sock_mark *mark =
		sock_mark_set(sk, instance, listens ? SOCK_FRESH | SOCK_LISTENER : 0);

	if (mark && listens)
		listen_report(sk, instance, EVENT_FOUND_BY_SWEEP);
	return mark;
}

#endif
