/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_incident.c - which events form one incident, when it is opened, updated and closed, its severity and
 * correlations, and that each event is counted in exactly one incident, whatever the order, the clock or
 * reused pids. Time is passed in. How an incident is printed is tested in tests/live/incident.c.
 */
#include "unit.h"

#include "base/macros.h"
#include "model/attempt.h"
#include "model/incident.h"
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull
#define QUIET (60 * S)

/* What the callback has seen. */
static struct {
	unsigned int opened, updated, closed;
	uint64_t closed_count; /* events of closed incidents */
	struct incident last;
} shown;

static void show(void *ctx, const struct incident *in, enum incident_change change)
{
	uint64_t listed = 0, rules = 0;

	shown.opened += change == INCIDENT_OPENED;
	shown.updated += change == INCIDENT_UPDATED;
	shown.closed += change == INCIDENT_CLOSED;
	if (change == INCIDENT_CLOSED)
		shown.closed_count += in->count;
	shown.last = *in;
	assert_true(in->actions <= INCIDENT_ACTIONS);
	for (size_t i = 0; i < in->actions; i++)
		listed += in->action[i].count;
	for (unsigned int r = 0; r < RULE_MAX; r++)
		rules += in->rule_count[r];
	assert_int_equal(listed + in->left_out, in->count);
	assert_int_equal(rules, in->count);
}

static int setup(void **state)
{
	struct incidents *is = malloc(sizeof(*is));

	memset(&shown, 0, sizeof(shown));
	*state = is;
	return incidents_init(is, show, NULL);
}

static int teardown(void **state)
{
	incidents_free(*state);
	free(*state);
	return 0;
}

static struct incident_fact fact_of(uint32_t instance, uint32_t session, uint32_t pid, uint8_t rule,
				    uint64_t at_ns)
{
	static struct actor actors[1024]; /* more than the facts that a test keeps */
	static unsigned int used;
	struct actor *actor = &actors[used++ % ARRAY_SIZE(actors)];
	struct event ev = {.key.rule = rule};

	*actor = (struct actor){.pid = pid,
				.uid = pid,
				.start_ns = pid * 10ull,
				.detailed = true,
				.comm = "somebody",
				.exe = "/bin/somebody",
				.cmdline = "",
				.unit = "",
				.container = "",
				.instance = ""};
	return (struct incident_fact){
		.instance = instance,
		.lineage = {LINEAGE_SESSION, .pid = session, .start_ns = session * 10ull},
		.actor = actor,
		.headline = " by somebody",
		.action = {.id = (uint64_t)pid << 8 | rule,
			   .first_ns = at_ns,
			   .last_ns = at_ns,
			   .count = 1,
			   .rule = rule,
			   .stage = (uint8_t)attempt_stage(&ev),
			   .severity = (uint8_t)attempt_severity(&ev),
			   .verdict = VERDICT_ALERT},
	};
}

static struct incident *feed(struct incidents *is, uint32_t session, uint32_t pid, uint8_t rule,
			     uint64_t at_ns)
{
	struct incident_fact f = fact_of(1, session, pid, rule, at_ns);

	return incidents_feed(is, &f, at_ns);
}

static void first_event_opens_an_incident_immediately(void **state)
{
	struct incident *in = feed(*state, 100, 101, RULE_MEM_TRACE, 5 * S);

	assert_non_null(in);
	assert_int_equal(shown.opened, 1);
	assert_int_equal(shown.last.actions, 1);
	assert_int_equal(shown.last.count, 1);
	assert_string_equal(in->headline, " by somebody");
	assert_int_equal(in->stage, STAGE_TOUCH);
}

static void debugging_session_is_one_incident(void **state)
{
	struct incident *in = feed(*state, 100, 101, RULE_MEM_INSPECT, 5 * S);

	for (uint64_t i = 0; i < 900; i++)
		assert_ptr_equal(feed(*state, 100, 101 + i % 3,
				      i % 2 ? RULE_MEM_READ : RULE_MEM_TRACE, 5 * S + i * 1000),
				 in);
	assert_int_equal(in->count, 901);
	assert_int_equal(shown.opened, 1);
	assert_int_equal(shown.updated, 0);
	incidents_tick(*state, 6 * S + 1000000, QUIET);
	assert_int_equal(shown.updated, 1);
	assert_int_equal(shown.last.stage, STAGE_TAKE);
}

