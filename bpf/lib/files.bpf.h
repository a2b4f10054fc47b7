/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * files.bpf.h - opens of files that are not below /proc/PID: what an instance keeps on disk, and
 * the host's own ways to memory.
 *
 * An instance shows which files are its own: each regular file that it opens is entered in the
 * files table, by its inode as the kernel knows it, and reported (EVENT_FILE). The collector then
 * sets what kind of file it is, or that it needs no protection; until then only files named like
 * data are protected. A file of an overlay is entered twice, by its own inode and by that of the
 * layer below. To enter a file that an instance opened earlier, the monitor opens it: inode numbers
 * are never translated between user space and the kernel.
 */
#ifndef CACHEWARDEN_FILES_BPF_H
#define CACHEWARDEN_FILES_BPF_H

#include "lib/cgroup.bpf.h"
#include "lib/overlay.bpf.h"
#include "lib/procfile.bpf.h"
#include "lib/report.bpf.h"

#define PIPEFS_MAGIC 0x50495045
#define TRACEFS_MAGIC 0x74726163 /* include/uapi/linux/magic.h */
#define SYSFS_MAGIC 0x62656572
#define CGROUP2_MAGIC 0x63677270
#define CGROUP_MAGIC 0x27e0eb
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define MINORBITS 20
#define MEM_MAJOR 1 /* Documentation/admin-guide/devices.txt */
#define MEM_MINOR 1
#define KMEM_MINOR 2
#define PORT_MINOR 4
#define MISC_MAJOR 10
#define SNAPSHOT_MINOR 231

__u32 files_of; /* set while the monitor opens files on behalf of this instance */

#define PRELOAD_LEN 13
static const union short_name preload_name = {"ld.so.preload"}, etc_name = {"etc"};

/* Not for certain: 0 says that no instance has opened it. */
static __always_inline int may_be_owned(u64 ino)
{
	u32 at = file_word(ino);
	u64 *word = bpf_map_lookup_elem(&file_bits, &at);

	return word && (*word & file_bit(ino));
}

static __always_inline void mark_owned(u64 ino)
{
	u32 at = file_word(ino);
	u64 *word = bpf_map_lookup_elem(&file_bits, &at);

	if (word)
		__sync_fetch_and_or(word, file_bit(ino));
}

/* NULL: it is no instance's. A function of its own for its stack, like member_of(). */
static __noinline struct file_owner *file_owner_of(struct inode *inode)
{
	struct file_key key;

	if (!may_be_owned(BPF_CORE_READ(inode, i_ino)))
		return NULL;
	key = file_key_of(inode);
	return bpf_map_lookup_elem(&files, &key);
}

/* The same for a block device that holds such files: who reads it reads them below their file system, whichever. */
static __always_inline struct file_owner *disk_of(u32 rdev)
{
	return bpf_map_lookup_elem(&disks, &rdev);
}

/* The same for an open file, by its own inode or by the one that holds its bytes. */
static __always_inline struct file_owner *owner_of_file(struct file *f, struct inode *inode)
{
	struct file_owner *own = file_owner_of(inode);
	struct inode *below;

	if (own)
		return own;
	below = inode_below(f, inode);
	return below ? file_owner_of(below) : NULL;
}

static __always_inline u32 rule_of_kind(u32 kind)
{
	if (kind == FILE_CODE)
		return RULE_MEM_INJECT;
	return kind == FILE_KEY || kind == FILE_KEYLOG ? RULE_TLS_KEY : RULE_REST_FILE;
}

static __always_inline int report_host_opened(u32 rule, u32 vector, u32 file, u32 mode)
{
	struct pid_owner host = {.instance = INSTANCE_HOST};

	return report_opened(&host, rule, vector, file, opened_for(mode));
}

/* A file of procfs or tracefs that exposes the memory of the whole host, by its own name. */
static __always_inline int opened_host(struct file *f, u32 mode, u32 vector)
{
	struct proc_rule *r = rule_of_name(BPF_CORE_READ(f, f_path.dentry, d_name.name));
	u32 rule;

	if (!r || !r->host || (mode & FMODE_PATH))
		return 0;
	rule = rule_of_access(r, mode & FMODE_WRITE);
	return rule ? report_host_opened(rule, vector, r->file, mode) : 0;
}

/*
 * Is it named like an RDB or AOF file? Other files that a server writes (log, pid) wait until the
 * collector has classified them.
 */
