/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inside.h - paths that a server chose, resolved as it would resolve them: below its own root, symbolic links included. It
 * may run in a container, and it may lie; this process may be root of the host.
 */
#ifndef CACHEWARDEN_INSIDE_H
#define CACHEWARDEN_INSIDE_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor (O_PATH) of the root directory of a process, or a negative errno. */
int inside_root(pid_t pid);

/* A descriptor (O_PATH) of what path names, which opens nothing. Returns a negative errno if there is none. */
int inside_find(int root, const char *path);

/* Open a directory to list it. found: by inside_find(). */
int inside_list(int found);

/* Open a regular file to read it; no device, no pipe, none of /proc. Returns a negative errno. */
int inside_read(int root, const char *path);

/*
 * May others pass all directories from root to what was found, itself included if it is one? Where its name has changed
 * meanwhile, they may.
 */
bool inside_others_pass(int root, int found);

#endif
