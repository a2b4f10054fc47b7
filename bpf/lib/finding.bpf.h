/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * finding.bpf.h - what a stream is found to be: bytes looked at, a finding filed as an attempt and sent as an event.
 */
#ifndef CACHEWARDEN_FINDING_BPF_H
#define CACHEWARDEN_FINDING_BPF_H

#include "lib/holder.bpf.h"
#include "lib/record.bpf.h"
#include "lib/segment.bpf.h"

#define LOOPBACK_IFINDEX 1 /* in every network namespace */

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

/* Number of the command named there; the name itself goes nowhere. */
static __always_inline u16 command_number(const struct resp_scan *look)
{
	u16 *number = look->named ? bpf_map_lookup_elem(&commands, &look->word) : NULL;

	return number ? *number : 0;
}

#define LOOK_TEXT 0x100 /* text, not what ciphertext comes to now and then */

/*
 * Look at bytes [off, end) of a packet, which are no TLS. Returns enum payload_kind, and in the upper
 * half the number of the command named there, 0 if none is known. A global function: verified
 * once.
 */
__noinline int look_at(struct __sk_buff *skb, u32 off, u32 end, u32 egress)
{
	u32 len = end - off, less, command;
	struct resp_scan *look = bpf_map_lookup_elem(&resp_scans, &egress);

	if (!look || off >= end)
		return PAYLOAD_OTHER;
	if (len > RESP_SCAN)
		len = RESP_SCAN;
	__builtin_memset(look->bytes, 0, RESP_SCAN);
	less = len - 1; /* before 6.8 the verifier learns no minimum from "not 0" */
	barrier_var(less);
	if (less >= RESP_SCAN || bpf_skb_load_bytes(skb, off, look->bytes, less + 1))
		return PAYLOAD_OTHER;
	look->len = len;
	resp_classify(look);
	command = command_number(look);
	return (resp_settle(look, command) & 0xff) | (resp_text(look) ? LOOK_TEXT : 0) |
	       command << 16;
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
	u8 payload;
	u8 has_offset;
	u8 secret; /* a credential, not with the connection's first plaintext */
	u8 mptcp;  /* the stream may be one of several parts */
};

/* Is plaintext of that instance kept from crossing? Asked for streams that broke only. */
__noinline int wire_denied(u32 instance)
{
	u32 *rules = bpf_map_lookup_elem(&prevent_rules, &instance), host = INSTANCE_HOST;

	if (!rules)
		rules = bpf_map_lookup_elem(&prevent_rules, &host);
	return rules && *rules & (1u << RULE_TLS_PLAINTEXT);
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
	e->conn.payload = f->payload;
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

/* What look_at() saw, and which rule a stream with this past breaks by it. */
static __always_inline void finding_bytes(struct finding *f, const struct tls_stream *s, int looked)
{
	f->payload = looked & 0xff;
	f->command = (u32)looked >> 16 & ~COMMAND_SECRET;
	f->rule = s->records ? RULE_TLS_MIDSTREAM : RULE_TLS_PLAINTEXT;
	f->records = s->records;
}

#endif
