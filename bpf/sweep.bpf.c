// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sweep.bpf.c - the sweep sensor: finds state that no hook reported, because it is older than the
 * monitor or arose in a way that no hook sees. The monitor runs these iterators periodically.
 *
 * Iterators, and what each decides:
 *   iter/task        of a member: it is traced, has breakpoints in its code, lets KSM merge its
 *                    memory, has pages swapped out, has seccomp filters that hand its syscalls to
 *                    somebody. Of others: one is
 *                    inside process_vm_readv or _writev on an instance. Hooks report that call at
 *                    its end, which the caller can put off for ever by making its own memory wait
 *   iter/task_file   somebody holds a file below an instance's /proc/PID, its socket, its data or
 *                    configuration, a perf event on it, or the listener of a seccomp filter of it;
 *                    an instance holds an unmarked socket.
 *                    The same for files in a ring of io_uring, by a program of its own
 *   iter/task_vma    of one instance: which files it executes, what it executes that is not a file,
 *                    what it shares for writing
 *
 * The actor is whoever holds the thing now. What a hook reported of the same process is not
 * reported again, and a state that is found again is the same attempt. To hold a descriptor is no
 * proof of having used it: the outcome of what a sweep finds is unknown.
 */
#include "lib/files.bpf.h"
#include "lib/mark.bpf.h"
#include "lib/uring.bpf.h"

#define SOCKFS_MAGIC 0x534f434b /* include/uapi/linux/magic.h */
#define ANON_INODE_FS_MAGIC 0x09041934
#define VM_WRITE 0x2 /* include/linux/mm.h */
#define VM_EXEC 0x4
#define VM_SHARED 0x8
#define NS_PER_SEC 1000000000ull
#define REGISTERED_RINGS 16  /* IO_RINGFD_REG_MAX, include/linux/io_uring_types.h */
#define RING_FINDINGS 4	     /* of a ring, or of all rings registered with a task, in one sweep */
#define SUPERVISOR_LEVELS 16 /* ancestors that count as supervisors */
#define FILTERS 32 /* seccomp filters of a process that are looked at, the last ones set */
#define LASTING_MAX 4096
#define LASTING_NS (NS_PER_SEC / 2) /* far longer than a hook takes to report */
/* Longer than the servers of a busy user wait for their next sweep. */
#define LASTING_FORGET_NS (120 * NS_PER_SEC)

/* Bits in an mm's flags, which the loader learned from this kernel (mm_flags_learn); 0: unknown. */
__u64 flag_uprobes, flag_mergeable;

/* Set by the loader before sweep_maps: what is found was there from the start. */
__u32 baseline;

/* States that wait for a second sweep; the loader resets it before each sweep. */
__u32 lasting_pending;

/* Set by the loader for its first sweep: what others hold is older than the hooks, none will report it. */
__u32 first_sweep;

/* read_mm_flags: the process the loader asks about, and the answer. */
__s32 mm_flags_tgid;
__u64 mm_flags_value;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);   /* instance */
	__type(value, u32); /* tgid of a living member, of its main process if that lives */
} main_tgids SEC(".maps");

/* seccomp filters that hand syscalls of an instance to a process; of this sweep. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROCS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64); /* address of the filter */
	__type(value, struct pid_owner);
} answered SEC(".maps");

static u64 answered_count; /* its entries: looking at the name of each anonymous file is dear */

struct lasting_key {
	u32 actor; /* tid */
	u32 target;
	u32 rule;
	u32 detail;
	u64 ino; /* of the file, if it is one */
};

/* When sweeps found a state that a hook may be about to report, CLOCK_BOOTTIME. */
struct lasting {
	u64 first_ns, last_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LASTING_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lasting_key);
	__type(value, struct lasting);
} lasting SEC(".maps");

/* What an iterator found on that thread of an instance. Returns 0, as an iterator must. */
static __always_inline int report_state(const struct pid_owner *target, struct action *a, u64 actor)
{
	a->vector = VECTOR_SWEEP;
	report_found(target, a, actor);
	return 0;
}

