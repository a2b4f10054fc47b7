/* SPDX-License-Identifier: BSD-2-Clause */
/* digest.h - SHA-256 of a process's executable, or of an open file. */
#ifndef CACHEWARDEN_DIGEST_H
#define CACHEWARDEN_DIGEST_H

#include <stdint.h>
#include <sys/types.h>

#define DIGEST_LEN 65

/*
 * Hexadecimal digest of the executable of the process with this pid and start time (as proc_exe()). If the process has
 * ended, of the file at path, provided that its inode is ino. Digests are cached by device, inode, size, mtime and ctime.
 * Returns 0, or a negative errno with buf empty: -ESTALE if the file is another one or was written meanwhile, -EFBIG if
 * it is too large.
 */
int digest_exe(pid_t pid, uint64_t start_ns, const char *path, uint64_t ino, char buf[DIGEST_LEN]);

/* Digest of an open file, never cached. Returns 0, or a negative errno with buf empty: -EFBIG if it is too large. */
int digest_fd(int fd, char buf[DIGEST_LEN]);

#endif
