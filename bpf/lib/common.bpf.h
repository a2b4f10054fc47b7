/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * common.bpf.h - what every sensor shares: the maps, who is family, who is the actor, and the one
 * way an attempt is counted and sent.
 *
 * The maps are defined here once per object; the loader makes all objects use the same ones.
 */
#ifndef CACHEWARDEN_COMMON_BPF_H
#define CACHEWARDEN_COMMON_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/compat.bpf.h"
#include "event.h"
#include "map.h"

#define PF_KTHREAD 0x00200000
#define NS_LEVELS 8 /* pid namespaces nested deeper than this are not resolved */
#define PATH_PARTS 32
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u32);
	__type(value, struct member);
} procs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PIDS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct pid_key);
	__type(value, struct pid_owner);
} pids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ATTEMPTS_MAX);
	__type(key, struct attempt_key);
	__type(value, struct attempt);
} attempts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lost_key);
	__type(value, u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_MAX);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAPPED_MAX);
	__type(key, struct mapped_key);
	__type(value, u32); /* 1: there from the start */
} mapped SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REPORTED_MAX);
	__type(key, struct reported_key);
	__type(value, u32);
} reported SEC(".maps");

/* Instances whose start is over: what becomes executable in them now is news. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u32);
	__type(value, u32);
} baselined SEC(".maps");

/* What is prevented upon an instance: 1 << rule. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u32);
	__type(value, u32);
} prevent_rules SEC(".maps");

/* Files on disk that instances opened themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct file_key);
	__type(value, struct file_owner);
} files SEC(".maps");

/* The instance for whose sake the syscall this task is in was denied, or the task killed. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} prevented SEC(".maps");

static __always_inline void counter_add(u32 id, u64 n)
{
	u64 *c = bpf_map_lookup_elem(&counters, &id);

	if (c)
		*c += n;
}

static __always_inline struct member *member_of(u32 tgid)
{
	return bpf_map_lookup_elem(&procs, &tgid);
}

/* The same, but not the monitor: a protected server. */
static __always_inline struct member *server_of(u32 tgid)
{
	struct member *m = member_of(tgid);

	return m && m->instance != INSTANCE_SELF ? m : NULL;
}

/* Upon the monitor every attempt breaks the same rule. */
static __always_inline u32 rule_upon(u32 instance, u32 rule)
{
	return instance == INSTANCE_SELF ? RULE_SELF_TAMPER : rule;
}

/* The monitored thread behind a pid number, as a caller living in pid namespace ns means it. */
static __always_inline struct pid_owner *pid_owner(u32 ns, u32 nr)
{
	struct pid_key key = {.ns = ns, .nr = nr};

	return bpf_map_lookup_elem(&pids, &key);
}

/*
 * The innermost pid namespace of a struct pid, and the number there; find_vpid() counts by the
 * same.
 */
static __always_inline u32 pid_ns_of(struct pid *pid, u32 *nr)
{
	u32 level = BPF_CORE_READ(pid, level);
	struct upid up = {};

	bpf_core_read(&up, sizeof(up), &pid->numbers[level]);
	*nr = up.nr;
	return BPF_CORE_READ(up.ns, ns.inum);
}

/* The monitored thread a struct pid stands for: its number in the initial namespace says. */
static __always_inline struct pid_owner *owner_of_pid(struct pid *pid)
{
	struct upid up = {};

	if (bpf_core_read(&up, sizeof(up), &pid->numbers[0]))
		return NULL;
	return pid_owner(BPF_CORE_READ(up.ns, ns.inum), up.nr);
}

/* Enter or remove what every pid namespace calls this thread. */
static __always_inline void pids_set(struct task_struct *task, u32 instance, int enter)
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
		if (!enter)
			bpf_map_delete_elem(&pids, &key);
		else if (bpf_map_update_elem(&pids, &key, &owner, BPF_ANY))
			counter_add(COUNTER_PROCS_FULL, 1);
	}
}

static const struct event zero_event;

static __always_inline struct event *event_reserve(u16 type)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		counter_add(COUNTER_RING_FULL, 1);
		return NULL;
	}
	/* ring memory is reused: whatever stood there must not be sent again */
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

/*
 * Count an attempt. Returns an event to fill and send when this is the first of its kind, NULL
 * when a count is enough. Sent + counted + lost is what was done, exactly: `sent` is taken by one
 * CPU, and given back when the ring had no room, so that the next attempt tries again.
 */
