/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * holder.bpf.h - does the current process hold a socket among its descriptors? That is what turns "it
 * was running when the segment passed" into "it is its socket".
 *
 * Its scratch room, like `looks` of wire.bpf.c, is per CPU and direction: egress runs with softirqs open,
 * and an ingress may come in between.
 */
#ifndef CACHEWARDEN_HOLDER_BPF_H
#define CACHEWARDEN_HOLDER_BPF_H

#include "lib/common.bpf.h"

#define FDS_MAX 65536 /* descriptors searched */

/*
 * A search through the current process's descriptors: for one socket, or for the other end of a
 * connection.
 */
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
	/* an IPv6 socket may speak IPv4: its skc_daddr then holds the mapped address too */
	if (!s->ipv6) {
		s->found = BPF_CORE_READ(sk, __sk_common.skc_daddr) == s->v4;
		return s->found;
	}
	bpf_core_read(to, sizeof(to), &sk->__sk_common.skc_v6_daddr);
	s->found = to[0] == s->v6[0] && to[1] == s->v6[1];
	return s->found;
}

/*
 * Not every file's private_data is a socket; a chance match of all that is compared is out of the
 * question.
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
 * Over loopback a segment arrives in whoever sent it. Proven, not presumed: the current process
 * must hold the other end of this very connection.
 */
static __always_inline int current_is_peer(const struct conn_info *c)
{
	struct fd_search *s = search_begin(0);

	if (!s)
		return 0;
	s->sk = 0;
	s->num = c->ends.remote_port;
	s->dport = bpf_htons(c->ends.local_port);
	s->ipv6 = c->ipv6;
	__builtin_memcpy(&s->v4, &c->ends.local_ip[12], 4);
	__builtin_memcpy(s->v6, c->ends.local_ip, 16);
	return current_holds(s);
}

#endif