/*
 * Hooks report the effect of a syscall at its end, and a sweep may come in between: was the state found half a second ago
 * or earlier? What finds no room to be remembered is not waited for, so that nothing that others do puts a report off.
 * A function of its own, since callers have little stack left.
 */
static __noinline int is_lasting(u64 actor, const struct pid_owner *target, const struct action *a)
{
	struct lasting_key key = {.target = target->tid, .rule = a->rule, .detail = a->detail};
	struct task_struct *task = (void *)actor;
	struct file *file = (void *)a->file;
	struct lasting fresh = {}, *known;

	if (task)
		key.actor = BPF_CORE_READ(task, pid);
	if (file)
		key.ino = BPF_CORE_READ(file, f_inode, i_ino);
	fresh.first_ns = fresh.last_ns = bpf_ktime_get_boot_ns();
	known = bpf_map_lookup_elem(&lasting, &key);
	if (known) {
		known->last_ns = fresh.last_ns;
		if (fresh.last_ns - known->first_ns >= LASTING_NS)
			return 1;
	} else if (bpf_map_update_elem(&lasting, &key, &fresh, BPF_NOEXIST)) {
		return 1;
	}
	lasting_pending++;
	return 0;
}

/* As report_state, for what is reported when a later sweep finds it again. */
static __always_inline int report_lasting(const struct pid_owner *target, struct action *a,
					  u64 actor)
{
	return is_lasting(actor, target, a) ? report_state(target, a, actor) : 0;
}

/* As report_lasting, but at once if it is older than the hooks. */
static __always_inline int report_held(const struct pid_owner *target, struct action *a, u64 actor)
{
	return first_sweep ? report_state(target, a, actor) : report_lasting(target, a, actor);
}

/* --- descriptors --- */

static __always_inline int holds_proc(u64 task, u32 tgid, struct file *file, struct inode *inode)
{
	struct pid_owner room = {}, *owner = owner_of_inode(inode, &room);
	struct action a = {};
	struct proc_rule *r;

	if (!owner || is_member(tgid, owner->instance))
		return 0;
	r = rule_of_dentry(BPF_CORE_READ(file, f_path.dentry));
	if (!r)
		return 0;
	a.rule = rule_of_access(r, BPF_CORE_READ(file, f_mode) & FMODE_WRITE);
	a.detail = r->file;
	return a.rule ? report_held(owner, &a, task) : 0;
}

/* An instance's data, configuration or key. */
static __always_inline int holds_own(u64 task, u32 tgid, struct file *file, struct inode *inode)
{
	struct pid_owner target = {};
	struct file_owner *own;
	struct action a = {};
	struct member *m;
	u32 *main;

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	own = owner_of_file(file, inode);
	m = member_of(tgid);
	if (!own || is_open_to_all(own->kind, BPF_CORE_READ(file, f_mode)))
		return 0;
	if (m && (m->instance == own->instance || may_share(own->kind, m->instance)))
		return 0;
	target.instance = own->instance;
	main = bpf_map_lookup_elem(&main_tgids, &target.instance);
	if (main)
		target.tgid = target.tid = *main;
	a.rule = rule_of_kind(own->kind);
	a.detail = own->kind;
	a.file = address(file);
	return report_held(&target, &a, task);
}

/* Takes an address and not a typed pointer: the file may be in a ring's table, too. */
static __noinline int holds_file(u64 task, u32 tgid, u64 addr)
{
	struct file *file = (void *)addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (BPF_CORE_READ(file, f_mode) & FMODE_PATH) /* names a file, reads nothing */
		return 0;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC)
		return holds_proc(task, tgid, file, inode);
	return holds_own(task, tgid, file, inode);
}

struct slot_search {
	u64 ring;
	u32 slot; /* where the search begins, and where it ended */
	u32 found;
};

