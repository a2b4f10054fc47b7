// SPDX-License-Identifier: BSD-2-Clause
/* incident.c - see incident.h. A hash table by instance and lineage, and a list by activity. */
#include "model/incident.h"

#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 16384 /* power of two */
#define BIT(rule) (1u << RULE_##rule)

static const struct {
	const char *name;
	uint32_t before, after; /* rules, 1 << rule */
} correlations[CORRELATION_MAX] = {
	[CORRELATION_READ_THEN_WRITER] = {"memory read, then a stranger writes to a socket",
					  BIT(MEM_READ) | BIT(MEM_TRACE) | BIT(MEM_PROBE),
					  BIT(TLS_WRITER)},
	[CORRELATION_FD_THEN_WRITER] = {"descriptor taken, then a stranger writes to a socket",
					BIT(MEM_FD), BIT(TLS_WRITER)},
	[CORRELATION_KEY_THEN_WEAK] = {"key or file read, then TLS is weakened",
				       BIT(TLS_KEY) | BIT(REST_FILE),
				       BIT(TLS_VERSION) | BIT(TLS_CIPHER) | BIT(TLS_MIDSTREAM)},
};

_Static_assert(INCIDENT_ACTIONS >= RULE_MAX, "one deed of every rule has room");

const char *correlation_name(enum correlation s)
{
	return correlations[s].name;
}

int incidents_init(struct incidents *is, incident_fn show, void *ctx)
{
	*is = (struct incidents){.show = show, .ctx = ctx};
	is->buckets = calloc(BUCKETS, sizeof(*is->buckets));
	return is->buckets ? 0 : -ENOMEM;
}

static void incident_free(struct incident *in)
{
	free(in->action);
	free(in);
}

void incidents_free(struct incidents *is)
{
	for (struct incident *in = is->oldest, *next; in; in = next) {
		next = in->younger;
		incident_free(in);
	}
	free(is->buckets);
	*is = (struct incidents){};
}

/* --- who belongs together --- */

/* A start that is not known is no contradiction: a session outlives its leader. */
static bool same_lineage(const struct lineage *a, const struct lineage *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LINEAGE_PEER)
		return !memcmp(a->peer, b->peer, sizeof(a->peer));
	return a->pid == b->pid && (a->start_ns == b->start_ns || !a->start_ns || !b->start_ns);
}

static size_t bucket_of(uint32_t instance, const struct lineage *l)
{
	uint64_t h = hash_bytes(HASH_INIT, &instance, sizeof(instance));

	h = hash_bytes(h, &l->kind, sizeof(l->kind));
	if (l->kind == LINEAGE_PEER)
		h = hash_bytes(h, l->peer, sizeof(l->peer));
	else
		h = hash_bytes(h, &l->pid, sizeof(l->pid));
	return (h ^ h >> 32) & (BUCKETS - 1);
}

static struct incident *find(const struct incidents *is, uint32_t instance, const struct lineage *l)
{
	struct incident *in = is->buckets[bucket_of(instance, l)];

	while (in && (in->instance != instance || !same_lineage(&in->lineage, l)))
		in = in->next;
	return in;
}

static void hash_in(struct incidents *is, struct incident *in)
{
	size_t b = bucket_of(in->instance, &in->lineage);

	in->next = is->buckets[b];
	is->buckets[b] = in;
}

static void hash_out(struct incidents *is, struct incident *in)
{
	struct incident **p = &is->buckets[bucket_of(in->instance, &in->lineage)];

	while (*p != in)
		p = &(*p)->next;
	*p = in->next;
}

/*
 * The incident an event belongs to. One that began with a process whose session nobody knew is that session's from the
 * moment it is known.
 */
static struct incident *belongs(struct incidents *is, const struct incident_fact *f)
{
	const struct lineage alone = {LINEAGE_PROCESS, .pid = f->pid, .start_ns = f->start_ns};
	struct incident *in = find(is, f->instance, &f->lineage);

