/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoy_files.h - the files of a decoy: a directory of root's with a configuration, a key and a library that the decoy alone can read,
 * and one of its own below it, where it writes.
 */
#ifndef CACHEWARDEN_DECOY_FILES_H
#define CACHEWARDEN_DECOY_FILES_H

#include "validate/decoy_type.h"

/* Make the directory; d->dir is empty if there is none. Without a library if nothing in it may be executed. */
bool decoy_files_make(struct decoy *d);

/*
 * Write its key, and its configuration for the ports that it has: with the server's options, or, NULL, permissive ones of its own. more:
 * further lines. Returns false with errno.
 */
bool decoy_files_write(struct decoy *d, const struct options *o, const char *more);

/* Remove all of them. The decoy must have ended. */
void decoy_files_remove(struct decoy *d);

#endif
