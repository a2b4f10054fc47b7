/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plaintext.h - a server that speaks no TLS at all is one finding about the server (tls-listener), not one per client.
 *
 * What proves it is the server's own answer: one that begins in plaintext, on a port it listens on. A TLS port never answers
 * a client's plaintext like that. As long as the server has not spoken TLS, a client's plaintext waits HOLD_NS for such an
 * answer, and is an alert if none comes.
 */
#ifndef CACHEWARDEN_PLAINTEXT_H
#define CACHEWARDEN_PLAINTEXT_H

#include "monitor/state.h"

/* Must this alert wait for the server's answer? plaintext_next_due() will return it. */
bool plaintext_hold(struct monitor *m, struct alert *a);

/* Is this traffic of a server that speaks no TLS? False for the first credential on the wire. */
bool plaintext_is_routine(struct monitor *m, const struct alert *a);

/* Is this plaintext a state of the server rather than an action of the client that sent it? */
bool plaintext_is_state(const struct monitor *m, const struct event *ev);

/* The server answered in plaintext on a port it listens on: ev breaks tls-listener. */
void plaintext_answered(struct monitor *m, const struct event *ev);

/*
 * The next waiting alert after a (NULL: the first) that is due; NULL if there are no more. To be called at
 * m->plaintext_due_ns (UINT64_MAX: nothing waits).
 */
struct alert *plaintext_next_due(struct monitor *m, struct alert *a);

#endif