static __always_inline int named_data(struct file *f)
{
	u32 len = BPF_CORE_READ(f, f_path.dentry, d_name.len), end = 0;
	const unsigned char *name = BPF_CORE_READ(f, f_path.dentry, d_name.name);

	if (len < sizeof(end))
		return 0;
	bpf_probe_read_kernel(&end, sizeof(end), name + len - sizeof(end));
	return end == *(const u32 *)".rdb" || end == *(const u32 *)".aof";
}

/*
 * An instance opens a file, or executes it (FILE_CODE): enter and report it, once per inode and
 * instance.
 */
static __noinline int learn_inode(struct file *f, struct inode *inode, u32 instance, u32 tgid,
				  u32 written, u32 kind)
{
	struct file_owner own = {.instance = instance, .kind = kind}, *known;
	struct file_key key;
	struct event *e;
	u32 at = 0;

	if (!kind && named_data(f))
		own.kind = FILE_DATA;
	key = file_key_of(inode);
	known = bpf_map_lookup_elem(&files, &key);
	if (known && known->instance == instance && (!kind || known->kind == kind))
		return 0;
	if (!kind && budget_spend_own(BUDGET_FILES))
		return 0;
	mark_owned(key.ino); /* before it is entered: nobody finds it missing */
	if (known && !is_running(known->instance)) /* the server that had it has ended */
		*known = own;
	else if (known && kind)
		known->kind = kind; /* execution outweighs name and contents */
	if (!known && bpf_map_update_elem(&files, &key, &own, BPF_NOEXIST))
		counter_add(COUNTER_FILES_FULL, 1);
	e = event_reserve(EVENT_FILE);
	if (!e) {
		/* nobody would ever say what it is: learn it at its next open */
		if (!known && !own.kind)
			bpf_map_delete_elem(&files, &key);
		lost_add(instance, RULE_NONE);
		return 0;
	}
	e->key.instance = instance;
	e->target_tgid = tgid;
	e->file.key = key;
	e->file.written = written;
	e->file.uid = BPF_CORE_READ(f, f_inode, i_uid.val);
	e->file.gid = BPF_CORE_READ(f, f_inode, i_gid.val);
	e->file.mode = BPF_CORE_READ(f, f_inode, i_mode);
	e->file.below = inode != BPF_CORE_READ(f, f_inode);
	e->file.kind = known ? known->kind : own.kind;
	path_put(&e->actor, &e->object, f, &at);
	event_send(e);
	return 0;
}

static __always_inline void learn_file(struct file *f, u32 instance, u32 tgid, u32 written,
				       u32 kind)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode), *below = inode_below(f, inode);

	learn_inode(f, inode, instance, tgid, written, kind);
	if (below)
		learn_inode(f, below, instance, tgid, written, kind);
}

/* May anybody open such a file of an instance? Libraries, and files that need no protection. */
static __always_inline int is_open_to_all(u32 kind, u32 mode)
{
	return !kind || (kind == FILE_CODE && !(mode & FMODE_WRITE));
}

/*
 * Two servers may share configuration and key, which they open when they start; data is never
 * shared. The attempt is reported in any case, and the collector decides whether the instance is a
 * server of the same kind (monitor/sharing.h): its name proves nothing.
 */
static __always_inline int may_share(u32 kind, u32 instance)
{
	return kind >= FILE_CONFIG && kind <= FILE_KEYLOG &&
	       !bpf_map_lookup_elem(&baselined, &instance);
}

static __always_inline int opened_regular(struct task_struct *task, struct file *f,
					  struct inode *inode, u32 mode, u32 vector)
{
	struct action action = {.vector = vector, .file = address(f), .flags = opened_for(mode)};
	u32 disk = BPF_CORE_READ(inode, i_rdev);
	struct file_owner *own = disk ? disk_of(disk) : owner_of_file(f, inode);
	struct member *m = member_of(task->tgid);
	struct pid_owner target = {};
	u32 instance, free, shared;

	if (m && !disk) {
		instance = m->instance;
		if (instance ==
		    INSTANCE_SELF) /* not its other threads and children, nor another monitor */
			instance = m->main == MEMBER_THIS && task->pid == task->tgid ? files_of : 0;
		if (!instance)
			return 0;
		if (own && own->instance == instance) {
			if (is_overlay(inode)) /* the layer below may have changed */
				learn_file(f, instance, task->tgid, 0, 0);
			return 0;
		}
		free = !own || !is_running(own->instance) || is_open_to_all(own->kind, mode);
		shared = !free && may_share(own->kind, instance);
		if (free || shared)
			learn_file(f, instance, task->tgid,
				   mode & FMODE_WRITE && m->instance == instance, 0);
		if (free || m->instance == INSTANCE_SELF)
			return 0;
		if (shared)
			action.flags |= EVENT_SHARED;
	} else if (!own || is_open_to_all(own->kind, mode)) {
		return 0;
	}
	action.rule = rule_of_kind(own->kind);
	action.detail = own->kind;
	target.instance = own->instance;
	report_action(&target, &action);
	return 1;
}

