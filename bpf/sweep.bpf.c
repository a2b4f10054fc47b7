// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sweep.bpf.c - what is, as opposed to what happens: state that no hook saw come about, because it was
 * there before the monitor or came by a way that no hook watches. The loader runs these again and again.
 *
 * Iterators, and what each decides:
 *   iter/task        a member of an instance is traced, has breakpoints in its code, lets KSM merge its
 *                    memory, has pages swapped out; its threads are all in the table; who its ancestors are;
 *                    a stranger is within a process_vm_readv or _writev upon it. Hooks tell of that call
 *                    at its end, and it may never end: its own memory can be made to keep it waiting
 *   iter/task_file   a stranger holds open a file below an instance's /proc/PID, its socket, its data or
 *                    configuration, or a perf event on it; an instance holds a socket that bears no mark
 *   iter/task_vma    of one instance: which files it executes, what it executes that is no file, what it
 *                    shares for writing
 *
 * An actor here is who holds the thing now. What a hook told of the same process is not told again (`told`);
 * a state found again is the same attempt. Holding a descriptor is no proof that it was used: the outcome
 * of what a sweep finds is unknown.
 */
#include "lib/files.bpf.h"
#include "lib/mark.bpf.h"
#include "lib/procfile.bpf.h"
#include "lib/report.bpf.h"

#define SOCKFS_MAGIC 0x534f434b
#define ANON_INODE_FS_MAGIC 0x09041934
#define PF_EXITING 0x00000004
#define VM_WRITE 0x2
#define VM_EXEC 0x4
#define VM_SHARED 0x8
#define MM_SWAPENTS 2 /* include/linux/mm_types_task.h */
#define NS_PER_SEC 1000000000ull
#define GENERATIONS 16 /* ancestors that count as supervisors */

/*
 * Bits of an mm's flags, as the loader learned them from this kernel (userspace/mmflag.c); 0: unknown.
 */
__u64 flag_uprobes, flag_mergeable;

/* Set by the loader before sweep_maps: what is found belongs to the start. */
__u32 baseline;

/* The loader's question: flags of that process's mm. */
__s32 mm_flags_tgid;
__u64 mm_flags_value;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__type(key, u32);   /* instance */
	__type(value, u32); /* tgid of a living member, its main process where that lives */
} main_tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, SUPERVISORS_MAX);
	__type(key, struct supervisor_key);
	__type(value, u32);
} supervisors SEC(".maps");

/* Something found. Addresses are mere numbers. */
struct sight {
	struct pid_owner owner;
	u32 rule;
	u32 detail;
	u32 amount;
	u32 pad;
	u64 actor; /* task that is to blame, 0: nobody in particular */
	u64 file;  /* mapped file */
};

static __noinline int seen(struct sight *s)
{
	struct task_struct *actor = (void *)s->actor;
	struct file *file = (void *)s->file;
	struct attempt_key key = {
		.instance = s->owner.instance,
		.rule = rule_upon(s->owner.instance, s->rule),
		.vector = VECTOR_SWEEP,
		.detail = s->detail,
	};
	struct reported_key reported_as;
	struct event *e;
	u32 at = 0;

	if (actor)
		key_actor(&key, actor);
	reported_as = reported_key_of(&key);
	if (bpf_map_lookup_elem(&reported, &reported_as))
		return 0;
	if (file)
		key.object = BPF_CORE_READ(file, f_inode, i_ino);
	e = state_begin(&key);
	if (!e)
		return 0;
	e->flags |= EVENT_FOUND_BY_SWEEP;
	e->target_tgid = s->owner.tgid;
	e->target_tid = s->owner.tid;
	e->fd = s->amount;
	if (actor) {
		at = event_actor(e, actor);
		session_fill(&e->actor, plain(actor));
	}
	if (file)
		path_put(&e->actor, &e->object, file, &at);
	event_send(e);
	return 0;
}

/* --- tasks --- */

