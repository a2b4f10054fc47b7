/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plaintext.h - a server that speaks no TLS at all is one finding about the server (tls-listener), not one for each client.
 *
 * Only the server's own answer tells: one that it begins in plaintext, on a port it listens on. Plaintext that a client
 * sends to a TLS port is never answered so. Where the server has not yet spoken TLS, a client's plaintext waits HOLD_NS for
 * that answer, and is an alert if none comes.
 */
#ifndef CACHEWARDEN_PLAINTEXT_H
#define CACHEWARDEN_PLAINTEXT_H

#include "monitor/state.h"

/* Is that alert to wait? plaintext_next_due() will return it. */
bool plaintext_hold(struct monitor *m, struct alert *a);

/* A server that speaks no TLS talks to its client. False for the first credential that crosses the wire. */
bool plaintext_is_routine(struct monitor *m, const struct alert *a);

/* Is that plaintext something about the server, whoever sent it? */
bool plaintext_is_state(const struct monitor *m, const struct event *ev);

/* The server answered in plaintext on a port it listens on: ev breaks tls-listener. */
void plaintext_answered(struct monitor *m, const struct event *ev);

/*
 * The waiting alert after a, NULL for the first, which is to be reported now; NULL if there are no more. To be called at
 * m->plaintext_due_ns (UINT64_MAX: nothing waits).
 */
struct alert *plaintext_next_due(struct monitor *m, struct alert *a);

#endif
