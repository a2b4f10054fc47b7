// SPDX-License-Identifier: BSD-2-Clause
/* policy_check.c - see policy_check.h */
#include "policy/policy_check.h"

#include "base/macros.h"
#include "policy/policy_key.h"
#include "policy/policy_sink_check.h"
#include "policy/policy_value.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The lists and keys that messages name. */
struct names {
	const struct policy_key *instances, *name, *mode, *plaintext, *allow, *rule, *instance;
	const struct policy_key *user, *password_file, *uid, *cert, *key;
};

static void find_names(const struct policy_table *t, struct names *ret)
{
	ret->instances = policy_table_at(t, NULL, offsetof(struct policy, instance));
	ret->name = policy_table_at(t, ret->instances, offsetof(struct policy_instance, name));
	ret->mode = policy_table_at(t, ret->instances, offsetof(struct policy_instance, mode));
	ret->user = policy_table_at(t, ret->instances, offsetof(struct policy_instance, ask.user));
	ret->password_file = policy_table_at(t, ret->instances,
					     offsetof(struct policy_instance, ask.password_file));
	ret->uid = policy_table_at(t, ret->instances, offsetof(struct policy_instance, ask.uid));
	ret->cert = policy_table_at(t, ret->instances, offsetof(struct policy_instance, ask.cert));
	ret->key = policy_table_at(t, ret->instances, offsetof(struct policy_instance, ask.key));
	ret->plaintext = policy_table_at(t, NULL, offsetof(struct policy, tls.plaintext));
	ret->allow = policy_table_at(t, NULL, offsetof(struct policy, allow));
	ret->rule = policy_table_at(t, ret->allow, offsetof(struct policy_allow, rules));
	ret->instance = policy_table_at(t, ret->allow, offsetof(struct policy_allow, instance));
}

static const struct policy_instance *find_instance(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->instances; i++) {
		if (!strcmp(p->instance[i].name, name))
			return &p->instance[i];
	}
	return NULL;
}

static bool check_unique_names(const struct names *names, const struct policy *p, char *error,
			       size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i],
					     *first = find_instance(p, entry->name);

		if (first == entry)
			continue;
		snprintf(error, size,
			 "%s:%u: %s: '%s' is already used at %s:%u; expected a unique name",
			 entry->at.file, entry->at.line, names->name->path, entry->name,
			 first->at.file, first->at.line);
		return false;
	}
	return true;
}

static bool check_pair(const struct policy_instance *entry, const char *value,
		       const struct policy_key *key, const char *other,
		       const struct policy_key *needed, char *error, size_t size)
{
	if (!value || other)
		return true;
	snprintf(error, size, "%s:%u: %s: means nothing by itself; expected %s beside it",
		 entry->at.file, entry->at.line, key->path, policy_key_name(needed));
	return false;
}

/* Else whoever starts a server that the entry matches is told the password. */
static bool check_recipient(const struct policy_instance *entry, const struct names *names,
			    char *error, size_t size)
{
	if (!entry->ask.password_file || entry->ask.uid != POLICY_UNSET)
		return true;
	snprintf(error, size,
		 "%s:%u: %s: expected %s beside it, the user id that the server runs as",
		 entry->at.file, entry->at.line, names->password_file->path,
		 policy_key_name(names->uid));
	return false;
}

static bool check_ask(const struct names *names, const struct policy *p, char *error, size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *e = &p->instance[i];

		if (!check_pair(e, e->ask.user, names->user, e->ask.password_file,
				names->password_file, error, size) ||
		    !check_recipient(e, names, error, size) ||
		    !check_pair(e, e->ask.cert, names->cert, e->ask.key, names->key, error, size) ||
		    !check_pair(e, e->ask.key, names->key, e->ask.cert, names->cert, error, size))
			return false;
	}
	return true;
}

/* BPF programs prevent without evaluating exceptions: one would never take effect. */
static bool check_not_prevented(const struct names *names, const struct policy *p,
				const struct policy_allow *a, char *error, size_t size)
{
	for (size_t i = 0; i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i];
		unsigned int rule = RULE_NONE + 1;

		while (rule < RULE_MAX &&
		       (!(a->rules >> rule & 1) || entry->mode[rule] != MODE_PREVENT))
			rule++;
		if (rule == RULE_MAX || (a->instance && strcmp(a->instance, entry->name)))
			continue;
		snprintf(error, size,
			 "%s:%u: %s: %s is prevented for '%s' (%s:%u), and prevention has no "
			 "exceptions; expected another %s, or %s alert there",
			 a->at.file, a->at.line, names->rule->path, rule_name(rule), entry->name,
			 entry->at.file, entry->at.line, policy_key_name(names->instance),
			 policy_key_name(names->mode));
		return false;
	}
	return true;
}

static bool check_instance_name(const struct names *names, const struct policy *p,
				const struct policy_allow *a, char *error, size_t size)
{
	const char *known[POLICY_KEYS_MAX];
	size_t n = 0;
	char hint[POLICY_HINT_LEN];

	if (!a->instance || find_instance(p, a->instance) || strchr(a->instance, ':'))
		return true;
	for (size_t i = 0; i < p->instances && n < ARRAY_SIZE(known); i++)
		known[n++] = p->instance[i].name;
	policy_hint(a->instance, known, n, hint);
	snprintf(error, size,
		 "%s:%u: %s: unknown instance '%s'; expected the %s of an entry of %s, or "
		 "NAME:PORT as alerts show it%s",
		 a->at.file, a->at.line, names->instance->path, a->instance,
		 policy_key_name(names->name), names->instances->path, hint);
	return false;
}

static bool check_plaintext(const struct names *names, const struct policy *p, char *error,
			    size_t size)
{
	for (size_t i = 0; p->tls.plaintexts && i < p->instances; i++) {
		const struct policy_instance *entry = &p->instance[i];
		const struct policy_plaintext *first = p->tls.plaintext;

		if (entry->mode[RULE_TLS_PLAINTEXT] != MODE_PREVENT)
			continue;
		snprintf(error, size,
			 "%s:%u: %s[]: %s is prevented for '%s' (%s:%u), and "
			 "prevention has no exceptions; expected %s alert there",
			 first->at.file, first->at.line, names->plaintext->path,
			 rule_name(RULE_TLS_PLAINTEXT), entry->name, entry->at.file, entry->at.line,
			 policy_key_name(names->mode));
		return false;
	}
	return true;
}

bool policy_validate_with(const struct policy_table *t, const struct policy *p, char *error,
			  size_t size)
{
	struct names names;

	find_names(t, &names);
	if (!check_unique_names(&names, p, error, size) ||
	    !check_plaintext(&names, p, error, size) || !check_ask(&names, p, error, size) ||
	    !policy_sinks_validate(t, p, error, size))
		return false;
	for (size_t i = 0; i < p->allows; i++) {
		if (!check_instance_name(&names, p, &p->allow[i], error, size) ||
		    !check_not_prevented(&names, p, &p->allow[i], error, size))
			return false;
	}
	return true;
}

bool policy_validate(const struct policy *p, char *error, size_t size)
{
	return policy_validate_with(&policy_table, p, error, size);
}
