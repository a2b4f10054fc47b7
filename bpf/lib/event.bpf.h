/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.bpf.h - events: reserved in the ring buffer, filled with the actor, counted and sent.
 *
 * Functions that are not static are global: the verifier checks them once by themselves and not
 * along every path that calls them. They take kernel pointers as plain numbers (see address()), and
 * every pointer to memory of ours must be checked for NULL.
 */
#ifndef CACHEWARDEN_EVENT_BPF_H
#define CACHEWARDEN_EVENT_BPF_H

#include "lib/path.bpf.h"
#include "lib/task.bpf.h"
#include "lib/turn.bpf.h"

static const struct event zero_event;

static __always_inline struct event *event_reserve(u16 type)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		counter_add(COUNTER_RING_FULL, 1);
		return NULL;
	}
	/* the ring's memory is reused: never send again what an earlier event left there */
	bpf_probe_read_kernel(e, sizeof(*e), &zero_event);
	e->magic = EVENT_MAGIC;
	e->version = EVENT_VERSION;
	e->type = type;
	e->size = sizeof(*e);
	e->time_ns = bpf_ktime_get_boot_ns();
	return e;
}

static __always_inline void event_send(struct event *e)
{
	counter_add(COUNTER_SENT, 1);
	bpf_ringbuf_submit(e, 0);
}

/* --- attempts: sent once, then counted --- */

/*
 * Count an attempt in its entry, which is NULL if there was no room for it. n: 0 for another part of
 * one that was counted. Returns an event to fill and send if it is the first of its kind, NULL if
 * counting is enough. Sent, counted and lost attempts add up exactly: one CPU claims `sent`, and
 * gives it back if the ring buffer is full, so that the next attempt tries again.
 */
static __always_inline struct event *attempt_count(struct attempt *a, const struct attempt_key *key,
						   u32 n, u64 bytes)
{
	u64 count = 1;
	struct event *e;

	if (a) {
		count = __sync_fetch_and_add(&a->count, n) + n;
		__sync_fetch_and_add(&a->bytes, bytes);
		a->last_ns = bpf_ktime_get_boot_ns();
		if (a->sent || __sync_val_compare_and_swap(&a->sent, 0, 1))
			return NULL;
	} else {
		counter_add(COUNTER_ATTEMPTS_FULL, 1);
	}
	e = event_reserve(EVENT_ATTEMPT);
	if (!e) {
		if (a)
			a->sent = 0;
		else
			lost_add(key->instance, key->rule);
		return NULL;
	}
	e->key = *key;
	e->count = count;
	if (!a)
		e->flags |= EVENT_UNCOUNTED;
	return e;
}

/* The same for a whole attempt, whose entry is made if there is none. */
static __always_inline struct event *attempt_begin(const struct attempt_key *key, u64 bytes)
{
	struct attempt *a = bpf_map_lookup_elem(&attempts, key);

	if (!a) {
		struct attempt fresh = {.first_ns = bpf_ktime_get_boot_ns()};

		bpf_map_update_elem(&attempts, key, &fresh, BPF_NOEXIST);
		a = bpf_map_lookup_elem(&attempts, key);
	}
	return attempt_count(a, key, 1, bytes);
}

/*
 * The same for a state that sweeps find again and again: it is one attempt, which lives as long as
 * the state.
 */
static __always_inline struct event *state_begin(const struct attempt_key *key)
{
	struct attempt *a = bpf_map_lookup_elem(&attempts, key);

	if (a && a->sent) {
		a->last_ns = bpf_ktime_get_boot_ns();
		return NULL;
	}
	return attempt_begin(key, 0);
}

/* --- actor --- */

static __always_inline void ancestor_fill(struct process_info *p, struct ancestor_info *a,
					  struct task_struct *task, u32 *at)
{
	struct file *exe;

	a->pid = BPF_CORE_READ(task, pid);
	a->start_ns = BPF_CORE_READ(task, start_boottime);
	a->uid = BPF_CORE_READ(task, cred, uid.val);
	bpf_core_read_str(a->comm, sizeof(a->comm), &task->comm);
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (!exe)
		return;
	a->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
	a->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
	path_put(p, &a->exe, exe, at);
}

/*
 * Describe a task as of now. tid is the task's own, everything else its process's. Returns how much
 * of p->path is used.
 */
