/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover.h - one monitor takes over from another, without a gap: `cachewarden upgrade`.
 *
 * The one that runs starts the next as its child: the executable that it was started as, which an upgrade has replaced, with
 * its own arguments. Both talk over a socket pair (handover_message.h). The next one attaches all that it attaches, finds
 * what there is, and reports nothing. Then the first says from when on it is to report; the kernel side of both goes by that
 * (bpf/lib/turn.bpf.h). The first reports what came before, closes its evidence, its sockets and its output, says that it is
 * done, and ends. What the next one is to report meanwhile waits in its ring buffer.
 *
 * If the next one does not get that far, the first goes on as if nothing had been. If the first does not, the next one ends
 * it, begins by itself, and says so.
 */
#ifndef CACHEWARDEN_HANDOVER_H
#define CACHEWARDEN_HANDOVER_H

#include "monitor/handover_state.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HANDOVER_ENV "CACHEWARDEN_HANDOVER" /* descriptor of the socket, in the next one */

struct monitor;

/* --- in the one that runs --- */

/* Start the next one. Returns its pid, or a negative errno and in error (of size bytes) what is wrong. */
pid_t handover_start(struct monitor *m, char *error, size_t size);

/* Each time that the main loop goes round: hear what the next one says, and do not wait for it for ever. */
void handover_tick(struct monitor *m, uint64_t now_ns);

/* What to wait for. Returns how many entries of fd it filled, 0 or 1. */
size_t handover_poll(const struct handover *h, struct pollfd *fd);

/* When handover_tick() is to be called next, or the loop to end; UINT64_MAX: it does not matter. */
uint64_t handover_due(const struct handover *h);

/* Is it time to end, because the next one reports now? */
bool handover_over(const struct handover *h, uint64_t now_ns);

/* All that the next one may open now is closed. Returns 0 or a negative errno: it has ended. */
int handover_done(struct monitor *m);

/* This one is told to end: so is the next one. */
void handover_cancel(struct monitor *m);

/* --- in the next one --- */

/* Was this one started to take over? Returns 0, with h->takes_over set if so, or -1 after an error message. */
int handover_adopt(struct handover *h);

/* Before the sensors look for other monitors: the one before is one, whatever it executes. */
void handover_recognise(const struct handover *h, struct sensors *s);

/*
 * All is attached: take over. Returns once the one before is done, or has ended, or was ended. What went wrong is kept for
 * handover_report().
 */
enum handover_end {
	HANDOVER_CLEAN,
	HANDOVER_DIED,	/* the one before ended on its way */
	HANDOVER_HUNG,	/* it did not go on, and was killed */
	HANDOVER_STUCK, /* nor did it end then */
};
enum handover_end handover_take(struct monitor *m);

#endif
