/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * overlay.bpf.h - the file below a file of overlayfs. The same bytes have two inodes: the overlay's,
 * and that of the layer that holds them. Containers see the first, the host sees the second.
 */
#ifndef CACHEWARDEN_OVERLAY_BPF_H
#define CACHEWARDEN_OVERLAY_BPF_H

#include "lib/base.bpf.h"

#define OVERLAYFS_MAGIC 0x794c7630 /* include/uapi/linux/magic.h */
#define OVERLAYS_MAX 2		   /* FILESYSTEM_MAX_STACK_DEPTH, include/linux/fs.h */

static __always_inline int is_overlay(struct inode *inode)
{
	return BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_MAGIC;
}

/* Is that address an open file? Other data does not lead to the same mapping in two ways. */
static __always_inline int is_file(struct file *f)
{
	struct inode *inode = BPF_CORE_READ(f, f_inode);
	struct address_space *mapping = BPF_CORE_READ(f, f_mapping);

	return inode && mapping && BPF_CORE_READ(inode, i_mapping) == mapping;
}

/*
 * The file that an overlay opened for this one: its private_data, or since 6.14 the first member of
 * a structure there. overlayfs is often a module, whose types are not known when this is loaded.
 */
static __always_inline struct file *file_below(struct file *f)
{
	void *data = BPF_CORE_READ(f, private_data);
	struct file *first = NULL;

	bpf_probe_read_kernel(&first, sizeof(first), data);
	if (is_file(first))
		return first;
	return is_file(data) ? data : NULL;
}

/* The inode in the lowest file system, NULL if this file is not in an overlay. */
static __always_inline struct inode *inode_below(struct file *f, struct inode *inode)
{
	struct inode *below = NULL;

	for (u32 i = 0; i < OVERLAYS_MAX && is_overlay(inode); i++) {
		f = file_below(f);
		if (!f)
			break;
		below = inode = BPF_CORE_READ(f, f_inode);
	}
	return below;
}

#endif
