/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code.h - compares the contents of the files that instances execute with what they were when each was found.
 *
 * A file is held open, so that it stays the one that was mapped whatever happens to its name. It is read through the page
 * cache, which is what the servers execute. Instances that map the same file share one entry. Only a digest is kept.
 */
#ifndef CACHEWARDEN_CODE_H
#define CACHEWARDEN_CODE_H

#include <stdbool.h>
#include <stdint.h>

struct code;

/* The files held. */
struct codes {
	struct code *first;
	struct code *next; /* to be read again, even if its times have not changed */
};

/* Hold the file at a path. NULL if it cannot be opened or is no regular file. */
struct code *code_hold(struct codes *cs, const char *where);
void code_release(struct codes *cs, struct code *c); /* NULL is fine */

/*
 * Compare files with what they were: all whose size or times changed, and the others in turn, a few MiB per call, because
 * a write to the page cache below the file system changes no time.
 */
void codes_compare(struct codes *cs);

/* How often its contents changed since it was first held. */
uint32_t code_changes(const struct code *c);

/* Does this path lead to another file now, or to none? */
bool code_replaced(const struct code *c, const char *where);

#endif
