/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sharing.h - two servers may share a configuration, an ACL file or a private key. Decides whether an instance that opens
 * another one's is such a server. What counts is what it executes, as whom, and that it listens: never its name.
 *
 * The attempt (EVENT_SHARED) is an alert at once if the instance executes something else or runs as another user. If
 * not, it waits: an instance that does not listen within its start, or ends before, was no server.
 */
#ifndef CACHEWARDEN_SHARING_H
#define CACHEWARDEN_SHARING_H

#include "event.h"

#include <stddef.h>

struct instance;
struct monitor;

#define SHARING_MAX 256 /* attempts that wait; a further one is an alert at once */

struct sharing {
	struct event *held;
	size_t count;
};

void sharing_opened(struct monitor *m, const struct event *ev);

/* It listens: what it opened is its own. */
void sharing_listens(struct monitor *m, const struct instance *in);

void sharing_ended(struct monitor *m, const struct instance *in);

/* Report what instances opened that have started without listening. To be called periodically. */
void sharing_check(struct monitor *m);

void sharing_free(struct sharing *s);

#endif
