/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - access to an instance's memory, layout or descriptors: the decisions that both
 * tiers share. memory.bpf.c hooks syscalls when they return, access.bpf.c the kernel's own check.
 *
 * An open is classified by the inode of the *resulting file*: no path, mount, dirfd or symlink trick
 * changes what was opened. A path is parsed only if there is no such file, or if it does not say
 * enough (open_path.bpf.h).
 */
#ifndef CACHEWARDEN_MEMORY_BPF_H
#define CACHEWARDEN_MEMORY_BPF_H

#include "lib/files.bpf.h"
#include "lib/open_path.bpf.h"
#include "lib/uring.bpf.h"
#include "syscall_nr.h"

#ifndef OPENS_SEEN
#define OPENS_SEEN 0 /* by another hook: completions of a ring then need not report them */
#endif

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
	struct pid_owner *owner, room = {};

	if (request == PTRACE_TRACEME)
		return 0; /* no target: the tracer is found at exec, see process.bpf.c */
	owner = owner_of_number(nr, &room);
	if (!owner)
		return 0;
	action.rule = ptrace_rule(request);
	if (action.rule != RULE_MEM_TRACE && !ret) { /* PEEK and POKE: one word each */
		action.ret = sizeof(long);
		action.flags = EVENT_TRANSFER;
	}
	report_action(owner, &action);
	return 1;
}

static __always_inline int did_vm(u32 rule, u32 vector, u32 nr, long ret)
{
	struct pid_owner room = {}, *owner = owner_of_number(nr, &room);
	struct action action = {.rule = rule, .vector = vector, .ret = ret};

	if (!owner)
		return 0;
	if (ret > 0)
		action.flags = EVENT_TRANSFER;
	return report_action(owner, &action);
}

static __always_inline int did_getfd(u32 pidfd, u32 fd, long ret)
{
	struct pid_owner room = {}, *owner = owner_of_pidfd(pidfd, &room);

	return owner ? report(owner, RULE_MEM_FD, VECTOR_PIDFD_GETFD, 0, ret, fd) : 0;
}

/* A file of procfs was opened. Returns 1 if it needs no other look. */
static __always_inline int opened_proc(struct file *f, struct inode *inode, u32 vector)
{
	struct pid_owner room = {}, *owner = owner_of_inode(inode, &room);
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
	return rule ? report_opened(owner, rule, vector, r->file, opened_for(mode)) : 0;
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
		       opened_pipe(inode, vector) || opened_file(task, f, inode, vector);
	}
	if ((err == -EACCES || err == -EPERM) && name->path)
		return open_denied(task, name, vector, err);
	return 0;
}

/* --- an open file is used --- */

const volatile __u32 mem_rw_hooked; /* ac_mem_rw sees reads and writes of mem, through a ring too */

/* What is done with an open file: bytes go through it, or the kernel is asked for something else. */
struct use {
	u32 nr;	    /* of the syscall, as in a key's detail */
	u32 write;  /* towards the file */
	s64 ret;    /* bytes, or a negative errno */
	u32 flags;  /* EVENT_TRANSFER: ret counts bytes; EVENT_IN_PROGRESS */
	u32 mem_rw; /* seen by the hook at reads and writes of mem */
};

static __always_inline int report_use(const struct pid_owner *owner, u32 rule, u32 file,
				      struct file *object, const struct use *use)
{
	struct action action = {
		.rule = rule,
		.vector = VECTOR_ACCESS,
		.detail = use->nr | file << SYSCALL_OP_SHIFT,
		.ret = use->ret,
		.file = address(object),
		.flags = use->flags | (use->write ? EVENT_FOR_WRITING : EVENT_FOR_READING),
	};

	if (use->ret < 0)
		action.flags &= ~EVENT_TRANSFER;

	return report_action(owner, &action);
}

static __always_inline int used_proc(struct file *f, struct inode *inode, const struct use *use)
{
	struct pid_owner room = {}, *owner = owner_of_inode(inode, &room);
	struct proc_rule *r;
	u32 rule;

	r = owner ? rule_of_dentry(BPF_CORE_READ(f, f_path.dentry)) : NULL;
	if (r && r->file == PROC_FILE_MEM ? mem_rw_hooked && !use->mem_rw : use->ret < 0)
		return 0;
	rule = r ? rule_of_access(r, use->write) : RULE_NONE;
	return rule ? report_use(owner, rule, r->file, NULL, use) : 0;
}

static __always_inline int used_own(struct task_struct *task, struct file *f, struct inode *inode,
				    const struct use *use)
{
	struct member *m = member_of(task->tgid);
	struct pid_owner target = {};
	struct file_owner *own;

	if (use->ret < 0 || (BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG)
		return 0;
	own = owner_of_file(f, inode);
	if (!own || is_open_to_all(own->kind, use->write ? FMODE_WRITE : 0))
		return 0;
	if (m && (m->instance == own->instance || may_share(own->kind, m->instance)))
		return 0;
	target.instance = own->instance;
	return report_use(&target, rule_of_kind(own->kind), own->kind, f, use);
}

/*
 * The current task used an open file. A use without effect adds nothing to the report of the open. EFAULT is one with an
 * effect where the file is mem: what was copied up to a bad page of the caller's stays there.
 */
static __always_inline int used(struct task_struct *task, struct file *f, const struct use *use)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);

	if ((use->ret < 0 && use->ret != -EFAULT) || (!use->ret && (use->flags & EVENT_TRANSFER)))
		return 0;
	if (BPF_CORE_READ(inode, i_sb, s_magic) == PROC_SUPER_MAGIC)
		return used_proc(f, inode, use);
	return used_own(task, f, inode, use);
}

/* --- io_uring: no syscall names its files --- */

static __always_inline int uring_used(struct io_kiocb *req, struct file *f, u8 op, s64 res,
				      u32 flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct use use = {.nr = NR_io_uring_enter, .ret = res, .flags = flags};
	struct file *source = uring_source(task, req, op);

	if (f) {
		use.write = uring_writes(op);
		used(task, f, &use);
	}
	if (source) {
		use.write = 0;
		used(task, source, &use);
	}
	return 0;
}

/*
 * A request ended: which file an open led to, or which file was used and what came of it. It runs in
 * the submitter, a worker or the ring's polling thread; all share the descriptor table.
 */
static __always_inline int uring_done(struct io_kiocb *req, s32 res)
{
	struct open_name name = {};
	struct file *f;
	u8 op;

	if (!req)
		return 0;
	op = BPF_CORE_READ(req, opcode);
	if (!uring_opens(op))
		return uring_used(req, BPF_CORE_READ(req, file), op, res,
				  uring_transfers(op) ? EVENT_TRANSFER : 0);
	if (res < 0 || OPENS_SEEN)
		return 0;
	f = uring_opened(bpf_get_current_task_btf(), req, res);
	return f ? opened(bpf_get_current_task_btf(), f, 0, &name, VECTOR_IO_URING_OPEN) : 0;
}

/* Both tiers have this hook. */
IO_URING_COMPLETE_HOOKS(uring_done)

#endif
