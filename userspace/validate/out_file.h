/* SPDX-License-Identifier: BSD-2-Clause */
/* out_file.h - the file that a report is written to. A regular one is replaced as a whole; nothing else ever is. */
#ifndef CACHEWARDEN_OUT_FILE_H
#define CACHEWARDEN_OUT_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct out_file {
	const char *path;
	FILE *stream;
	char beside[PATH_MAX]; /* becomes path; empty: written directly */
};

/*
 * A regular file, or none yet, is written beside its place. A device for characters and a pipe are written directly.
 * Everything else is refused: a symbolic link to a file, a disk. Returns 0, or a negative errno with the reason in why;
 * -EINVAL: path is of no use.
 */
int out_file_open(struct out_file *o, const char *path, char *why, size_t size);

/* Close it. Returns false, with errno, if it was not written as a whole; then a regular file is as it was before. */
bool out_file_close(struct out_file *o);

#endif
