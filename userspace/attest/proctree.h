/* SPDX-License-Identifier: BSD-2-Clause */
/* proctree.h - the processes that entries name, as one list with each one's parent, for programs. Pure. */
#ifndef CACHEWARDEN_PROCTREE_H
#define CACHEWARDEN_PROCTREE_H

#include <jansson.h>
#include <stdint.h>

#define PROCTREE_MAX 4096
#define PROCTREE_SLACK_MS                                                                          \
	1000 /* one process's start, as several entries have it: clocks are read anew each time */

/* The object, new, empty. NULL if memory ran out. */
json_t *proctree_new(void);

/* Take in an entry of kind "event" or "actor"; others are left out. index: its number. */
void proctree_add(json_t *tree, json_t *entry, uint64_t index);

#endif
