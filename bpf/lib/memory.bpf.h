/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * memory.bpf.h - somebody reaches for an instance's memory, layout or descriptors: what is decided, whatever
 * hook it was seen from. memory.bpf.c sees syscalls return, access.bpf.c stands where the kernel checks.
 *
 * Every body takes target, rule, vector and outcome; a hook is three lines.
 *
 * A path is looked at in two cases only: an open that was denied (there is no resulting file), and
 * /proc/PID/fd/N reopened (the result is the descriptor's own file). Everything else is told by the
 * *resulting file's* proc inode: no path, mount, dirfd or symlink trick changes what was opened.
 */
#ifndef CACHEWARDEN_MEMORY_BPF_H
#define CACHEWARDEN_MEMORY_BPF_H

#include "lib/files.bpf.h"
#include "lib/procfile.bpf.h"
#include "lib/report.bpf.h"

#define AT_FDCWD (-100)
#define O_WRONLY 1
#define O_ACCMODE 3
#define IORING_OP_READV 1 /* include/uapi/linux/io_uring.h */
#define IORING_OP_WRITEV 2
#define IORING_OP_READ_FIXED 4
#define IORING_OP_WRITE_FIXED 5
#define IORING_OP_OPENAT 18
#define IORING_OP_READ 22
#define IORING_OP_WRITE 23
#define IORING_OP_OPENAT2 28
#define PATH_SCAN 256 /* power of two; longer paths are looked at from their beginning only */
#define PARTS 4

/* ptrace requests, include/uapi/linux/ptrace.h */
#define PTRACE_TRACEME 0
#define PTRACE_PEEKTEXT 1
#define PTRACE_PEEKDATA 2
#define PTRACE_PEEKUSR 3
#define PTRACE_POKETEXT 4
#define PTRACE_POKEDATA 5
#define PTRACE_POKEUSR 6
#define PTRACE_DETACH 17

/* A path being taken apart: its last parts, last first. */
struct path_scan {
	char path[PATH_SCAN + PROC_KEY_LEN];
	u32 from; /* where the part being read began */
	s32 num;  /* its value, -1 once it is no number */
	u32 parts;
	u32 start[PARTS];
	s32 nums[PARTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct path_scan);
} path_scans SEC(".maps");

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
		.harmless = request == PTRACE_DETACH, /* nobody dies for letting go */
	};
	struct pid_owner *owner;

	if (request == PTRACE_TRACEME)
		return 0; /* no target: it shows at exec, see process.bpf.c */
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
	struct file *f = file_of_fd(bpf_get_current_task_btf(), pidfd);
	struct pid *pid = f ? pid_of_pidfd(f) : NULL;
	struct pid_owner *owner = pid ? owner_of_pid(pid) : NULL;

	return owner ? report(owner, RULE_MEM_FD, VECTOR_PIDFD_GETFD, 0, ret, fd) : 0;
}

static __always_inline int opened_proc(struct file *f, struct inode *inode, u32 vector)
{
	struct pid_owner *owner = owner_of_inode(inode);
	u32 mode = BPF_CORE_READ(f, f_mode), rule;
	struct proc_rule *r;
	int in_dir;

	if (!owner)
		return opened_host(f, mode, vector);
	if (mode & FMODE_PATH) /* a mere place holder: opening through it comes here again */
		return 1;
	r = rule_of_dentry(BPF_CORE_READ(f, f_path.dentry), &in_dir);
	if (!r)
		return 0;
	rule = mode & FMODE_WRITE ? r->write : r->read;
	return rule ? report(owner, rule, vector, r->file, 0, 0) : 0;
}

static long path_step(u32 i, struct path_scan **ctx)
{
	struct path_scan *s = *ctx;
	char c = s->path[i & (PATH_SCAN - 1)];

	if (c && c != '/') {
		if (c < '0' || c > '9' || s->num > 0x7fffffff / 10 - 1)
			s->num = -1;
		else if (s->num >= 0)
			s->num = s->num * 10 + (c - '0');
		return 0;
	}
	if (i > s->from) {
		u32 len = i - s->from;
		char a = s->path[s->from & (PATH_SCAN - 1)];
		char b = s->path[(s->from + 1) & (PATH_SCAN - 1)];

		if (len == 2 && a == '.' && b == '.') {
			for (int k = 0; k < PARTS - 1; k++) {
				s->start[k] = s->start[k + 1];
				s->nums[k] = s->nums[k + 1];
			}
			s->start[PARTS - 1] = 0;
			s->nums[PARTS - 1] = -1;
			if (s->parts)
				s->parts--;
		} else if (len != 1 || a != '.') {
			for (int k = PARTS - 1; k > 0; k--) {
				s->start[k] = s->start[k - 1];
				s->nums[k] = s->nums[k - 1];
			}
			s->start[0] = s->from;
			s->nums[0] = s->num;
			s->parts++;
		}
	}
	s->from = i + 1;
	s->num = 0;
	return !c;
}

/* A path as an open was given it: user memory on the syscall rung, the kernel's own copy else. */
struct open_name {
	const char *path;
	int kernel;
	s32 dirfd;
	u32 flags; /* O_* */
};

