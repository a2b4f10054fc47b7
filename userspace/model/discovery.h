/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * discovery.h - who may take how much of the monitor's time to be found out about. Anybody may start processes that are taken
 * for servers, and to look at what each has open and mapped takes milliseconds: beyond his share of time a user's servers
 * wait, while what is done to others' is reported. Root's servers never wait. Pure: time is passed in.
 */
#ifndef CACHEWARDEN_DISCOVERY_H
#define CACHEWARDEN_DISCOVERY_H

#include "base/hashtable.h"

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#define DISCOVERY_SHARE 4	       /* a user has one of so many seconds */
#define DISCOVERY_BURST_NS 500000000ll /* saved up at most: an alert waits no longer for it */
#define DISCOVERY_WAITING 1024	       /* events of one user that may wait */
#define DISCOVERY_USERS 256	       /* buckets */

struct discovery_job {
	struct event ev;
	TAILQ_ENTRY(discovery_job) next;
};

TAILQ_HEAD(discovery_jobs, discovery_job);

/* Times are CLOCK_BOOTTIME. */
struct discovery_user {
	uint32_t uid;
	int64_t left_ns; /* of his time; negative: the last job took more than there was */
	uint64_t filled_ns;
	struct discovery_jobs jobs;
	size_t waiting;
	uint64_t dropped;   /* events for which there was no room, in all */
	uint64_t postponed; /* late sweeps of his servers, in all */
	struct hash_link link;
	TAILQ_ENTRY(discovery_user) next; /* if some wait */
};

TAILQ_HEAD(discovery_users, discovery_user);

struct discovery {
	struct hashtable users;
	struct discovery_users busy; /* in turn */
};

/* Returns 0 or -ENOMEM. */
int discovery_init(struct discovery *d);
void discovery_free(struct discovery *d);

/* May something about a server of that user be looked at now? Not while something else of his waits. */
bool discovery_admits(struct discovery *d, uint32_t uid, uint64_t now_ns);

/* It took that long. */
void discovery_spend(struct discovery *d, uint32_t uid, uint64_t took_ns, uint64_t now_ns);

/* It has to wait: keep the event. Returns false if too many wait, or memory ran out. */
bool discovery_defer(struct discovery *d, uint32_t uid, const struct event *ev, uint64_t now_ns);

/* Count one that is not kept for another reason. */
void discovery_drop(struct discovery *d, uint32_t uid, uint64_t now_ns);

/* Count a sweep of one of his servers that is late, and has to wait for the next. */
void discovery_postpone(struct discovery *d, uint32_t uid, uint64_t now_ns);

/* Take an event whose turn it is, to be freed by the caller, and say whose it is. NULL: none may be looked at now. */
struct discovery_job *discovery_take(struct discovery *d, uint32_t *ret_uid, uint64_t now_ns);

/* When there is one. UINT64_MAX: none waits. */
uint64_t discovery_due(const struct discovery *d, uint64_t now_ns);

/* The user after u, NULL for the first; NULL if there are no more. */
const struct discovery_user *discovery_next_user(const struct discovery *d,
						 const struct discovery_user *u);

#endif
