// SPDX-License-Identifier: BSD-2-Clause
/* policy_row.c - see policy_row.h. Pointers are copied, because the members have types of their own. */
#include "policy/policy_row.h"

#include <stdlib.h>
#include <string.h>

void *policy_pointer(const struct policy_key *k, const void *in)
{
	void *p;

	memcpy(&p, (const char *)in + k->at, sizeof(p));
	return p;
}

void policy_set_pointer(const struct policy_key *k, void *in, const void *p)
{
	memcpy((char *)in + k->at, &p, sizeof(p));
}

size_t *policy_list_count(const struct policy_key *list, void *in)
{
	return (size_t *)((char *)in + list->count);
}

void *policy_list_grow(const struct policy_key *list, void *in, size_t size)
{
	size_t *count = policy_list_count(list, in);
	void *array;

	if (*count >= POLICY_ENTRIES_MAX)
		return NULL;
	array = realloc(policy_pointer(list, in), (*count + 1) * size);
	if (!array)
		return NULL;
	policy_set_pointer(list, in, array);
	return (char *)array + *count * size;
}

bool policy_strings_append(const struct policy_key *list, void *in, const char *text)
{
	char **place = policy_list_grow(list, in, sizeof(*place));

	if (!place)
		return false;
	*place = strdup(text);
	*policy_list_count(list, in) += *place != NULL;
	return *place;
}
