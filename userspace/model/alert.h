/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert.h - one alert for all attempts of a kind: the first is shown at once, later ones are counted and shown at most
 * once a second. Pure: time is passed in.
 */
#ifndef CACHEWARDEN_ALERT_H
#define CACHEWARDEN_ALERT_H

#include "base/hashtable.h"

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above ATTEMPTS_MAX. Beyond it the alert that was quiet longest is dropped. */
#define ALERTS_MAX 20000
#define ALERT_UPDATE_NS 1000000000ull
#define ALERT_NOTE_LEN 160

struct alert {
	struct event ev;    /* the first one; key, count and time only, if none was received */
	uint64_t id;	    /* 1, 2, 3, ... in the order they were shown; 0: not yet */
	uint64_t count;	    /* attempts so far: the kernel's count and uncounted */
	uint64_t uncounted; /* attempts that are in no entry of the kernel's table now */
	uint64_t bytes;
	uint64_t tallied_bytes; /* the part of bytes that is in a tally */
	uint64_t bytes_before;	/* the part of bytes that was in an entry which is gone */
	uint64_t shown_count;
	uint64_t shown_ns;
	uint64_t held_ns; /* its first report waits until then, see monitor/plaintext.h; 0: no */
	uint64_t last_ns;
	bool detailed;		   /* ev was received */
	bool retained;		   /* the kernel has no entry for it, see alerts_retain() */
	char note[ALERT_NOTE_LEN]; /* in place of what the event says; self-blind: the blind spot */
	char *opener; /* tls-listener: executable that opened the connection it was first seen on */
	char *last_seen; /* self-blind: what the monitor last did; NULL: nothing to say */
	struct hash_link link;
};

struct alerts {
	struct hashtable by_key;
	uint64_t next_id;
	uint64_t forgotten; /* alerts dropped from memory; all had been shown */
};

/* Returns 0 or -ENOMEM. */
int alerts_init(struct alerts *as);
void alerts_free(struct alerts *as);

/*
 * An event arrived. Returns the alert if it is to be shown, as new or because its first details came; NULL if
 * it is known (alerts_counted() reports its count) or memory ran out.
 */
struct alert *alerts_event(struct alerts *as, const struct event *ev);

/*
 * The kernel's table counts an attempt. Returns the alert if it is to be shown: it is new (its event was lost), or it has
 * grown and was not shown within the last second. flush: do not wait for that second.
 */
struct alert *alerts_counted(struct alerts *as, const struct attempt_key *key,
			     const struct attempt *at, uint64_t now_ns, bool flush);

/* The alert after a, NULL for the first; NULL if there are no more. None may be dropped meanwhile. */
struct alert *alerts_next(const struct alerts *as, const struct alert *a);

/* Mark as shown now. Returns true if it had been shown before: this is an update. */
bool alert_shown(struct alerts *as, struct alert *a, uint64_t now_ns);

/*
 * A blind spot of the monitor, `total` times so far: one alert per note, counted like others. detail: 0 or BLIND_WHOLLY
 * (attempt.h).
 */
struct alert *alerts_blind(struct alerts *as, const char *note, uint32_t detail, uint64_t total,
			   uint64_t now_ns, bool flush);

/*
 * The alert about plaintext that came in on the connection of that event, NULL if there is none. Walks all alerts: only
 * for rare events.
 */
const struct alert *alerts_plaintext(const struct alerts *as, const struct event *ev);

/* How often a blind spot was counted so far. */
uint64_t alerts_blind_count(const struct alerts *as, const char *note);

/* The kernel's entry is gone: nothing more will come for this key. */
void alerts_forget(struct alerts *as, const struct attempt_key *key);

/*
 * The same for what is reported once in an instance's life: should it come again, it is not new and its count continues.
 * Such alerts are dropped first when there is no room, and with their instance.
 */
void alerts_retain(struct alerts *as, const struct attempt_key *key);
void alerts_instance_ended(struct alerts *as, uint32_t instance);

#endif
