/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.h - asks running servers which files are their own, where the policy says so (instances[].ask). A server that
 * cannot be asked is a blind spot. The event loop never waits: see ask_session.h.
 */
#ifndef CACHEWARDEN_ASK_H
#define CACHEWARDEN_ASK_H

#include "monitor/state.h"

/* Ask those that are due, and use the answers that came. To be called once a second. */
void ask_tick(struct monitor *m);

#endif