static __always_inline u64 mm_flags(struct mm_struct *mm)
{
	struct mm_struct___6_18 *new = (void *)mm;
	u64 flags = 0;

	/* 4e65bda8273c (6.18) made a bitmap of the number */
	if (bpf_core_field_exists(new->flags.__mm_flags))
		bpf_core_read(&flags, sizeof(flags), &new->flags);
	else
		bpf_core_read(&flags, sizeof(flags), &mm->flags);
	return flags;
}

/*
 * Pages swapped out. Since f1a7941243c1 (6.2) each CPU holds back a few dozen pages of the sum, which may so be
 * a little wrong, even negative.
 */
static __always_inline s64 mm_swapped(struct mm_struct *mm)
{
	struct mm_struct___6_1 *old = (void *)mm;
	struct mm_struct___6_2 *new = (void *)mm;
	s64 n = 0;

	if (bpf_core_type_exists(struct mm_rss_stat))
		bpf_core_read(&n, sizeof(n), &old->rss_stat.count[MM_SWAPENTS].counter);
	else
		bpf_core_read(&n, sizeof(n), &new->rss_stat[MM_SWAPENTS].count);
	return n;
}

static __always_inline int alive(u32 instance, u32 tgid)
{
	struct member *m = member_of(tgid);

	return m && m->instance == instance;
}

/* Who stands for the instance, and who started it. */
static __always_inline void note_member(struct task_struct *task, struct member *m)
{
	u32 instance = m->instance, tgid = task->tgid, one = 1, *old;
	struct supervisor_key key = {.instance = instance};
	struct task_struct *up = task;

	old = bpf_map_lookup_elem(&main_tgids, &instance);
	if (m->main || !old || !alive(instance, *old))
		bpf_map_update_elem(&main_tgids, &instance, &tgid, BPF_ANY);
	for (int i = 0; i < GENERATIONS; i++) {
		up = BPF_CORE_READ(up, real_parent, group_leader);
		key.tgid = BPF_CORE_READ(up, pid);
		if (!key.tgid)
			break;
		bpf_map_update_elem(&supervisors, &key, &one, BPF_ANY);
	}
}

/* A thread that is missing in the table though it is not being born this moment. */
static __always_inline void note_thread(struct task_struct *task, struct member *m)
{
	if (owner_of_pid(task->thread_pid) ||
	    task->start_boottime + NS_PER_SEC > bpf_ktime_get_boot_ns())
		return;
	pids_set(task, m->instance, 1);
	counter_add(COUNTER_THREADS_LATE, 1);
}

static __always_inline void look_at_mm(struct mm_struct *mm, struct sight *s)
{
	u64 flags = mm_flags(mm);
	s64 swapped = mm_swapped(mm);

	if (flags & flag_uprobes) {
		s->rule = RULE_MEM_PROBE;
		s->detail = FINDING_UPROBES;
		seen(s);
	}
	if (s->owner.instance == INSTANCE_SELF) /* it holds no values */
		return;
	s->rule = RULE_MEM_SPILL;
	if (flags & flag_mergeable) {
		s->detail = FINDING_MERGEABLE;
		seen(s);
	}
	if (swapped > 0) {
		s->detail = FINDING_SWAPPED;
		s->amount = swapped;
		seen(s);
	}
}

/* The vm call that a task waits in, as enum finding_kind; 0: it is in none. */
static __always_inline u32 vm_call(struct task_struct *task, const struct pt_regs *regs)
{
	u32 nr = SYSCALL_NUMBER(regs);

	switch (COMPAT_CALL(task) ? nr | SYSCALL_32BIT : nr) {
	case NR_process_vm_readv:
	case NR32_process_vm_readv:
		return FINDING_VM_READV;
	case NR_process_vm_writev:
	case NR32_process_vm_writev:
		return FINDING_VM_WRITEV;
	default:
		return 0;
	}
}

