/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.h - how many connections may break a rule by their handshakes before they are counted together: as bpf/lib/budget.bpf.h
 * does it for those that are not TLS, since handshakes are only read in userspace. A server has a share, and all servers that
 * one user answers for have one together, since anybody can start any number of them; who is at the other end is not
 * known. Beyond it one alert stands for a rule, a server and a group of addresses.
 * Pure: time is passed in.
 */
#ifndef CACHEWARDEN_CROWD_H
#define CACHEWARDEN_CROWD_H

#include "event.h"
#include "map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWDS_MAX 256	   /* of single servers */
#define CROWDS_OF_OWNER 64 /* at most that many for one user, once half are in use */
#define CROWD_OWNERS 64 /* users with a share of their own at a time; the rest have one together */
#define CROWDS_OF_HOST                                                                             \
	16 /* of many servers together, one for each rule: there is always room for them */

struct crowd_share {
	uint64_t since_ns;
	uint32_t used;
};

struct crowd_owner {
	uint32_t account; /* see struct instance */
	struct crowd_share share;
};

struct crowd {
	struct attempt_key key;
	uint32_t account; /* who answers for its server */
	struct attempt counted;
};

struct crowds {
	struct crowd all[CROWDS_MAX + CROWDS_OF_HOST];
	size_t count;
	struct crowd_owner owner[CROWD_OWNERS];
	struct crowd_share others;
};

/*
 * A connection is about to be told. account: who answers for its server; own: the server's share. Returns false if it is to
 * be counted with others; its key is then theirs.
 */
bool crowds_admit(struct crowds *cs, uint32_t account, struct crowd_share *own, struct event *ev,
		  uint64_t now_ns);

/* Count one more that was not admitted. Returns true for the first of a crowd, which is to be told. */
bool crowds_count(struct crowds *cs, uint32_t account, const struct event *ev, uint64_t now_ns);

/* Forget the crowds that had nobody new for idle_ns. fn is told of each before. */
typedef void (*crowds_fn)(void *ctx, const struct crowd *c, bool last);
void crowds_tick(struct crowds *cs, uint64_t now_ns, uint64_t idle_ns, crowds_fn fn, void *ctx);

#endif
