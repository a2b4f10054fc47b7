/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sharing.h - two servers may share a configuration, an ACL file or a private key. Decides whether an instance that opens
 * another one's file is such a server: by the program it executes, its user, and that it listens, never by its name.
 *
 * An instance with another program or user is refused at once. What the others open before they listen is held until they
 * do; an instance that has not listened by the end of its start is no server.
 */
#ifndef CACHEWARDEN_SHARING_H
#define CACHEWARDEN_SHARING_H

#include "model/instance.h"

#define SHARING_MAX 256 /* attempts held; a further one is an alert at once */

struct sharing {
	struct event *held; /* NULL: none yet */
	size_t count;
};

void sharing_free(struct sharing *s);

/*
 * in opened a file of owner (EVENT_SHARED); either may be NULL: unknown. Returns false if it had no right to. If that is
 * not decided yet, the attempt is held.
 */
bool sharing_allows(struct sharing *s, const struct event *ev, const struct instance *owner,
		    const struct instance *in);

/* Take an attempt held of that instance. Returns false if there is none left. */
bool sharing_take(struct sharing *s, uint32_t instance, struct event *ret);

#endif
