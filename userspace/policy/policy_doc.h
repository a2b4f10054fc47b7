/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_doc.h - reference of the policy keys as text, Markdown (docs/policy.md) or cachewarden-policy(5). */
#ifndef CACHEWARDEN_POLICY_DOC_H
#define CACHEWARDEN_POLICY_DOC_H

enum policy_doc { DOC_TEXT, DOC_MARKDOWN, DOC_MAN };

/*
 * A key and those below it; NULL: all, with introduction and example. The caller frees the text. NULL if there is no
 * such key, or memory ran out.
 */
char *policy_doc(enum policy_doc form, const char *key);

/* The example in the documentation. */
extern const char policy_example[];

#endif