static void incident_is_updated_at_most_once_a_second(void **state)
{
	feed(*state, 100, 101, RULE_MEM_READ, 5 * S);
	for (uint64_t t = 0; t < 3000; t += 50) {
		feed(*state, 100, 101, RULE_MEM_READ, 5 * S + t * 1000000);
		incidents_tick(*state, 5 * S + t * 1000000, QUIET);
	}
	assert_int_equal(shown.updated, 2);
	incidents_tick(*state, 9 * S, QUIET); /* what came since the last update */
	assert_int_equal(shown.updated, 3);
	incidents_tick(*state, 19 * S, QUIET); /* nothing new */
	assert_int_equal(shown.updated, 3);
}

static void quiet_incident_is_closed_and_the_next_event_opens_another(void **state)
{
	uint64_t id = feed(*state, 100, 101, RULE_MEM_READ, 5 * S)->id;

	incidents_tick(*state, 5 * S + QUIET - 1, QUIET);
	assert_int_equal(shown.closed, 0);
	incidents_tick(*state, 5 * S + QUIET, QUIET);
	assert_int_equal(shown.closed, 1);
	assert_int_equal(shown.last.end, END_QUIET);
	assert_int_equal(shown.last.id, id);
	assert_int_not_equal(feed(*state, 100, 101, RULE_MEM_READ, 70 * S)->id, id);
}

static void two_simultaneous_attackers_are_two_incidents(void **state)
{
	struct incident *one = feed(*state, 100, 101, RULE_MEM_READ, 5 * S);
	struct incident *two = feed(*state, 200, 201, RULE_MEM_READ, 5 * S);

	assert_ptr_not_equal(one, two);
	assert_ptr_equal(feed(*state, 100, 102, RULE_MEM_FD, 6 * S), one);
	assert_ptr_equal(feed(*state, 200, 202, RULE_MEM_FD, 6 * S), two);
}

/* Enough of them that some share a hash bucket. */
static void one_session_on_many_instances_is_many_incidents(void **state)
{
	struct incidents *is = *state;

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 1; i <= INCIDENTS_MAX; i++) {
			struct incident_fact f = fact_of(i, 100, 200, RULE_MEM_READ, S);
			struct incident *in = incidents_feed(is, &f, S);

			assert_non_null(in);
			assert_int_equal(in->instance, i);
			assert_int_equal(in->count, round + 1);
		}
	}
	assert_int_equal(shown.opened, INCIDENTS_MAX);
}

/* ps looks, then gdb attaches, then ps looks again. */
static void each_action_has_its_own_actor_and_the_worst_leads(void **state)
{
	struct incident_fact look = fact_of(1, 100, 101, RULE_MEM_INSPECT, 5 * S),
			     trace = fact_of(1, 100, 102, RULE_MEM_TRACE, 6 * S),
			     again = fact_of(1, 100, 103, RULE_MEM_INSPECT, 7 * S);
	struct incident *in;

	look.headline = " by ps";
	trace.headline = " by gdb";
	again.headline = " by lsof";
	in = incidents_feed(*state, &look, 5 * S);
	assert_string_equal(in->headline, " by ps");
	incidents_feed(*state, &trace, 6 * S);
	incidents_feed(*state, &again, 7 * S);
	assert_string_equal(in->headline, " by gdb");
	assert_int_equal(in->lead->pid, 102);
	assert_int_equal(in->actions, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(in->action[i].actor->pid, 101 + i);
		assert_int_equal(in->action[i].actor->uid, 101 + i);
		assert_string_equal(in->action[i].actor->exe, "/bin/somebody");
	}
}

/* Plaintext has come further, a read of memory is worse: the title must not pair the one with the actor of the other. */
static void rule_and_actor_that_lead_belong_together(void **state)
{
	struct incident_fact ping = fact_of(1, 100, 101, RULE_TLS_PLAINTEXT, 5 * S),
			     read = fact_of(1, 100, 102, RULE_MEM_READ, 6 * S);
	struct incident *in = incidents_feed(*state, &ping, 5 * S);

	assert_int_equal(in->lead_rule, RULE_TLS_PLAINTEXT);
	assert_true(in->lead_reported);
	incidents_feed(*state, &read, 6 * S);
	assert_int_equal(in->lead_rule, RULE_MEM_READ);
	assert_int_equal(in->lead->pid, 102);
	assert_false(in->lead_reported);
	incidents_tick(*state, 7 * S, 60 * S);
	assert_true(in->lead_reported);
}

