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
 *   tp_btf/mmap_lock_acquire_returned             32-bit callers pass none of these tracepoints, but
 *                                                 whoever accesses another's memory takes its lock.
 *                                                 Here a process is also stopped that got its
 *                                                 descriptor of an instance's memory some other way
 *
 * At exit both arguments and outcome are known. The arguments are those the kernel saved at entry:
 * another thread cannot change them, and a tracer of the caller can only do so before the entry
 * tracepoint or after the exit one. A killed caller still passes the exit. A path in user memory
 * can change meanwhile: docs/coverage.md says what that hides.
 *
 * Prevention, attached only while some policy prevents something: the *entries* of ptrace,
 * process_vm_* and pidfd_getfd. The actor is killed before the syscall does its work; the kernel
 * pins no page of another process for a task with a fatal signal. Opens are handled at their exit:
 * the descriptor dies with the actor.
 */
#include "lib/memory.bpf.h"

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

	if (request == PTRACE_TRACEME || request == PTRACE_DETACH)
		return 0;
	return kill_entering(owner_of_number(SYSCALL_ARG2(regs)), ptrace_rule(request));
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_readv")
int en_vm_readv(void *ctx)
{
	return kill_entering(owner_of_number(SYSCALL_ARG1(current_regs())), RULE_MEM_READ);
}

SEC("?tracepoint/syscalls/sys_enter_process_vm_writev")
int en_vm_writev(void *ctx)
{
	return kill_entering(owner_of_number(SYSCALL_ARG1(current_regs())), RULE_MEM_WRITE);
}

SEC("?tracepoint/syscalls/sys_enter_pidfd_getfd")
int en_pidfd_getfd(void *ctx)
{
	return kill_entering(owner_of_pidfd(SYSCALL_ARG1(current_regs())), RULE_MEM_FD);
}

/* --- exits --- */

SEC("tracepoint/syscalls/sys_exit_ptrace")
int sc_ptrace(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return did_ptrace(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_readv")
int sc_vm_readv(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, SYSCALL_ARG1(current_regs()),
		      ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_process_vm_writev")
int sc_vm_writev(struct trace_event_raw_sys_exit *ctx)
{
	return did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, SYSCALL_ARG1(current_regs()),
		      ctx->ret);
}

SEC("tracepoint/syscalls/sys_exit_pidfd_getfd")
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

SEC("tracepoint/syscalls/sys_exit_open")
int sc_open(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return sc_opened(ctx->ret, VECTOR_OPEN, AT_FDCWD, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs));
}

SEC("tracepoint/syscalls/sys_exit_creat")
int sc_creat(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_CREAT, AT_FDCWD, SYSCALL_ARG1(current_regs()), O_WRONLY);
}

SEC("tracepoint/syscalls/sys_exit_openat")
int sc_openat(struct trace_event_raw_sys_exit *ctx)
{
	struct pt_regs *regs = current_regs();

	return sc_opened(ctx->ret, VECTOR_OPENAT, SYSCALL_ARG1(regs), SYSCALL_ARG2(regs),
			 SYSCALL_ARG3(regs));
}

SEC("tracepoint/syscalls/sys_exit_openat2")
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

SEC("tracepoint/syscalls/sys_exit_open_by_handle_at")
int sc_open_handle(struct trace_event_raw_sys_exit *ctx)
{
	return sc_opened(ctx->ret, VECTOR_OPEN_BY_HANDLE_AT, AT_FDCWD, 0, 0);
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

/* The lock is taken before the syscall's work: its outcome is not known. */
static __always_inline int report_in_progress(struct pid_owner *owner, u32 rule, u32 vector,
					      u32 detail)
{
	struct action action = {
		.rule = rule, .vector = vector, .detail = detail, .flags = EVENT_IN_PROGRESS};

	return rule ? report_action(owner, &action) : 0;
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

static __always_inline struct pid_owner *owner_of_mm(struct mm_struct *mm)
{
	struct task_struct *task = mm_owner(mm);

	return task && member_of(BPF_CORE_READ(task, tgid))
		       ? owner_of_pid(BPF_CORE_READ(task, thread_pid))
		       : NULL;
}

/* A native caller was reported when it opened the file: here it is only stopped. */
static __always_inline int remote_native(struct pid_owner *owner, const struct pt_regs *regs)
{
	u32 nr = SYSCALL_NUMBER(regs);
	enum transfer way = transfer_of(nr);
	u32 rule = way ? rule_of_transfer(SYSCALL_ARG1(regs), way) : RULE_NONE;

	if (rule && (rules_prevented(owner->instance) >> (rule & 31) & 1))
		report_in_progress(owner, rule, VECTOR_ACCESS, nr);
	return 0;
}

static __always_inline int remote_32bit(struct pid_owner *owner, const struct pt_regs *regs)
{
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

SEC("?tp_btf/mmap_lock_acquire_returned")
int BPF_PROG(remote_mm, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid_owner *owner;

	if (mm == task->mm || !success || !task->mm)
		return 0;
	owner = owner_of_mm(mm);
	if (!owner)
		return 0;
	return COMPAT_CALL(task) ? remote_32bit(owner, task_regs(task))
				 : remote_native(owner, task_regs(task));
}
