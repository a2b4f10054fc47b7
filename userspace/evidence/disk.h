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

/*
 * The same for several files at once: all are written, then all synced, renamed, and their directories synced. A file system
 * then waits for its journal once, not for every file. disk_batch_commit() empties the batch also when it fails: then some of the
 * files may have been replaced. disk_batch_drop() gives it up.
 */
#define DISK_BATCH_MAX 64
#define DISK_PATH_LEN 128 /* of a path below dir, and ".tmp" */

struct disk_batch {
	int dir;
	size_t count;
	struct {
		int fd;
		char path[DISK_PATH_LEN];
	} file[DISK_BATCH_MAX];
};

int disk_batch_add(struct disk_batch *b, const char *path, const void *data, size_t len,
		   mode_t mode);
int disk_batch_commit(struct disk_batch *b);
void disk_batch_drop(struct disk_batch *b);

/* Write all bytes at that offset. Returns 0 or a negative errno. */
int disk_write(int fd, const void *data, size_t len, off_t offset);

/* Create the directories of a path, and sync each in its parent. */
int disk_make_dirs(int dir, const char *path);

/* Sync the directory that a path is in. */
int disk_sync_parent(int dir, const char *path);

#endif
