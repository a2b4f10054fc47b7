// SPDX-License-Identifier: BSD-2-Clause
/* incident.c - see incident.h. */
#include "model/incident.h"

#include "base/hash.h"
#include "base/macros.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 16384
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

_Static_assert(INCIDENT_ACTIONS >= RULE_MAX, "one action of every rule fits");

const char *correlation_name(enum correlation c)
{
	return correlations[c].name;
}

int incidents_init(struct incidents *is, incident_fn show, void *ctx)
{
	*is = (struct incidents){.show = show, .ctx = ctx};
	TAILQ_INIT(&is->by_activity);
	return hashtable_init(&is->by_lineage, BUCKETS);
}

static void incident_free(struct incident *in)
{
	for (size_t i = 0; i < in->actions; i++)
		free(in->action[i].actor);
	free(in->action);
	free(in->lead);
	free(in);
}

void incidents_free(struct incidents *is)
{
	for (struct incident *in = TAILQ_FIRST(&is->by_activity), *next; in; in = next) {
		next = TAILQ_NEXT(in, by_activity);
		incident_free(in);
	}
	hashtable_free(&is->by_lineage);
	*is = (struct incidents){};
}

/* --- lineages --- */

/* An unknown start time matches any: a session outlives its leader. */
static bool same_lineage(const struct lineage *a, const struct lineage *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LINEAGE_PEER)
		return !memcmp(a->peer, b->peer, sizeof(a->peer));
	return a->pid == b->pid && (a->start_ns == b->start_ns || !a->start_ns || !b->start_ns);
}

/* Without the start time, which may be unknown. */
static uint64_t hash_lineage(uint32_t instance, const struct lineage *l)
{
	uint64_t h = hash_bytes(HASH_INIT, &instance, sizeof(instance));

	h = hash_bytes(h, &l->kind, sizeof(l->kind));
	return l->kind == LINEAGE_PEER ? hash_bytes(h, l->peer, sizeof(l->peer))
				       : hash_bytes(h, &l->pid, sizeof(l->pid));
}

static struct incident *find(const struct incidents *is, uint32_t instance, const struct lineage *l)
{
	struct hash_link *link = hashtable_first(&is->by_lineage, hash_lineage(instance, l));

	for (; link; link = hashtable_next(link)) {
		struct incident *in = container_of(link, struct incident, link);

		if (in->instance == instance && same_lineage(&in->lineage, l))
			return in;
	}
	return NULL;
}

static void file_incident(struct incidents *is, struct incident *in)
{
	hashtable_add(&is->by_lineage, &in->link, hash_lineage(in->instance, &in->lineage));
}

/*
 * The incident an event belongs to, NULL if none is open. An incident of a process whose session was unknown becomes the
 * session's with the first event of that process that names it.
 */
static struct incident *find_for(struct incidents *is, const struct incident_fact *f)
{
	struct incident *in = find(is, f->instance, &f->lineage);

	if (in || f->lineage.kind != LINEAGE_SESSION || !f->actor) {
		if (in && !in->lineage.start_ns)
			in->lineage.start_ns = f->lineage.start_ns;
		return in;
	}
	in = find(is, f->instance,
		  &(struct lineage){LINEAGE_PROCESS, .pid = f->actor->pid,
				    .start_ns = f->actor->start_ns});
	if (in) {
		hashtable_remove(&is->by_lineage, &in->link);
		in->lineage = f->lineage;
		file_incident(is, in);
	}
	return in;
}

/* --- reports --- */

static void show(struct incidents *is, struct incident *in, enum incident_change change,
		 uint64_t now_ns)
{
	is->show(is->ctx, in, change);
	in->shown_ns = now_ns;
	in->changed = false;
	in->lead_reported = true;
	for (size_t i = 0; i < in->actions; i++)
		in->action[i].reported = true;
}

static void close_incident(struct incidents *is, struct incident *in, enum incident_end end,
			   uint64_t now_ns)
{
	in->end = end;
	show(is, in, INCIDENT_CLOSED, now_ns);
	hashtable_remove(&is->by_lineage, &in->link);
	TAILQ_REMOVE(&is->by_activity, in, by_activity);
	incident_free(in);
}

/* --- events --- */

