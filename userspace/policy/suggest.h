/* SPDX-License-Identifier: BSD-2-Clause */
/* suggest.h - proposes exceptions from recorded events. */
#ifndef CACHEWARDEN_SUGGEST_H
#define CACHEWARDEN_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Write a policy to `to` that allows those events of a file that were alerts: one entry per rule, executable, user, unit
 * and server. Its reasons are empty; a policy without reasons is refused. Returns false with a reason in error at the first
 * line that is not an event.
 */
bool suggest(const char *path, FILE *to, char *error, size_t size);

#endif
