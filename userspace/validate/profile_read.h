/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_read.h - profiles are YAML, read by the machinery of policies. Pure: the caller reads files. */
#ifndef CACHEWARDEN_PROFILE_READ_H
#define CACHEWARDEN_PROFILE_READ_H

#include "policy/policy_table.h"
#include "validate/profile.h"

extern const struct policy_table profile_table;

/* The YAML of a profile that is built in, NULL if there is none of that name. */
const char *profile_builtin(const char *name);

/*
 * Read a profile from text and check it; errors begin with name. On failure returns false and leaves nothing to free. name
 * must outlive the profile.
 */
bool profile_parse(struct profile *p, const char *name, const char *text, size_t len, char *error,
		   size_t size);
void profile_free(struct profile *p);

#endif
