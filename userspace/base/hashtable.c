// SPDX-License-Identifier: BSD-2-Clause
/* hashtable.c - see hashtable.h. */
#include "base/hashtable.h"

#include <errno.h>
#include <stdlib.h>

/* The upper half is folded in: FNV-1a spreads short keys better there. */
static size_t index_of(const struct hashtable *t, uint64_t hash)
{
	return (hash ^ hash >> 32) & (t->buckets - 1);
}

int hashtable_init(struct hashtable *t, size_t buckets)
{
	*t = (struct hashtable){.bucket = calloc(buckets, sizeof(*t->bucket)), .buckets = buckets};
	return t->bucket ? 0 : -ENOMEM;
}

void hashtable_free(struct hashtable *t)
{
	free(t->bucket);
	*t = (struct hashtable){};
}

void hashtable_add(struct hashtable *t, struct hash_link *l, uint64_t hash)
{
	struct hash_link **chain = &t->bucket[index_of(t, hash)];

	*l = (struct hash_link){*chain, hash};
	*chain = l;
	t->count++;
}

void hashtable_remove(struct hashtable *t, struct hash_link *l)
{
	struct hash_link **p = &t->bucket[index_of(t, l->hash)];

	while (*p != l)
		p = &(*p)->next;
	*p = l->next;
	t->count--;
}

static struct hash_link *skip_to(struct hash_link *l, uint64_t hash)
{
	while (l && l->hash != hash)
		l = l->next;
	return l;
}

struct hash_link *hashtable_first(const struct hashtable *t, uint64_t hash)
{
	return skip_to(t->bucket[index_of(t, hash)], hash);
}

struct hash_link *hashtable_next(const struct hash_link *l)
{
	return skip_to(l->next, l->hash);
}

struct hash_link *hashtable_walk(const struct hashtable *t, const struct hash_link *l)
{
	if (l && l->next)
		return l->next;
	for (size_t i = l ? index_of(t, l->hash) + 1 : 0; i < t->buckets; i++) {
		if (t->bucket[i])
			return t->bucket[i];
	}
	return NULL;
}
