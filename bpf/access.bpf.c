// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * access.bpf.c - the memory sensor where the kernel takes programs at its own access check: the
 * access tier.
 *
 * Hooks, what each decides, and why there. None is a tracepoint, so that the rest of the host's
 * syscalls pay nothing:
 *   fexit/ptrace_may_access     who accesses an instance from outside: every such access passes it,
 *                               allowed or denied, by whatever syscall, 32-bit callers included.
 *                               The current syscall's number is the vector
 *   fexit/do_filp_open          which file an open led to, for every kind of open: syscalls,
 *                               io_uring, exec. It also has the kernel's own copy of the path,
 *                               which no other thread can swap
 *   fexit/open_by_handle_at     the same for the only open that does not pass do_filp_open
 *   fexit/dentry_open           files that the kernel itself opens for others: fanotify, NFS
 *   fexit/<syscall>             arguments and outcome of ptrace, process_vm_* and pidfd_getfd.
 *                               Requests on a tracee pass no further check: the check alone would
 *                               miss them
 *   fexit/mem_rw                how many bytes were read from or written to /proc/PID/mem, by any
 *                               syscall or ring
 *   tp_btf/io_uring_complete    reads and writes through a ring, see uring_done
 *   fmod_ret/security_ptrace_access_check
 *                               denies what an instance's policy prevents: the same check, at the
 *                               place where a program may answer. Attached only while some policy
 *                               prevents something
 *
 * One attempt is one event: the check stays silent where a syscall has a hook of its own, and
 * inside an open it only leaves a note for the hook at the open's end.
 */
#define OPENS_SEEN 1 /* ac_open sees those of a ring, too */
#include "lib/memory.bpf.h"

#include "hooked_syscall.h"

#define PTRACE_MODE_ATTACH 0x02	 /* include/linux/ptrace.h */
#define PTRACE_MODE_NOAUDIT 0x04 /* a look at what everybody may see: ps, top */

const volatile __u32 calls_loaded; /* calls.bpf.c is: its syscalls have hooks of their own */

/*
 * Results of the check that wait for the end of an open: while there is none, no open needs to look for its own. One that no
 * open follows, which anybody can cause by a ring, waits for good. Every open then looks for one of its own thread; nothing
 * else.
 */
static u32 checks_waiting;
/* Those that could not be kept. Every path is then read, and says what the check would have said. */
static u32 checks_lost;

/* What the check found inside an open, until the open ends. */
struct open_check {
	struct pid_owner owner;
	u32 set;
	u32 denied;
	u32 opened; /* the instance a file of which this thread was last reported to open */
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct open_check);
} open_checks SEC(".maps");

/*
 * VECTOR_ACCESS for every syscall without a hook of its own. A global function, so that the
 * verifier checks what follows once for an unknown vector, not once for each.
 */
__noinline u32 vector_of(u64 task_addr, u32 nr)
{
	struct task_struct *task = (void *)task_addr;

	if (BPF_CORE_READ(task, flags) & PF_IO_WORKER)
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

/* calls.bpf.c reports these at their end: a report from the check would be a second one. */
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

/* A read of a file below /proc/PID passes the access check again, after its open was reported. */
static __always_inline int is_read(u32 nr)
{
	return nr == NR_read || nr == NR_pread64 || nr == NR_readv || nr == NR_preadv ||
	       nr == NR_getdents64 || nr == NR32_read || nr == NR32_getdents64;
}

/* Mask of the rules this access breaks, as far as the check can tell: the file is not known yet. */
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
	default: /* of all opens, only that of mem asks for ATTACH */
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
	rules = rules_at_check(vector_of(address(task), syscall_number(task)), mode);
	if (!(rules & rules_prevented(m->instance)))
		return 0;
	prevented_set(task, m->instance);
	return -EPERM;
}

/* Leave the check's result for the end of the open that the current task is in. */
static __always_inline int open_check_set(struct task_struct *task, const struct pid_owner *owner,
					  int allowed)
{
	struct open_check *check =
		bpf_task_storage_get(&open_checks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!check) {
		__sync_fetch_and_add(&checks_waiting, 1);
		__sync_fetch_and_add(&checks_lost, 1);
		counter_add(COUNTER_CHECK_LOST, 1);
		return 0;
	}
	if (!check->set)
		__sync_fetch_and_add(&checks_waiting, 1);
	check->owner = *owner;
	check->set = 1;
	check->denied = !allowed;
	return 0;
}

