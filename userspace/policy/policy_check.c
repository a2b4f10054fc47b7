// SPDX-License-Identifier: BSD-2-Clause
/* policy_check.c - see policy_check.h */
#include "policy/policy_check.h"

#include "base/macros.h"
#include "policy/policy_table.h"
#include "policy/policy_value.h"

#include <stdio.h>
#include <string.h>

static const struct policy_instance *find_instance(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (!strcmp(p->instance[i].name, name))
			return &p->instance[i];
	}
	return NULL;
}

static bool check_unique_names(const struct policy *p, char *error, size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i],
					     *first = find_instance(p, entry->name);

		if (first == entry)
			continue;
		snprintf(
			error, size,
			"%s:%u: instances[].name: '%s' is already used at %s:%u; expected a unique name",
			entry->at.file, entry->at.line, entry->name, first->at.file,
			first->at.line);
		return false;
	}
	return true;
}

/* The kernel side prevents without asking for exceptions: one would never take effect. */
static bool check_not_prevented(const struct policy *p, const struct policy_allow *a, char *error,
				size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i];
		unsigned int rule = RULE_NONE + 1;

		while (rule < RULE_MAX &&
		       (!(a->rules >> rule & 1) || entry->mode[rule] != MODE_PREVENT))
			rule++;
		if (rule == RULE_MAX || (a->instance && strcmp(a->instance, entry->name)))
			continue;
		snprintf(
			error, size,
			"%s:%u: allow[].rule: %s is prevented for '%s' (%s:%u), and prevention has no "
			"exceptions; expected another instance, or mode alert there",
			a->at.file, a->at.line, rule_name(rule), entry->name, entry->at.file,
			entry->at.line);
		return false;
	}
	return true;
}

static bool check_instance_name(const struct policy *p, const struct policy_allow *a, char *error,
				size_t size)
{
	const char *known[POLICY_KEYS_MAX];
	size_t n = 0;
	char hint[POLICY_HINT_LEN];

	if (!a->instance || find_instance(p, a->instance) || strchr(a->instance, ':'))
		return true;
	for (size_t i = 0; i < p->instances && n < ARRAY_SIZE(known); i++)
		known[n++] = p->instance[i].name;
	policy_hint(a->instance, known, n, hint);
	snprintf(
		error, size,
		"%s:%u: allow[].instance: unknown instance '%s'; expected the name of an entry of instances, or "
		"NAME:PORT as alerts show it%s",
		a->at.file, a->at.line, a->instance, hint);
	return false;
}

static bool check_plaintext(const struct policy *p, char *error, size_t size)
{
	for (size_t i = 0; p->tls.plaintexts && i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i];
		const struct policy_plaintext *first = p->tls.plaintext;

		if (entry->mode[RULE_TLS_PLAINTEXT] != MODE_PREVENT)
			continue;
		snprintf(error, size,
			 "%s:%u: tls.plaintext[]: tls-plaintext is prevented for '%s' (%s:%u), and "
			 "prevention has no exceptions; expected mode alert there",
			 first->at.file, first->at.line, entry->name, entry->at.file,
			 entry->at.line);
		return false;
	}
	return true;
}

bool policy_validate(const struct policy *p, char *error, size_t size)
{
	if (!check_unique_names(p, error, size) || !check_plaintext(p, error, size))
		return false;
	for (size_t i = 0; i < p->allows; i++) {
		if (!check_instance_name(p, &p->allow[i], error, size) ||
		    !check_not_prevented(p, &p->allow[i], error, size))
			return false;
	}
	return true;
}
