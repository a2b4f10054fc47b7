/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_row.h - a row of a table of policy keys: type, destination, limits, default, help; and access to the destination. */
#ifndef CACHEWARDEN_POLICY_ROW_H
#define CACHEWARDEN_POLICY_ROW_H

#include "policy/policy.h"

enum policy_type {
	POLICY_MAP,
	POLICY_RULES, /* a map whose keys are rule names; paths below it contain POLICY_ANY_RULE */
	POLICY_LIST,  /* of maps; paths below it contain [] */
	POLICY_STRINGS, /* a list of patterns */
	POLICY_CIDR,
	/* texts */
	POLICY_TEXT,
	POLICY_NAME,
	POLICY_PATTERN,
	POLICY_PATH,
	POLICY_UNIT,
	POLICY_TARGET,
	POLICY_LISTEN,
	POLICY_WITNESS,
	POLICY_SHA256,
	/* stored as int64_t */
	POLICY_NUMBER,
	POLICY_DATE,
	POLICY_RULE,
	POLICY_MODE,
	POLICY_SEVERITY,
	POLICY_TRANSPORT,
	POLICY_TEMPLATE,
	POLICY_VERSION,
	POLICY_TYPE_MAX,
};

#define POLICY_ANY_RULE "RULE" /* in a path: the name of a rule */

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

/* The pointer stored at a row's destination in the struct in: a text, or the array of a list. */
void *policy_pointer(const struct policy_key *k, const void *in);
void policy_set_pointer(const struct policy_key *k, void *in, const void *p);

/* The number of elements of a list. */
size_t *policy_list_count(const struct policy_key *list, void *in);

/*
 * Make room for one more element of size bytes, which the caller counts. Returns NULL if the list has POLICY_ENTRIES_MAX
 * already, or memory ran out.
 */
void *policy_list_grow(const struct policy_key *list, void *in, size_t size);

/* Append a copy of text to a list of strings. Returns false for the same reasons. */
bool policy_strings_append(const struct policy_key *list, void *in, const char *text);

#endif
