/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_table.h - tables of policy keys: path, type, destination, limits, default, help. The reader, the defaults, the
 * documentation and the error messages come from the table; a new key is one row and a member of a struct.
 *
 * Functions take the table, so that tests can bring one of their own.
 */
#ifndef CACHEWARDEN_POLICY_TABLE_H
#define CACHEWARDEN_POLICY_TABLE_H

#include "policy/policy.h"

#define POLICY_KEYS_MAX 64 /* of a table: the reader keeps the keys it has seen in a uint64_t */

enum policy_type {
	POLICY_MAP,
	POLICY_RULES,	/* a map whose keys are rule names; paths below it contain RULE */
	POLICY_LIST,	/* of maps; paths below it contain [] */
	POLICY_STRINGS, /* a list of patterns */
	POLICY_CIDR,
	/* texts */
	POLICY_TEXT,
	POLICY_NAME,
	POLICY_PATTERN,
	POLICY_PATH,
	POLICY_UNIT,
	POLICY_SHA256,
	/* stored as int64_t */
	POLICY_NUMBER,
	POLICY_DATE,
	POLICY_RULE,
	POLICY_MODE,
	POLICY_SEVERITY,
	POLICY_VERSION,
	POLICY_TYPE_MAX,
};

struct policy_key {
	const char *path; /* "allow[].until" */
	enum policy_type type;
	/* Destination: offsets in the struct of its list's entry, else in the table's root struct. */
	size_t at;
	size_t count;	   /* POLICY_LIST, POLICY_STRINGS: where the number of elements is */
	size_t entry_size; /* POLICY_LIST */
	bool per_rule;	   /* an array of int64_t, by rule */
	bool required;
	int64_t min, max;   /* POLICY_NUMBER */
	const char *preset; /* default, as it would be written in a file */
	const char *absent; /* default in words, where no value expresses it */
	const char *help;
};

struct policy_table {
	const struct policy_key *key;
	size_t count; /* at most POLICY_KEYS_MAX */
};

/*
 * Type and destination of a row. Compilation fails if the member does not have the type that values of that kind are
 * stored as. An entry's struct begins with a struct policy_place called at.
 */
#define POLICY_REQUIRE(condition, text)                                                            \
	(0 * sizeof(struct {                                                                       \
		 _Static_assert(condition, text);                                                  \
		 int unused;                                                                       \
	 }))
#define POLICY_AT(ctype, s, field)                                                                 \
	(offsetof(s, field) +                                                                      \
	 POLICY_REQUIRE(__builtin_types_compatible_p(ctype, __typeof__(((s *)0)->field)),          \
			#field " is not a " #ctype))
#define POLICY_TO_TEXT(kind, s, field)                                                             \
	.type = (kind) + POLICY_REQUIRE((kind) >= POLICY_TEXT && (kind) <= POLICY_SHA256,          \
					#kind " is not a text"),                                   \
	.at = POLICY_AT(char *, s, field)
#define POLICY_TO_INT(kind, s, field)                                                              \
	.type = (kind) + POLICY_REQUIRE((kind) >= POLICY_NUMBER && (kind) <= POLICY_VERSION,       \
					#kind " is not stored as int64_t"),                        \
	.at = POLICY_AT(int64_t, s, field)
#define POLICY_TO_INT_PER_RULE(kind, s, field)                                                     \
	.type = (kind) + POLICY_REQUIRE((kind) >= POLICY_NUMBER && (kind) <= POLICY_VERSION,       \
					#kind " is not stored as int64_t"),                        \
	.at = POLICY_AT(int64_t[RULE_MAX], s, field), .per_rule = true
#define POLICY_TO_CIDR(s, field) .type = POLICY_CIDR, .at = POLICY_AT(struct policy_cidr, s, field)
#define POLICY_TO_STRINGS(s, field, n)                                                             \
	.type = POLICY_STRINGS, .at = POLICY_AT(char **, s, field), .count = POLICY_AT(size_t, s, n)
#define POLICY_TO_LIST(s, field, n, entry)                                                         \
	.type = POLICY_LIST, .at = POLICY_AT(entry *, s, field), .count = POLICY_AT(size_t, s, n), \
	.entry_size = sizeof(entry) + POLICY_AT(struct policy_place, entry, at) +                  \
		      POLICY_REQUIRE(offsetof(entry, at) == 0, #entry " does not begin with at")

/* NULL if there is none. */
const struct policy_key *policy_table_find(const struct policy_table *t, const char *path);

/* The keys directly below a map (prefix "": at the top), in ret. Returns how many. */
size_t policy_table_children(const struct policy_table *t, const char *prefix,
			     const struct policy_key *ret[POLICY_KEYS_MAX]);

/* The last component of a key's path. */
const char *policy_key_name(const struct policy_key *k);

/* Set the defaults of a zeroed root struct; free what is below it and leave the defaults. */
void policy_table_init(const struct policy_table *t, void *root);
void policy_table_free(const struct policy_table *t, void *root);

/*
 * A new entry at the end of a list, with its defaults. in is the struct the list is in. Returns NULL if the list has
 * POLICY_ENTRIES_MAX already, or memory ran out.
 */
void *policy_table_append(const struct policy_table *t, const struct policy_key *list, void *in,
			  struct policy_place place);

/* The same for a list of strings: a copy of text. Returns false for the same reasons. */
bool policy_strings_append(const struct policy_key *list, void *in, const char *text);

#endif