/*
 * /dev/mem, /dev/kmem, /dev/port, and /dev/snapshot, from which hibernation reads an image of all memory. By device number: the
 * node may have any name.
 */
static __always_inline int is_memory(u32 rdev)
{
	return rdev == (MEM_MAJOR << MINORBITS | MEM_MINOR) ||
	       rdev == (MEM_MAJOR << MINORBITS | KMEM_MINOR) ||
	       rdev == (MEM_MAJOR << MINORBITS | PORT_MINOR) ||
	       rdev == (MISC_MAJOR << MINORBITS | SNAPSHOT_MINOR);
}

static __always_inline int opened_device(struct inode *inode, u32 mode, u32 vector)
{
	if (!is_memory(BPF_CORE_READ(inode, i_rdev)))
		return 0;
	return report_host_opened(RULE_MEM_KERNEL, vector, HOST_DEV_MEM, mode);
}

static __always_inline int is_preload(struct dentry *d)
{
	return is_named(d, &preload_name) && is_named(BPF_CORE_READ(d, d_parent), &etc_name);
}

static const union short_name freeze_name = {"cgroup.freeze"}, kill_name = {"cgroup.kill"},
			      state_name = {"freezer.state"}, procs_name = {"cgroup.procs"},
			      threads_name = {"cgroup.threads"}, tasks_name = {"tasks"};

/*
 * Is this a control file, open for writing, of a cgroup that holds the monitor or its guard? Pid 1
 * sets limits and weights of the cgroups it made; only freezing or killing one counts. Moving a
 * process into a parent cgroup does nothing to the monitor.
 */
__noinline int controls_monitor(u32 tgid, u64 file)
{
	struct file *f = (void *)file;
	struct dentry *d = BPF_CORE_READ(f, f_path.dentry);
	struct kernfs_node *dir = BPF_CORE_READ(d, d_parent, d_inode, i_private);
	u32 holds = dir ? own_cgroup(BPF_CORE_READ(dir, priv)) : 0;

	if (!holds || !(BPF_CORE_READ(f, f_mode) & FMODE_WRITE))
		return 0;
	if (tgid == 1)
		return is_named(d, &freeze_name) || is_named(d, &kill_name) ||
		       is_named(d, &state_name);
	return holds == CGROUP_HOLDS_IT ||
	       !(is_named(d, &procs_name) || is_named(d, &threads_name) ||
		 is_named(d, &tasks_name));
}

static __always_inline int opened_cgroup(u32 tgid, struct file *f, u32 vector)
{
	struct action action = {.rule = RULE_SELF_TAMPER,
				.vector = vector,
				.detail = HOST_CGROUP,
				.file = address(f)};
	struct pid_owner self = {.instance = INSTANCE_SELF};

	if (!controls_monitor(tgid, address(f)))
		return 0;
	report_action(&self, &action);
	return 1;
}

/* A file outside /proc was opened. Returns 1 if that was reported. */
static __always_inline int opened_file(struct task_struct *task, struct file *f,
				       struct inode *inode, u32 vector)
{
	u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT, mode = BPF_CORE_READ(f, f_mode);
	unsigned long magic;

	if (mode & FMODE_PATH)
		return 0;
	if (type == S_IFCHR)
		return opened_device(inode, mode, vector);
	if (type != S_IFREG && type != S_IFBLK)
		return 0;
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	if (magic == TRACEFS_MAGIC)
		return opened_host(f, mode, vector);
	if (magic == SYSFS_MAGIC)
		return 0;
	if (magic == CGROUP2_MAGIC || magic == CGROUP_MAGIC)
		return opened_cgroup(task->tgid, f, vector);
	if ((mode & FMODE_WRITE) && is_preload(BPF_CORE_READ(f, f_path.dentry)))
		return report_host_opened(RULE_MEM_INJECT, vector, HOST_LD_SO_PRELOAD, mode);
	return opened_regular(task, f, inode, mode, vector);
}

#endif