static void another_or_restarted_instance_is_another_incident(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S);
	struct incident *one = incidents_feed(*state, &f, 5 * S);

	f.instance = 2;
	assert_ptr_not_equal(incidents_feed(*state, &f, 6 * S), one);
	assert_int_equal(one->count, 1);
}

static void reused_session_id_is_another_actor(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S);
	struct incident *one = incidents_feed(*state, &f, 5 * S);

	f.lineage.start_ns = 999;
	assert_ptr_not_equal(incidents_feed(*state, &f, 6 * S), one);
}

static void session_outlives_its_leader(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S);
	struct incident *one = incidents_feed(*state, &f, 5 * S);

	f.lineage.start_ns = 0; /* the leader has ended, so its start time is unknown */
	assert_ptr_equal(incidents_feed(*state, &f, 6 * S), one);
}

static void process_without_a_session_joins_it_once_it_is_known(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S), alone = f;
	struct incident *one;

	alone.lineage = (struct lineage){LINEAGE_PROCESS, .pid = 101, .start_ns = 1010};
	one = incidents_feed(*state, &alone, 5 * S);
	assert_ptr_equal(incidents_feed(*state, &f, 6 * S), one);
	assert_ptr_equal(feed(*state, 100, 102, RULE_MEM_READ, 6 * S), one);
}

static void peers_are_distinguished_by_address(void **state)
{
	struct incident_fact f = fact_of(1, 0, 0, RULE_TLS_PLAINTEXT, 5 * S);
	struct incident *one, *two;

	f.lineage = (struct lineage){LINEAGE_PEER, .peer = {[15] = 1}};
	one = incidents_feed(*state, &f, 5 * S);
	f.lineage.peer[15] = 2;
	two = incidents_feed(*state, &f, 5 * S);
	assert_ptr_not_equal(one, two);
	assert_ptr_equal(incidents_feed(*state, &f, 6 * S), two);
}

static void severity_rises_with_the_stage(void **state)
{
	struct incident *in = feed(*state, 100, 101, RULE_MEM_INSPECT, 5 * S);

	assert_int_equal(in->severity, SEVERITY_MEDIUM);
	feed(*state, 100, 101, RULE_MEM_INSPECT, 6 * S);
	assert_int_equal(in->severity, SEVERITY_MEDIUM);
	feed(*state, 100, 101, RULE_MEM_REMOTE, 7 * S);
	assert_int_equal(in->severity,
			 SEVERITY_CRITICAL); /* high, raised because the stage advanced */
	assert_int_equal(in->stage_ns[STAGE_LOOK], 5 * S);
	assert_int_equal(in->stage_ns[STAGE_TOUCH], 7 * S);
}

/* A dump that others may read and a port without TLS are two states, and not somebody who gets on. */
static void states_that_nobody_brought_about_do_not_add_up(void **state)
{
	static const uint8_t rules[] = {RULE_TLS_LISTENER, RULE_REST_FILE, RULE_MEM_SPILL};
	struct incident *in = NULL;
	enum severity worst = SEVERITY_INFO;
	unsigned int stages = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct incident_fact f = fact_of(1, 100, 101, rules[i], 5 * S);

		f.lineage = (struct lineage){LINEAGE_NOBODY};
		f.actor = NULL;
		in = incidents_feed(*state, &f, 5 * S);
		if (f.action.severity > worst)
			worst = f.action.severity;
		stages |= 1u << f.action.stage;
	}
	assert_int_equal(shown.opened, 1);
	assert_true(stages & (stages - 1)); /* more than one */
	assert_int_equal(in->severity, worst);
}

