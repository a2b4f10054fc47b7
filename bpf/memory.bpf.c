// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memory.bpf.c - the memory sensor for kernels that take no programs at the access check (see
 * access.bpf.c): the syscalls tier.
 *
 * Hooks, what each decides, and why there. They are the *exits* of the syscalls concerned, each by
 * its own tracepoint: the global tracepoints would tax every syscall of the host twice.
 *   ptrace, process_vm_readv, process_vm_writev   the target by pid number, as the caller's pid
 *                                                 namespace resolves it
 *   pidfd_getfd                                   the target by the pidfd's struct pid
 *   open, creat, openat, openat2,
 *   open_by_handle_at                             the target by the resulting file's proc inode
 *   tp_btf/io_uring_complete                      the same for a ring, see uring_done
 *   tp_btf/io_uring_submit_req, io_uring_file_get requests that ask for no completion, before they
 *                                                 begin
 *   tp_btf/mmap_lock_acquire_returned             since 6.13: 32-bit callers pass none of these, but
 *                                                 whoever accesses another process's memory takes its
 *                                                 lock. This also stops a process that got its
 *                                                 descriptor of an instance's memory some other way
 *
 * At exit both arguments and outcome are known. The arguments are those the kernel saved at entry:
 * another thread cannot change them, and a tracer of the caller can only do so before the entry
 * tracepoint or after the exit one. A killed caller still passes the exit. A path in user memory
 * can change meanwhile: docs/coverage.md says what that hides.
 *
 * The quiet tier attaches none of the syscalls' exits, since one tracepoint of that kind sends every
 * syscall of the host through the kernel's slow path. What reaches an instance's memory takes its
 * lock; the arguments of the syscall then say what is done, and to whom. On the way back to user
 * mode the bodies of the exits say with what result, where the kernel can run them there.
 *
 * Prevention, attached only while some policy prevents something: the *entries* of ptrace,
 * process_vm_* and pidfd_getfd. The actor is killed before the syscall does its work; the kernel
 * pins no page of another process for a task with a fatal signal. Opens are handled at their exit:
 * the descriptor dies with the actor.
 */
#include "lib/memory.bpf.h"

const volatile __u32 has_task_work; /* bpf_task_work_schedule_resume_impl() exists */
const volatile __u32 quiet;	    /* no exit is attached: the lock has to tell it all */

/* --- entries: prevention --- */

static __always_inline int kill_entering(struct pid_owner *owner, u32 rule)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!owner || is_exempt(task, owner->instance) ||
	    !(rules_prevented(owner->instance) >> rule & 1))
		return 0;
	if (!bpf_send_signal(SIGKILL))
		prevented_set(task, owner->instance);
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_ptrace")
int en_ptrace(void *ctx)
{
	struct pt_regs *regs = current_regs();
	long request = SYSCALL_ARG1(regs);
	struct pid_owner room = {};

	if (request == PTRACE_TRACEME || request == PTRACE_DETACH)
		return 0;
	return kill_entering(owner_of_number(SYSCALL_ARG2(regs), &room), ptrace_rule(request));
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_readv")
int en_vm_readv(void *ctx)
{
	struct pid_owner room = {};

	return kill_entering(owner_of_number(SYSCALL_ARG1(current_regs()), &room), RULE_MEM_READ);
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_writev")
int en_vm_writev(void *ctx)
{
	struct pid_owner room = {};

	return kill_entering(owner_of_number(SYSCALL_ARG1(current_regs()), &room), RULE_MEM_WRITE);
}

SEC("?tracepoint/syscalls/sys_enter_pidfd_getfd")
int en_pidfd_getfd(void *ctx)
{
	struct pid_owner room = {};

	return kill_entering(owner_of_pidfd(SYSCALL_ARG1(current_regs()), &room), RULE_MEM_FD);
}

/* --- exits --- */

SEC("?tracepoint/syscalls/sys_exit_ptrace")
int sc_ptrace(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return did_ptrace(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ctx->ret);
}

SEC("?tracepoint/syscalls/sys_exit_process_vm_readv")
int sc_vm_readv(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, SYSCALL_ARG1(current_regs()),
		      ctx->ret);
}

SEC("?tracepoint/syscalls/sys_exit_process_vm_writev")
int sc_vm_writev(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, SYSCALL_ARG1(current_regs()),
		      ctx->ret);
}

SEC("?tracepoint/syscalls/sys_exit_pidfd_getfd")
int sc_pidfd_getfd(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return did_getfd(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ctx->ret);
}

