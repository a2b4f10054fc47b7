/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pruned.h - what is left of entries that retention removed: how many there were; the delegations among them, without which
 * no signature that came later could be followed back to the identity key; and the last statement, which the next one follows.
 * Their hashes stay in the tiles. Pure: no I/O.
 *
 * The file "pruned" has records of frame.h: "before N", then "INDEX ENTRY" for each of these, in their order. It is trusted for
 * nothing: that entries were pruned is an entry, and the hashes of what is kept are in tiles like those of all entries. No other
 * entry can be in it, and it cannot claim more than a writer may remove.
 */
#ifndef CACHEWARDEN_PRUNED_H
#define CACHEWARDEN_PRUNED_H

#include <stddef.h>
#include <stdint.h>

#define PRUNED_PATH "pruned"
#define PRUNED_MAX (256u << 20)
#define PRUNE_KEEP_MIN 1024 /* entries that are never pruned */

struct pruned {
	uint8_t *bytes; /* of the file */
	size_t len;
	uint64_t before; /* entries from here on are there; 0: all */
};

struct pruned_entry {
	uint64_t index;
	uint64_t offset; /* of its record in the file */
	const char *entry;
	size_t len;
};

/* Take the file's bytes, from malloc(). Returns 0, or -EINVAL: they are still the caller's. */
int pruned_parse(struct pruned *p, void *bytes, size_t len);
void pruned_free(struct pruned *p);

/* The entry at *at, 0 for the first one. Returns 1, or 0 if there is none left. */
int pruned_next(const struct pruned *p, size_t *at, struct pruned_entry *ret);

/* A file that is written: head, then entries. Buffers are realloc()ed. Return 0, -ENOMEM or -E2BIG. */
int pruned_begin(struct pruned *p, uint64_t before);
int pruned_add(struct pruned *p, uint64_t index, const char *entry, size_t len);

#endif
