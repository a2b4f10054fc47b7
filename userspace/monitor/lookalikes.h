/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookalikes.h - recognises servers by their executable's contents instead of its name: it contains the format of a line
 * that Redis and its forks answer INFO with, and the process listens.
 */
#ifndef CACHEWARDEN_LOOKALIKES_H
#define CACHEWARDEN_LOOKALIKES_H

#include "base/hashtable.h"

#include <stdint.h>

struct sensors;

struct lookalikes {
	struct hashtable files; /* executables examined so far */
	uint64_t unwatched;	/* of them, those found running unwatched */
};

/* Returns 0 or -ENOMEM. */
int lookalikes_init(struct lookalikes *l);
void lookalikes_free(struct lookalikes *l);

/* Make candidates of those that run already, see sensors_add_candidate(). */
void lookalikes_adopt(struct lookalikes *l, struct sensors *sensors);

/* Find those that are not watched, and log each executable once. Returns how many were logged so far. */
uint64_t lookalikes_unwatched(struct lookalikes *l, struct sensors *sensors);

#endif