static void refused_attempt_only_reaches_the_touch_stage(void **state)
{
	struct event ev = {.key.rule = RULE_MEM_READ};

	assert_int_equal(attempt_stage(&ev), STAGE_TAKE);
	ev.key.err = 1;
	assert_int_equal(attempt_stage(&ev), STAGE_TOUCH);
	ev.key.err = 0;
	ev.flags = EVENT_PREVENTED;
	assert_int_equal(attempt_stage(&ev), STAGE_TOUCH);
	ev.key.rule = RULE_MEM_INSPECT;
	assert_int_equal(attempt_stage(&ev), STAGE_LOOK);
	for (ev.key.rule = RULE_NONE + 1; ev.key.rule < RULE_MAX; ev.key.rule++)
		assert_non_null(stage_name(attempt_stage(&ev)));
}

static void memory_read_then_foreign_writer_is_correlated(void **state)
{
	struct incident *in = feed(*state, 100, 101, RULE_MEM_READ, 5 * S);

	assert_int_equal(in->correlations, 0);
	feed(*state, 100, 101, RULE_TLS_WRITER, 6 * S);
	assert_int_equal(in->correlations, 1u << CORRELATION_READ_THEN_WRITER);
	assert_int_equal(in->related[CORRELATION_READ_THEN_WRITER], in->id);
	assert_int_equal(in->severity, SEVERITY_CRITICAL);
}

static void key_read_then_downgrade_is_correlated_across_incidents(void **state)
{
	struct incident *key = feed(*state, 100, 101, RULE_TLS_KEY, 5 * S), *weak;
	struct incident_fact f = fact_of(1, 0, 0, RULE_TLS_VERSION, 6 * S);

	f.lineage = (struct lineage){LINEAGE_PEER, .peer = {[15] = 1}};
	weak = incidents_feed(*state, &f, 6 * S);
	assert_ptr_not_equal(weak, key);
	assert_int_equal(weak->correlations, 1u << CORRELATION_KEY_THEN_WEAK);
	assert_int_equal(weak->related[CORRELATION_KEY_THEN_WEAK], key->id);
	f.instance = 2; /* not on another server */
	assert_int_equal(incidents_feed(*state, &f, 6 * S)->correlations, 0);
}

static void reverse_order_is_not_correlated(void **state)
{
	struct incident *in = feed(*state, 100, 101, RULE_TLS_WRITER, 5 * S);

	feed(*state, 100, 101, RULE_MEM_READ, 6 * S);
	assert_int_equal(in->correlations, 0);
}

static void tenant_of_the_actor_is_recorded(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S);

	f.tenant = 7;
	assert_int_equal(incidents_feed(*state, &f, 5 * S)->tenant, 7);
}

static void late_details_replace_the_summary_and_add_to_the_count(void **state)
{
	struct incident_fact f = fact_of(1, 100, 101, RULE_MEM_READ, 5 * S);
	struct incident *in = incidents_feed(*state, &f, 5 * S);

	strcpy(f.action.summary, "mem-read: openat mem");
	f.action.count = 3;
	f.action.last_ns = 8 * S;
	incidents_feed(*state, &f, 8 * S);
	assert_int_equal(in->actions, 1);
	assert_int_equal(in->action[0].count, 4);
	assert_int_equal(in->action[0].first_ns, 5 * S);
	assert_int_equal(in->action[0].last_ns, 8 * S);
	assert_string_equal(in->action[0].summary, "mem-read: openat mem");
}

/* Ten thousand children of one shell cannot hide the one action that is new. */
static void first_action_of_each_rule_is_kept_in_a_flood(void **state)
{
	struct incident *in = NULL;
	bool found = false;

	for (uint32_t i = 0; i < 10000; i++)
		in = feed(*state, 100, 101 + i, RULE_MEM_READ, 5 * S + i);
	feed(*state, 100, 20000, RULE_MEM_WRITE, 6 * S);
	assert_int_equal(in->actions, INCIDENT_ACTIONS);
	for (size_t i = 0; i < in->actions; i++)
		found |= in->action[i].rule == RULE_MEM_WRITE;
	assert_true(found);
	assert_int_equal(in->action[0].actor->pid, 101); /* the first of all is kept as well */
	assert_int_equal(in->count, 10001);
	assert_int_equal(in->left_out, 10001 - INCIDENT_ACTIONS);
}