	if (in || f->lineage.kind != LINEAGE_SESSION || !f->pid) {
		if (in && !in->lineage.start_ns)
			in->lineage.start_ns = f->lineage.start_ns;
		return in;
	}
	in = find(is, f->instance, &alone);
	if (in) {
		hash_out(is, in);
		in->lineage = f->lineage;
		hash_in(is, in);
	}
	return in;
}

/* --- the list by activity --- */

static void unlist(struct incidents *is, struct incident *in)
{
	*(in->older ? &in->older->younger : &is->oldest) = in->younger;
	*(in->younger ? &in->younger->older : &is->youngest) = in->older;
}

static void list(struct incidents *is, struct incident *in)
{
	in->older = is->youngest;
	in->younger = NULL;
	*(is->youngest ? &is->youngest->younger : &is->oldest) = in;
	is->youngest = in;
}

/* --- out --- */

static void show(struct incidents *is, struct incident *in, enum incident_change change,
		 uint64_t now_ns)
{
	is->show(is->ctx, in, change);
	in->shown_ns = now_ns;
	in->changed = false;
	for (size_t i = 0; i < in->actions; i++)
		in->action[i].reported = true;
}

static void close_incident(struct incidents *is, struct incident *in, enum incident_end end,
			   uint64_t now_ns)
{
	in->end = end;
	show(is, in, INCIDENT_CLOSED, now_ns);
	hash_out(is, in);
	unlist(is, in);
	is->count--;
	incident_free(in);
}

/* --- in --- */

static struct incident *open_incident(struct incidents *is, const struct incident_fact *f,
				      uint64_t now_ns)
{
	struct incident *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	if (is->count >= INCIDENTS_MAX) {
		close_incident(is, is->oldest, END_ROOM, now_ns);
		is->forced++;
	}
	in->id = ++is->next_id;
	in->instance = f->instance;
	in->lineage = f->lineage;
	in->first_ns = f->action.first_ns;
	snprintf(in->actor, sizeof(in->actor), "%s", f->actor ?: "");
	hash_in(is, in);
	list(is, in);
	is->count++;
	return in;
}

static bool has_rule(const struct incident *in, uint8_t rule)
{
	for (size_t i = 0; i < in->actions; i++) {
		if (in->action[i].rule == rule)
			return true;
	}
	return false;
}

/* All places are taken, and this rule is new: the latest deed of a rule that has others gives way. */
static struct action *take_place(struct incident *in)
{
	uint32_t seen = 0;
	struct action *last = NULL;

	for (size_t i = 0; i < in->actions; i++) {
		if (seen >> in->action[i].rule & 1)
			last = &in->action[i];
		seen |= 1u << in->action[i].rule;
	}
	if (last)
		in->left_out += last->count;
	return last;
}

static struct action *new_deed(struct incident *in, const struct action *d)
{
	size_t room = in->room ? in->room * 2 : 2;
	struct action *grown;

	if (in->actions == INCIDENT_ACTIONS)
		return has_rule(in, d->rule) ? NULL : take_place(in);
	if (room > INCIDENT_ACTIONS)
		room = INCIDENT_ACTIONS;
	if (in->actions == in->room) {
		grown = realloc(in->action, room * sizeof(*grown));
		if (!grown)
			return NULL;
		in->action = grown;
		in->room = room;
	}
	return &in->action[in->actions++];
}

static void remember(struct incident *in, const struct action *d)
{
	struct action *known = NULL;

	for (size_t i = 0; i < in->actions && !known; i++) {
		if (in->action[i].id == d->id)
			known = &in->action[i];
	}
	if (known) { /* details may have come late */
		uint64_t count = known->count + d->count, first = known->first_ns;
		bool reported = known->reported;

		*known = *d;
		known->count = count;
		known->first_ns = first;
		known->reported = reported;
		return;
	}
	known = new_deed(in, d);
	if (known)
		*known = *d;
	else
		in->left_out += d->count;
}