/* A file that holds_file may report. */
static long slot_step(u32 i, struct slot_search *s)
{
	struct file *file = file_of_slot((void *)s->ring, s->slot);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct pid_owner room = {};
	struct file_owner *own;

	s->slot++;
	if (!inode)
		return 0;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC) {
		if (!owner_of_inode(inode, &room))
			return 0;
	} else {
		own = owner_of_file(file, inode);
		if (!own || is_open_to_all(own->kind, BPF_CORE_READ(file, f_mode)))
			return 0;
	}
	s->found = 1;
	return 1; /* a constant: 6.1's verifier must see that it is 0 or 1 */
}

/* The next one in the ring's table. */
static __always_inline void search_slots(struct slot_search *s)
{
	u32 slots = uring_slots((void *)s->ring);

	s->found = 0;
	if (s->slot < slots)
		bpf_loop((slots - s->slot) % (URING_SLOTS_MAX + 1), slot_step, s, 0);
}

static __always_inline u64 found_in_slot(const struct slot_search *s)
{
	return address(file_of_slot((void *)s->ring, s->slot - 1));
}

/* A separate program: the search of rings needs the stack that sweep_files has used up. */
SEC("iter/task_file")
int sweep_rings(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct slot_search s = {};

	if (!task || !file || (task->flags & PF_EXITING) || is_exempt(task, INSTANCE_SELF) ||
	    file->f_inode->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return 0;
	s.ring = address(uring_of(file));
	for (u32 i = 0; s.ring && i < RING_FINDINGS; i++) {
		search_slots(&s);
		if (!s.found)
			break;
		holds_file(address(task), task->tgid, found_in_slot(&s));
	}
	return 0;
}

struct own_search {
	u64 table; /* of the rings */
	u32 ring;  /* where the search begins, and where it ended */
	struct slot_search slots;
};

static long own_ring_step(u32 i, struct own_search *s)
{
	struct io_uring_task *table = (void *)s->table;
	u32 nr = s->ring % REGISTERED_RINGS;
	struct file *ring;

	bpf_core_read(&ring, sizeof(ring), &table->registered_rings[nr]);
	s->slots.ring = ring ? address(uring_of(ring)) : 0;
	if (s->slots.ring)
		search_slots(&s->slots);
	if (s->slots.found)
		return 1;
	s->slots.slot = 0;
	s->ring++;
	return 0;
}

/* A ring that a task has registered may have no descriptor any more. */
SEC("iter/task")
int sweep_own_rings(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct own_search s = {};

	if (!task || (task->flags & PF_EXITING) || is_exempt(task, INSTANCE_SELF))
		return 0;
	s.table = address(BPF_CORE_READ(task, io_uring));
	for (u32 i = 0; s.table && i < RING_FINDINGS; i++) {
		s.slots.found = 0;
		bpf_loop((REGISTERED_RINGS - s.ring) % (REGISTERED_RINGS + 1), own_ring_step, &s,
			 0);
		if (!s.slots.found)
			break;
		holds_file(address(task), task->tgid, found_in_slot(&s.slots));
	}
	return 0;
}

/*
 * A server's socket other than TCP. An IP socket is marked, so that its packets are seen; UNIX and
 * netlink sockets do not leave the host; no hook sees what others send, so those are reported.
 * Returns 1 if it is one of them.
 */
static __always_inline int holds_other(struct task_struct *task, struct file *file, u32 instance)
{
	struct action a = {.rule = RULE_TLS_BYPASS, .detail = FINDING_FAMILY};
	struct pid_owner target = {.instance = instance, .tgid = task->tgid, .tid = task->tgid};
	struct socket *sock = bpf_sock_from_file(file);
	struct sock *sk = sock ? sock->sk : NULL;
	u16 family;

	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (family == AF_INET || family == AF_INET6) {
		if (!is_other(sk->sk_type, sk->sk_protocol))
			return 0;
		if (!bpf_sk_storage_get(&sock_marks, sk, NULL, 0))
			sock_mark_set(sk, instance, SOCK_OTHER);
	} else if (family != AF_UNIX && family != AF_NETLINK) {
		report_state(&target, &a, address(task));
	}
	return 1;
}

/* Is it an ancestor of that process? tgid: in the initial pid namespace. */
static __noinline int is_supervisor(struct task_struct *task, u32 tgid)
{
	struct pid_namespace *init = BPF_CORE_READ(task, thread_pid, numbers[0].ns);
	struct pid *pid = pid_of_number(init, tgid);
	struct task_struct *up = pid ? task_of_pid(pid) : NULL;

	for (int i = 0; i < SUPERVISOR_LEVELS && up; i++) {
		up = BPF_CORE_READ(up, real_parent, group_leader);
		if (up == BPF_CORE_READ(task, group_leader))
			return 1;
	}
	return 0;
}

/*
 * Supervisors pass listening sockets to the servers they start, so a listener held by an ancestor is
 * no finding. A mark may name an instance that has ended, if its successor was passed the same
 * listener.
 */
static __noinline int holds_socket(struct task_struct *task, struct file *file)
{
	struct member *m = member_of(task->tgid);
	struct action a = {.rule = RULE_MEM_FD, .detail = FINDING_SOCKET};
	struct pid_owner target = {};
	struct sock_mark *mark;
	struct sock *sk;
	u32 *main;

	if (m && m->instance != INSTANCE_SELF && holds_other(task, file, m->instance))
		return 0;
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
		return sockmap_check(sk, mark, EVENT_FOUND_BY_SWEEP);
	target.instance = mark->instance;
	main = bpf_map_lookup_elem(&main_tgids, &target.instance);
	if (main && is_member(*main, target.instance)) {
		target.tgid = target.tid = *main;
	} else if (m) {
		mark->instance = m->instance;
		mark->writer = 0;
		return 0;
	}
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		if (is_supervisor(task, target.tgid))
			return 0;
		a.detail = FINDING_LISTENER;
	}
	return report_held(&target, &a, address(task));
}