static void memory_is_bounded_and_the_quietest_incident_is_closed_first(void **state)
{
	struct incidents *is = *state;

	for (uint32_t i = 0; i < INCIDENTS_MAX; i++)
		feed(is, 100 + i, 100 + i, RULE_MEM_READ, 5 * S + i);
	feed(is, 100, 100, RULE_MEM_READ, 6 * S); /* the first one is active again */
	assert_int_equal(shown.closed, 0);
	feed(is, 50, 50, RULE_MEM_READ, 7 * S);
	assert_int_equal(is->by_lineage.count, INCIDENTS_MAX);
	assert_int_equal(shown.closed, 1);
	assert_int_equal(is->evicted, 1);
	shown.last = (struct incident){};
	incidents_end(is, END_MONITOR, 8 * S);
	assert_int_equal(shown.closed, INCIDENTS_MAX + 1);
	assert_int_equal(shown.closed_count, INCIDENTS_MAX + 2);
	assert_int_equal(is->by_lineage.count, 0);
}

static void clock_that_steps_back_closes_nothing(void **state)
{
	feed(*state, 100, 101, RULE_MEM_READ, 500 * S);
	incidents_tick(*state, 5 * S, QUIET);
	assert_int_equal(shown.closed, 0);
	feed(*state, 100, 101, RULE_MEM_READ, 6 * S);
	incidents_tick(*state, 500 * S + QUIET - 1, QUIET);
	assert_int_equal(shown.closed, 0);
	incidents_tick(*state, 500 * S + QUIET, QUIET);
	assert_int_equal(shown.closed, 1);
}

#define SESSIONS 40
#define INSTANCES 5

/* A trivial model to compare with: the open incident of each instance and session. */
static struct {
	uint64_t now_ns, fed;
	uint32_t generation[SESSIONS]; /* how often the session's leader was replaced */
	uint32_t instance_id[INSTANCES];
	struct {
		uint64_t id; /* 0: none is open */
		uint64_t active_ns;
	} open[INSTANCES][SESSIONS];
} model;

/* What happens between two events; most often only time passes. */
static void random_step(struct incidents *is, uint32_t i, uint32_t s)
{
	switch (random() % 40) {
	case 0: /* the leader has ended, and its pid is reused */
		model.generation[s]++;
		for (uint32_t k = 0; k < INSTANCES; k++)
			model.open[k][s].id = 0;
		break;
	case 1: /* the instance restarts and gets another id */
		model.instance_id[i] += INSTANCES;
		for (uint32_t k = 0; k < SESSIONS; k++)
			model.open[i][k].id = 0;
		break;
	case 2: /* the clock steps back */
		model.now_ns -= (uint64_t)random() % (20 * S);
		break;
	case 3:
		model.now_ns += (uint64_t)random() % (90 * S);
		break;
	case 4:
		incidents_tick(is, model.now_ns, QUIET);
		for (uint32_t k = 0; k < INSTANCES; k++)
			for (uint32_t l = 0; l < SESSIONS; l++)
				if (model.now_ns >= model.open[k][l].active_ns + QUIET)
					model.open[k][l].id = 0;
		break;
	default:
		model.now_ns += (uint64_t)random() % S;
	}
}

static void random_event(struct incidents *is, uint32_t i, uint32_t s, uint8_t rule)
{
	struct incident_fact f =
		fact_of(model.instance_id[i], 1000 + s, 5000 + s * 8 + (uint32_t)random() % 8, rule,
			model.now_ns - (uint64_t)random() % S);
	struct incident *in;

	f.lineage.start_ns = 1 + s + model.generation[s] * 1000ull;
	f.action.count = 1 + (uint64_t)random() % 5;
	f.action.id += (uint64_t)model.generation[s] << 40;
	in = incidents_feed(is, &f, model.now_ns);
	model.fed += f.action.count;
	if (model.open[i][s].id) /* never split in two */
		assert_int_equal(in->id, model.open[i][s].id);
	else /* never merged with that of another actor */
		assert_true(in->count == f.action.count);
	assert_int_equal(in->instance, model.instance_id[i]);
	assert_int_equal(in->lineage.start_ns, f.lineage.start_ns);
	model.open[i][s].id = in->id;
	if (model.now_ns > model.open[i][s].active_ns || in->count == f.action.count)
		model.open[i][s].active_ns = model.now_ns;
}

