// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memory.bpf.c - the syscall rung of the memory sensor, for kernels that allow no better (see access.bpf.c).
 *
 * Hooks, and why these: the *exit* of each syscall, by its own tracepoint (never the global ones, which
 * tax every syscall of the host twice).
 *   ptrace, process_vm_readv, process_vm_writev   target by pid number, resolved in the caller's
 *                                                 namespace
 *   pidfd_getfd                                   target by the pidfd's struct pid
 *   open, creat, openat, openat2, ..._handle_at   target by the resulting file's proc inode
 *   tp_btf/io_uring_complete                      the same, see uring_done
 *   tp_btf/mmap_lock_acquire_returned             32-bit callers pass none of these tracepoints, but whoever reads
 *                                                 or writes another's memory takes its lock; there a guarded
 *                                                 instance's memory is also kept from whoever got a
 *                                                 descriptor of it some other way
 *
 * At exit both arguments and outcome are known. The arguments come from the registers the kernel
 * saved at entry: another thread cannot change them, and a tracer of the caller can only before the
 * entry tracepoint would have seen them or after the exit one has. A killed caller still passes the
 * exit. A path in user memory can be changed meanwhile: docs/coverage.md says what that hides.
 *
 * Prevention, attached only while some instance is guarded: the *entry* of ptrace, process_vm_* and
 * pidfd_getfd. The actor is killed before the syscall's work; the kernel pins no page of another process for
 * the dead. Opens are met at their exit: the descriptor dies with its owner.
 */
#include "lib/memory.bpf.h"

static __always_inline int kill_entering(struct pid_owner *owner, u32 rule)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!owner || is_exempt(task, owner->instance) ||
	    !(rules_prevented(owner->instance) >> rule & 1))
		return 0;
	if (!bpf_send_signal(SIGKILL))
		stopped_set(task, owner->instance);
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_ptrace")
int en_ptrace(void *ctx)
{
	struct pt_regs *regs = saved_regs();
	long request = SYSCALL_ARG1(regs);

	if (request == PTRACE_TRACEME || request == PTRACE_DETACH)
		return 0;
	return kill_entering(owner_of_number(SYSCALL_ARG2(regs)), ptrace_rule(request));
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_readv")
int en_vm_readv(void *ctx)
{
	return kill_entering(owner_of_number(SYSCALL_ARG1(saved_regs())), RULE_MEM_READ);
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_writev")
int en_vm_writev(void *ctx)
{
	return kill_entering(owner_of_number(SYSCALL_ARG1(saved_regs())), RULE_MEM_WRITE);
}

SEC("?tracepoint/syscalls/sys_enter_pidfd_getfd")
int en_pidfd_getfd(void *ctx)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), SYSCALL_ARG1(saved_regs()));
	struct pid *pid = f ? pid_of_pidfd(f) : NULL;

	return kill_entering(pid ? owner_of_pid(pid) : NULL, RULE_MEM_FD);
}

SEC("tracepoint/syscalls/sys_exit_ptrace")
int sc_ptrace(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = saved_regs();

	return did_ptrace(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_readv")
int sc_vm_readv(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, SYSCALL_ARG1(saved_regs()), ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_writev")
int sc_vm_writev(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, SYSCALL_ARG1(saved_regs()),
		      ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
int sc_pidfd_getfd(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = saved_regs();

	return did_getfd(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ctx->ret);
}

static __always_inline int sc_opened(long ret, u32 vector, s32 dirfd, unsigned long path, u32 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_name name = {.path = (const char *)path, .dirfd = dirfd, .flags = flags};

	return opened(task, ret < 0 ? NULL : file_of_fd(task, ret), ret < 0 ? ret : 0, &name,
		      vector);
}

SEC("tracepoint/syscalls/sys_exit_open")
int sc_open(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = saved_regs();

	return sc_opened(ctx->ret, VECTOR_OPEN, AT_FDCWD, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs));
}

SEC("tracepoint/syscalls/sys_exit_creat")
int sc_creat(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_CREAT, AT_FDCWD, SYSCALL_ARG1(saved_regs()), O_WRONLY);
}

SEC("tracepoint/syscalls/sys_exit_openat")
int sc_openat(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = saved_regs();

	return sc_opened(ctx->ret, VECTOR_OPENAT, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs),
			 SYSCALL_ARG3(regs));
}

SEC("tracepoint/syscalls/sys_exit_openat2")
int sc_openat2(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = saved_regs();
	u64 flags = 0; /* struct open_how begins with them */
	long ret = ctx->ret;

	barrier_var(ret); /* one load: the verifier takes no other way to the context */
	if (ret < 0)
		bpf_probe_read_user(&flags, sizeof(flags), (const void *)SYSCALL_ARG3(regs));
	return sc_opened(ret, VECTOR_OPENAT2, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), flags);
}