static struct incident *open_incident(struct incidents *is, const struct incident_fact *f,
				      uint64_t now_ns)
{
	struct incident *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	if (is->by_lineage.count >= INCIDENTS_MAX) {
		close_incident(is, TAILQ_FIRST(&is->by_activity), END_ROOM, now_ns);
		is->evicted++;
	}
	in->id = ++is->next_id;
	in->instance = f->instance;
	in->lineage = f->lineage;
	in->first_ns = f->action.first_ns;
	file_incident(is, in);
	TAILQ_INSERT_TAIL(&is->by_activity, in, by_activity);
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

/* No room for the first action of a rule: replace the last one of a rule that has several. */
static struct action *replace_action(struct incident *in)
{
	uint32_t seen = 0;
	struct action *last = NULL;

	for (size_t i = 0; i < in->actions; i++) {
		if (seen >> in->action[i].rule & 1)
			last = &in->action[i];
		seen |= 1u << in->action[i].rule;
	}
	if (last) {
		in->left_out += last->count;
		free(last->actor);
		last->actor = NULL;
	}
	return last;
}

static struct action *new_action(struct incident *in, const struct action *a)
{
	size_t room = in->room ? in->room * 2 : 2;
	struct action *grown;

	if (in->actions == INCIDENT_ACTIONS)
		return has_rule(in, a->rule) ? NULL : replace_action(in);
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

static void add_action(struct incident *in, const struct incident_fact *f)
{
	const struct action *a = &f->action;
	struct action *known = NULL;

	for (size_t i = 0; i < in->actions && !known; i++) {
		if (in->action[i].id == a->id)
			known = &in->action[i];
	}
	if (known) { /* its details may have arrived late */
		uint64_t count = known->count + a->count, first = known->first_ns;
		bool reported = known->reported;

		free(known->actor);
		*known = *a;
		known->count = count;
		known->first_ns = first;
		known->reported = reported;
	} else {
		known = new_action(in, a);
		if (!known) {
			in->left_out += a->count;
			return;
		}
		*known = *a;
	}
	known->actor = f->actor ? actor_copy(f->actor) : NULL;
}

uint32_t incident_rules(const struct incident *in)
{
	uint32_t rules = 0;

	for (unsigned int r = 0; r < RULE_MAX; r++)
		rules |= (uint32_t)(in->rule_count[r] > 0) << r;
	return rules;
}

/* The incident on the same instance that broke one of these rules: this one, else the most recently active. */
static const struct incident *find_beginning(const struct incidents *is, const struct incident *in,
					     uint32_t rules)
{
	const struct incident *other;

	if (incident_rules(in) & rules)
		return in;
	TAILQ_FOREACH_REVERSE(other, &is->by_activity, incident_list, by_activity)
	{
		if (other->instance == in->instance && incident_rules(other) & rules)
			return other;
	}
	return NULL;
}

static void correlate(const struct incidents *is, struct incident *in, uint8_t rule)
{
	const struct incident *begin;

	for (unsigned int c = 0; c < CORRELATION_MAX; c++) {
		/* once, at the first event of the rule: a flood costs no search */
		if (in->correlations >> c & 1 || !(correlations[c].after >> rule & 1) ||
		    in->rule_count[rule])
			continue;
		begin = find_beginning(is, in, correlations[c].before);
		if (!begin)
			continue;
		in->correlations |= 1u << c;
		in->related[c] = begin->id;
	}
}

/* The worst action names the incident: its rule and its actor. The first of equals stays. */
static void lead(struct incident *in, const struct incident_fact *f)
{
	const struct action *a = &f->action;

	if (in->count && (a->severity < in->lead_severity ||
			  (a->severity == in->lead_severity && a->stage <= in->lead_stage)))
		return;
	free(in->lead);
	in->lead = f->actor ? actor_copy(f->actor) : NULL;
	in->lead_reported = in->lead_reported && in->lead_rule == a->rule;
	in->lead_rule = a->rule;
	in->lead_severity = a->severity;
	in->lead_stage = a->stage;
	snprintf(in->headline, sizeof(in->headline), "%s", f->headline);
}

/*
 * Several stages of somebody are worse than his worst action: he gets on. States that nobody brought about do not. A
 * correlation is critical.
 */
static enum severity severity_of(const struct incident *in, enum severity worst)
{
	unsigned int stages = 0;

	for (unsigned int s = STAGE_LOOK; s < STAGE_MAX; s++)
		stages += in->stage_ns[s] > 0;
	if (in->correlations)
		return SEVERITY_CRITICAL;
	if (in->lineage.kind == LINEAGE_NOBODY)
		return worst;
	return stages > 1 && worst < SEVERITY_CRITICAL ? worst + 1 : worst;
}

struct incident *incidents_feed(struct incidents *is, const struct incident_fact *f,
				uint64_t now_ns)
{
	struct incident *in = find_for(is, f);
	const struct action *a = &f->action;
	bool opened = !in;
	enum severity worst = a->severity;

	if (!in)
		in = open_incident(is, f, now_ns);
	if (!in) {
		is->lost += a->count;
		return NULL;
	}
	correlate(is, in, a->rule);
	lead(in, f);
	in->count += a->count;
	in->rule_count[a->rule] += a->count;
	if (!in->stage_ns[a->stage] || a->first_ns < in->stage_ns[a->stage])
		in->stage_ns[a->stage] = a->first_ns ?: 1;
	if (a->stage > in->stage)
		in->stage = a->stage;
	if (f->tenant)
		in->tenant = f->tenant;
	if (a->first_ns < in->first_ns)
		in->first_ns = a->first_ns;
	if (a->last_ns > in->last_ns)
		in->last_ns = a->last_ns;
	add_action(in, f);
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
	TAILQ_REMOVE(&is->by_activity, in, by_activity);
	TAILQ_INSERT_TAIL(&is->by_activity, in, by_activity);
	if (opened)
		show(is, in, INCIDENT_OPENED, now_ns);
	return in;
}

/* Time elapsed; none if the clock went backwards. */
static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

void incidents_tick(struct incidents *is, uint64_t now_ns, uint64_t quiet_ns)
{
	for (struct incident *in = TAILQ_FIRST(&is->by_activity), *next; in; in = next) {
		next = TAILQ_NEXT(in, by_activity);
		if (since(in->active_ns, now_ns) >= quiet_ns)
			close_incident(is, in, END_QUIET, now_ns);
		else if (in->changed && since(in->shown_ns, now_ns) >= INCIDENT_UPDATE_NS)
			show(is, in, INCIDENT_UPDATED, now_ns);
	}
}

void incidents_end(struct incidents *is, enum incident_end why, uint64_t now_ns)
{
	while (!TAILQ_EMPTY(&is->by_activity))
		close_incident(is, TAILQ_FIRST(&is->by_activity), why, now_ns);
}
