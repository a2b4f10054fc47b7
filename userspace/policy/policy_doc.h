/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_doc.h - the table of policy keys in words: for a terminal, as Markdown, as a manual page. */
#ifndef CACHEWARDEN_POLICY_DOC_H
#define CACHEWARDEN_POLICY_DOC_H

#include <stddef.h>

enum policy_doc { DOC_TEXT, DOC_MARKDOWN, DOC_MAN };

/*
 * About a key and what is below it; NULL: all, with an introduction and an example. Returns the text, to be
 * freed, or NULL if there is no such key (or memory ran out).
 */
char *policy_doc(enum policy_doc form, const char *key);

/* A policy that says a little of everything; the documents show it, the tests read it. */
extern const char policy_example[];

#endif