/* Who sleeps has entered the kernel by a call, and its registers are those it entered with. */
static __always_inline void look_at_call(struct task_struct *task)
{
	struct pt_regs *regs;
	struct pid_owner *owner;
	struct sight s = {.actor = plain(task)};
	u32 ns, own, target;

	if (!task->mm || !task->__state)
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	s.detail = vm_call(task, regs);
	if (!s.detail)
		return;
	target = COMPAT_CALL(task) ? SYSCALL32_ARG1(regs) : SYSCALL_ARG1(regs);
	ns = pid_ns_of(task->thread_pid, &own);
	owner = pid_owner(ns, target);
	if (!owner || is_exempt(task, owner->instance))
		return;
	s.owner = *owner;
	s.rule = s.detail == FINDING_VM_READV ? RULE_MEM_READ : RULE_MEM_WRITE;
	seen(&s);
}

SEC("iter/task")
int sweep_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct mm_struct *mm;
	struct sight s = {};
	struct member *m;

	if (!task || (task->flags & PF_EXITING))
		return 0;
	look_at_call(task);
	m = member_of(task->tgid);
	if (!m)
		return 0;
	mm = task->mm;
	if (!mm)
		return 0;
	note_thread(task, m);
	s.owner.instance = m->instance;
	s.owner.tgid = task->tgid;
	s.owner.tid = task->pid;
	if (task->ptrace) {
		s.rule = RULE_MEM_TRACE;
		s.actor = plain(BPF_CORE_READ(task, parent));
		seen(&s);
		s.actor = 0;
	}
	if (task->pid == task->tgid) {
		note_member(task, m);
		look_at_mm(mm, &s);
	}
	return 0;
}

SEC("iter/task")
int read_mm_flags(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task && task->pid == mm_flags_tgid && task->mm)
		mm_flags_value = mm_flags(task->mm);
	return 0;
}

/* --- descriptors --- */

static __always_inline int family_of(struct task_struct *task, u32 instance)
{
	struct member *m = member_of(task->tgid);

	return m && m->instance == instance;
}

static __always_inline int holds_proc(struct task_struct *task, struct file *file)
{
	struct pid_owner *owner = owner_of_inode(file->f_inode);
	struct sight s = {.actor = plain(task)};
	struct proc_rule *r;
	int in_dir;

	if (!owner || (file->f_mode & FMODE_PATH) || family_of(task, owner->instance))
		return 0;
	r = rule_of_dentry(BPF_CORE_READ(file, f_path.dentry), &in_dir);
	if (!r)
		return 0;
	s.owner = *owner;
	s.rule = file->f_mode & FMODE_WRITE ? r->write : r->read;
	s.detail = r->file;
	return s.rule ? seen(&s) : 0;
}

/* An instance's file on disk: its data, its configuration, its key. */
static __always_inline int holds_own(struct task_struct *task, struct file *file)
{
	struct sight s = {.actor = plain(task)};
	struct file_owner *own;
	u32 *main;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFREG)
		return 0;
	own = own_file(file->f_inode);
	if (!own || !own->kind || server_of(task->tgid))
		return 0;
	s.owner.instance = own->instance;
	main = bpf_map_lookup_elem(&main_tgids, &s.owner.instance);
	if (main)
		s.owner.tgid = s.owner.tid = *main;
	s.rule = rule_of_own(own->kind);
	s.detail = own->kind;
	s.file = plain(file);
	return seen(&s);
}

/*
 * A listening socket in the hands of those the server descends from is how supervisors start servers. A mark
 * may be of an instance that is gone, where the next one was handed the same listener.
 */