SEC("fexit/ptrace_may_access")
int BPF_PROG(ac_may_access, struct task_struct *target, unsigned int mode, int allowed)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_check *check;
	struct pid_owner *owner, room = {};
	struct member *m;
	u32 nr, vector;

	if (mode & PTRACE_MODE_NOAUDIT)
		return 0;
	m = member_of(target->tgid);
	if (!m || is_exempt(task, m->instance))
		return 0;
	owner = owner_of_pid(target->thread_pid, &room);
	if (!owner)
		return 0;
	nr = syscall_number(task);
	vector = vector_of(address(task), nr);
	allowed &= 0xff; /* a bool: the rest of the register is undefined */
	/*
	 * Only opens leave a note. What exec, swapon and others open through /proc/PID/fd/N is therefore mem-inspect, not
	 * mem-fd.
	 */
	if (is_open(vector))
		return open_check_set(task, owner, allowed);
	if (vector != VECTOR_ACCESS || reported_by_calls(nr))
		return 0;
	check = bpf_task_storage_get(&open_checks, task, NULL, 0);
	if (check && check->opened == owner->instance && is_read(nr))
		return 0;
	report(owner, RULE_MEM_INSPECT, VECTOR_ACCESS, nr, allowed ? 0 : -EPERM, 0);
	return 0;
}

/*
 * The error that the kernel returned in place of a pointer (IS_ERR()), 0 if it is one. The lower half is enough then, and a
 * scalar for the verifier.
 */
static __always_inline s32 error_of(const void *p)
{
	return (u64)p >= (u64)-4095 ? (s32)(u64)p : 0;
}

/* Is that file of procfs about a process, and about none of an instance? */
static __always_inline int is_stranger(struct inode *inode)
{
	struct pid *pid = pid_of_inode(inode);
	struct pid_owner room = {};

	return pid && !owner_of_pid(pid, &room);
}

/*
 * Nearly every open of a host: a file that no rule is about, opened by a process of no instance. What the kernel has of it
 * in memory tells; no name, path or table is read. A file of the kernel, or one that may be an instance's, is left to
 * opened(). The pointer comes from the hook's arguments.
 */
static __noinline int is_nothing(struct task_struct *task, struct file *f)
{
	struct inode *inode = f->f_inode;
	u32 type;

	if (may_be_member(task->tgid))
		return 0;
	switch (inode->i_sb->s_magic) {
	case PROC_SUPER_MAGIC:
		return is_stranger(inode);
	case PIPEFS_MAGIC:
	case TRACEFS_MAGIC:
	case OVERLAYFS_MAGIC:
		return 0;
	case CGROUP_MAGIC:
	case CGROUP2_MAGIC:
		return !(f->f_mode & FMODE_WRITE);
	}
	type = inode->i_mode & S_IFMT;
	if (type == S_IFCHR)
		return !is_memory(inode->i_rdev);
	if (type == S_IFBLK)
		return !disk_of(inode->i_rdev);
	if (type != S_IFREG)
		return 1;
	if (may_be_owned(inode->i_ino))
		return 0;
	return !(f->f_mode & FMODE_WRITE) || f->f_path.dentry->d_name.len != PRELOAD_LEN;
}

