/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - access to an instance's memory, layout or descriptors: what is decided, whichever
 * hook saw it. memory.bpf.c sees syscalls return, access.bpf.c sits where the kernel itself checks.
 *
 * An open is judged by the inode of the *resulting file*: no path, mount, dirfd or symlink trick
 * changes what was opened. A path is parsed only where no such file says enough (open_path.bpf.h).
 */
#ifndef CACHEWARDEN_MEMORY_BPF_H
#define CACHEWARDEN_MEMORY_BPF_H

#include "lib/files.bpf.h"
#include "lib/open_path.bpf.h"

#define IORING_OP_READV 1 /* include/uapi/linux/io_uring.h */
#define IORING_OP_WRITEV 2
#define IORING_OP_READ_FIXED 4
#define IORING_OP_WRITE_FIXED 5
#define IORING_OP_OPENAT 18
#define IORING_OP_READ 22
#define IORING_OP_WRITE 23
#define IORING_OP_OPENAT2 28

/* ptrace requests, include/uapi/linux/ptrace.h */
#define PTRACE_TRACEME 0
#define PTRACE_PEEKTEXT 1
#define PTRACE_PEEKDATA 2
#define PTRACE_PEEKUSR 3
#define PTRACE_POKETEXT 4
#define PTRACE_POKEDATA 5
#define PTRACE_POKEUSR 6
#define PTRACE_DETACH 17

static __always_inline u32 ptrace_rule(long request)
{
	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSR)
		return RULE_MEM_READ;
	if (request == PTRACE_POKETEXT || request == PTRACE_POKEDATA || request == PTRACE_POKEUSR)
		return RULE_MEM_WRITE;
	return RULE_MEM_TRACE;
}

static __always_inline int did_ptrace(long request, u32 nr, long ret)
{
	struct action action = {
		.vector = VECTOR_PTRACE,
		.detail = request,
		.ret = ret,
		.no_prevention = request == PTRACE_DETACH,
	};
	struct pid_owner *owner;

	if (request == PTRACE_TRACEME)
		return 0; /* no target: the tracer is found at exec, see process.bpf.c */
	owner = owner_of_number(nr);
	if (!owner)
		return 0;
	action.rule = ptrace_rule(request);
	report_action(owner, &action);
	return 1;
}

static __always_inline int did_vm(u32 rule, u32 vector, u32 nr, long ret)
{
	struct pid_owner *owner = owner_of_number(nr);

	return owner ? report(owner, rule, vector, 0, ret, 0) : 0;
}

static __always_inline int did_getfd(u32 pidfd, u32 fd, long ret)
{
	struct pid_owner *owner = owner_of_pidfd(pidfd);

	return owner ? report(owner, RULE_MEM_FD, VECTOR_PIDFD_GETFD, 0, ret, fd) : 0;
}

/* A file of procfs was opened. Returns 1 if it needs no other look. */
static __always_inline int opened_proc(struct file *f, struct inode *inode, u32 vector)
{
	struct pid_owner *owner = owner_of_inode(inode);
	u32 mode = BPF_CORE_READ(f, f_mode), rule;
	struct proc_rule *r;

	if (!owner)
		return opened_host(f, mode, vector);
	if (mode & FMODE_PATH) /* O_PATH: opening through it passes here again */
		return 1;
	r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry));
	if (!r)
		return 0;
	rule = rule_of_access(r, mode & FMODE_WRITE);
	return rule ? report(owner, rule, vector, r->file, 0, 0) : 0;
}

/* An open ended: with file f, or with err. Returns 1 if it was reported. */
static __always_inline int opened(struct task_struct *task, struct file *f, long err,
				  const struct open_name *name, u32 vector)
{
	struct inode *inode;

	if (!err) {
		if (!f)
			return 0;
		inode = BPF_CORE_READ(f, f_inode);
		if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC)
			return opened_proc(f, inode, vector);
		return (name->path && opened_fd_entry(task, name, vector)) ||
		       opened_file(task, f, inode, vector);
	}
	if ((err == -EACCES || err == -EPERM) && name->path)
		return open_denied(task, name, vector, err);
	return 0;
}

/*
 * io_uring makes no syscall that names a file. Its completion does: what an open returned, and
 * which file a read or write used, so that descriptors that exist only in the ring are covered. It
 * runs in the submitter or in the ring's polling thread; both share the descriptor table.
 */
static __always_inline int uring_done(struct io_kiocb *req, s32 res)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct inode *inode;
	struct file *f;
	u8 op;

	if (!req || res < 0)
		return 0;
	op = BPF_CORE_READ(req, opcode);
	switch (op) {
	case IORING_OP_OPENAT:
	case IORING_OP_OPENAT2:
		f = file_of_fd(task, res);
		break;
	case IORING_OP_READV:
	case IORING_OP_WRITEV:
	case IORING_OP_READ_FIXED:
	case IORING_OP_WRITE_FIXED:
	case IORING_OP_READ:
	case IORING_OP_WRITE:
		f = BPF_CORE_READ(req, file);
		break;
	default:
		return 0;
	}
	if (!f)
		return 0;
	inode = BPF_CORE_READ(f, f_inode);
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC)
		return opened_proc(f, inode, VECTOR_IO_URING_OPEN);
	if (op == IORING_OP_OPENAT || op == IORING_OP_OPENAT2)
		return opened_file(task, f, inode, VECTOR_IO_URING_OPEN);
	return 0;
}

/* Both tiers have this hook. */
IO_URING_COMPLETE_HOOKS(uring_done)

#endif
