/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup.h - finds the root of the cgroup2 hierarchy, where programs see the packets of every socket. */
#ifndef CACHEWARDEN_CGROUP_H
#define CACHEWARDEN_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Open the cgroup2 root. Where none is mounted, mount one on a temporary directory, open it, and detach it at once, so
 * that nothing is left behind. where (of size bytes) receives the mount point or "private mount". Returns a
 * descriptor or a negative errno.
 */
int cgroup_root_open(char *where, size_t size);

/* Path of the cgroup with this id, relative to the root. Returns 0, or a negative errno with buf empty. */
int cgroup_path(int root_fd, uint64_t id, char *buf, size_t size);

#endif
