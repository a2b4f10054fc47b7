/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * task.bpf.h - which tasks belong to an instance, and which instance a pid refers to.
 *
 * A pid number is never compared as such: what it means depends on the pid namespace of the caller.
 * The kernel's own tree of that namespace says which thread it is, and procs whether its process is
 * a member. So there is no table of threads that somebody could fill.
 */
#ifndef CACHEWARDEN_TASK_BPF_H
#define CACHEWARDEN_TASK_BPF_H

#include "lib/compat.bpf.h"
#include "lib/counter.bpf.h"

#define PF_EXITING 0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#define PF_MEMALLOC 0x00000800 /* it may use the reserves: it looks for pages to free */
#define PIDTYPE_PID 0	       /* enum pid_type */
#define XA_KIND 3	       /* low bits of an entry in a radix tree, include/linux/xarray.h */
#define XA_INTERNAL 2	       /* a node, not a leaf */
#define PID_TREE_LEVELS 6      /* 22 bits of a pid (PID_MAX_LIMIT), at least 4 each */

/* Not for certain: 0 says that it is no member. */
static __always_inline int may_be_member(u32 tgid)
{
	u32 slot = member_slot(tgid), *members = bpf_map_lookup_elem(&member_slots, &slot);

	return members && *members;
}

/* NULL: it is none. A function of its own, whose stack its callers do not have to hold. */
static __noinline struct member *member_of(u32 tgid)
{
	return may_be_member(tgid) ? bpf_map_lookup_elem(&procs, &tgid) : NULL;
}

/* As member_of, but a protected server only, not the monitor. */
static __always_inline struct member *server_of(u32 tgid)
{
	struct member *m = member_of(tgid);

	return m && m->instance != INSTANCE_SELF ? m : NULL;
}

static __always_inline int is_member(u32 tgid, u32 instance)
{
	struct member *m = member_of(tgid);

	return m && m->instance == instance;
}

/* Is a process of that instance left? */
static __always_inline int is_running(u32 instance)
{
	return bpf_map_lookup_elem(&servers, &instance) != NULL;
}

/* The instance's own members and the monitor may do what breaks a rule for everybody else. */
static __always_inline int is_exempt(struct task_struct *task, u32 instance)
{
	struct member *m = member_of(task->tgid);

	return m && (m->instance == instance || m->instance == INSTANCE_SELF);
}

/* Innermost pid namespace of a struct pid and its number there; find_vpid() uses the same one. */
static __always_inline u32 pid_ns_of(struct pid *pid, u32 *nr)
{
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	bpf_core_read(&up, sizeof(up), &pid->numbers[level]);
	*nr = up.nr;
	return BPF_CORE_READ(up.ns, ns.inum);
}

/* The task that a struct pid is the number of, NULL once it has been reaped. */
static __always_inline struct task_struct *task_of_pid(struct pid *pid)
{
	struct hlist_node *link = BPF_CORE_READ(pid, tasks[PIDTYPE_PID].first);

	return link ? (void *)link -
			       bpf_core_field_offset(struct task_struct, pid_links[PIDTYPE_PID])
		    : NULL;
}

/*
 * What a number refers to in a pid namespace, NULL if nothing: a copy of idr_find(). The kernel
 * keeps the numbers of each namespace in a radix tree, which tracing programs may read, since they
 * run in an RCU read-side critical section.
 */
static __always_inline struct pid *pid_of_number(struct pid_namespace *ns, u32 nr)
{
	u64 entry = (u64)BPF_CORE_READ(ns, idr.idr_rt.xa_head);

	for (int i = 0; i < PID_TREE_LEVELS && (entry & XA_KIND) == XA_INTERNAL; i++) {
		struct xa_node *node = (void *)(entry - XA_INTERNAL);
		u32 shift = BPF_CORE_READ(node, shift) & 31;
		u32 slots = bpf_core_field_size(node->slots) / sizeof(node->slots[0]);

		if (!i && nr >> shift >= slots)
			return NULL;
		entry = 0;
		bpf_probe_read_kernel(&entry, sizeof(entry),
				      (void *)node + bpf_core_field_offset(node->slots) +
					      (nr >> shift & (slots - 1)) * sizeof(void *));
		if (!shift)
			break;
	}
	return entry & XA_KIND ? NULL : (struct pid *)entry;
}

/*
 * The owner_of_ functions find the protected thread that something refers to, and describe it in
 * *room. They return room, or NULL if it is not a thread of an instance.
 */
static __always_inline struct pid_owner *owner_of_pid(struct pid *pid, struct pid_owner *room)
{
	struct task_struct *task = pid ? task_of_pid(pid) : NULL;
	struct member *m;

	if (!task)
		return NULL;
	room->tgid = BPF_CORE_READ(task, tgid);
	m = member_of(room->tgid);
	if (!m)
		return NULL;
	room->instance = m->instance;
	room->tid = BPF_CORE_READ(task, pid);
	return room;
}

/* By the number that it has for that task. */
static __always_inline struct pid_owner *owner_of_number_to(struct task_struct *task, u32 nr,
							    struct pid_owner *room)
{
	struct pid *own = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(own, level);
	struct upid up = {};

	/* the innermost namespace, like find_vpid() */
	bpf_core_read(&up, sizeof(up), &own->numbers[level]);
	return owner_of_pid(pid_of_number(up.ns, nr), room);
}

static __always_inline struct pid_owner *owner_of_number(u32 nr, struct pid_owner *room)
{
	return owner_of_number_to(bpf_get_current_task_btf(), nr, room);
}

/* By a pidfd of the current task. */
static __always_inline struct pid_owner *owner_of_pidfd(u32 fd, struct pid_owner *room)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), fd);

	return f ? owner_of_pid(pid_of_pidfd(f), room) : NULL;
}

#endif