static __always_inline int sc_opened(long ret, u32 vector, s32 dirfd, unsigned long path, u32 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_name name = {.path = (const char *)path, .dirfd = dirfd, .flags = flags};

	return opened(task, ret < 0 ? NULL : file_of_fd(task, ret), ret < 0 ? ret : 0, &name,
		      vector);
}

SEC("?tracepoint/syscalls/sys_exit_open")
int sc_open(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return sc_opened(ctx->ret, VECTOR_OPEN, AT_FDCWD, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs));
}

SEC("?tracepoint/syscalls/sys_exit_creat")
int sc_creat(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_CREAT, AT_FDCWD, SYSCALL_ARG1(current_regs()), O_WRONLY);
}

SEC("?tracepoint/syscalls/sys_exit_openat")
int sc_openat(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return sc_opened(ctx->ret, VECTOR_OPENAT, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs),
			 SYSCALL_ARG3(regs));
}

SEC("?tracepoint/syscalls/sys_exit_openat2")
int sc_openat2(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();
	u64 flags = 0; /* first member of struct open_how */
	long ret = ctx->ret;

	barrier_var(ret); /* one load only: the verifier rejects a modified context pointer */
	if (ret < 0)
		bpf_probe_read_user(&flags, sizeof(flags), (const void *)SYSCALL_ARG3(regs));
	return sc_opened(ret, VECTOR_OPENAT2, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), flags);
}

SEC("?tracepoint/syscalls/sys_exit_open_by_handle_at")
int sc_open_handle(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_OPEN_BY_HANDLE_AT, AT_FDCWD, 0, 0);
}

/* --- io_uring without completions --- */

/*
 * A request that asked for no completion passes no hook when it ends. Its file is examined when it
 * is submitted, and again when the kernel looks up its descriptor, since an earlier request of its
 * chain may have opened it. Which file an open of such a request leads to is not known.
 */
static __always_inline int uring_begins(struct io_kiocb *req)
{
	u8 op;

	if (!(BPF_CORE_READ(req, flags) & URING_CQE_SKIP))
		return 0;
	op = BPF_CORE_READ(req, opcode);
	if (uring_opens(op)) {
		counter_add(COUNTER_URING_OPENS_UNSEEN, 1);
		return 0;
	}
	return uring_used(req, uring_wants(bpf_get_current_task_btf(), req), op, 0,
			  EVENT_IN_PROGRESS);
}

IO_URING_SUBMIT_HOOKS(uring_begins)

SEC("?tp_btf/io_uring_file_get")
int BPF_PROG(uring_file_get, struct io_kiocb *req, int fd)
{
	return BPF_CORE_READ(req, flags) & URING_CQE_SKIP ? uring_begins(req) : 0;
}

/* --- the lock of another process's memory: 32-bit callers, and descriptors passed on --- */

enum transfer { TRANSFER_NONE, TRANSFER_READ, TRANSFER_WRITE };

/* Which way bytes go through the descriptor that is this syscall's first argument. */
static __always_inline enum transfer transfer_of(u32 nr)
{
	switch (nr) {
	case NR_read:
	case NR_pread64:
	case NR_readv:
	case NR_preadv:
	case NR_preadv2:
	case NR_getdents:
	case NR_getdents64:
	case NR32_read:
	case NR32_readv:
	case NR32_pread64:
	case NR32_preadv:
		return TRANSFER_READ;
	case NR_write:
	case NR_pwrite64:
	case NR_writev:
	case NR_pwritev:
	case NR_pwritev2:
	case NR32_write:
	case NR32_writev:
	case NR32_pwrite64:
	case NR32_pwritev:
		return TRANSFER_WRITE;
	default:
		return TRANSFER_NONE;
	}
}

/*
 * The rule that a transfer through this descriptor breaks: RULE_NONE if its file is not below
 * /proc/PID.
 */
static __always_inline u32 rule_of_transfer(u32 fd, enum transfer way)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), fd);
	struct proc_rule *r;

	if (!f || BPF_CORE_READ(f, f_inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return RULE_NONE;
	r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry));
	return r ? rule_of_access(r, way == TRANSFER_WRITE) : RULE_NONE;
}

/* Sets ret. A function of its own, since the programs at the lock have little stack left. */
static __noinline int owner_of_mm(u64 mm, struct pid_owner *ret)
{
	struct task_struct *task = mm_owner((void *)mm);

	return task && member_of(BPF_CORE_READ(task, tgid)) &&
	       owner_of_pid(BPF_CORE_READ(task, thread_pid), ret);
}

