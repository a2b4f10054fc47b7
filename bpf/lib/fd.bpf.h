/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fd.bpf.h - the file behind a descriptor, and what kind of file it is.
 */
#ifndef CACHEWARDEN_FD_BPF_H
#define CACHEWARDEN_FD_BPF_H

#include "lib/base.bpf.h"

/* task->files is read, not followed: see args_fill(). */
static __always_inline struct file *file_of_fd(struct task_struct *task, u32 fd)
{
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **table, *f = NULL;

	if (!fdt || fd >= BPF_CORE_READ(fdt, max_fds))
		return NULL;
	table = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&f, sizeof(f), &table[fd]);
	return f;
}

/* A name of at most 15 characters, zero padded: compared as two words. */
union short_name {
	char text[16];
	u64 words[2];
};

static const union short_name perf_event_name = {"[perf_event]"}, seccomp_name = {"seccomp notify"};

static __always_inline int same_name(const union short_name *a, const union short_name *b)
{
	return a->words[0] == b->words[0] && a->words[1] == b->words[1];
}

static __always_inline int is_named(struct dentry *d, const union short_name *as)
{
	union short_name name = {};

	bpf_probe_read_kernel_str(name.text, sizeof(name.text), BPF_CORE_READ(d, d_name.name));
	return same_name(&name, as);
}

/* Anonymous inodes have no type but their name. */
static __always_inline int is_anon(struct file *f, const union short_name *kind)
{
	return is_named(BPF_CORE_READ(f, f_path.dentry), kind);
}

/* The perf event behind a file, NULL if it is another kind of file. */
static __always_inline struct perf_event *perf_event_of(struct file *f)
{
	return is_anon(f, &perf_event_name) ? BPF_CORE_READ(f, private_data) : NULL;
}

#endif
