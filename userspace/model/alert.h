/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alert.h - from attempts to alerts: the first of a kind is shown at once, what follows is counted
 * and shown at most once a second. Pure: time is passed in, nothing is read or written.
 */
#ifndef CACHEWARDEN_ALERT_H
#define CACHEWARDEN_ALERT_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALERTS_MAX                                                                                 \
	20000 /* more than the kernel's attempts table holds: the oldest idle ones go first */
#define ALERT_UPDATE_NS 1000000000ull
#define ALERT_NOTE_LEN 96

struct alert {
	struct event
		ev; /* the first event; only key, count and time are known if it was never received */
	uint64_t id; /* 1, 2, 3, ... in the order they were shown */
	uint64_t
		count; /* attempts so far: what the kernel counted, and what it had no room to count */
	uint64_t uncounted; /* of these, what stands in no entry of the kernel's table now */
	uint64_t bytes;
	uint64_t bytes_before; /* of these, what stood in an entry that is gone */
	uint64_t shown_count;
	uint64_t shown_ns;
	uint64_t last_ns;
	bool detailed;		   /* ev was received */
	bool kept;		   /* the kernel has no entry for it; see alerts_keep */
	char note[ALERT_NOTE_LEN]; /* self-blind: what was not seen */
	char *opener;	    /* tls-listener: who opened the connection it was first seen on */
	struct alert *next; /* hash chain */
};

struct alerts {
	struct alert **buckets;
	size_t count;
	uint64_t next_id;
	uint64_t forgotten; /* alerts dropped from memory, all of them shown */
};

/* Returns 0 or -ENOMEM. */
int alerts_init(struct alerts *as);
void alerts_free(struct alerts *as);

/*
 * An event arrived. Returns the alert to show as new or as a first detail, NULL if it is known
 * already (its count then waits for alerts_counted) or memory ran out.
 */
struct alert *alerts_event(struct alerts *as, const struct event *ev);

/*
 * The kernel's table says how often so far. Returns the alert if it is due to be shown: new (no
 * event ever came), or grown and not shown within the last second. `flush` waives the second.
 */
struct alert *alerts_counted(struct alerts *as, const struct attempt_key *key,
			     const struct attempt *a, uint64_t now_ns, bool flush);

/* Mark as shown now; returns true if it had been shown before (an update). */
bool alert_shown(struct alerts *as, struct alert *a, uint64_t now_ns);

/* The monitor itself could not see something: one alert per note, counted like others. */
struct alert *alerts_blind(struct alerts *as, const char *note, uint64_t total, uint64_t now_ns,
			   bool flush);

/*
 * The alert about plaintext that came in on the connection of that event, NULL if there is none. Looks at every
 * alert: for what is rare.
 */
const struct alert *alerts_plaintext(const struct alerts *as, const struct event *ev);

/* The kernel's entry is gone: nothing more will come for this key. */
void alerts_forget(struct alerts *as, const struct attempt_key *key);

/*
 * The kernel's entry is gone, but what it was about is told once in an instance's life: should it come again, it is
 * no news, and counted on. Such alerts are the first to go when there is no room, and go with their instance.
 */
void alerts_keep(struct alerts *as, const struct attempt_key *key);
void alerts_ended(struct alerts *as, uint32_t instance);

#endif
