/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * procfile.bpf.h - an open file below /proc: which process it is about, and which rule having it
 * open breaks. The inode tells, whatever path, mount or pid namespace led to it.
 */
#ifndef CACHEWARDEN_PROCFILE_BPF_H
#define CACHEWARDEN_PROCFILE_BPF_H

#include "lib/task.bpf.h"

#define PROC_SUPER_MAGIC 0x9fa0 /* include/uapi/linux/magic.h */
#define FMODE_READ 0x1u		/* include/linux/fs.h */
#define FMODE_WRITE 0x2u
#define FMODE_PATH 0x4000u

static __always_inline struct file_key file_key_of(struct inode *inode)
{
	struct file_key key = {
		.ino = BPF_CORE_READ(inode, i_ino),
		.dev = BPF_CORE_READ(inode, i_sb, s_dev),
		.generation = BPF_CORE_READ(inode, i_generation),
	};

	return key;
}

/* Names of files below /proc/PID, and the host's own, with the rules that they break. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NAMES_MAX);
	__type(key, struct proc_key);
	__type(value, struct proc_rule);
} proc_files SEC(".maps");

/* The protected thread that an inode of procfs is about; NULL for /proc/stat and the like, too. */
static __always_inline struct pid *pid_of_inode(struct inode *inode)
{
	struct proc_inode *pi = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);

	return BPF_CORE_READ(pi, pid);
}

static __always_inline struct pid_owner *owner_of_inode(struct inode *inode, struct pid_owner *room)
{
	return owner_of_pid(pid_of_inode(inode), room);
}

static __always_inline struct proc_rule *rule_of_name(const void *name)
{
	struct proc_key key = {};

	bpf_probe_read_kernel_str(key.name, sizeof(key.name), name);
	return bpf_map_lookup_elem(&proc_files, &key);
}

/* By the file's own name, else by its directory's: fd/7, fdinfo/7, map_files/a-b. */
static __always_inline struct proc_rule *rule_of_dentry(struct dentry *d)
{
	struct proc_rule *r = rule_of_name(BPF_CORE_READ(d, d_name.name));

	return r ?: rule_of_name(BPF_CORE_READ(d, d_parent, d_name.name));
}

/* EVENT_* for how a file was opened. */
static __always_inline u32 opened_for(u32 mode)
{
	return (mode & FMODE_READ ? EVENT_FOR_READING : 0) |
	       (mode & FMODE_WRITE ? EVENT_FOR_WRITING : 0);
}

static __always_inline u32 rule_of_access(const struct proc_rule *r, int write)
{
	return write ? r->write : r->read;
}

#endif
