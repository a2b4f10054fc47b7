/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - adds up what the entries of a log say of a period: when somebody watched and when nobody did, with which sensors, what
 * was counted, of which servers. Entries are fed in their order; each has its own time, so the clock is never read. Pure: no I/O.
 *
 * Watched means: from the entry of kind "sensors" that a monitor writes once it has started, to its last entry. A monitor that did
 * not end properly counts to the last entry before the next start.
 */
#ifndef CACHEWARDEN_LEDGER_H
#define CACHEWARDEN_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGER_SILENT_MS 90000 /* a running monitor writes an entry at least every 60 s */
#define LEDGER_GAPS_MAX 64     /* named; the rest is added up */
#define LEDGER_LIVES_MAX 1024  /* servers */
#define LEDGER_INCIDENTS_MAX 64
#define LEDGER_ORDER_MS 5000  /* entries of two threads may be that much out of order */
#define LEDGER_FIRST 0	      /* a period that begins with the first entry */
#define LEDGER_OPEN INT64_MAX /* a period without end */

struct ledger;

/* The period, in epoch milliseconds. named: list incidents, too. Returns NULL if memory ran out. */
struct ledger *ledger_new(int64_t from_ms, int64_t to_ms, bool named);
void ledger_free(struct ledger *l);

void ledger_entry(struct ledger *l, const char *entry, size_t len);

/* An entry of that time that says nothing else. */
void ledger_alive(struct ledger *l, int64_t time_ms);

/* Begin the next period where this one ends: what runs and what is attached stays known. */
void ledger_restart(struct ledger *l, int64_t from_ms);

/* Where the period begins; the time of the first entry; of the last one. 0: there is none. */
int64_t ledger_from(const struct ledger *l);
int64_t ledger_first(const struct ledger *l);
int64_t ledger_last(const struct ledger *l);

/*
 * What is known of the period up to to_ms: an object that docs/evidence.md describes, new. Not for a ledger with entries behind to_ms
 * unless its period ends there. instance: name, uid, or uid without the boot, of the only server that is wanted; NULL: all of them.
 * Returns NULL if memory ran out.
 */
json_t *ledger_sum(struct ledger *l, int64_t to_ms, const char *instance);

/* ledger_sum() ended the period: it goes on after all. */
void ledger_reopen(struct ledger *l);

/* Milliseconds of each day (24 hours from the beginning of the period) that were watched, at most 31 of them. */
#define LEDGER_DAYS 31
int64_t ledger_day(const struct ledger *l, unsigned int day);

#endif
