/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - what instances keep on disk, as far as it was seen or found: told apart by kind, made known to the
 * kernel side, looked after while it exists.
 *
 * Of a file's bytes only its first are looked at, to tell what it is; they go nowhere.
 */
#ifndef CACHEWARDEN_FILES_H
#define CACHEWARDEN_FILES_H

#include "model/instance.h"
#include "sensor/sensors.h"

struct files;

/*
 * tell is called with an attempt of its own making for what is wrong with files at rest: readable by others,
 * variables in a server's environment. Returns NULL when out of memory.
 */
struct files *files_new(struct sensors *s, void (*tell)(void *ctx, const struct event *ev),
			void *ctx);
void files_free(struct files *f); /* NULL is fine */

/* An instance opened a file itself (EVENT_FILE). */
void files_opened(struct files *f, const struct instance *in, const struct event *ev);

/* An instance started. */
void files_started(struct files *f, const struct instance *in);

/* An instance is gone; what it had in common with a living one stays protected. */
void files_ended(struct files *f, const struct instances *is, const struct instance *in);

/* Now and then: files that were renamed or are gone, or empty when they were first seen. */
void files_tidy(struct files *f, const struct instances *is);

/* How many are protected for an instance. */
size_t files_count(const struct files *f, uint32_t instance);

#endif
