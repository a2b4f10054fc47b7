/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_yaml.h - reads policy files (YAML, by libyaml). A wrong one is refused whole: the error names file, line,
 * key, what is wrong and what was expected.
 */
#ifndef CACHEWARDEN_POLICY_YAML_H
#define CACHEWARDEN_POLICY_YAML_H

#include "policy/policy.h"

#define POLICY_FILE "/etc/cachewarden/policy.yaml"
#define POLICY_ERROR_LEN 1024

/*
 * Add what a file says to p, which is to be thrown away if it returns false. name is what errors call it.
 * No file is touched.
 */
bool policy_yaml_parse(struct policy *p, const char *name, const char *text, size_t len,
		       char *error, size_t size);

/*
 * The whole policy: a file, then the *.yaml in the directory policy.d beside it in the order of their names. file
 * NULL: POLICY_FILE, and where there is none the built-in policy. `trusted`: files that others than their owner may write are
 * refused. Returns false with p empty and a reason in error.
 */
bool policy_yaml_load(struct policy *p, const char *file, bool trusted, char *error, size_t size);

#endif
