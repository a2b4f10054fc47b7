/* SPDX-License-Identifier: BSD-2-Clause */
/* secret_file.h - files with a secret in them: only read if nobody else can read or change them. */
#ifndef CACHEWARDEN_SECRET_FILE_H
#define CACHEWARDEN_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Returns a descriptor, or -1 with the reason in error. */
int secret_file_open(const char *path, char *error, size_t size);

/* The first line of such a file, not empty. Returns false with the reason in error. */
bool secret_file_line(const char *path, char *line, size_t line_size, char *error, size_t size);

#endif
