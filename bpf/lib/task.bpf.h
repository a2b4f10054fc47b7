/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * task.bpf.h - which tasks belong to an instance, and which instance a pid means.
 *
 * A pid number is never compared as such: what it means depends on the pid namespace of the caller.
 * The pids table therefore has one entry for each thread and each namespace that the thread is
 * visible in.
 */
#ifndef CACHEWARDEN_TASK_BPF_H
#define CACHEWARDEN_TASK_BPF_H

#include "lib/compat.bpf.h"
#include "lib/counter.bpf.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */
#define NS_LEVELS 8	      /* pid namespaces nested deeper than this are not resolved */

static __always_inline struct member *member_of(u32 tgid)
{
	return bpf_map_lookup_elem(&procs, &tgid);
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

/* The protected thread that number nr means to a caller in pid namespace ns. */
static __always_inline struct pid_owner *pid_owner(u32 ns, u32 nr)
{
	struct pid_key key = {.ns = ns, .nr = nr};

	return bpf_map_lookup_elem(&pids, &key);
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

/* The protected thread behind a struct pid, looked up by its number in the initial namespace. */
static __always_inline struct pid_owner *owner_of_pid(struct pid *pid)
{
	struct upid up = {};

	if (bpf_core_read(&up, sizeof(up), &pid->numbers[0]))
		return NULL;
	return pid_owner(BPF_CORE_READ(up.ns, ns.inum), up.nr);
}

/* The protected thread that number nr means to the current task. */
static __always_inline struct pid_owner *owner_of_number(u32 nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u32 own, ns = pid_ns_of(task->thread_pid, &own);

	return pid_owner(ns, nr);
}

/* The protected thread that a pidfd of the current task refers to. */
static __always_inline struct pid_owner *owner_of_pidfd(u32 fd)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), fd);
	struct pid *pid = f ? pid_of_pidfd(f) : NULL;

	return pid ? owner_of_pid(pid) : NULL;
}

/* Add or remove a thread's number in every pid namespace that it is visible in. */
static __always_inline void pids_set(struct task_struct *task, u32 instance, int add)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct pid_owner owner = {
		.instance = instance,
		.tgid = BPF_CORE_READ(task, tgid),
		.tid = BPF_CORE_READ(task, pid),
	};

	for (u32 i = 0; i < NS_LEVELS; i++) {
		struct pid_key key = {};
		struct upid up = {};

		if (i > level)
			break;
		bpf_core_read(&up, sizeof(up), &pid->numbers[i]);
		key.ns = BPF_CORE_READ(up.ns, ns.inum);
		key.nr = up.nr;
		if (!add)
			bpf_map_delete_elem(&pids, &key);
		else if (bpf_map_update_elem(&pids, &key, &owner, BPF_ANY))
			counter_add(COUNTER_PROCS_FULL, 1);
	}
}

#endif
