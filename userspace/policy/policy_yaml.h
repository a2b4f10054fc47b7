/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_yaml.h - reads policy files (YAML, with libyaml). A file with any error is refused as a whole; the error
 * names file, line, key, what is wrong and what was expected.
 */
#ifndef CACHEWARDEN_POLICY_YAML_H
#define CACHEWARDEN_POLICY_YAML_H

#include "policy/policy_table.h"

#define POLICY_FILE "/etc/cachewarden/policy.yaml"

/*
 * Add the contents of text to a root struct of that table. Entries keep the pointer name, with which errors begin. On
 * failure returns false, with part of it added.
 */
bool policy_yaml_read(const struct policy_table *t, void *root, const char *name, const char *text,
		      size_t len, char *error, size_t size);

/* The same with the product's table. name is copied. */
bool policy_yaml_parse(struct policy *p, const char *name, const char *text, size_t len,
		       char *error, size_t size);

/* The text of a file, to be freed. NULL with the reason in error. */
char *policy_yaml_text(const char *path, size_t *ret_len, char *error, size_t size);

/*
 * The whole policy: file, then the *.yaml in the directory policy.d beside it, sorted by name. file NULL: POLICY_FILE,
 * or the built-in policy if it does not exist. trusted: refuse files that anybody but their owner can write, or that
 * belong to neither root nor this user. On failure returns false and leaves the built-in policy.
 */
bool policy_yaml_load(struct policy *p, const char *file, bool trusted, char *error, size_t size);

#endif
