/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * open_path.bpf.h - parses the path given to an open, where the resulting file does not identify
 * the target: an open that was denied, and /proc/PID/fd/N, whose result is the descriptor's own
 * file. An instance's pipe needs no path: nothing else leads to it.
 *
 * Only the end of a path counts: /proc may be mounted anywhere, and a path may start in a directory
 * descriptor.
 */
#ifndef CACHEWARDEN_OPEN_PATH_BPF_H
#define CACHEWARDEN_OPEN_PATH_BPF_H

#include "lib/procfile.bpf.h"
#include "lib/report.bpf.h"

#define AT_FDCWD (-100) /* include/uapi/linux/fcntl.h */
#define O_WRONLY 1
#define O_ACCMODE 3
#define PATH_SCAN 256 /* power of two; of a longer path only the beginning is parsed */
#define PARTS 4	      /* components kept */

/* The path as the open was given it, and where it starts. */
struct open_name {
	const char *path; /* NULL: opened by handle */
	int kernel;	  /* path is the kernel's own copy, else it is in user memory */
	s32 dirfd;
	u32 flags; /* O_* */
};

/* A path being parsed: its last components, the last one first. */
struct path_scan {
	char path[PATH_SCAN + PROC_KEY_LEN];
	u32 from; /* start of the current component */
	s32 num;  /* its value, -1 if it is not a number */
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

static __always_inline void parts_push(struct path_scan *s)
{
	for (int k = PARTS - 1; k > 0; k--) {
		s->start[k] = s->start[k - 1];
		s->nums[k] = s->nums[k - 1];
	}
	s->start[0] = s->from;
	s->nums[0] = s->num;
	s->parts++;
}

static __always_inline void parts_pop(struct path_scan *s)
{
	for (int k = 0; k < PARTS - 1; k++) {
		s->start[k] = s->start[k + 1];
		s->nums[k] = s->nums[k + 1];
	}
	s->start[PARTS - 1] = 0;
	s->nums[PARTS - 1] = -1;
	if (s->parts)
		s->parts--;
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

		if (len == 2 && a == '.' && b == '.')
			parts_pop(s);
		else if (len != 1 || a != '.')
			parts_push(s);
	}
	s->from = i + 1;
	s->num = 0;
	return !c;
}

/*
 * Parse a path. Returns NULL if it cannot be read, or with only_number if it does not end in a
 * digit.
 */
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
 * The protected thread whose /proc directory a relative path starts in. *is_fd_dir: that is its fd/
 * itself.
 */
static __always_inline struct pid_owner *owner_of_base(struct task_struct *task, s32 dirfd,
						       int *is_fd_dir, struct pid_owner *room)
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
	return owner_of_inode(inode, room);
}

/*
 * An open succeeded: of /proc/PID/fd/N, however the path led there? Returns 1 if it was reported.
 */
static __always_inline int opened_fd_entry(struct task_struct *task, const struct open_name *name,
					   u32 vector)
{
	struct path_scan *s = path_parts(name, 1);
	struct pid_owner *owner = NULL, room = {};
	struct proc_rule *r;
	int fd_dir = 0;

	if (!s || s->nums[0] < 0)
		return 0;
	if (s->parts == 1) {
		owner = owner_of_base(task, name->dirfd, &fd_dir, &room);
		if (!fd_dir)
			return 0;
	} else {
		r = rule_of_part(s, 1);
		if (!r || r->file != PROC_FILE_FD)
			return 0;
		if (s->parts == 2)
			owner = owner_of_base(task, name->dirfd, &fd_dir, &room);
		else if (s->nums[2] >= 0)
			owner = owner_of_number(s->nums[2], &room);
	}
	return owner ? report(owner, RULE_MEM_FD, vector, PROC_FILE_FD_ENTRY, 0, s->nums[0]) : 0;
}

/* An open succeeded: of a pipe that an instance made? Returns 1 if it was reported. */
static __always_inline int opened_pipe(struct inode *inode, u32 vector)
{
	struct own_pipe *pipe;
	struct file_key key;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != PIPEFS_MAGIC)
		return 0;
	key = file_key_of(inode);
	pipe = bpf_map_lookup_elem(&own_pipes, &key);
	return pipe ? report(&pipe->by, RULE_MEM_FD, vector, PROC_FILE_FD_ENTRY, 0, 0) : 0;
}

/* "7", below an open /proc/PID/fd. */
static __always_inline int denied_fd_entry(struct task_struct *task, const struct open_name *name,
					   u32 vector, long ret, const struct path_scan *s)
{
	struct pid_owner *owner, room = {};
	int fd_dir = 0;

	if (s->parts != 1 || s->nums[0] < 0)
		return 0;
	owner = owner_of_base(task, name->dirfd, &fd_dir, &room);
	return owner && fd_dir
		       ? report(owner, RULE_MEM_FD, vector, PROC_FILE_FD_ENTRY, ret, s->nums[0])
		       : 0;
}

/* An open was denied. Returns 1 if it was reported. */
static __always_inline int open_denied(struct task_struct *task, const struct open_name *name,
				       u32 vector, long ret)
{
	struct path_scan *s = path_parts(name, 0);
	struct pid_owner *owner = NULL, room = {};
	struct proc_rule *r;
	u32 file, rule, behind = 1; /* parts from the file's name on */
	int fd_dir = 0;

	if (!s || !s->parts)
		return 0;
	r = rule_of_part(s, 0);
	if (!r && s->parts > 1) {
		r = rule_of_part(s, 1);
		behind = 2;
	}
	if (!r)
		return denied_fd_entry(task, name, vector, ret, s);
	file = r->file;
	rule = rule_of_access(r, name->flags & O_ACCMODE);
	if (s->parts == behind)
		owner = owner_of_base(task, name->dirfd, &fd_dir, &room);
	else if (s->nums[behind & (PARTS - 1)] >= 0)
		owner = owner_of_number(s->nums[behind & (PARTS - 1)], &room);
	if (!owner || !rule)
		return 0;
	if (behind == 2 && file == PROC_FILE_FD) {
		file = PROC_FILE_FD_ENTRY;
		rule = RULE_MEM_FD;
	}
	return report(owner, rule, vector, file, ret, 0);
}

#endif