static __noinline int holds_cgroup(struct task_struct *task, struct file *file)
{
	struct action a = {.rule = RULE_SELF_TAMPER, .detail = HOST_CGROUP, .file = address(file)};
	struct pid_owner self = {.instance = INSTANCE_SELF};

	return controls_monitor(task->tgid, address(file)) ? report_held(&self, &a, address(task))
							   : 0;
}

/* Who has the descriptor of a seccomp filter's listener answers the syscalls of all that it was set for. */
static __noinline int holds_listener(struct task_struct *task, struct file *file)
{
	struct action a = {.rule = RULE_MEM_TRACE, .detail = FINDING_ANSWERED};
	struct pid_owner *target;
	u64 filter;

	if (!answered_count || !is_anon(file, &seccomp_name))
		return 0;
	filter = (u64)BPF_CORE_READ(file, private_data);
	target = bpf_map_lookup_elem(&answered, &filter);
	if (!target || is_member(task->tgid, target->instance))
		return 0;
	return report_held(target, &a, address(task));
}

static __noinline int holds_perf_event(struct task_struct *task, struct file *file)
{
	struct action a = {.rule = RULE_MEM_PROBE, .detail = FINDING_PERF_EVENT};
	struct perf_event *event = perf_event_of(file);
	struct task_struct *target;
	struct pid_owner *owner, room = {};

	if (!event)
		return 0;
	target = BPF_CORE_READ(event, hw.target);
	owner = target ? owner_of_pid(BPF_CORE_READ(target, thread_pid), &room) : NULL;
	if (!owner || is_member(task->tgid, owner->instance))
		return 0;
	return report_held(owner, &a, address(task));
}

/* --- what has ended takes no room any more --- */

static u64 files_began_ns; /* sweep_files */

static __always_inline void holds_pipe(struct inode *inode)
{
	struct file_key key = file_key_of(inode);
	struct own_pipe *pipe = bpf_map_lookup_elem(&own_pipes, &key);

	if (pipe)
		pipe->seen_ns = bpf_ktime_get_boot_ns();
}

