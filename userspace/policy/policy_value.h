/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_value.h - the values that keys of a policy take: how they are written, read and explained. */
#ifndef CACHEWARDEN_POLICY_VALUE_H
#define CACHEWARDEN_POLICY_VALUE_H

#include "policy/policy_row.h"

#define POLICY_EXPECTED_LEN 160
#define POLICY_HINT_LEN 96

/* What a value of k must be: "an absolute path". */
void policy_value_expected(const struct policy_key *k, char buf[POLICY_EXPECTED_LEN]);

/*
 * Parse text and store it at k's destination in the struct `in`, for that rule if k is per rule. Returns false, with
 * nothing stored, and in error the reason and what was expected.
 */
bool policy_value_set(const struct policy_key *k, void *in, unsigned int rule, const char *text,
		      char *error, size_t size);

/* " (did you mean 'X'?)" where one of the known words is near, else an empty string. */
void policy_hint(const char *word, const char *const *known, size_t n, char buf[POLICY_HINT_LEN]);

/* Rules that a policy can name: all but self-blind, which cannot be switched off. */
unsigned int policy_rule_find(const char *name); /* RULE_NONE if there is none */
size_t policy_rule_names(const char *ret[RULE_MAX]);

/* text for use in a message: printable, cut to size. */
void policy_printable(const char *text, char *buf, size_t size);

#endif
