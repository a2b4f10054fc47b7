/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - what is counted for the statements of the evidence log, by server: accesses by rule and verdict, the exceptions that
 * allowed them, handshakes by version and suite, bytes; and for the host what was lost, sweeps and blind spots. Every some minutes,
 * and at the end, the numbers since the last time become entries (kind "tally") and begin again.
 */
#ifndef CACHEWARDEN_TALLY_H
#define CACHEWARDEN_TALLY_H

#include "monitor/state.h"
#include "report/finding.h"

/*
 * Before this monitor takes over from another: what connections have carried by now, the other one counts. Then
 * tally_begin(), before the ring buffer is read again.
 */
void tally_baseline(struct monitor *m);

/* The monitor has started: count from now on. */
void tally_begin(struct monitor *m);

void tally_finding(struct monitor *m, struct alert *a, const struct finding *f);
void tally_blind(struct monitor *m, const struct finding *f);
void tally_incident(struct monitor *m, uint32_t instance);
void tally_handshake(struct monitor *m, const struct conn *c);
void tally_closed(struct monitor *m, const struct handshake_chunk *closed);
void tally_sensors_lost(struct monitor *m);

/* Once a second. last: the monitor ends. */
void tally_tick(struct monitor *m, bool last);

void tally_free(struct tally *t);

#endif
