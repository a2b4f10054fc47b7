/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * path.bpf.h - writes the path of a file into an event, component by component from the last to the
 * first, across mounts.
 *
 * bpf_d_path() is not allowed in most of the hooks that need a path.
 */
#ifndef CACHEWARDEN_PATH_BPF_H
#define CACHEWARDEN_PATH_BPF_H

#include "event.h"
#include "lib/base.bpf.h"

#define PATH_PARTS 32 /* components and mounts walked */

struct path_walk {
	struct process_info *p;
	u64 dentry, mount;
	u32 at;	   /* where the next component goes in p->path */
	u32 flags; /* PATH_* */
};

/* One step towards the root. A callback is verified once, however often it runs. */
static long path_up(u32 i, struct path_walk *w)
{
	struct process_info *p = w->p;
	struct dentry *d = (void *)w->dentry, *parent = BPF_CORE_READ(d, d_parent);
	struct mount *m = (void *)w->mount, *above;
	u32 to = w->at;
	long n;

	if (!p)
		return 1;
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		above = BPF_CORE_READ(m, mnt_parent);
		if (above == m || !above) {
			w->flags &= ~PATH_CUT;
			return 1;
		}
		w->dentry = (u64)BPF_CORE_READ(m, mnt_mountpoint);
		w->mount = (u64)above;
		return 0;
	}
	if (to >= PATH_ROOM)
		return 1;
	barrier_var(to); /* keeps the mask: 6.1's verifier loses the bound of a spilled scalar */
	n = bpf_probe_read_kernel_str(&p->path[to & (PATH_ROOM - 1)], PATH_PART_MAX + 1,
				      BPF_CORE_READ(d, d_name.name));
	if (n <= 0)
		return 1;
	w->at += n;
	if (d == parent) { /* in no directory: a memfd, for example */
		w->flags &= ~PATH_CUT;
		return 1;
	}
	w->dentry = (u64)parent;
	return 0;
}

/*
 * Append the path of the struct path at path_addr at p->path[at]. Returns the new end in the lower
 * half and PATH_* flags in the upper one.
 */
__noinline int path_append(struct process_info *p, u64 path_addr, u32 at)
{
	struct path *path = (void *)path_addr;
	struct dentry *d = BPF_CORE_READ(path, dentry);
	struct vfsmount *vfs = BPF_CORE_READ(path, mnt);
	struct path_walk w = {
		.p = p,
		.dentry = address(d),
		.mount = address(vfs) - bpf_core_field_offset(struct mount, mnt),
		.at = at,
		.flags = PATH_CUT,
	};

	if (!p)
		return 0;
	if (!BPF_CORE_READ(d, d_hash.pprev))
		w.flags |= PATH_DELETED;
	bpf_loop(PATH_PARTS, path_up, &w, 0);
	return w.at | w.flags << 16;
}

/*
 * Append a path and say in place where it is. *at is the end of what p->path holds, before and
 * after.
 */
static __always_inline void path_put_at(struct process_info *p, struct path_place *place,
					u64 path_addr, u32 *at)
{
	u32 end = path_append(p, path_addr, *at);

	place->off = *at;
	place->len = (end & 0xffff) - *at;
	place->flags = end >> 16;
	*at = end & 0xffff;
}

static __always_inline void path_put(struct process_info *p, struct path_place *place,
				     struct file *file, u32 *at)
{
	path_put_at(p, place, address(file) + bpf_core_field_offset(struct file, f_path), at);
}

#endif
