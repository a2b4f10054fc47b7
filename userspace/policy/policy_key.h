/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_key.h - the one table of what a policy file may say. The reader, the defaults, `policy explain`, the
 * manual pages and the error messages come from it.
 */
#ifndef CACHEWARDEN_POLICY_KEY_H
#define CACHEWARDEN_POLICY_KEY_H

#include "policy/policy.h"

#define POLICY_NEAR_MAX 64

enum policy_type {
	POLICY_MAP,
	POLICY_RULES,	/* a map whose keys are rules; below it they are called RULE */
	POLICY_LIST,	/* of maps; below it its name bears [] */
	POLICY_STRINGS, /* a list of patterns */
	POLICY_TEXT,
	POLICY_NAME,
	POLICY_PATTERN,
	POLICY_PATH,
	POLICY_UNIT,
	POLICY_SHA256,
	POLICY_CIDR,
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
	size_t at; /* where in the struct of its list, else in struct policy */
	bool required;
	int64_t min, max;   /* POLICY_NUMBER */
	const char *preset; /* what holds where it is not named */
	const char *help;
};

extern const struct policy_key policy_keys[];
extern const size_t policy_key_count;

/* NULL if there is none. */
const struct policy_key *policy_key_find(const char *path);

/* What a value of that key has to be, for people. */
void policy_expected(const struct policy_key *k, char *buf, size_t size);

/*
 * Store a value in the struct of k's list. `rule` is the one above it, for keys below RULE. Returns false and
 * what is wrong with the value in why ("is no date", with what was perhaps meant behind expected in hint).
 */
bool policy_set(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		char *why, size_t why_size, char *hint, size_t hint_size);

/* A new element of a list, all unset; NULL if it has too many, or memory ran out. */
void *policy_append(struct policy *p, const struct policy_key *list, struct policy_place at);

/* ", did you mean 'X'" where one of the known is near, else nothing. */
void policy_near(const char *word, const char *const *known, size_t n, char *buf, size_t size);

/* RULE_NONE if no rule of a policy is called so; self-blind is none: nobody switches that off. */
unsigned int policy_rule(const char *name);
/* The names of all such rules; returns how many. */
size_t policy_rules(const char *ret[POLICY_NEAR_MAX]);

/* A word as it may be shown in a message: short and printable. */
void policy_shown(const char *text, char *buf, size_t size);

#endif
