/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_table.h - tables of policy keys, whose rows policy_row.h defines. The reader, the defaults, the documentation
 * and the error messages come from the table; a new key is one row and a member of a struct.
 *
 * Functions take the table, so that tests can bring one of their own.
 */
#ifndef CACHEWARDEN_POLICY_TABLE_H
#define CACHEWARDEN_POLICY_TABLE_H

#include "policy/policy_row.h"

#define POLICY_KEYS_MAX 64 /* of a table: the reader keeps the keys it has seen in a uint64_t */

struct policy_table {
	const struct policy_key *key;
	size_t count; /* at most POLICY_KEYS_MAX */
};

/* NULL if there is none. */
const struct policy_key *policy_table_find(const struct policy_table *t, const char *path);

/*
 * The key whose value is stored at that offset in an entry of list, or in the root struct if list is NULL. NULL if there
 * is none. With it, messages name a key as the table does.
 */
const struct policy_key *policy_table_at(const struct policy_table *t,
					 const struct policy_key *list, size_t at);

/* The keys directly below a map (prefix "": at the top), in ret. Returns how many. */
size_t policy_table_children(const struct policy_table *t, const char *prefix,
			     const struct policy_key *ret[POLICY_KEYS_MAX]);

/* The last component of a key's path. */
const char *policy_key_name(const struct policy_key *k);

/* Set the defaults of a zeroed root struct; free what is below it and leave the defaults. */
void policy_table_init(const struct policy_table *t, void *root);
void policy_table_free(const struct policy_table *t, void *root);

/*
 * Append an entry with its defaults to a list. in: the struct that the list is in. Returns NULL if the list has
 * POLICY_ENTRIES_MAX already, or memory ran out.
 */
void *policy_table_append(const struct policy_table *t, const struct policy_key *list, void *in,
			  struct policy_place place);

#endif