SEC("tracepoint/syscalls/sys_exit_open_by_handle_at")
int sc_open_handle(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_OPEN_BY_HANDLE_AT, AT_FDCWD, 0, 0);
}

/* --- at the lock of another's memory: 32-bit callers, and descriptors that outlived who opened them --- */

enum transfer { TRANSFER_NONE, TRANSFER_READ, TRANSFER_WRITE };

/* Which way bytes go through a descriptor in this syscall. */
static __always_inline enum transfer transfer_of(u32 nr)
{
	switch (nr) {
	case NR_read:
	case NR_pread64:
	case NR_readv:
	case NR_preadv:
	case NR_preadv2:
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

static __always_inline int under_way(struct pid_owner *owner, u32 rule, u32 vector, u32 detail)
{
	struct action action = {
		.rule = rule, .vector = vector, .detail = detail, .flags = EVENT_IN_PROGRESS};

	return rule ? report_action(owner, &action) : 0;
}

/* The rule that using this file below /proc/PID breaks, RULE_NONE if it is none. */
static __always_inline u32 rule_of_use(u32 fd, enum transfer way)
{
	struct file *f = file_of_fd(bpf_get_current_task_btf(), fd);
	struct proc_rule *r;
	int in_dir;

	if (!f || BPF_CORE_READ(f, f_inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return RULE_NONE;
	r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry), &in_dir);
	return !r ? RULE_NONE : way == TRANSFER_WRITE ? r->write : r->read;
}

static __always_inline struct pid_owner *owner_of_mm(struct mm_struct *mm)
{
	struct task_struct *task;

	if (!bpf_core_field_exists(mm->owner))
		return NULL;
	task = BPF_CORE_READ(mm, owner);
	return task && member_of(BPF_CORE_READ(task, tgid))
		       ? owner_of_pid(BPF_CORE_READ(task, thread_pid))
		       : NULL;
}

/* 64-bit callers were told of when they opened it: they are only stopped here. */
SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(remote_mm, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid_owner *owner;
	struct pt_regs *regs;
	enum transfer way;
	u32 nr, first, rule;

	if (mm == task->mm || !success || !task->mm)
		return 0;
	owner = owner_of_mm(mm);
	if (!owner)
		return 0;
	regs = saved_regs();
	nr = SYSCALL_NUMBER(regs);
	if (!COMPAT_CALL(task)) {
		way = transfer_of(nr);
		rule = way ? rule_of_use(SYSCALL_ARG1(regs), way) : RULE_NONE;
		if (rule && (rules_prevented(owner->instance) >> (rule & 31) & 1))
			under_way(owner, rule, VECTOR_ACCESS, nr);
		return 0;
	}
	nr |= SYSCALL_32BIT;
	first = SYSCALL32_ARG1(regs);
	way = transfer_of(nr);
	if (way)
		return under_way(owner, rule_of_use(first, way), VECTOR_ACCESS, nr);
	switch (nr) {
	case NR32_ptrace:
		return under_way(owner, ptrace_rule(first), VECTOR_PTRACE, first);
	case NR32_process_vm_readv:
		return under_way(owner, RULE_MEM_READ, VECTOR_PROCESS_VM_READV, 0);
	case NR32_process_vm_writev:
		return under_way(owner, RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, 0);
	default:
		return under_way(owner, RULE_MEM_INSPECT, VECTOR_ACCESS, nr);
	}
}
