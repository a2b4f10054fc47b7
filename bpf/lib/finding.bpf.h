/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding.bpf.h - classifies bytes that are not TLS, and reports a finding on a stream.
 *
 * The scratch map is per CPU and direction: egress runs with softirqs enabled, so that an ingress
 * may interrupt it.
 */
#ifndef CACHEWARDEN_FINDING_BPF_H
#define CACHEWARDEN_FINDING_BPF_H

#include "lib/budget.bpf.h"
#include "lib/fd_search.bpf.h"
#include "lib/record.bpf.h"
#include "lib/segment.bpf.h"

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

/* Numbers of Redis commands by name. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, COMMANDS_MAX);
	__type(key, struct command_key);
	__type(value, u16);
} commands SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, u32);
	__type(value, struct resp_scan);
} resp_scans SEC(".maps");

/* The number of the command named in the bytes. The name itself never leaves the kernel. */
static __always_inline u16 command_number(const struct resp_scan *scan)
{
	u16 *number = scan->named ? bpf_map_lookup_elem(&commands, &scan->word) : NULL;

	return number ? *number : 0;
}

#define PAYLOAD_TEXT 0x100 /* text of a length that ciphertext does not produce by chance */

/*
 * Classify bytes [off, end) of a packet, which are not TLS. Returns enum payload_kind,
 * PAYLOAD_TEXT, and in the upper half the number of the command named there, 0 if none is known.
 */
__noinline int payload_classify(struct __sk_buff *skb, u32 off, u32 end, u32 egress)
{
	struct resp_scan *scan = bpf_map_lookup_elem(&resp_scans, &egress);
	u32 len = end - off, command;

	if (!scan || off >= end)
		return PAYLOAD_OTHER;
	if (len > RESP_SCAN)
		len = RESP_SCAN;
	__builtin_memset(scan->bytes, 0, RESP_SCAN);
	if (load_bytes(skb, off, scan->bytes, len, RESP_SCAN))
		return PAYLOAD_OTHER;
	scan->len = len;
	resp_classify(scan);
	command = command_number(scan);
	return (resp_settle(scan, command) & 0xff) | (resp_text(scan) ? PAYLOAD_TEXT : 0) |
	       command << 16;
}

/* Kept small: it is on the stack below everything that reads a segment. */
struct finding {
	u64 offset;
	u64 finding_id; /* instead of the mark's, see struct early */
	u32 records;
	u32 bytes;
	u32 writer; /* RULE_TLS_WRITER: tgid of the foreign writer */
	u32 unread; /* bytes that are certain to stay unread */
	u16 command;
	u8 rule;
	u8 egress;
	u8 payload;
	u8 has_offset;
	u8 credential;
	u8 secret; /* a credential, later than the connection's first plaintext */
	u8 mptcp;  /* the stream may be one of several subflows */
};

/* Is plaintext of that instance dropped? Only checked for streams that are broken. */
__noinline int wire_denied(u32 instance)
{
	u32 *rules = bpf_map_lookup_elem(&prevent_rules, &instance), host = INSTANCE_HOST;

	if (!rules)
		rules = bpf_map_lookup_elem(&prevent_rules, &host);
	return rules && *rules & (1u << RULE_TLS_PLAINTEXT);
}

#define PEER_IS_CURRENT 0x100

/*
 * Who is at the other end: over loopback a segment usually arrives in the context of its sender. Returns its group
 * of addresses, and PEER_IS_CURRENT if it is the current task. Only for what is new: it may search thousands of
 * descriptors.
 */
__noinline int peer_of(struct __sk_buff *skb, const struct segment *g, u32 egress)
{
	struct conn_ends ends = {};
	u32 peer;

	if (!g)
		return 0;
	segment_ends(skb, g, egress, &ends);
	peer = peer_group(&ends);
	if (!egress && skb->ifindex == LOOPBACK_IFINDEX && current_is_peer(&ends, g->ip == 6))
		peer |= PEER_IS_CURRENT;
	return peer;
}