static __always_inline struct event *attempt_begin(const struct attempt_key *key, u64 bytes)
{
	u64 now = bpf_ktime_get_boot_ns(), count = 1;
	struct attempt *a = bpf_map_lookup_elem(&attempts, key);
	struct event *e;

	if (!a) {
		struct attempt fresh = {.first_ns = now};

		bpf_map_update_elem(&attempts, key, &fresh, BPF_NOEXIST);
		a = bpf_map_lookup_elem(&attempts, key);
	}
	if (a) {
		count = __sync_fetch_and_add(&a->count, 1) + 1;
		__sync_fetch_and_add(&a->bytes, bytes);
		a->last_ns = now;
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

/*
 * The same for a state that is found again and again: it is one attempt, which lives as long as the state
 * does.
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

/* A pointer as a mere number, which is all a global function takes. */
static __always_inline u64 plain(const void *p)
{
	u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), &p);
	return addr;
}

/* A path being written, part by part from the last to the first, across mounts. */
struct path_walk {
	struct process_info *p;
	u64 dentry, mount;
	u32 at;
	u32 flags; /* PATH_* */
};

/* One step towards the root. A callback is verified once, however often it runs. */
static long path_up(u32 i, struct path_walk *w)
{
	struct process_info *p = w->p;
	struct dentry *d = (void *)w->dentry, *up = BPF_CORE_READ(d, d_parent);
	struct mount *m = (void *)w->mount, *above;
	u32 to = w->at;
	long n;

	if (!p)
		return 1;
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		above = BPF_CORE_READ(m, mnt_parent);
		if (above == m || !above) {
			w->flags &= ~PATH_CUT;
			return 1;
		}
		w->dentry = (u64)BPF_CORE_READ(m, mnt_mountpoint);
		w->mount = (u64)above;
		return 0;
	}
	if (to >= PATH_ROOM)
		return 1;
	barrier_var(to); /* keep the mask: 6.1's verifier forgets a spilled number's bound */
	n = bpf_probe_read_kernel_str(&p->path[to & (PATH_ROOM - 1)], PATH_PART_MAX + 1,
				      BPF_CORE_READ(d, d_name.name));
	if (n <= 0)
		return 1;
	w->at += n;
	if (d == up) { /* a file without a place, a memfd say */
		w->flags &= ~PATH_CUT;
		return 1;
	}
	w->dentry = (u64)up;
	return 0;
}

/*
 * Append a path at p->path[at]. Returns where it ended, and PATH_* flags in the upper half. Functions that are
 * not static are verified once on their own, and take addresses as mere numbers: here of a struct path.
 */
__noinline int path_append(struct process_info *p, u64 path_addr, u32 at)
{
	struct path *path = (void *)path_addr;
	struct dentry *d = BPF_CORE_READ(path, dentry);
	struct vfsmount *vfs = BPF_CORE_READ(path, mnt);
	struct path_walk w = {
		.p = p,
		.dentry = plain(d),
		.mount = plain(vfs) - bpf_core_field_offset(struct mount, mnt),
		.at = at,
		.flags = PATH_CUT,
	};

	if (!p)
		return 0;
	if (!BPF_CORE_READ(d, d_hash.pprev))
		w.flags |= PATH_DELETED;
	bpf_loop(PATH_PARTS, path_up, &w, 0);
	return w.at | w.flags << 16;
}

/* Where a path begins and ends in p->path; *at moves behind it. */
static __always_inline void path_put_at(struct process_info *p, struct path_place *place,
					u64 path_addr, u32 *at)
{
	u32 end = path_append(p, path_addr, *at);

	place->off = *at;
	place->len = (end & 0xffff) - *at;
	place->flags = end >> 16;
	*at = end & 0xffff;
}

static __always_inline void path_put(struct process_info *p, struct path_place *place,
				     struct file *file, u32 *at)
{
	path_put_at(p, place, plain(file) + bpf_core_field_offset(struct file, f_path), at);
}

