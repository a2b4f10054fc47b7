/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * procfile.bpf.h - an open file below /proc: whose process it is about, and which rule it breaks to have it
 * open. The inode tells, whatever path, mount or pid namespace led to it.
 */
#ifndef CACHEWARDEN_PROCFILE_BPF_H
#define CACHEWARDEN_PROCFILE_BPF_H

#include "lib/common.bpf.h"

#define PROC_SUPER_MAGIC 0x9fa0
#define FMODE_WRITE 0x2u
#define FMODE_PATH 0x4000u

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, NAMES_MAX);
	__type(key, struct proc_key);
	__type(value, struct proc_rule);
} proc_files SEC(".maps");

static __always_inline struct pid_owner *owner_of_inode(struct inode *inode)
{
	struct proc_inode *pi = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	struct pid *pid = BPF_CORE_READ(pi, pid);

	return pid ? owner_of_pid(pid) : NULL; /* none: /proc/stat and the like */
}

static __always_inline struct proc_rule *rule_of_name(const void *name)
{
	struct proc_key key = {};

	bpf_probe_read_kernel_str(key.name, sizeof(key.name), name);
	return bpf_map_lookup_elem(&proc_files, &key);
}

/*
 * Rule of a file below /proc/PID: by its own name, else by its directory's (fd/7, fdinfo/7,
 * map_files/a-b).
 */
static __always_inline struct proc_rule *rule_of_dentry(struct dentry *d, int *in_dir)
{
	struct proc_rule *r = rule_of_name(BPF_CORE_READ(d, d_name.name));

	*in_dir = 0;
	if (r)
		return r;
	*in_dir = 1;
	return rule_of_name(BPF_CORE_READ(d, d_parent, d_name.name));
}

#endif