/* What a syscall does to an instance's memory, until it ends. */
struct mem_call {
	struct bpf_task_work work;
	struct pid_owner owner;
	struct action action;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MEM_CALLS_MAX);
	__type(key, u32); /* tid */
	__type(value, struct mem_call);
} mem_calls SEC(".maps");

/* On the way back to user mode: the syscall's return value is in its register. */
static int mem_call_ended(struct bpf_map *map, void *tid, void *value)
{
	struct mem_call *c = value;
	struct pid_owner owner = c->owner;
	struct action action = c->action;
	u32 key = *(u32 *)tid;

	bpf_map_delete_elem(&mem_calls, &key);
	action.ret = SYSCALL_RETURN(current_regs());
	/* not after EFAULT: what was copied up to a bad page of the caller's stays there */
	if (action.vector == VECTOR_ACCESS && (!action.ret || action.ret == -EIO))
		return 0;
	if (action.vector == VECTOR_PTRACE && action.rule != RULE_MEM_TRACE && !action.ret)
		action.ret = sizeof(long); /* PEEK and POKE: one word */
	if (action.ret <= 0)
		action.flags &= ~EVENT_TRANSFER;
	report_action(&owner, &action);
	return 0;
}

/*
 * Report what this syscall did once it ends. Returns 0 where that is not possible. A function of its own, so that its
 * stack is not in use while an access is reported at once.
 */
static __noinline int mem_call_begins(const struct pid_owner *owner, const struct action *action)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mem_call fresh = {}, *c;
	u32 tid = task->pid;
	int err;

	if (!has_task_work)
		return 0;
	bpf_map_update_elem(&mem_calls, &tid, &fresh, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&mem_calls, &tid);
	if (!c)
		return 0;
	c->owner = *owner;
	c->action = *action;
	err = bpf_task_work_schedule_resume_impl(task, &c->work, &mem_calls, mem_call_ended, NULL);
	if (!err || err == -EBUSY) /* it is scheduled: this syscall locked the memory before */
		return 1;
	bpf_map_delete_elem(&mem_calls, &tid);
	return 0;
}

/* The lock is taken before the syscall's work: its outcome is not known. */
static __always_inline int report_in_progress(struct pid_owner *owner, u32 rule, u32 vector,
					      u32 detail)
{
	struct action action = {
		.rule = rule, .vector = vector, .detail = detail, .flags = EVENT_IN_PROGRESS};

	return rule ? report_action(owner, &action) : 0;
}

/* Stop the actor if the rule is prevented, else wait for the outcome. Returns 0 where neither is possible. */
static __always_inline int report_outcome(struct pid_owner *owner, const struct action *action)
{
	if (rules_prevented(owner->instance) >> (action->rule & 31) & 1)
		return 0;
	return mem_call_begins(owner, action);
}

/* Was the current task's open of mem reported? A function of its own: 6.12 has no stack left for its key below. */
static __noinline int open_was_reported(u32 instance, u32 rule)
{
	struct attempt_key key = {.instance = instance,
				  .rule = rule_for(instance, rule),
				  .vector = VECTOR_OPENAT,
				  .detail = PROC_FILE_MEM};

	key_actor(&key, bpf_get_current_task_btf());
	return was_reported(&key);
}

/*
 * A transfer through a descriptor of mem. Where the number of bytes cannot be waited for, report the access now, unless
 * the actor's open of the file was reported: it may have got the descriptor from another process.
 */
static __noinline int report_at_lock(struct pid_owner *owner, u32 rule, u32 nr)
{
	u32 write = rule == RULE_MEM_WRITE;
	struct action action = {.rule = rule,
				.vector = VECTOR_ACCESS,
				.detail = nr | PROC_FILE_MEM << SYSCALL_OP_SHIFT,
				.flags = EVENT_TRANSFER |
					 (write ? EVENT_FOR_WRITING : EVENT_FOR_READING)};

	if (nr != NR_io_uring_enter && report_outcome(owner, &action))
		return 0;
	if (!(rules_prevented(owner->instance) >> (rule & 31) & 1) &&
	    open_was_reported(owner->instance, rule))
		return 0;
	action.flags = EVENT_IN_PROGRESS;
	return report_action(owner, &action);
}

static __always_inline int is_mem(struct file *f)
{
	struct proc_rule *r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry));

	return r && r->file == PROC_FILE_MEM;
}

