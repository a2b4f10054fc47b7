// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * access.bpf.c - the best rung of the memory sensor: stands where the kernel itself decides.
 *
 * Hooks, and why these. None is on a tracepoint, so the rest of the host's syscalls pay nothing:
 *   fexit/ptrace_may_access     every access from outside passes it, by whatever syscall, refused or not;
 *                               the current syscall's number says by which (32-bit callers included)
 *   fexit/do_filp_open          (since 7.0 do_file_open) the file an open came to, for every kind of open:
 *                               syscalls, io_uring, exec; and the kernel's own copy of the path, which nobody can swap
 *   fexit/open_by_handle_at     the one open that goes another way
 *   fexit/<syscall>             ptrace, process_vm_*, pidfd_getfd: arguments and outcome. Requests on a
 *                               tracee pass no further check, so the check alone would miss them
 *   tp_btf/io_uring_complete    reads and writes through a ring, see uring_done
 *   fmod_ret/security_ptrace_access_check
 *                               the same check, where an answer can be given: attached only while some
 *                               instance is guarded, it refuses what its policy prevents
 *
 * One attempt is one event: where a syscall has its own hook the check stays silent, and inside an open
 * it only notes what it saw, for the open's end to tell.
 */
#include "lib/memory.bpf.h"

#include "hooked_syscall.h"

#define PTRACE_MODE_ATTACH 0x02
#define PTRACE_MODE_NOAUDIT 0x04 /* a look at what everybody may see: ps, top */
#define PF_IO_WORKER 0x00000010

const volatile __u32 calls_loaded; /* calls.bpf.c is loaded */

/* What the check saw inside an open, until the open ends. */
struct noted {
	struct pid_owner owner;
	u32 set;
	u32 denied;
	u32 opened; /* instance whose files this thread was reported to have opened */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct noted);
} open_checks SEC(".maps");

/* The syscall the current task is in, SYSCALL_32BIT set for a 32-bit one. */
static __always_inline u32 syscall_number(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	u32 nr = SYSCALL_NUMBER(regs);

	return COMPAT_CALL(task) ? nr | SYSCALL_32BIT : nr;
}

/* The vector a syscall number stands for; VECTOR_ACCESS for all that have no hook of their own. */
static __always_inline u32 vector_of(struct task_struct *task, u32 nr)
{
	if (task->flags & PF_IO_WORKER)
		return VECTOR_IO_URING_OPEN;
	switch (nr) {
	case NR_open:
	case NR32_open:
		return VECTOR_OPEN;
	case NR_creat:
	case NR32_creat:
		return VECTOR_CREAT;
	case NR_openat:
	case NR32_openat:
		return VECTOR_OPENAT;
	case NR_openat2:
	case NR32_openat2:
		return VECTOR_OPENAT2;
	case NR_open_by_handle_at:
	case NR32_open_by_handle_at:
		return VECTOR_OPEN_BY_HANDLE_AT;
	case NR_io_uring_enter:
	case NR32_io_uring_enter:
		return VECTOR_IO_URING_OPEN;
	case NR_ptrace:
	case NR32_ptrace:
		return VECTOR_PTRACE;
	case NR_process_vm_readv:
	case NR32_process_vm_readv:
		return VECTOR_PROCESS_VM_READV;
	case NR_process_vm_writev:
	case NR32_process_vm_writev:
		return VECTOR_PROCESS_VM_WRITEV;
	case NR_pidfd_getfd:
	case NR32_pidfd_getfd:
		return VECTOR_PIDFD_GETFD;
	default:
		return VECTOR_ACCESS;
	}
}

/* Syscalls that calls.bpf.c reports when they end, with their arguments and outcome. */
static __always_inline int reported_by_calls(u32 nr)
{
#define IS_HOOKED(abbr, name, ...) nr == NR_##name || nr == NR32_##name ||
	return calls_loaded && (HOOKED_SYSCALLS(IS_HOOKED) 0);
#undef IS_HOOKED
}

static __always_inline int is_open(u32 vector)
{
	return vector >= VECTOR_OPEN && vector <= VECTOR_IO_URING_OPEN;
}

/* Reads of a file below /proc/PID check again what its open was reported for. */
static __always_inline int is_read(u32 nr)
{
	return nr == NR_read || nr == NR_pread64 || nr == NR_readv || nr == NR_preadv ||
	       nr == NR_getdents64 || nr == NR32_read || nr == NR32_getdents64;
}

/* Rules that an access in this syscall would break, as far as the check knows: not yet which file is opened. */
static __always_inline u32 rules_at_check(u32 vector, u32 mode)
{
	switch (vector) {
	case VECTOR_PTRACE:
		return 1u << RULE_MEM_TRACE;
	case VECTOR_PROCESS_VM_READV:
		return 1u << RULE_MEM_READ;
	case VECTOR_PROCESS_VM_WRITEV:
		return 1u << RULE_MEM_WRITE;
	case VECTOR_PIDFD_GETFD:
		return 1u << RULE_MEM_FD;
	default: /* of all opens, only that of mem asks for so much */
		return is_open(vector) && (mode & PTRACE_MODE_ATTACH)
			       ? 1u << RULE_MEM_READ | 1u << RULE_MEM_WRITE
			       : 0;
	}
}

