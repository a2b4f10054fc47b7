/* SPDX-License-Identifier: BSD-2-Clause */
/* test_recent.c - what a monitor keeps of its reports: in order, once, bounded, with a count of what is gone. */
#include "unit.h"

#include "monitor/recent.h"

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct recent));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void add_event(struct recent *r, unsigned int rule)
{
	static const struct instance in = {.pid = 42, .name = "redis-server:6379"};
	struct alert a = {.ev = {.key = {.rule = (uint8_t)rule}, .flags = EVENT_ACTOR}, .count = 3};
	static struct finding f;

	a.ev.actor.pid = 7;
	strcpy(a.ev.actor.comm, "gdb");
	f = (struct finding){.alert = &a, .instance = &in, .severity = SEVERITY_HIGH};
	f.verdict.id = VERDICT_ALLOWED;
	f.verdict.allow = &(struct policy_allow){.at = {"/etc/p.yaml", 12}};
	recent_add_event(r, &f);
}

static void an_event_says_who_what_and_why(void **state)
{
	struct recent *r = *state;
	const struct recent_event *e;

	add_event(r, RULE_MEM_READ);
	e = recent_event_after(r, 0);
	assert_non_null(e);
	assert_int_equal(e->seq, 1);
	assert_int_equal(e->rule, RULE_MEM_READ);
	assert_int_equal(e->verdict, VERDICT_ALLOWED);
	assert_int_equal(e->count, 3);
	assert_int_equal(e->pid, 7);
	assert_string_equal(e->comm, "gdb");
	assert_int_equal(e->target.pid, 42);
	assert_string_equal(e->target.name, "redis-server:6379");
	assert_string_equal(e->policy, "/etc/p.yaml:12");
	assert_null(recent_event_after(r, 1));
}

static void events_come_in_order_and_what_is_gone_is_counted(void **state)
{
	const uint64_t all = RECENT_EVENTS + 10;
	const struct recent_event *e;
	struct recent *r = *state;
	uint64_t at = 0, n = 0;

	assert_null(recent_event_after(r, 0));
	assert_int_equal(recent_events_gone(r, 0), 0);
	for (uint64_t i = 0; i < all; i++)
		add_event(r, RULE_MEM_READ);
	assert_int_equal(recent_events_gone(r, 0), 10);
	assert_int_equal(recent_events_gone(r, 4), 6);
	assert_int_equal(recent_events_gone(r, 10), 0);
	assert_int_equal(recent_events_gone(r, all), 0);
	assert_int_equal(recent_events_gone(r, UINT64_MAX), 0);
	assert_int_equal(recent_event_after(r, 4)->seq, 11);
	assert_int_equal(recent_event_after(r, 10)->seq, 11);
	assert_int_equal(recent_event_after(r, 11)->seq, 12);
	assert_null(recent_event_after(r, all));
	assert_null(recent_event_after(r, UINT64_MAX));
	for (; (e = recent_event_after(r, at)); at = e->seq, n++)
		assert_true(e->seq > at);
	assert_int_equal(n, RECENT_EVENTS);
	assert_int_equal(at, all);
}

static void report(struct recent *r, uint64_t id, enum incident_change change)
{
	struct actor gdb = {
		.pid = 7, .uid = 1000, .detailed = true, .comm = "gdb", .exe = "/usr/bin/gdb"};
	struct incident in = {.id = id, .count = id, .lead = &gdb, .lead_rule = RULE_MEM_TRACE};

	in.rule_count[RULE_MEM_TRACE] = in.rule_count[RULE_MEM_READ] = 1;
	recent_add_incident(r, &(struct incident_view){.incident = &in, .change = change});
}

static void an_incident_is_kept_as_it_was_last_reported(void **state)
{
	struct recent *r = *state;
	const struct recent_incident *in;

	report(r, 1, INCIDENT_OPENED);
	report(r, 2, INCIDENT_OPENED);
	report(r, 1, INCIDENT_CLOSED);
	in = recent_incident_after(r, 0);
	assert_int_equal(in->id, 2);
	assert_false(in->closed);
	in = recent_incident_after(r, in->seq);
	assert_int_equal(in->id, 1);
	assert_true(in->closed);
	assert_int_equal(in->rules, 1u << RULE_MEM_TRACE | 1u << RULE_MEM_READ);
	assert_int_equal(in->pid, 7);
	assert_true(in->uid_known);
	assert_string_equal(in->exe, "/usr/bin/gdb");
	assert_null(recent_incident_after(r, in->seq));
	assert_int_equal(r->incidents_gone, 0);
}

static void the_incident_reported_longest_ago_makes_room(void **state)
{
	struct recent *r = *state;
	const struct recent_incident *in;
	uint64_t n = 0;

	for (uint64_t id = 1; id <= RECENT_INCIDENTS; id++)
		report(r, id, INCIDENT_OPENED);
	report(r, 1, INCIDENT_UPDATED);
	report(r, RECENT_INCIDENTS + 1, INCIDENT_OPENED);
	assert_int_equal(r->incidents_gone, 1);
	for (uint64_t at = 0; (in = recent_incident_after(r, at)); at = in->seq, n++)
		assert_int_not_equal(in->id, 2);
	assert_int_equal(n, RECENT_INCIDENTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_says_who_what_and_why, setup, teardown),
		cmocka_unit_test_setup_teardown(events_come_in_order_and_what_is_gone_is_counted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(an_incident_is_kept_as_it_was_last_reported, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_incident_reported_longest_ago_makes_room, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
