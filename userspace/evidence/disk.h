/* SPDX-License-Identifier: BSD-2-Clause */
/* disk.h - files of the log's directory: read whole, replaced as a whole, and on the disk when that returns. */
#ifndef CACHEWARDEN_DISK_H
#define CACHEWARDEN_DISK_H

#include <stddef.h>
#include <sys/types.h>

/* A whole file below dir, with a NUL behind it; to be freed. Returns 0 or a negative errno: -EFBIG if it is longer than max. */
int disk_read(int dir, const char *path, size_t max, char **ret, size_t *ret_len);

/*
 * Write a file below dir, its directories too (mode 0700), as PATH.tmp, which is synced, renamed and synced in its
 * directory: after a crash there is the old file or the new one. Returns 0 or a negative errno.
 */
int disk_replace(int dir, const char *path, const void *data, size_t len, mode_t mode);

/* Write all bytes at that offset. Returns 0 or a negative errno. */
int disk_write(int fd, const void *data, size_t len, off_t offset);

/* Create the directories of a path, and sync each in its parent. */
int disk_make_dirs(int dir, const char *path);

/* Sync the directory that a path is in. */
int disk_sync_parent(int dir, const char *path);

#endif