SEC("?fmod_ret/security_ptrace_access_check")
int BPF_PROG(ac_deny, struct task_struct *child, unsigned int mode, int ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *m;
	u32 rules;

	if (ret)
		return ret;
	m = member_of(child->tgid);
	if (!m || is_exempt(task, m->instance) || (task->flags & PF_KTHREAD) || task->tgid == 1)
		return 0;
	rules = rules_at_check(vector_of(task, syscall_number(task)), mode);
	if (!(rules & rules_prevented(m->instance)))
		return 0;
	stopped_set(task, m->instance);
	return -EPERM;
}

SEC("fexit/ptrace_may_access")
int BPF_PROG(ac_may_access, struct task_struct *target, unsigned int mode, int allowed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *m;
	struct pid_owner *owner;
	struct noted *note;
	u32 nr, vector;

	if (mode & PTRACE_MODE_NOAUDIT)
		return 0;
	m = member_of(target->tgid);
	if (!m)
		return 0;
	if (is_exempt(task, m->instance))
		return 0;
	owner = owner_of_pid(target->thread_pid);
	if (!owner)
		return 0;
	nr = syscall_number(task);
	vector = vector_of(task, nr);
	allowed &= 0xff; /* a bool: the rest of the register is anything */
	if (is_open(vector)) {
		note = bpf_task_storage_get(&open_checks, task, NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!note) {
			counter_add(COUNTER_CHECK_LOST, 1);
			return 0;
		}
		note->owner = *owner;
		note->set = 1;
		note->denied = !allowed;
		return 0;
	}
	if (vector != VECTOR_ACCESS || reported_by_calls(nr))
		return 0; /* its own hook tells it, with arguments and outcome */
	note = bpf_task_storage_get(&open_checks, task, NULL, 0);
	if (note && note->opened == owner->instance && is_read(nr))
		return 0;
	report(owner, RULE_MEM_INSPECT, VECTOR_ACCESS, nr, allowed ? 0 : -EPERM, 0);
	return 0;
}

SEC("fexit/do_filp_open")
int BPF_PROG(ac_open, int dfd, struct filename *pathname, const struct open_flags *op,
	     struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct noted *note = bpf_task_storage_get(&open_checks, task, NULL, 0);
	struct open_name name = {
		.path = BPF_CORE_READ(pathname, name),
		.kernel = 1,
		.dirfd = dfd,
		.flags = BPF_CORE_READ(op, open_flag),
	};
	s64 raw = plain(file), err = raw < 0 && raw >= -4095 ? raw : 0;
	u32 vector = vector_of(task, syscall_number(task)), saw = note && note->set;
	struct pid_owner owner = {};

	if (saw) {
		owner = note->owner;
		note->set = 0;
	}
	if (!is_open(vector))
		vector = VECTOR_OPENAT; /* exec and the like */
	if (opened(task, (struct file *)raw, err, &name, vector)) {
		if (saw)
			note->opened = owner.instance;
		return 0;
	}
	if (saw) /* the check passed on the way: through root, cwd, exe or map_files */
		report(&owner, RULE_MEM_INSPECT, vector, PROC_FILE_WALK,
		       err
			       ?: note->denied ? -EACCES
					       : 0,
		       0);
	return 0;
}

/* --- syscalls with arguments of their own --- */

SEC("fexit/" SYSCALL_FN "ptrace")
int BPF_PROG(ac_ptrace, const struct pt_regs *regs, long ret)
{
	did_ptrace(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ret);
	return 0;
}

SEC("fexit/" SYSCALL_FN "process_vm_readv")
int BPF_PROG(ac_vm_readv, const struct pt_regs *regs, long ret)
{
	did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, SYSCALL_ARG1(regs), ret);
	return 0;
}

SEC("fexit/" SYSCALL_FN "process_vm_writev")
int BPF_PROG(ac_vm_writev, const struct pt_regs *regs, long ret)
{
	did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, SYSCALL_ARG1(regs), ret);
	return 0;
}

SEC("fexit/" SYSCALL_FN "pidfd_getfd")
int BPF_PROG(ac_pidfd_getfd, const struct pt_regs *regs, long ret)
{
	did_getfd(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ret);
	return 0;
}

/* A file by its handle is opened another way than all others. */
SEC("fexit/" SYSCALL_FN "open_by_handle_at")
int BPF_PROG(ac_handle, const struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_name name = {};

	if (ret >= 0)
		opened(task, file_of_fd(task, ret), 0, &name, VECTOR_OPEN_BY_HANDLE_AT);
	return 0;
}

#ifdef SYSCALL32_FN
SEC("?fexit/__ia32_compat_sys_ptrace")
int BPF_PROG(ac32_ptrace, const struct pt_regs *regs, long ret)
{
	did_ptrace(SYSCALL32_ARG1(regs), SYSCALL32_ARG2(regs), ret);
	return 0;
}

SEC("?fexit/" SYSCALL32_FN "process_vm_readv")
int BPF_PROG(ac32_vm_readv, const struct pt_regs *regs, long ret)
{
	did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, SYSCALL32_ARG1(regs), ret);
	return 0;
}

SEC("?fexit/" SYSCALL32_FN "process_vm_writev")
int BPF_PROG(ac32_vm_writev, const struct pt_regs *regs, long ret)
{
	did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, SYSCALL32_ARG1(regs), ret);
	return 0;
}

SEC("?fexit/" SYSCALL32_FN "pidfd_getfd")
int BPF_PROG(ac32_getfd, const struct pt_regs *regs, long ret)
{
	did_getfd(SYSCALL32_ARG1(regs), SYSCALL32_ARG2(regs), ret);
	return 0;
}
#endif
