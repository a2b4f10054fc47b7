/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive.h - files in memory as a tar archive (POSIX ustar), compressed by zstd. The same files make the same bytes: order, owner, mode
 * and time are given, and nothing of the host is in it.
 */
#ifndef CACHEWARDEN_ARCHIVE_H
#define CACHEWARDEN_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_FILES_MAX 96
#define ARCHIVE_NAME_LEN 80
#define ARCHIVE_DIR_LEN 16

struct archive {
	char dir[ARCHIVE_DIR_LEN]; /* all files are below it */
	int64_t time;		   /* of all files, seconds since the epoch */
	struct {
		char name[ARCHIVE_NAME_LEN];
		char *data; /* owned */
		size_t len;
		bool executable;
	} file[ARCHIVE_FILES_MAX];
	size_t count;
};

/* Takes data, which is freed with the archive, also if that fails: -ENOMEM if data is NULL, -E2BIG. */
int archive_add(struct archive *a, const char *name, char *data, size_t len);
void archive_free(struct archive *a);

/* Write it to a new file. Returns 0, -EEXIST, or another negative errno; there is no file then. */
int archive_write(const struct archive *a, const char *path);

#endif
