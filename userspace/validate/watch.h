/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h - watches a server for a while by a monitor, and takes what a statement of that time says. */
#ifndef CACHEWARDEN_WATCH_H
#define CACHEWARDEN_WATCH_H

#include "validate/facts.h"

#include <jansson.h>

/*
 * Watch f's server for so many seconds, or until SIGINT or SIGTERM, or, if there is a shell command, while that runs. Its standard
 * output goes to standard error. If it fails, or does not end in time, nothing is judged.
 */
void watch(struct facts *f, uint32_t seconds, const char *command);

/* What the predicate of a statement says of a server of that name. Pure. */
void watch_read(struct facts_watch *w, json_t *predicate, const char *name);

#endif