static long forget_pipe(void *map, struct file_key *at, struct own_pipe *pipe, void *ctx)
{
	struct file_key key = *at; /* 6.1 looks up what is on the stack only */
	u32 account = pipe->account;

	if (pipe->seen_ns < files_began_ns && !bpf_map_delete_elem(&own_pipes, &key))
		budget_return(account, BUDGET_PIPES);
	return 0;
}

static long forget_filter(void *map, u64 *at, struct pid_owner *owner, void *ctx)
{
	u64 key = *at;

	bpf_map_delete_elem(&answered, &key);
	return 0;
}

static long forget_code(void *map, struct mapped_key *at, u32 *account_at, void *ctx)
{
	struct mapped_key key = *at;
	u32 account = *account_at;

	if (!is_running(key.instance) && !bpf_map_delete_elem(&mapped, &key))
		budget_return(account, BUDGET_CODE);
	return 0;
}

static long forget_lasting(void *map, struct lasting_key *at, struct lasting *l, u64 *now)
{
	struct lasting_key key = *at;

	if (*now - l->last_ns > LASTING_FORGET_NS)
		bpf_map_delete_elem(&lasting, &key);
	return 0;
}

SEC("iter/task_file")
int sweep_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!ctx->meta->seq_num)
		files_began_ns = bpf_ktime_get_boot_ns();
	if (!task) { /* the end: each pipe was seen by now */
		bpf_for_each_map_elem(&own_pipes, forget_pipe, NULL, 0);
		if (answered_count) /* it looks at each bucket */
			bpf_for_each_map_elem(&answered, forget_filter, NULL, 0);
		answered_count = 0;
	}
	/* an exiting server has left procs already, while its files are still open */
	if (!task || !file || (task->flags & PF_EXITING) || is_exempt(task, INSTANCE_SELF))
		return 0;
	switch (file->f_inode->i_sb->s_magic) {
	case SOCKFS_MAGIC:
		return holds_socket(task, file);
	case CGROUP2_MAGIC:
	case CGROUP_MAGIC:
		return holds_cgroup(task, file);
	case ANON_INODE_FS_MAGIC:
		return holds_listener(task, file) ?: holds_perf_event(task, file);
	case PIPEFS_MAGIC:
		holds_pipe(file->f_inode);
		return 0;
	default:
		return holds_file(address(task), task->tgid, address(file));
	}
}

/* --- tasks --- */

static __always_inline void note_main(struct task_struct *task, struct member *m)
{
	u32 instance = m->instance, tgid = task->tgid, *known;

	known = bpf_map_lookup_elem(&main_tgids, &instance);
	if (m->main || !known || !is_member(*known, instance))
		bpf_map_update_elem(&main_tgids, &instance, &tgid, BPF_ANY);
}

static __noinline int note_filters(struct task_struct *task, const struct pid_owner *from)
{
	struct seccomp_filter *filter = BPF_CORE_READ(task, seccomp.filter);
	struct pid_owner owner = *from; /* 6.1 updates from what is on the stack only */

	for (int i = 0; i < FILTERS && filter; i++) {
		u64 key = address(filter);

		if (BPF_CORE_READ(filter, notif)) {
			bpf_map_update_elem(&answered, &key, &owner, BPF_ANY);
			answered_count++;
		}
		filter = BPF_CORE_READ(filter, prev);
	}
	return 0;
}

static __always_inline void check_mm(struct mm_struct *mm, const struct pid_owner *owner,
				     const struct member *m)
{
	struct action a = {.rule = RULE_MEM_PROBE, .detail = FINDING_UPROBES};
	u64 flags = mm_flags(mm);
	s64 swapped = mm_swapped(mm);

	/* a monitor that starts plants one in a child, to learn the flag; it holds no data of the cache */
	if (flags & flag_uprobes && (m->main || owner->instance != INSTANCE_SELF))
		report_held(owner, &a, 0);
	if (owner->instance == INSTANCE_SELF)
		return;
	a.rule = RULE_MEM_SPILL;
	if (flags & flag_mergeable) {
		a.detail = FINDING_MERGEABLE;
		report_state(owner, &a, 0);
	}
	if (swapped > 0) {
		a.detail = FINDING_SWAPPED;
		a.fd = swapped;
		report_state(owner, &a, 0);
	}
}

