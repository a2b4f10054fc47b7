/* SPDX-License-Identifier: BSD-2-Clause */
/* cgroup.h - the root of the cgroup2 hierarchy, where every socket's packets pass. */
#ifndef CACHEWARDEN_CGROUP_H
#define CACHEWARDEN_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/*
 * A descriptor of the cgroup2 root. Where none is mounted a private one is mounted, opened and at
 * once detached: nothing stays behind. where (of size bytes) says what was found. Returns the
 * descriptor or a negative errno.
 */
int cgroup_root_open(char *where, size_t size);

/* Path of a control group below that root, by its id. Returns 0 or a negative errno with buf empty. */
int cgroup_path(int root_fd, uint64_t id, char *buf, size_t size);

#endif