/* The connection's findings are counted with those of others from now on. */
static __always_inline void join_crowd(struct sock_mark *mark, struct finding *f, u64 actor)
{
	if (f->rule == RULE_TLS_LISTENER || f->writer)
		return;
	if (f->finding_id)
		f->finding_id = actor;
	else
		mark->finding_id = actor;
}

__noinline int finding_report(struct __sk_buff *skb, const struct segment *g,
			      struct sock_mark *mark, struct finding *f)
{
	/* early data is filtered on the listener, whose cookie names no connection */
	u64 cookie = f && f->finding_id ? 0 : bpf_get_socket_cookie(skb);
	struct attempt_key key = {};
	u32 known, peer = 0, crowd = 0;
	struct attempt *a;
	struct event *e;

	if (!g || !mark || !f ||
	    !turn_mine(bpf_get_socket_cookie(skb),
		       (u64)g->seq << 32 ^ g->len << 8 ^ f->rule << 1 ^ f->egress))
		return 0;
	key.instance = mark->instance;
	key.rule = f->rule;
	key.actor = f->finding_id ?: mark->finding_id ?: cookie;
	if (f->rule == RULE_TLS_LISTENER)
		key.actor = port_of(skb, g);
	else if (f->writer)
		key.actor = cookie;
	known = !!(key.actor & ACTOR_CROWD);
	key.detail = known ? f->credential : f->secret;
	key.tgid = f->writer;
	a = bpf_map_lookup_elem(&attempts, &key);
	if (!a || !a->sent)
		peer = peer_of(skb, g, f->egress) | (f->writer ? PEER_IS_CURRENT : 0);
	if (!a) {
		crowd = conn_admit(&key, peer & PEER_IS_CURRENT, peer % PEER_GROUPS, f->credential);
		a = bpf_map_lookup_elem(&attempts, &key);
		if (crowd && !known)
			join_crowd(mark, f, key.actor);
		known = 0;
	}
	/* of a crowd, connections are counted, and credentials */
	e = attempt_count(a, &key, !known || f->credential, f->bytes);
	if (!e)
		return 0;
	e->flags |= EVENT_CONN | (key.actor & ACTOR_CROWD ? EVENT_CROWD : 0);
	e->key.vector = f->egress ? VECTOR_EGRESS : VECTOR_INGRESS;
	segment_ends(skb, g, f->egress, &e->conn.ends);
	e->conn.ipv6 = g->ip == 6;
	e->conn.cookie = cookie;
	e->conn.offset = f->offset;
	e->conn.has_offset = f->has_offset;
	e->conn.records = f->records;
	e->conn.command = f->command;
	e->conn.payload = f->payload;
	e->conn.egress = f->egress;
	e->conn.segment = f->bytes;
	if (f->rule != RULE_TLS_WRITER && wire_denied(mark->instance))
		e->flags |= EVENT_PREVENTED;
	if (mark->flags & SOCK_LISTENER)
		e->conn.opened = OPENED_INBOUND;
	else if (mark->flags & SOCK_FRESH)
		e->conn.opened = OPENED_OUTBOUND;
	if (peer & PEER_IS_CURRENT)
		event_actor(e, address(bpf_get_current_task_btf()));
	event_send(e);
	return 0;
}

/*
 * Enter what payload_classify() returned, and the rule it breaks: which one depends on what the
 * stream has carried before.
 */
static __always_inline void finding_payload(struct finding *f, const struct tls_stream *s,
					    int classified)
{
	f->payload = classified & 0xff;
	f->command = (u32)classified >> 16 & ~COMMAND_SECRET;
	f->credential = !!((u32)classified >> 16 & COMMAND_SECRET);
	f->rule = s->records ? RULE_TLS_MIDSTREAM : RULE_TLS_PLAINTEXT;
	f->records = s->records;
}

#endif
