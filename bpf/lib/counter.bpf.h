/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * counter.bpf.h - counts what was sent, and everything that could not be seen or sent.
 */
#ifndef CACHEWARDEN_COUNTER_BPF_H
#define CACHEWARDEN_COUNTER_BPF_H

#include "lib/maps.bpf.h"

static __always_inline void counter_add(u32 id, u64 n)
{
	u64 *c = bpf_map_lookup_elem(&counters, &id);

	if (c)
		*c += n;
}

/* An attempt that neither the attempts table nor the ring buffer had room for. */
static __always_inline void lost_add(u32 instance, u32 rule)
{
	struct lost_key key = {.instance = instance, .rule = rule};
	u64 one = 1, *n;

	counter_add(COUNTER_LOST, 1);
	n = bpf_map_lookup_elem(&lost, &key);
	if (!n) {
		if (!bpf_map_update_elem(&lost, &key, &one, BPF_NOEXIST))
			return;
		n = bpf_map_lookup_elem(&lost, &key);
	}
	if (n)
		__sync_fetch_and_add(n, 1);
}

#endif