SEC("fexit/" OPEN_FN)
int BPF_PROG(ac_open, int dfd, struct filename *pathname, const struct open_flags *op,
	     struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_name name = {.kernel = 1, .dirfd = dfd};
	struct open_check *check = NULL;
	u32 lost = 0, vector;
	s32 err = error_of(file);

	if (!likely(!checks_waiting)) {
		lost = checks_lost;
		check = bpf_task_storage_get(&open_checks, task, NULL, 0);
		if (check && !check->set)
			check = NULL;
	}
	if (!check && !lost && (err ? err != -EACCES && err != -EPERM : is_nothing(task, file)))
		return 0;
	if (err || check || lost) { /* nobody follows fd/N of an instance unchecked */
		name.path = pathname->name;
		name.flags = op->open_flag;
	}
	if (check) {
		check->set = 0;
		__sync_fetch_and_add(&checks_waiting, -1);
	}
	vector = vector_of(address(task), syscall_number(task));
	if (!is_open(vector))
		vector = VECTOR_OPENAT; /* exec and others */
	if (opened(task, file, err, &name, vector)) {
		if (check)
			check->opened = check->owner.instance;
		return 0;
	}
	if (check) /* during the walk: the path led through root, cwd, exe or map_files */
		report(&check->owner, RULE_MEM_INSPECT, vector, PROC_FILE_WALK,
		       err
			       ?: check->denied ? -EACCES
						: 0,
		       0);
	return 0;
}

/* The only open that does not pass do_filp_open. */
SEC("fexit/" SYSCALL_FN "open_by_handle_at")
int BPF_PROG(ac_handle, const struct pt_regs *regs, long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct open_name name = {};

	if (ret >= 0)
		opened(task, file_of_fd(task, ret), 0, &name, VECTOR_OPEN_BY_HANDLE_AT);
	return 0;
}

/* --- descriptors without an open --- */

/* The kernel opened a file on behalf of the current task: for fanotify, or for an NFS client. */
static __always_inline int handed_out(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct use use = {.nr = syscall_number(task)};

	if (error_of(file))
		return 0;
	use.write = (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) != 0;
	return used(task, file, &use);
}

SEC("?fexit/dentry_open")
int BPF_PROG(ac_handed_out, const struct path *path, int flags, const struct cred *cred,
	     struct file *file)
{
	return handed_out(file);
}

/* Since 6.13, for fanotify alone. */
SEC("?fexit/dentry_open_nonotify")
int BPF_PROG(ac_handed_out2, const struct path *path, int flags, const struct cred *cred,
	     struct file *file)
{
	return handed_out(file);
}

/* --- bytes through /proc/PID/mem --- */

SEC("?fexit/mem_rw")
int BPF_PROG(ac_mem_rw, struct file *file, char *buf, size_t count, loff_t *pos, int write,
	     long ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct use use = {.write = write, .ret = ret, .flags = EVENT_TRANSFER, .mem_rw = 1};

	use.nr = task->flags & PF_IO_WORKER ? NR_io_uring_enter : syscall_number(task);
	return used(task, file, &use);
}

/* --- syscalls with a target among their arguments --- */

static __always_inline int did_vm_readv(u32 nr, u32 unused, long ret)
{
	return did_vm(RULE_MEM_READ, VECTOR_PROCESS_VM_READV, nr, ret);
}

static __always_inline int did_vm_writev(u32 nr, u32 unused, long ret)
{
	return did_vm(RULE_MEM_WRITE, VECTOR_PROCESS_VM_WRITEV, nr, ret);
}

/* Twins for native and 32-bit callers. fn32: the kernel function behind the 32-bit syscall. */
#define ACCESS_SYSCALL_HOOK(abbr, name, fn32, body)                                                \
	SEC("fexit/" SYSCALL_FN name)                                                              \
	int BPF_PROG(ac_##abbr, const struct pt_regs *regs, long ret)                              \
	{                                                                                          \
		body(SYSCALL_ARG1(regs), SYSCALL_ARG2(regs), ret);                                 \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?fexit/" fn32 name)                                                                   \
	int BPF_PROG(ac32_##abbr, const struct pt_regs *regs, long ret)                            \
	{                                                                                          \
		body(SYSCALL32_ARG1(regs), SYSCALL32_ARG2(regs), ret);                             \
		return 0;                                                                          \
	}

ACCESS_SYSCALL_HOOK(ptrace, "ptrace", COMPAT_FN, did_ptrace)
ACCESS_SYSCALL_HOOK(vm_readv, "process_vm_readv", SYSCALL32_FN, did_vm_readv)
ACCESS_SYSCALL_HOOK(vm_writev, "process_vm_writev", SYSCALL32_FN, did_vm_writev)
ACCESS_SYSCALL_HOOK(getfd, "pidfd_getfd", SYSCALL32_FN, did_getfd)