/* The process_vm_* call that a task is in, 0 if it is in none. */
static __always_inline u32 vm_call(struct task_struct *task)
{
	switch (syscall_number(task)) {
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

/*
 * Only of a task that sleeps: it is in the kernel, and its saved registers are those of the call.
 */
static __always_inline void check_vm_call(struct task_struct *task)
{
	struct pt_regs *regs;
	struct pid_owner *owner, room = {};
	struct action a = {};
	u32 nr;

	if (!task->mm || !task->__state)
		return;
	a.detail = vm_call(task);
	if (!a.detail)
		return;
	regs = task_regs(task);
	nr = COMPAT_CALL(task) ? SYSCALL32_ARG1(regs) : SYSCALL_ARG1(regs);
	owner = owner_of_number_to(task, nr, &room);
	if (!owner || is_exempt(task, owner->instance))
		return;
	a.rule = a.detail == FINDING_VM_READV ? RULE_MEM_READ : RULE_MEM_WRITE;
	report_lasting(owner, &a, address(task));
}

SEC("iter/task")
int sweep_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct pid_owner target = {};
	struct mm_struct *mm;
	struct action traced = {.rule = RULE_MEM_TRACE};
	struct member *m;
	u64 now;

	if (!task) {
		now = bpf_ktime_get_boot_ns();
		bpf_for_each_map_elem(&mapped, forget_code, NULL, 0);
		bpf_for_each_map_elem(&lasting, forget_lasting, &now, 0);
	}
	if (!task || (task->flags & PF_EXITING))
		return 0;
	check_vm_call(task);
	m = member_of(task->tgid);
	if (!m)
		return 0;
	mm = task->mm;
	if (!mm)
		return 0;
	target.instance = m->instance;
	target.tgid = task->tgid;
	target.tid = task->pid;
	if (task->ptrace)
		report_lasting(&target, &traced, address(BPF_CORE_READ(task, parent)));
	if (task->pid == task->tgid) {
		note_main(task, m);
		note_filters(task, &target);
		check_mm(mm, &target, m);
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

/* --- mappings --- */

/* A file that an instance executes: known from its start, reported before, or a finding. */
static __always_inline int executes_file(struct file *file, const struct pid_owner *target,
					 struct action *a, u64 actor)
{
	int fresh = code_enter(target->instance, BPF_CORE_READ(file, f_inode, i_ino),
			       BPF_CORE_READ(file, f_inode, i_sb, s_dev), actor);

	/* the executable is in mapped since exec; its file is forgotten when the first of its instances ends */
	if (fresh || !file_owner_of(file->f_inode))
		learn_file(file, target->instance, target->tgid, 0, FILE_CODE);
	if (!fresh || baseline)
		return 0;
	a->detail = FINDING_CODE_FILE;
	return report_state(target, a, actor);
}

SEC("iter/task_vma")
int sweep_maps(struct bpf_iter__task_vma *ctx)
{
	struct vm_area_struct *vma = ctx->vma;
	struct task_struct *task = ctx->task;
	struct pid_owner target = {};
	struct action a = {};
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
	target.instance = m->instance;
	target.tgid = target.tid = task->tgid;
	a.file = address(file);
	if (flags & VM_EXEC) {
		a.rule = RULE_MEM_INJECT;
		if (file && !(flags & VM_WRITE))
			return executes_file(file, &target, &a, address(task));
		if (!file && vma->vm_ops) /* the kernel's own: vdso, the page of uprobes */
			return 0;
		a.detail = flags & VM_WRITE ? FINDING_CODE_WRITABLE : FINDING_CODE_ANONYMOUS;
		return report_held(&target, &a, address(task));
	}
	/* rings of io_uring and the like are shared with the kernel */
	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) == ANON_INODE_FS_MAGIC)
		return 0;
	a.rule = RULE_MEM_SPILL;
	a.detail = FINDING_SHARED;
	return report_held(&target, &a, 0);
}
