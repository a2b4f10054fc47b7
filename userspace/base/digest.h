/* SPDX-License-Identifier: BSD-2-Clause */
/* digest.h - the SHA-256 of an executable, as certain as it can be had. */
#ifndef CACHEWARDEN_DIGEST_H
#define CACHEWARDEN_DIGEST_H

#include <stdint.h>
#include <sys/types.h>

#define DIGEST_LEN 65

/*
 * Of what that process runs, or, where it ended already, of the file at path if it is the same inode. What was read
 * once is remembered as long as inode, size and times stay. Returns 0 or a negative errno with buf empty.
 */
int digest_exe(pid_t pid, uint64_t start_ns, const char *path, uint64_t ino, char buf[DIGEST_LEN]);

#endif
