/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookalikes.h - servers by what they are, not by what they are called: the executable has the text in it that Redis and
 * what was made from it answer INFO with, and the process listens.
 */
#ifndef CACHEWARDEN_LOOKALIKES_H
#define CACHEWARDEN_LOOKALIKES_H

#include "base/hashtable.h"

#include <stdint.h>

struct sensors;

struct lookalikes {
	struct hashtable files; /* executables looked at so far */
	uint64_t unwatched;	/* those that were found running unwatched */
};

/* Returns 0 or -ENOMEM. */
int lookalikes_init(struct lookalikes *l);
void lookalikes_free(struct lookalikes *l);

/* Those that run already become candidates, see sensors_add_candidate(). */
void lookalikes_adopt(struct lookalikes *l, struct sensors *sensors);

/* Find those that are not watched, and log each executable once. Returns how many it has been so far. */
uint64_t lookalikes_unwatched(struct lookalikes *l, struct sensors *sensors);

#endif