static __always_inline int holds_socket(struct task_struct *task, struct file *file)
{
	struct member *m = member_of(task->tgid);
	struct supervisor_key key = {.tgid = task->tgid};
	struct sight s = {.rule = RULE_MEM_FD, .detail = FINDING_SOCKET, .actor = plain(task)};
	struct sock_mark *mark;
	struct sock *sk;
	u32 *main;

	sk = tcp_sock_of(file);
	if (!sk)
		return 0;
	mark = bpf_sk_storage_get(&sock_marks, sk, NULL, 0);
	if (!mark) {
		if (m && mark_found(sk, m->instance))
			counter_add(COUNTER_SOCKETS_LATE, 1);
		return 0;
	}
	if (m && m->instance == mark->instance)
		return 0;
	s.owner.instance = mark->instance;
	main = bpf_map_lookup_elem(&main_tgids, &s.owner.instance);
	if (main && alive(s.owner.instance, *main)) {
		s.owner.tgid = s.owner.tid = *main;
	} else if (m) {
		mark->instance = m->instance;
		mark->writer = 0;
		return 0;
	}
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		key.instance = mark->instance;
		if (bpf_map_lookup_elem(&supervisors, &key))
			return 0;
		s.detail = FINDING_LISTENER;
	}
	return seen(&s);
}

static __always_inline int holds_perf_event(struct task_struct *task, struct file *file)
{
	struct sight s = {
		.rule = RULE_MEM_PROBE, .detail = FINDING_PERF_EVENT, .actor = plain(task)};
	struct perf_event *event = anon_event(file);
	struct task_struct *target;
	struct pid_owner *owner;

	if (!event)
		return 0;
	target = BPF_CORE_READ(event, hw.target);
	owner = target ? owner_of_pid(BPF_CORE_READ(target, thread_pid)) : NULL;
	if (!owner || family_of(task, owner->instance))
		return 0;
	s.owner = *owner;
	return seen(&s);
}

SEC("iter/task_file")
int sweep_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	/* who is on the way out lets go; a server that is has left the family already, its files not yet closed */
	if (!task || !file || (task->flags & PF_EXITING) || is_exempt(task, INSTANCE_SELF))
		return 0;
	switch (file->f_inode->i_sb->s_magic) {
	case PROC_SUPER_MAGIC:
		return holds_proc(task, file);
	case SOCKFS_MAGIC:
		return holds_socket(task, file);
	case ANON_INODE_FS_MAGIC:
		return holds_perf_event(task, file);
	default:
		return holds_own(task, file);
	}
}

/* --- mappings --- */

/* A file that an instance executes: from its start, told already, or news. */
static __always_inline int runs_file(struct file *file, struct sight *s)
{
	struct mapped_key key = {
		.ino = BPF_CORE_READ(file, f_inode, i_ino),
		.dev = BPF_CORE_READ(file, f_inode, i_sb, s_dev),
		.instance = s->owner.instance,
	};
	u32 from_start = baseline;

	if (bpf_map_update_elem(&mapped, &key, &from_start, BPF_NOEXIST) || baseline)
		return 0;
	s->detail = FINDING_CODE_FILE;
	return seen(s);
}

SEC("iter/task_vma")
int sweep_maps(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma;
	struct task_struct *task = ctx->task;
	struct sight s = {};
	struct member *m;
	struct file *file;
	u64 flags;

	if (!vma || !task)
		return 0;
	flags = vma->vm_flags;
	if (!(flags & VM_EXEC) && (flags & (VM_SHARED | VM_WRITE)) != (VM_SHARED | VM_WRITE))
		return 0;
	m = member_of(task->tgid);
	if (!m)
		return 0;
	file = vma->vm_file;
	s.owner.instance = m->instance;
	s.owner.tgid = s.owner.tid = task->tgid;
	s.file = plain(file);
	if (flags & VM_EXEC) {
		s.rule = RULE_MEM_INJECT;
		s.actor = plain(task);
		if (file && !(flags & VM_WRITE))
			return runs_file(file, &s);
		if (!file && vma->vm_ops) /* the kernel's own: vdso, the page of uprobes */
			return 0;
		s.detail = flags & VM_WRITE ? FINDING_CODE_WRITABLE : FINDING_CODE_ANONYMOUS;
		return seen(&s);
	}
	/* rings of io_uring and the like are shared with the kernel */
	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC)
		return 0;
	s.rule = RULE_MEM_SPILL;
	s.detail = FINDING_SHARED;
	return seen(&s);
}
