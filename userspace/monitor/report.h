/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - reports alerts: alert -> finding -> policy -> incident -> sinks. The finding is filled once, with everything
 * that is known, and passed down from there.
 */
#ifndef CACHEWARDEN_REPORT_H
#define CACHEWARDEN_REPORT_H

#include "monitor/state.h"

/*
 * Evaluate an alert that is new or has grown, add it to its incident, and deliver it as an event if that is asked for. A
 * monitor that takes over keeps it until its turn.
 */
void report_alert(struct monitor *m, struct alert *a);

/* It is this monitor's turn: report the alerts kept until now. */
void report_kept(struct monitor *m);

/* Report the alerts whose wait is over, see plaintext.h. */
void report_waiting(struct monitor *m);

/*
 * The monitor could not see something, `total` times so far; 0 is no news. note, at most ALERT_NOTE_LEN - 1 bytes, says
 * what; the same text is the same alert. ctx is the monitor.
 */
void report_blind_spot(void *ctx, const char *note, uint64_t total);

/* The same, and a user is known to have caused it: then it is an incident. by NULL: nobody is known. */
void report_caused(struct monitor *m, const char *note, uint64_t total, const struct culprit *by);

/*
 * Nothing is, or was, monitored at all: as report_blind_spot(), but of severity high. last_seen: what the monitor last did,
 * NULL if unknown.
 */
void report_unwatched(struct monitor *m, const char *note, const char *last_seen);

/* An incident was opened, updated or closed. ctx is the monitor. */
void report_incident(void *ctx, const struct incident *in, enum incident_change change);

/*
 * Deliver what sinks have queued, waiting up to timeout_ms for slow readers, and tell the guard what is left. Returns
 * true when nothing is.
 */
bool report_flush(struct monitor *m, int timeout_ms);

/* Deliver for the last time; what is left counts as dropped. */
void report_end(struct monitor *m, int timeout_ms);

/* Whether any output was lost. */
bool report_lost(const struct monitor *m);

#endif