static uint32_t rules_of(const struct incident *in)
{
	uint32_t rules = 0;

	for (unsigned int r = 0; r < RULE_MAX; r++)
		rules |= (uint32_t)(in->rule_count[r] > 0) << r;
	return rules;
}

/* Which incident upon the same instance, this one first, has one of these rules? */
static const struct incident *began_in(const struct incidents *is, const struct incident *in,
				       uint32_t rules)
{
	if (rules_of(in) & rules)
		return in;
	for (const struct incident *other = is->youngest; other; other = other->older) {
		if (other->instance == in->instance && rules_of(other) & rules)
			return other;
	}
	return NULL;
}

static void seek_stories(const struct incidents *is, struct incident *in, uint8_t rule)
{
	const struct incident *begin;

	for (unsigned int s = 0; s < CORRELATION_MAX; s++) {
		/* looked for once, at the rule's first event: a flood costs no search */
		if (in->correlations >> s & 1 || !(correlations[s].after >> rule & 1) ||
		    in->rule_count[rule])
			continue;
		begin = began_in(is, in, correlations[s].before);
		if (!begin)
			continue;
		in->correlations |= 1u << s;
		in->related[s] = begin->id;
	}
}

static enum severity severity_of(const struct incident *in, enum severity worst)
{
	unsigned int stages = 0;

	for (unsigned int s = STAGE_LOOK; s < STAGE_MAX; s++)
		stages += in->stage_ns[s] > 0;
	if (in->correlations)
		return SEVERITY_CRITICAL;
	return stages > 1 && worst < SEVERITY_CRITICAL ? worst + 1 : worst;
}

struct incident *incidents_feed(struct incidents *is, const struct incident_fact *f,
				uint64_t now_ns)
{
	struct incident *in = belongs(is, f);
	const struct action *d = &f->action;
	bool fresh = !in;
	enum severity worst = d->severity;

	if (!in)
		in = open_incident(is, f, now_ns);
	if (!in) {
		is->lost += d->count;
		return NULL;
	}
	seek_stories(is, in, d->rule);
	in->count += d->count;
	in->rule_count[d->rule] += d->count;
	if (!in->stage_ns[d->stage] || d->first_ns < in->stage_ns[d->stage])
		in->stage_ns[d->stage] = d->first_ns ?: 1;
	if (d->stage > in->stage)
		in->stage = d->stage;
	if (f->tenant)
		in->tenant = f->tenant;
	if (d->first_ns < in->first_ns)
		in->first_ns = d->first_ns;
	if (d->last_ns > in->last_ns)
		in->last_ns = d->last_ns;
	remember(in, d);
	for (size_t i = 0; i < in->actions; i++) {
		if (in->action[i].severity > worst)
			worst = in->action[i].severity;
	}
	worst = severity_of(in, worst);
	if (worst > in->severity)
		in->severity = worst;
	if (now_ns > in->active_ns)
		in->active_ns = now_ns;
	in->changed = true;
	unlist(is, in);
	list(is, in);
	if (fresh)
		show(is, in, INCIDENT_OPENED, now_ns);
	return in;
}

/* A clock that steps back lets nothing pass. */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

void incidents_tick(struct incidents *is, uint64_t now_ns, uint64_t quiet_ns)
{
	for (struct incident *in = is->oldest, *next; in; in = next) {
		next = in->younger;
		if (since(in->active_ns, now_ns) >= quiet_ns)
			close_incident(is, in, END_QUIET, now_ns);
		else if (in->changed && since(in->shown_ns, now_ns) >= INCIDENT_UPDATE_NS)
			show(is, in, INCIDENT_UPDATED, now_ns);
	}
}

void incidents_end(struct incidents *is, uint64_t now_ns)
{
	while (is->oldest)
		close_incident(is, is->oldest, END_MONITOR, now_ns);
}