/* Is that the memory of a protected process, of that instance? */
static __always_inline int is_mem_of(struct file *f, u32 instance)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct pid_owner *owner, room = {};

	if (BPF_CORE_READ(inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return 0;
	owner = owner_of_inode(inode, &room);
	return owner && owner->instance == instance && is_mem(f);
}

/* The same, outside loops: in a callback it would cost 6.12's verifier a million instructions. */
static __noinline int file_is_mem_of(u64 file, u32 instance)
{
	return is_mem_of((void *)file, instance);
}

struct slot_search {
	u64 ring;
	u32 instance;
	u32 found;
};

static long slot_step(u32 slot, struct slot_search *s)
{
	struct file *f = file_of_slot((void *)s->ring, slot);

	s->found = f && is_mem_of(f, s->instance);
	return s->found;
}

/* Does the ring that the current task submitted to last hold that memory as a direct descriptor? */
static __noinline int ring_holds_mem(u64 task_addr, u32 instance)
{
	struct task_struct *task = (void *)task_addr;
	struct slot_search s = {.instance = instance};

	s.ring = (u64)BPF_CORE_READ(task, io_uring, last);
	if (!s.ring)
		return 0;
	bpf_loop(uring_slots((void *)s.ring) % (URING_SLOTS_MAX + 1), slot_step, &s, 0);
	return s.found;
}

/* Memory is read or written for a request of a ring. Its completion says more, unless it has none. */
static __noinline int remote_uring(struct pid_owner *owner)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct io_kiocb *req = uring_worker_request(task);
	struct file *f = req ? BPF_CORE_READ(req, file) : NULL;

	if (req && !(BPF_CORE_READ(req, flags) & URING_CQE_SKIP) &&
	    !(rules_prevented(owner->instance) >> RULE_MEM_READ & 1))
		return 0;
	if (!(f ? is_mem_of(f, owner->instance) : ring_holds_mem(address(task), owner->instance)))
		return 0;
	return report_at_lock(owner, RULE_MEM_READ, NR_io_uring_enter);
}

/*
 * The quiet tier: a syscall that names its target has locked an instance's memory. It must name that instance: looking for
 * pages to free, the kernel locks the memory of any process, whatever the syscall.
 */
static __noinline int quiet_call(struct pid_owner *owner, u32 nr)
{
	struct pt_regs *regs = current_regs();
	struct action action = {.rule = RULE_MEM_REMOTE,
				.vector = VECTOR_SYSCALL,
				.detail = nr | (nr == NR_process_madvise ? SYSCALL_ARG4(regs) : 0)
						       << SYSCALL_OP_SHIFT};
	struct pid_owner room = {}, *named;

	switch (nr) {
	case NR_ptrace:
		action.rule = ptrace_rule(SYSCALL_ARG1(regs));
		action.vector = VECTOR_PTRACE;
		action.detail = SYSCALL_ARG1(regs);
		action.flags = action.rule == RULE_MEM_TRACE ? 0 : EVENT_TRANSFER;
		break;
	case NR_process_vm_readv:
		action.rule = RULE_MEM_READ;
		action.vector = VECTOR_PROCESS_VM_READV;
		action.detail = 0;
		action.flags = EVENT_TRANSFER;
		break;
	case NR_process_vm_writev:
		action.rule = RULE_MEM_WRITE;
		action.vector = VECTOR_PROCESS_VM_WRITEV;
		action.detail = 0;
		action.flags = EVENT_TRANSFER;
		break;
	}
	if (nr == NR_process_madvise || nr == NR_process_mrelease)
		named = owner_of_pidfd(SYSCALL_ARG1(regs), &room);
	else
		named = owner_of_number(nr == NR_ptrace ? SYSCALL_ARG2(regs) : SYSCALL_ARG1(regs),
					&room);
	if (!named || named->instance != owner->instance || report_outcome(named, &action))
		return 0;
	action.flags = EVENT_IN_PROGRESS;
	return report_action(named, &action);
}

/* The quiet tier: bytes go through a descriptor of a file below the instance's /proc/PID, other than mem. */
static __noinline int quiet_transfer(struct pid_owner *owner, u32 nr, u32 write)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), SYSCALL_ARG1(current_regs()));
	struct inode *inode = f ? BPF_CORE_READ(f, f_inode) : NULL;
	struct pid_owner room = {}, *named;
	struct proc_rule *r;

	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return 0;
	named = owner_of_inode(inode, &room);
	r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry));
	if (!named || named->instance != owner->instance || !r)
		return 0;
	return report_in_progress(named, rule_of_access(r, write), VECTOR_ACCESS,
				  nr | r->file << SYSCALL_OP_SHIFT);
}

