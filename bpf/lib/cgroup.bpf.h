/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * cgroup.bpf.h - the cgroups that hold the monitor or its guard. Whoever writes their control files
 * can freeze, starve or kill both without touching either process.
 *
 * The root of a hierarchy is not among them: it cannot be frozen, limited or killed, and its
 * cgroup.procs is written all the time.
 */
#ifndef CACHEWARDEN_CGROUP_BPF_H
#define CACHEWARDEN_CGROUP_BPF_H

#include "lib/maps.bpf.h"

#define CGROUP_LEVELS 16 /* deeper cgroups count from the innermost up */
#define CGROUP_SUBSYS 24 /* controllers of a kernel; 15 in 6.18 */

enum cgroup_holds { CGROUP_HOLDS_IT = 1, CGROUP_HOLDS_ITS_PARENT };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OWN_CGROUPS_MAX);
	__type(key, struct cgroup_key);
	__type(value, u32); /* enum cgroup_holds */
} own_cgroups SEC(".maps");

static __always_inline struct cgroup_key cgroup_key_of(struct cgroup *cgrp)
{
	struct cgroup_key key = {
		.id = BPF_CORE_READ(cgrp, kn, id),
		.hierarchy = BPF_CORE_READ(cgrp, root, hierarchy_id),
	};

	return key;
}

/* enum cgroup_holds, 0: neither the monitor nor its guard is in it. */
static __always_inline u32 own_cgroup(struct cgroup *cgrp)
{
	struct cgroup_key key = cgroup_key_of(cgrp);
	u32 *holds = bpf_map_lookup_elem(&own_cgroups, &key);

	return holds ? *holds : 0;
}

/* The monitor or its guard is in this cgroup, and so in those above. */
__noinline int own_cgroup_add(u64 cgroup_addr)
{
	struct cgroup *cgrp = (void *)cgroup_addr;
	struct cgroup_subsys_state *up;
	u32 holds = CGROUP_HOLDS_IT;

	for (int i = 0; i < CGROUP_LEVELS && cgrp; i++) {
		struct cgroup_key key = cgroup_key_of(cgrp);

		up = BPF_CORE_READ(cgrp, self.parent);
		if (!up)
			break;
		/* a parent that holds one of the two itself stays so */
		bpf_map_update_elem(&own_cgroups, &key, &holds,
				    holds == CGROUP_HOLDS_IT ? BPF_ANY : BPF_NOEXIST);
		holds = CGROUP_HOLDS_ITS_PARENT;
		cgrp = BPF_CORE_READ(up, cgroup);
	}
	return 0;
}

/* Those of a task in every hierarchy: the unified one, and those of cgroup v1. */
static __always_inline void own_cgroups_add(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	u32 controllers = bpf_core_field_size(set->subsys) / sizeof(set->subsys[0]);
	struct cgroup_subsys_state **css = (void *)set + bpf_core_field_offset(set->subsys);

	own_cgroup_add(address(BPF_CORE_READ(set, dfl_cgrp)));
	for (u32 i = 0; i < CGROUP_SUBSYS && i < controllers; i++) {
		struct cgroup_subsys_state *one = NULL;

		bpf_probe_read_kernel(&one, sizeof(one), &css[i]);
		if (one)
			own_cgroup_add(address(BPF_CORE_READ(one, cgroup)));
	}
}

#endif