__noinline int process_fill(struct process_info *p, u64 task_addr)
{
	struct task_struct *task = (void *)task_addr, *leader, *up;
	struct file *exe;
	u32 at = 0;

	if (!p)
		return 0;
	leader = BPF_CORE_READ(task, group_leader);
	exe = BPF_CORE_READ(task, mm, exe_file);
	p->start_ns = BPF_CORE_READ(leader, start_boottime);
	p->exec_id = BPF_CORE_READ(leader, self_exec_id);
	p->pid = BPF_CORE_READ(task, tgid);
	p->tid = BPF_CORE_READ(task, pid);
	p->uid = BPF_CORE_READ(task, cred, uid.val);
	p->euid = BPF_CORE_READ(task, cred, euid.val);
	p->loginuid = BPF_CORE_READ(task, loginuid.val);
	p->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	p->pid_ns = pid_ns_of(BPF_CORE_READ(leader, thread_pid), &p->ns_pid);
	bpf_core_read_str(p->comm, sizeof(p->comm), &task->comm);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		p->flags |= PROCESS_KERNEL_THREAD;
	if (exe) {
		p->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
		p->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
		path_put(p, &p->exe, exe, &at);
	}
	up = leader;
	for (int i = 0; i < ANCESTORS_MAX; i++) {
		up = BPF_CORE_READ(up, real_parent, group_leader);
		if (!up || !BPF_CORE_READ(up, pid))
			break;
		ancestor_fill(p, &p->ancestor[i], up, &at);
		p->ancestors = i + 1;
	}
	return at;
}

/*
 * The current task's arguments. Its stack holds them, so they are nearly always resident; what is
 * not is left out, since a hook cannot wait for a page. A program may have changed them.
 *
 * task->mm is read, not followed: for a pointer taken from a trusted one, the verifier searches the
 * kernel's types by name, several times, in every program that reports.
 */
__noinline int args_fill(struct event_args *a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 start, total, len;

	if (!a || !mm)
		return 0;
	start = BPF_CORE_READ(mm, arg_start);
	len = total = BPF_CORE_READ(mm, arg_end) - start;
	if (len > sizeof(a->text))
		len = sizeof(a->text);
	barrier_var(len); /* or the verifier does not see this bound */
	if (!len || len > sizeof(a->text) || bpf_probe_read_user(a->text, len, (void *)start))
		return 0;
	a->len = len;
	a->total = total < ~0u ? total : ~0u;
	return 0;
}

#define PIDTYPE_SID 3 /* enum pid_type, since 4.19 */

struct session_search {
	u64 task, up;
	u32 session;
};

/* A callback, and not a loop that the verifier follows round by round in each program that reports. */
static long session_step(u32 i, struct session_search *s)
{
	struct task_struct *up = (void *)s->up;

	if (!up || (i && (BPF_CORE_READ(up, tgid) <= 1 || BPF_CORE_READ(up, flags) & PF_KTHREAD)))
		return 1;
	s->task = s->up;
	s->session = BPF_CORE_READ(up, signal, pids[PIDTYPE_SID], numbers[0].nr);
	s->up = address(BPF_CORE_READ(up, real_parent, group_leader));
	return s->session != 0;
}

/*
 * Find the session that ties together what one login, unit or container started. Session 0 belongs
 * to no one: the ancestor that init or the kernel itself started stands for it. Not part of
 * process_fill, whose call chain leaves no stack for it where packets are filtered.
 */
__noinline int session_fill(struct process_info *p, u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct session_search s = {.task = task_addr};

	if (!p)
		return 0;
	s.up = address(BPF_CORE_READ(task, group_leader));
	bpf_loop(LINEAGE_MAX, session_step, &s, 0);
	task = (void *)s.task;
	p->session = s.session ?: BPF_CORE_READ(task, tgid);
	return 0;
}

/*
 * What identifies the actor in an attempt's key: the process, its start, and the program it runs.
 */
static __always_inline void key_actor(struct attempt_key *key, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	key->tgid = BPF_CORE_READ(leader, pid);
	key->actor = BPF_CORE_READ(leader, start_boottime);
	key->exec_id = BPF_CORE_READ(leader, self_exec_id);
}

/*
 * Fill an attempt's actor, and note it if that is another protected instance. Returns as
 * process_fill.
 */
static __always_inline u32 event_actor(struct event *e, u64 task_addr)
{
	u32 at = process_fill(&e->actor, task_addr);
	struct member *m;

	e->flags |= EVENT_ACTOR;
	m = member_of(e->actor.pid);
	if (m && m->instance != e->key.instance) {
		e->flags |= EVENT_CROSS_TENANT;
		e->other_instance = m->instance;
	}
	return at;
}

#endif