/* Is a perf event limited to a process other than those of the instance? */
static __always_inline int is_of_another(u32 pid, u32 instance)
{
	struct pid_owner room = {}, *named = (s32)pid > 0 ? owner_of_number(pid, &room) : NULL;

	return (s32)pid > 0 && (!named || named->instance != instance);
}

/*
 * The quiet tier: a uprobe goes into an instance's memory, which nothing else locks for writing from these syscalls. A
 * probe in tracefs is planted by a write.
 */
static __noinline int quiet_probe(struct pid_owner *owner, u32 nr)
{
	struct pt_regs *regs = current_regs();
	struct file *f;

	switch (nr) {
	case NR_perf_event_open:
		if (is_of_another(SYSCALL_ARG2(regs), owner->instance))
			return 0;
		return report_in_progress(owner, RULE_MEM_PROBE, VECTOR_SYSCALL,
					  nr | PERF_OP_UPROBE << SYSCALL_OP_SHIFT);
	case NR_bpf:
		return report_in_progress(owner, RULE_MEM_PROBE, VECTOR_SYSCALL,
					  nr | BPF_LINK_CREATE << SYSCALL_OP_SHIFT);
	default:
		f = file_of_fd(bpf_get_current_task_btf(), SYSCALL_ARG1(regs));
		if (!f || BPF_CORE_READ(f, f_inode, i_sb, s_magic) != TRACEFS_MAGIC)
			return 0;
		return report_in_progress(owner, RULE_MEM_PROBE, VECTOR_UPROBE, 0);
	}
}

static __always_inline int remote_quiet(struct pid_owner *owner, u32 nr, enum transfer way,
					bool write)
{
	switch (nr) {
	case NR_ptrace:
	case NR_process_vm_readv:
	case NR_process_vm_writev:
	case NR_process_madvise:
	case NR_process_mrelease:
	case NR_move_pages:
	case NR_migrate_pages:
		return quiet_call(owner, nr);
	case NR_perf_event_open:
	case NR_bpf:
		return write ? quiet_probe(owner, nr) : 0;
	case NR_write:
		if (write)
			quiet_probe(owner, nr);
	}
	return way ? quiet_transfer(owner, nr, way == TRANSFER_WRITE) : 0;
}

static __always_inline int remote_native(struct task_struct *task, struct pid_owner *owner,
					 const struct pt_regs *regs, bool write)
{
	u32 nr = SYSCALL_NUMBER(regs);
	enum transfer way = transfer_of(nr);
	struct file *f;

	if (nr == NR_io_uring_enter || (task->flags & PF_IO_WORKER))
		return remote_uring(owner);
	f = way ? file_of_fd(task, SYSCALL_ARG1(regs)) : NULL;
	if (f && file_is_mem_of(address(f), owner->instance))
		return report_at_lock(owner, way == TRANSFER_WRITE ? RULE_MEM_WRITE : RULE_MEM_READ,
				      nr);
	return quiet ? remote_quiet(owner, nr, way, write) : 0;
}

static __noinline int remote_32bit(struct pid_owner *owner)
{
	struct pt_regs *regs = current_regs();
	u32 nr = SYSCALL_NUMBER(regs) | SYSCALL_32BIT, first = SYSCALL32_ARG1(regs);
	enum transfer way = transfer_of(nr);

	if (way)
		return report_in_progress(owner, rule_of_transfer(first, way), VECTOR_ACCESS, nr);
	switch (nr) {
	case NR32_ptrace:
		return report_in_progress(owner, ptrace_rule(first), VECTOR_PTRACE, first);
	case NR32_process_vm_readv:
		return report_in_progress(owner, RULE_MEM_READ, VECTOR_PROCESS_VM_READV, 0);
	case NR32_process_vm_writev:
		return report_in_progress(owner, RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, 0);
	default:
		return report_in_progress(owner, RULE_MEM_INSPECT, VECTOR_ACCESS, nr);
	}
}

/*
 * Not before 6.13, see compat_lock_has_path(). Who looks for pages to free, in whatever syscall, locks the memory of any
 * process; the kernel says of such a task that it may use its reserves, and never while it accesses another's memory.
 */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(remote_mm, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid_owner owner = {};

	if (!success || mm == task->mm || !task->mm || task->flags & PF_MEMALLOC ||
	    !owner_of_mm(address(mm), &owner))
		return 0;
	return COMPAT_CALL(task) ? remote_32bit(&owner)
				 : remote_native(task, &owner, task_regs(task), write);
}
