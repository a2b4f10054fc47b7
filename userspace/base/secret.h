/* SPDX-License-Identifier: BSD-2-Clause */
/* secret.h - files that hold a secret, which nobody else may read: passwords and private keys. */
#ifndef CACHEWARDEN_SECRET_H
#define CACHEWARDEN_SECRET_H

#include <stddef.h>

/*
 * Open a regular file that belongs to root or this user, and that nobody else may use. Returns a descriptor, or a negative
 * errno with the reason in why.
 */
int secret_open(const char *path, char *why, size_t size);

/* Its first line, which is neither empty nor longer than buf. Returns 0, or a negative errno with the reason in why. */
int secret_read_line(const char *path, char *buf, size_t room, char *why, size_t size);

#endif
