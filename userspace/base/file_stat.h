/* SPDX-License-Identifier: BSD-2-Clause */
/* file_stat.h - comparisons of what stat(2) says of files. */
#ifndef CACHEWARDEN_FILE_STAT_H
#define CACHEWARDEN_FILE_STAT_H

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static inline bool file_stat_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Are size and times those of before? A write below the file system changes neither. */
static inline bool file_stat_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && !memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
	       !memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

#endif