/*
 * Who a task is, now. tid is the task's own; everything else is its process's. A global function,
 * its task a plain address: so the verifier looks at it once and not at every call. Returns how much of
 * p->path is taken.
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
		struct ancestor_info *a = &p->ancestor[i];

		up = BPF_CORE_READ(up, real_parent, group_leader);
		if (!up || !BPF_CORE_READ(up, pid))
			break;
		a->pid = BPF_CORE_READ(up, pid);
		a->start_ns = BPF_CORE_READ(up, start_boottime);
		a->uid = BPF_CORE_READ(up, cred, uid.val);
		bpf_core_read_str(a->comm, sizeof(a->comm), &up->comm);
		exe = BPF_CORE_READ(up, mm, exe_file);
		if (exe) {
			a->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
			a->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
			path_put(p, &a->exe, exe, &at);
		}
		p->ancestors = i + 1;
	}
	return at;
}

/*
 * The parts of an attempt's key that name a process: this one, since this start, in this program.
 */
static __always_inline void key_actor(struct attempt_key *key, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	key->tgid = BPF_CORE_READ(leader, pid);
	key->actor = BPF_CORE_READ(leader, start_boottime);
	key->exec_id = BPF_CORE_READ(leader, self_exec_id);
}

/*
 * Fill the actor of an attempt; says so when it is another protected instance. Returns as process_fill does.
 */
static __always_inline u32 event_actor(struct event *e, struct task_struct *task)
{
	u32 at = process_fill(&e->actor, plain(task));
	struct member *m;

	e->flags |= EVENT_ACTOR;
	m = member_of(e->actor.pid);
	if (m && m->instance != e->key.instance) {
		e->flags |= EVENT_CROSS_TENANT;
		e->other_instance = m->instance;
	}
	return at;
}

#define PIDTYPE_SID 3 /* enum pid_type, since 4.19 */

/*
 * Which session it is in: what it started by one login, unit or container has in common. Session 0 is nobody's: there
 * stands for a leader who of its ancestors was started by init or by the kernel itself. Apart from process_fill,
 * whose chain of calls has no stack left where packets are looked at.
 */
__noinline int session_fill(struct process_info *p, u64 task_addr)
{
	struct task_struct *task = (void *)task_addr, *up = BPF_CORE_READ(task, group_leader);
	u32 session = 0;

	if (!p)
		return 0;
	for (int i = 0; i < LINEAGE_MAX && up && !session; i++) {
		if (i && (BPF_CORE_READ(up, tgid) <= 1 || BPF_CORE_READ(up, flags) & PF_KTHREAD))
			break;
		task = up;
		session = BPF_CORE_READ(task, signal, pids[PIDTYPE_SID], numbers[0].nr);
		up = BPF_CORE_READ(task, real_parent, group_leader);
	}
	p->session = session ?: BPF_CORE_READ(task, tgid);
	return 0;
}

static __always_inline struct reported_key reported_key_of(const struct attempt_key *key)
{
	struct reported_key t = {.actor = key->actor,
				 .instance = key->instance,
				 .tgid = key->tgid,
				 .what = key->rule << 16};

	if (key->rule == RULE_MEM_INJECT && key->vector == VECTOR_SYSCALL)
		t.what |= key->detail >> SYSCALL_OP_SHIFT & SYSCALL_OP_MASK;
	else if (key->vector == VECTOR_SWEEP ||
		 (key->vector >= VECTOR_OPEN && key->vector <= VECTOR_IO_URING_OPEN))
		t.what |= key->detail & 0xffff;
	else if (key->vector == VECTOR_PROCESS_VM_READV)
		t.what |= FINDING_VM_READV;
	else if (key->vector == VECTOR_PROCESS_VM_WRITEV)
		t.what |= FINDING_VM_WRITEV;
	if (key->rule == RULE_MEM_FD || key->rule == RULE_MEM_PROBE)
		t.what = key->rule << 16;
	return t;
}

/*
 * Note what a hook reports. Of breakpoints it is also noted without the actor: in the instance's memory
 * nothing tells who planted them.
 */
__noinline int reported_note(struct event *e)
{
	struct reported_key key;
	u32 one = 1;

	if (!e || e->key.err)
		return 0;
	key = reported_key_of(&e->key);
	bpf_map_update_elem(&reported, &key, &one, BPF_ANY);
	if (e->key.rule == RULE_MEM_PROBE) {
		key.actor = 0;
		key.tgid = 0;
		bpf_map_update_elem(&reported, &key, &one, BPF_ANY);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
