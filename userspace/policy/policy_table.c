// SPDX-License-Identifier: BSD-2-Clause
/* policy_table.c - see policy_table.h. Everything is found by walking the rows: tables are short. */
#include "policy/policy_table.h"

#include "policy/policy_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(POLICY_KEYS_MAX <= 64, "a key is a bit of a uint64_t");

#define SCOPE_LEN 128 /* of a path */

const struct policy_key *policy_table_find(const struct policy_table *t, const char *path)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!strcmp(t->key[i].path, path))
			return &t->key[i];
	}
	return NULL;
}

/* What follows prefix and a dot, NULL if path is not below prefix. */
static const char *below(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (!len)
		return path;
	return !strncmp(path, prefix, len) && path[len] == '.' ? path + len + 1 : NULL;
}

size_t policy_table_children(const struct policy_table *t, const char *prefix,
			     const struct policy_key *ret[POLICY_KEYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < t->count && n < POLICY_KEYS_MAX; i++) {
		const char *rest = below(t->key[i].path, prefix);

		if (rest && !strchr(rest, '.'))
			ret[n++] = &t->key[i];
	}
	return n;
}

const char *policy_key_name(const struct policy_key *k)
{
	const char *dot = strrchr(k->path, '.');

	return dot ? dot + 1 : k->path;
}

/* Is k stored in the struct of that scope itself? "" is the root struct, "allow[]" an entry. */
static bool in_scope(const struct policy_key *k, const char *scope)
{
	const char *rest = below(k->path, scope);

	return rest && !strstr(rest, "[]");
}

static void scope_of_entries(const struct policy_key *list, char scope[SCOPE_LEN])
{
	snprintf(scope, SCOPE_LEN, "%s[]", list->path);
}

static bool is_stored(const struct policy_key *k)
{
	return k->type != POLICY_MAP && k->type != POLICY_RULES;
}

const struct policy_key *policy_table_at(const struct policy_table *t,
					 const struct policy_key *list, size_t at)
{
	char scope[SCOPE_LEN] = "";

	if (list)
		scope_of_entries(list, scope);
	for (size_t i = 0; i < t->count; i++) {
		const struct policy_key *k = &t->key[i];

		if (is_stored(k) && k->at == at && in_scope(k, scope))
			return k;
	}
	return NULL;
}

/* --- defaults --- */

static void init_struct(const struct policy_table *t, const char *scope, void *in)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct policy_key *k = &t->key[i];
		int64_t *number = (int64_t *)((char *)in + k->at);
		char error[POLICY_ERROR_LEN];

		if (!in_scope(k, scope))
			continue;
		for (size_t n = 0; k->type >= POLICY_NUMBER && n < (k->per_rule ? RULE_MAX : 1);
		     n++)
			number[n] = POLICY_UNSET;
		if (k->preset &&
		    !policy_value_set(k, in, RULE_NONE, k->preset, error, sizeof(error)))
			abort(); /* the table contradicts itself; a unit test reads every row */
	}
}

void policy_table_init(const struct policy_table *t, void *root)
{
	init_struct(t, "", root);
}

/* --- lists --- */

void *policy_table_append(const struct policy_table *t, const struct policy_key *list, void *in,
			  struct policy_place place)
{
	void *entry = policy_list_grow(list, in, list->entry_size);
	char scope[SCOPE_LEN];

	if (!entry)
		return NULL;
	memset(entry, 0, list->entry_size);
	memcpy(entry, &place, sizeof(place));
	scope_of_entries(list, scope);
	init_struct(t, scope, entry);
	++*policy_list_count(list, in);
	return entry;
}

/* --- freeing --- */

static void free_struct(const struct policy_table *t, const char *scope, void *in);

static void free_list(const struct policy_table *t, const struct policy_key *list, void *in)
{
	char *array = policy_pointer(list, in), scope[SCOPE_LEN];
	size_t *count = policy_list_count(list, in);

	scope_of_entries(list, scope);
	for (size_t i = 0; i < *count; i++) {
		if (list->type == POLICY_LIST)
			free_struct(t, scope, array + i * list->entry_size);
		else
			free(((char **)array)[i]);
	}
	free(array);
	policy_set_pointer(list, in, NULL);
	*count = 0;
}

static void free_struct(const struct policy_table *t, const char *scope, void *in)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct policy_key *k = &t->key[i];

		if (!in_scope(k, scope))
			continue;
		if (k->type == POLICY_LIST || k->type == POLICY_STRINGS) {
			free_list(t, k, in);
		} else if (k->type >= POLICY_TEXT && k->type <= POLICY_SHA256) {
			free(policy_pointer(k, in));
			policy_set_pointer(k, in, NULL);
		}
	}
}

void policy_table_free(const struct policy_table *t, void *root)
{
	free_struct(t, "", root);
	init_struct(t, "", root);
}
