// SPDX-License-Identifier: BSD-2-Clause
/* crowd.c - see crowd.h. */
#include "model/crowd.h"

#include <string.h>

/* Returns false if more than size were taken in this period. */
static bool spend(struct crowd_share *s, uint32_t size, uint64_t now_ns)
{
	if (now_ns - s->since_ns > SHARE_NS)
		*s = (struct crowd_share){.since_ns = now_ns};
	if (s->used >= size)
		return false;
	s->used++;
	return true;
}

/* Both directions are counted together. */
static struct attempt_key crowd_key(const struct attempt_key *key)
{
	struct attempt_key k = *key;

	k.vector = VECTOR_NONE;
	return k;
}

static struct crowd *find(struct crowds *cs, const struct attempt_key *key)
{
	struct attempt_key k = crowd_key(key);

	for (size_t i = 0; i < cs->count; i++) {
		if (!memcmp(&cs->all[i].key, &k, sizeof(k)))
			return &cs->all[i];
	}
	return NULL;
}

static struct crowd_share *share_of(struct crowds *cs, uint32_t account, uint64_t now_ns)
{
	struct crowd_owner *free = NULL;

	for (struct crowd_owner *o = cs->owner; o < cs->owner + CROWD_OWNERS; o++) {
		bool idle = !o->share.used || now_ns - o->share.since_ns > SHARE_NS;

		if (!idle && o->account == account)
			return &o->share;
		if (idle && !free)
			free = o;
	}
	if (!free)
		return &cs->others;
	*free = (struct crowd_owner){.account = account};
	return &free->share;
}

/* Nobody's servers fill the table: those of others find room as well. */
static bool has_room(const struct crowds *cs, uint32_t account)
{
	size_t own = 0;

	if (cs->count < CROWDS_MAX / 2)
		return true;
	for (size_t i = 0; i < cs->count; i++)
		own += cs->all[i].account == account && cs->all[i].key.instance != INSTANCE_HOST;
	return cs->count < CROWDS_MAX && own < CROWDS_OF_OWNER;
}

bool crowds_admit(struct crowds *cs, uint32_t account, struct crowd_share *own, struct event *ev,
		  uint64_t now_ns)
{
	struct attempt_key *key = &ev->key;

	if (spend(own, SHARE, now_ns) && spend(share_of(cs, account, now_ns), SHARE_PEERS, now_ns))
		return true;
	key->actor = ACTOR_CROWD | ACTOR_PEERS | peer_group(&ev->conn.ends);
	key->detail = ev->conn.payload; /* the kernel's crowds have other details */
	if (!find(cs, key) && !has_room(cs, account)) {
		key->actor = ACTOR_CROWD | ACTOR_PEERS;
		key->instance = INSTANCE_HOST;
	}
	ev->flags |= EVENT_CROWD;
	return false;
}

bool crowds_count(struct crowds *cs, uint32_t account, const struct event *ev, uint64_t now_ns)
{
	struct crowd *c = find(cs, &ev->key);
	bool first = !c;

	if (first) {
		if (cs->count == CROWDS_MAX + CROWDS_OF_HOST)
			return false;
		c = &cs->all[cs->count++];
		*c = (struct crowd){.key = crowd_key(&ev->key),
				    .account = account,
				    .counted = {.first_ns = now_ns, .sent = 1}};
	}
	c->counted.count++;
	c->counted.last_ns = now_ns;
	return first;
}

void crowds_tick(struct crowds *cs, uint64_t now_ns, uint64_t idle_ns, crowds_fn fn, void *ctx)
{
	for (size_t i = cs->count; i-- > 0;) {
		bool last = now_ns > cs->all[i].counted.last_ns + idle_ns;

		fn(ctx, &cs->all[i], last);
		if (last)
			cs->all[i] = cs->all[--cs->count];
	}
}
