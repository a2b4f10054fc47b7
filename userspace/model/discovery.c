// SPDX-License-Identifier: BSD-2-Clause
/* discovery.c - see discovery.h. */
#include "model/discovery.h"

#include "base/hash.h"
#include "base/macros.h"

#include <errno.h>
#include <stdlib.h>

int discovery_init(struct discovery *d)
{
	*d = (struct discovery){};
	TAILQ_INIT(&d->busy);
	return hashtable_init(&d->users, DISCOVERY_USERS);
}

const struct discovery_user *discovery_next_user(const struct discovery *d,
						 const struct discovery_user *u)
{
	struct hash_link *l = hashtable_walk(&d->users, u ? &u->link : NULL);

	return l ? container_of(l, struct discovery_user, link) : NULL;
}

static void drop_user(struct discovery *d, struct discovery_user *u)
{
	struct discovery_job *job;

	while ((job = TAILQ_FIRST(&u->jobs))) {
		TAILQ_REMOVE(&u->jobs, job, next);
		free(job);
	}
	hashtable_remove(&d->users, &u->link);
	free(u);
}

void discovery_free(struct discovery *d)
{
	struct hash_link *l;

	while ((l = hashtable_walk(&d->users, NULL)))
		drop_user(d, container_of(l, struct discovery_user, link));
	hashtable_free(&d->users);
	*d = (struct discovery){};
}

static struct discovery_user *find(const struct discovery *d, uint32_t uid)
{
	struct hash_link *l = hashtable_first(&d->users, hash_bytes(HASH_INIT, &uid, sizeof(uid)));

	for (; l; l = hashtable_next(l)) {
		struct discovery_user *u = container_of(l, struct discovery_user, link);

		if (u->uid == uid)
			return u;
	}
	return NULL;
}

static void refill(struct discovery_user *u, uint64_t now_ns)
{
	uint64_t passed;

	if (now_ns <= u->filled_ns)
		return;
	passed = now_ns - u->filled_ns;
	u->filled_ns = now_ns;
	if (passed / DISCOVERY_SHARE >= (uint64_t)(DISCOVERY_BURST_NS - u->left_ns))
		u->left_ns = DISCOVERY_BURST_NS;
	else
		u->left_ns += (int64_t)(passed / DISCOVERY_SHARE);
}

/* NULL if memory ran out. */
static struct discovery_user *user_of(struct discovery *d, uint32_t uid, uint64_t now_ns)
{
	struct discovery_user *u = find(d, uid);

	if (!u) {
		u = calloc(1, sizeof(*u));
		if (!u)
			return NULL;
		u->uid = uid;
		u->left_ns = DISCOVERY_BURST_NS;
		u->filled_ns = now_ns;
		TAILQ_INIT(&u->jobs);
		hashtable_add(&d->users, &u->link, hash_bytes(HASH_INIT, &uid, sizeof(uid)));
	}
	refill(u, now_ns);
	return u;
}

bool discovery_admits(struct discovery *d, uint32_t uid, uint64_t now_ns)
{
	struct discovery_user *u = uid ? user_of(d, uid, now_ns) : NULL;

	return !u || (!u->waiting && u->left_ns > 0);
}

void discovery_spend(struct discovery *d, uint32_t uid, uint64_t took_ns, uint64_t now_ns)
{
	struct discovery_user *u = uid ? user_of(d, uid, now_ns) : NULL;

	if (u)
		u->left_ns -= (int64_t)took_ns;
}

bool discovery_defer(struct discovery *d, uint32_t uid, const struct event *ev, uint64_t now_ns)
{
	struct discovery_user *u = user_of(d, uid, now_ns);
	struct discovery_job *job =
		u && u->waiting < DISCOVERY_WAITING ? malloc(sizeof(*job)) : NULL;

	if (!job) {
		if (u)
			u->dropped++;
		return false;
	}
	job->ev = *ev;
	TAILQ_INSERT_TAIL(&u->jobs, job, next);
	if (!u->waiting++)
		TAILQ_INSERT_TAIL(&d->busy, u, next);
	return true;
}

void discovery_drop(struct discovery *d, uint32_t uid, uint64_t now_ns)
{
	struct discovery_user *u = user_of(d, uid, now_ns);

	if (u)
		u->dropped++;
}

void discovery_postpone(struct discovery *d, uint32_t uid, uint64_t now_ns)
{
	struct discovery_user *u = user_of(d, uid, now_ns);

	if (u)
		u->postponed++;
}

struct discovery_job *discovery_take(struct discovery *d, uint32_t *ret_uid, uint64_t now_ns)
{
	struct discovery_user *u;
	struct discovery_job *job;

	TAILQ_FOREACH(u, &d->busy, next)
	{
		refill(u, now_ns);
		if (u->left_ns > 0)
			break;
	}
	if (!u)
		return NULL;
	job = TAILQ_FIRST(&u->jobs);
	TAILQ_REMOVE(&u->jobs, job, next);
	TAILQ_REMOVE(&d->busy, u, next);
	if (--u->waiting)
		TAILQ_INSERT_TAIL(&d->busy, u, next);
	*ret_uid = u->uid;
	return job;
}

uint64_t discovery_due(const struct discovery *d, uint64_t now_ns)
{
	const struct discovery_user *u;
	uint64_t due = UINT64_MAX;

	TAILQ_FOREACH(u, &d->busy, next)
	{
		uint64_t missing = u->left_ns > 0 ? 0 : (uint64_t)(1 - u->left_ns);
		uint64_t at = u->filled_ns + missing * DISCOVERY_SHARE;

		if (at < now_ns)
			at = now_ns;
		if (at < due)
			due = at;
	}
	return due;
}
