/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * turn.bpf.h - which of two monitors reports an action while one takes over from the other. The programs of both see it, one
 * after the other, and exactly one of them is to report and count it.
 *
 * A time is not enough: it may come between the two looks at their clocks. So the first to see an action enters when, and
 * the second goes by that. Only near the time of the handover; before and after it, both come to the same answer alone.
 */
#ifndef CACHEWARDEN_TURN_BPF_H
#define CACHEWARDEN_TURN_BPF_H

#include "lib/base.bpf.h"
#include "map.h"

/* Both are the same map in all monitors of a chain of handovers. The first is mapped by the monitor, which writes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct turns);
} turns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TURN_SEEN_MAX);
	__type(key, struct turn_key);
	__type(value, struct turn_seen);
} turn_seen SEC(".maps");

/* This monitor's place in the chain. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} turn_own SEC(".maps");

/* When the first of the two saw the action. */
static __always_inline u64 turn_first_seen(u64 who, u64 what, u32 own, u64 now)
{
	struct turn_key key = {.who = who, .what = what};
	struct turn_seen fresh = {.ns = now, .by = own + 1}, *seen;

	seen = bpf_map_lookup_elem(&turn_seen, &key);
	if (seen && seen->by && seen->by != own + 1 && now - seen->ns < TURN_NEAR_NS) {
		seen->by = 0; /* the next one is another action */
		return seen->ns;
	}
	bpf_map_update_elem(&turn_seen, &key, &fresh, BPF_ANY);
	return now;
}

/*
 * Is this action for this monitor to report? who: the thread or the connection, what: its action; equal in both monitors,
 * whatever numbers they give to instances.
 */
__noinline int turn_mine(u64 who, u64 what)
{
	u32 zero = 0, *own = bpf_map_lookup_elem(&turn_own, &zero);
	volatile struct turns *t = bpf_map_lookup_elem(&turns, &zero);
	u64 now, from, until;

	if (!own || !t)
		return 1;
	from = t->from[*own % TURNS];
	until = t->from[(*own + 1) % TURNS];
	if (from == TURN_FIRST && !until)
		return 1;
	if (!from)
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (now + TURN_NEAR_NS < from || (until && now > until + TURN_NEAR_NS))
		return 0;
	if (now > from + TURN_NEAR_NS && (!until || now + TURN_NEAR_NS < until))
		return 1;
	now = turn_first_seen(who, what, *own, now);
	return now >= from && (!until || now < until);
}

/* The same for a state that a sweep of this monitor found. The other one has sweeps of its own. */
static __always_inline int turn_mine_swept(void)
{
	u32 zero = 0, *own = bpf_map_lookup_elem(&turn_own, &zero);
	volatile struct turns *t = bpf_map_lookup_elem(&turns, &zero);
	u64 now = bpf_ktime_get_boot_ns(), from, until;

	if (!own || !t)
		return 1;
	from = t->from[*own % TURNS];
	until = t->from[(*own + 1) % TURNS];
	return from && now >= from && (!until || now < until);
}

/* Is it the process that this monitor starts to take over from it? */
static __always_inline int turn_successor(u32 tgid)
{
	u32 zero = 0;
	volatile struct turns *t = bpf_map_lookup_elem(&turns, &zero);

	return t && t->successor == tgid;
}

#endif