/* Take the path apart. Returns NULL where it cannot be read. */
static __always_inline struct path_scan *path_parts(const struct open_name *name, int only_number)
{
	u32 zero = 0;
	struct path_scan *s = bpf_map_lookup_elem(&path_scans, &zero);
	long n;
	char last;

	if (!s)
		return NULL;
	if (name->kernel)
		n = bpf_probe_read_kernel_str(s->path, PATH_SCAN, name->path);
	else
		n = bpf_probe_read_user_str(s->path, PATH_SCAN, name->path);
	if (n <= 1)
		return NULL;
	last = s->path[(n - 2) & (PATH_SCAN - 1)];
	if (only_number && (last < '0' || last > '9'))
		return NULL;
	s->from = 0;
	s->num = 0;
	s->parts = 0;
	for (int k = 0; k < PARTS; k++) {
		s->start[k] = 0;
		s->nums[k] = -1;
	}
	bpf_loop(PATH_SCAN, path_step, &s, 0);
	return s;
}

static __always_inline struct proc_rule *rule_of_part(struct path_scan *s, u32 part)
{
	struct proc_key key = {};

	bpf_probe_read_kernel(key.name, sizeof(key.name) - 1,
			      &s->path[s->start[part] & (PATH_SCAN - 1)]);
	for (u32 i = 0, end = 0; i < sizeof(key.name); i++) {
		if (!key.name[i] || key.name[i] == '/')
			end = 1;
		if (end)
			key.name[i] = 0;
	}
	return bpf_map_lookup_elem(&proc_files, &key);
}

/*
 * Whose /proc directory a relative path starts in, if any; *is_fd_dir when that is its fd/ itself.
 */
static __always_inline struct pid_owner *owner_of_base(struct task_struct *task, s32 dirfd,
						       int *is_fd_dir)
{
	struct dentry *d;
	struct inode *inode;
	struct proc_rule *r;
	struct file *f;

	if (dirfd == AT_FDCWD) {
		d = BPF_CORE_READ(task, fs, pwd.dentry);
	} else {
		f = file_of_fd(task, dirfd);
		if (!f)
			return NULL;
		d = BPF_CORE_READ(f, f_path.dentry);
	}
	inode = BPF_CORE_READ(d, d_inode);
	if (BPF_CORE_READ(inode, i_sb, s_magic) != PROC_SUPER_MAGIC)
		return NULL;
	r = rule_of_name(BPF_CORE_READ(d, d_name.name));
	*is_fd_dir = r && r->file == PROC_FILE_FD;
	return owner_of_inode(inode);
}

/*
 * /proc/PID/fd/N by whatever spelling of its end: the result is the descriptor's file, so the path
 * must tell.
 */
static __always_inline int opened_fd_entry(struct task_struct *task, const struct open_name *name,
					   u32 vector)
{
	struct path_scan *s = path_parts(name, 1);
	struct pid_owner *owner = NULL;
	struct proc_rule *r;
	int fd_dir = 0;

	if (!s || s->nums[0] < 0)
		return 0;
	if (s->parts == 1) {
		owner = owner_of_base(task, name->dirfd, &fd_dir);
		if (!fd_dir)
			return 0;
	} else {
		r = rule_of_part(s, 1);
		if (!r || r->file != PROC_FILE_FD)
			return 0;
		if (s->parts == 2)
			owner = owner_of_base(task, name->dirfd, &fd_dir);
		else if (s->nums[2] >= 0)
			owner = owner_of_number(s->nums[2]);
	}
	return owner ? report(owner, RULE_MEM_FD, vector, PROC_FILE_FD_ENTRY, 0, s->nums[0]) : 0;
}

/* An open that was refused: no file tells what it was, only the path. */
static __always_inline int open_denied(struct task_struct *task, const struct open_name *name,
				       u32 vector, long ret)
{
	struct path_scan *s = path_parts(name, 0);
	struct pid_owner *owner = NULL;
	struct proc_rule *r;
	u32 file, rule, behind = 1;
	int fd_dir = 0;

	if (!s || !s->parts)
		return 0;
	r = rule_of_part(s, 0);
	if (!r && s->parts > 1) {
		r = rule_of_part(s, 1);
		behind = 2;
	}
	if (!r) {
		if (s->parts != 1 || s->nums[0] < 0)
			return 0;
		owner = owner_of_base(task, name->dirfd,
				      &fd_dir); /* "7" below an open /proc/PID/fd */
		return owner && fd_dir ? report(owner, RULE_MEM_FD, vector, PROC_FILE_FD_ENTRY, ret,
						s->nums[0])
				       : 0;
	}
	file = r->file;
	rule = name->flags & O_ACCMODE ? r->write : r->read;
	if (s->parts == behind)
		owner = owner_of_base(task, name->dirfd, &fd_dir);
	else if (s->nums[behind & (PARTS - 1)] >= 0)
		owner = owner_of_number(s->nums[behind & (PARTS - 1)]);
	if (!owner || !rule)
		return 0;
	if (behind == 2 && file == PROC_FILE_FD) {
		file = PROC_FILE_FD_ENTRY;
		rule = RULE_MEM_FD;
	}
	return report(owner, rule, vector, file, ret, 0);
}

/* What an open came to: the file, or why there is none. Returns 1 if it was reported. */
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
 * io_uring makes no syscall that names the file. Its completion tells: what an open returned, and which
 * file a read or write went to, which also covers descriptors that exist in the ring alone. It runs in
 * the submitter or in its polling thread; both share the descriptor table.
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

/* --- the hook both rungs have --- */

/* The loader turns on the one that fits: the tracepoint passes the whole cqe since 6.14. */
SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_complete, void *ring, void *req, struct io_uring_cqe *cqe)
{
	return uring_done(req, BPF_CORE_READ(cqe, res));
}

SEC("?tp_btf/io_uring_complete")
int BPF_PROG(uring_complete7, void *ring, void *req, u64 user_data, int res)
{
	return uring_done(req, res);
}

#endif
