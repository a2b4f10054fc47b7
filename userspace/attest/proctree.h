/* SPDX-License-Identifier: BSD-2-Clause */
/* proctree.h - the processes that entries name, as one list with each one's parent, for programs. Pure. */
#ifndef CACHEWARDEN_PROCTREE_H
#define CACHEWARDEN_PROCTREE_H

#include <jansson.h>
#include <stdint.h>

#define PROCTREE_MAX 4096

/*
 * What one process, and no other, is known by in all entries: its process_uid. Entries of older logs have none: then its pid and the
 * millisecond of its start. That can show one process twice, since the start is converted to the wall clock anew each time; it never
 * shows two as one.
 */
#define PROCTREE_KEY_LEN 64
void proctree_key(json_t *process, char buf[PROCTREE_KEY_LEN]);

/* The object, new, empty. NULL if memory ran out. */
json_t *proctree_new(void);

/* Take in an entry of kind "event" or "actor"; others are left out. index: its number. */
void proctree_add(json_t *tree, json_t *entry, uint64_t index);

#endif
