/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_kind.h - what a file is that a server opened: its data, its configuration, its ACLs, its private key, or
 * nothing that needs protection. Judged by name and first bytes; pure.
 */
#ifndef CACHEWARDEN_FILE_KIND_H
#define CACHEWARDEN_FILE_KIND_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REST_HEAD                                                                                  \
	65536 /* bytes of a file looked at: Debian's redis.conf begins with pages of comments */

/*
 * The kind of a file (enum file_kind, FILE_*), 0 if it is none to protect. path is the server's own view of it,
 * head its first len bytes, written whether the server opened it for writing.
 */
unsigned int file_kind(const char *path, bool written, const char *head, size_t len);

/* What of a kind may be found at rest: enum finding_kind, for files that others than their owner may read; 0: nothing. */
unsigned int file_kind_exposed(unsigned int kind);

/*
 * Calls fn for each line "directive value" of a server's configuration, the directive in lower case, quotes
 * around the value taken off. Returns how many of them are directives that servers know.
 */
size_t file_kind_config(const char *text, size_t len,
			void (*fn)(void *ctx, const char *directive, const char *value), void *ctx);

#endif