static void random_stream(struct incidents *is, unsigned int seed)
{
	const struct incident *in;
	uint64_t open = 0;

	srandom(seed);
	memset(&model, 0, sizeof(model));
	model.now_ns = 1000 * S;
	for (uint32_t i = 0; i < INSTANCES; i++)
		model.instance_id[i] = i + 1;
	for (int step = 0; step < 4000; step++) {
		uint32_t i = (uint32_t)random() % INSTANCES, s = (uint32_t)random() % SESSIONS;
		uint8_t rule = 1 + random() % (RULE_SELF_BLIND - 1);

		random_step(is, i, s);
		random_event(is, i, s, rule);
	}
	TAILQ_FOREACH(in, &is->by_activity, by_activity)
	open += in->count;
	assert_int_equal(open + shown.closed_count, model.fed);
	incidents_end(is, END_MONITOR, model.now_ns);
	assert_int_equal(shown.closed_count, model.fed);
	assert_int_equal(shown.opened, shown.closed);
	assert_int_equal(is->lost, 0);
}

static void random_streams_keep_counts_and_lineages(void **state)
{
	for (unsigned int seed = 1; seed <= 60; seed++) {
		memset(&shown, 0, sizeof(shown));
		random_stream(*state, seed);
	}
}

/* The same actions in another order give the same counts. */
static void order_and_duplicates_change_no_count(void **state)
{
	struct incident_fact facts[200];
	uint64_t first[SESSIONS] = {}, again[SESSIONS] = {};

	srandom(3);
	for (size_t i = 0; i < 200; i++)
		facts[i] = fact_of(1, 1000 + (uint32_t)random() % SESSIONS, 77 + (uint32_t)i,
				   (uint8_t)(1 + random() % 10), 5 * S + i);
	for (int round = 0; round < 2; round++) {
		struct incidents *is = *state;
		const struct incident *in;

		for (size_t i = 0; i < 200; i++) {
			incidents_feed(is, &facts[i], 6 * S);
			incidents_feed(is, &facts[i], 6 * S); /* a duplicate */
		}
		TAILQ_FOREACH(in, &is->by_activity, by_activity)
		(round ? again : first)[in->lineage.pid - 1000] = in->count;
		incidents_end(is, END_MONITOR, 7 * S);
		for (size_t i = 199; i > 0; i--) { /* shuffle */
			size_t k = (size_t)random() % (i + 1);
			struct incident_fact f = facts[i];

			facts[i] = facts[k];
			facts[k] = f;
		}
	}
	assert_memory_equal(first, again, sizeof(first));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(first_event_opens_an_incident_immediately),
		T(debugging_session_is_one_incident),
		T(incident_is_updated_at_most_once_a_second),
		T(quiet_incident_is_closed_and_the_next_event_opens_another),
		T(two_simultaneous_attackers_are_two_incidents),
		T(one_session_on_many_instances_is_many_incidents),
		T(each_action_has_its_own_actor_and_the_worst_leads),
		T(rule_and_actor_that_lead_belong_together),
		T(another_or_restarted_instance_is_another_incident),
		T(reused_session_id_is_another_actor),
		T(session_outlives_its_leader),
		T(process_without_a_session_joins_it_once_it_is_known),
		T(peers_are_distinguished_by_address),
		T(severity_rises_with_the_stage),
		T(states_that_nobody_brought_about_do_not_add_up),
		T(refused_attempt_only_reaches_the_touch_stage),
		T(memory_read_then_foreign_writer_is_correlated),
		T(key_read_then_downgrade_is_correlated_across_incidents),
		T(reverse_order_is_not_correlated),
		T(tenant_of_the_actor_is_recorded),
		T(late_details_replace_the_summary_and_add_to_the_count),
		T(first_action_of_each_rule_is_kept_in_a_flood),
		T(memory_is_bounded_and_the_quietest_incident_is_closed_first),
		T(clock_that_steps_back_closes_nothing),
		T(random_streams_keep_counts_and_lineages),
		T(order_and_duplicates_change_no_count),
	};

	return cmocka_run_group_tests_name("incident", tests, NULL, NULL);
}
