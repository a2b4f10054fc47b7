/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashtable.h - a hash table of structs that contain a struct hash_link. It neither allocates nor owns the entries. The
 * number of buckets is fixed. The caller hashes (hash.h) and compares keys:
 *
 *	for (l = hashtable_first(&t, hash); l; l = hashtable_next(l))
 *		if (key_equal(container_of(l, struct thing, link), key))
 *			...
 */
#ifndef CACHEWARDEN_HASHTABLE_H
#define CACHEWARDEN_HASHTABLE_H

#include <stddef.h>
#include <stdint.h>

struct hash_link {
	struct hash_link *next;
	uint64_t hash;
};

struct hashtable {
	struct hash_link **bucket;
	size_t buckets; /* power of two */
	size_t count;	/* of entries */
};

/* buckets: a power of two. Returns 0 or -ENOMEM. */
int hashtable_init(struct hashtable *t, size_t buckets);

/* Forget all entries. Allowed on a zeroed table. */
void hashtable_free(struct hashtable *t);

void hashtable_add(struct hashtable *t, struct hash_link *l, uint64_t hash);
void hashtable_remove(struct hashtable *t, struct hash_link *l);

/* The entries with that hash, the latest first. NULL: no more. */
struct hash_link *hashtable_first(const struct hashtable *t, uint64_t hash);
struct hash_link *hashtable_next(const struct hash_link *l);

/* All entries, in no order: l NULL for the first one. Get the next one before removing an entry. */
struct hash_link *hashtable_walk(const struct hashtable *t, const struct hash_link *l);

#endif
