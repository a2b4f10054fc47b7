/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fd_search.bpf.h - does the current process hold a socket among its descriptors? A process that
 * merely ran when a segment passed does not.
 *
 * The search state is per CPU and direction: egress runs with softirqs enabled, so that an ingress
 * may interrupt it.
 */
#ifndef CACHEWARDEN_FD_SEARCH_BPF_H
#define CACHEWARDEN_FD_SEARCH_BPF_H

#include "event.h"
#include "lib/base.bpf.h"

#define FDS_MAX 65536 /* descriptors searched */

/* Looks for one socket, or for the far end of a connection. */
struct fd_search {
	u64 table;
	u64 sk;		/* this socket, or */
	u32 num, dport; /* the one from this port (host order) to that one (network order) */
	u32 v4;
	u64 v6[2]; /* at this address */
	u32 ipv6;
	u32 found;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct fd_search);
} fd_searches SEC(".maps");

static __always_inline struct fd_search *search_begin(u32 egress)
{
	return bpf_map_lookup_elem(&fd_searches, &egress);
}

static long fd_step(u32 i, struct fd_search **ctx)
{
	struct fd_search *s = *ctx;
	struct file **slot = (struct file **)s->table + i, *f = NULL;
	u64 to[2] = {};
	struct socket *sock;
	struct sock *sk;

	bpf_probe_read_kernel(&f, sizeof(f), slot);
	if (!f)
		return 0;
	sock = BPF_CORE_READ(f, private_data);
	sk = BPF_CORE_READ(sock, sk);
	if (!sk)
		return 0;
	if (s->sk) {
		s->found = (u64)sk == s->sk;
		return s->found;
	}
	if (BPF_CORE_READ(sk, __sk_common.skc_num) != s->num ||
	    BPF_CORE_READ(sk, __sk_common.skc_dport) != s->dport)
		return 0;
	/* an IPv6 socket may carry IPv4: skc_daddr then holds the mapped address, too */
	if (!s->ipv6) {
		s->found = BPF_CORE_READ(sk, __sk_common.skc_daddr) == s->v4;
		return s->found;
	}
	bpf_core_read(to, sizeof(to), &sk->__sk_common.skc_v6_daddr);
	s->found = to[0] == s->v6[0] && to[1] == s->v6[1];
	return s->found;
}

/*
 * Every open file's private_data is read as if it were a socket. What is compared is long enough
 * that another kind of file does not match by chance.
 */
static __noinline int current_holds(struct fd_search *s)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	u32 max;

	if (!fdt)
		return 0;
	max = BPF_CORE_READ(fdt, max_fds);
	s->table = (u64)BPF_CORE_READ(fdt, fd);
	s->found = 0;
	bpf_loop(max < FDS_MAX ? max : FDS_MAX, fd_step, &s, 0);
	return s->found;
}

/*
 * Over loopback a segment usually arrives in the context of its sender. Does the current process
 * hold the other end of this very connection?
 */
static __always_inline int current_is_peer(const struct conn_ends *ends, u32 ipv6)
{
	struct fd_search *s = search_begin(0);

	if (!s)
		return 0;
	s->sk = 0;
	s->num = ends->remote_port;
	s->dport = bpf_htons(ends->local_port);
	s->ipv6 = ipv6;
	__builtin_memcpy(&s->v4, &ends->local_ip[12], 4);
	__builtin_memcpy(s->v6, ends->local_ip, 16);
	return current_holds(s);
}

#endif
