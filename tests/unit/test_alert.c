/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_alert.c - how events and kernel counts become alerts: what is shown, when, and that no count is lost.
 * Time is passed in.
 */
#include "unit.h"

#include "model/alert.h"

#include <stdlib.h>
#include <string.h>

#define S 1000000000ull

static struct attempt_key key_of(uint32_t tgid, uint8_t rule)
{
	return (struct attempt_key){.actor = 77,
				    .instance = 1,
				    .tgid = tgid,
				    .exec_id = 3,
				    .rule = rule,
				    .vector = VECTOR_PTRACE};
}

static struct event event_of(uint32_t tgid, uint8_t rule, uint64_t count)
{
	return (struct event){.magic = EVENT_MAGIC,
			      .version = EVENT_VERSION,
			      .type = EVENT_ATTEMPT,
			      .size = sizeof(struct event),
			      .time_ns = 5 * S,
			      .key = key_of(tgid, rule),
			      .count = count};
}

static struct attempt sum_of(uint64_t count, uint32_t sent)
{
	return (struct attempt){.count = count, .first_ns = 5 * S, .last_ns = 6 * S, .sent = sent};
}

static int setup(void **state)
{
	struct alerts *as = malloc(sizeof(*as));

	*state = as;
	return alerts_init(as);
}

static int teardown(void **state)
{
	alerts_free(*state);
	free(*state);
	return 0;
}

static void first_event_is_shown_immediately(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct alert *a = alerts_event(*state, &ev);

	assert_non_null(a);
	assert_int_equal(a->count, 1);
	assert_false(alert_shown(*state, a, 5 * S));
	assert_int_equal(a->id, 1);
}

static void repeats_are_counted_and_shown_once_a_second(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct attempt_key key = key_of(10, RULE_MEM_READ);
	struct attempt sum = sum_of(900, 1);
	struct alert *a = alerts_event(*state, &ev);

	alert_shown(*state, a, 5 * S);
	assert_null(alerts_counted(*state, &key, &sum, 5 * S + S / 2, false));
	assert_ptr_equal(alerts_counted(*state, &key, &sum, 6 * S, false), a);
	assert_int_equal(a->count, 900);
	assert_true(alert_shown(*state, a, 6 * S));
	assert_null(alerts_counted(*state, &key, &sum, 9 * S, false));
}

static void unchanged_count_is_not_shown_again(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct attempt_key key = key_of(10, RULE_MEM_READ);
	struct attempt sum = sum_of(1, 1);

	alert_shown(*state, alerts_event(*state, &ev), 5 * S);
	assert_null(alerts_counted(*state, &key, &sum, 50 * S, true));
}

static void flush_does_not_wait_for_the_second(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct attempt_key key = key_of(10, RULE_MEM_READ);
	struct attempt sum = sum_of(2, 1);

	alert_shown(*state, alerts_event(*state, &ev), 5 * S);
	assert_non_null(alerts_counted(*state, &key, &sum, 5 * S + 1, true));
}

static void event_lost_to_a_full_ring_is_shown_from_its_count(void **state)
{
	struct attempt_key key = key_of(11, RULE_MEM_WRITE);
	struct attempt sum = sum_of(3, 0);
	struct alert *a = alerts_counted(*state, &key, &sum, 6 * S, false);

	assert_non_null(a);
	assert_false(a->detailed);
	assert_int_equal(a->count, 3);
	assert_int_equal(a->ev.key.tgid, 11);
	assert_int_equal(a->ev.time_ns, 5 * S);
}

static void count_of_an_event_still_in_the_ring_waits_for_it(void **state)
{
	struct attempt_key key = key_of(11, RULE_MEM_WRITE);
	struct attempt sum = sum_of(3, 1);

	assert_null(alerts_counted(*state, &key, &sum, 6 * S, true));
}

static void late_event_adds_the_details(void **state)
{
	struct attempt_key key = key_of(11, RULE_MEM_WRITE);
	struct attempt sum = sum_of(3, 0);
	struct event ev = event_of(11, RULE_MEM_WRITE, 4);
	struct alert *a = alerts_counted(*state, &key, &sum, 6 * S, false);

	alert_shown(*state, a, 6 * S);
	assert_ptr_equal(alerts_event(*state, &ev), a);
	assert_true(a->detailed);
	assert_int_equal(a->count, 4);
	assert_true(alert_shown(*state, a, 6 * S));
}

static void different_actor_rule_errno_or_program_is_another_alert(void **state)
{
	struct event ev[5];

	for (int i = 0; i < 5; i++)
		ev[i] = event_of(10, RULE_MEM_READ, 1);
	ev[1].key.tgid = 11;
	ev[2].key.rule = RULE_MEM_TRACE;
	ev[3].key.err = 1;
	ev[4].key.exec_id = 4;
	for (int i = 0; i < 5; i++)
		assert_non_null(alerts_event(*state, &ev[i]));
	assert_int_equal(((struct alerts *)*state)->by_key.count, 5);
}

static void both_directions_of_a_connection_share_one_alert(void **state)
{
	struct event ev = event_of(0, RULE_TLS_PLAINTEXT, 1);
	struct attempt_key counted;
	struct attempt sum = sum_of(8, 1);
	struct alert *a;

	ev.key.exec_id = 0;
	ev.key.vector = VECTOR_NONE;
	counted = ev.key; /* the kernel counts without a direction */
	ev.key.vector = VECTOR_INGRESS;
	a = alerts_event(*state, &ev);
	alert_shown(*state, a, 5 * S);
	ev.key.vector = VECTOR_EGRESS;
	assert_null(alerts_event(*state, &ev));
	assert_ptr_equal(alerts_counted(*state, &counted, &sum, 7 * S, false), a);
	assert_int_equal(a->ev.key.vector, VECTOR_INGRESS);
}

static void uncounted_events_are_added_to_the_kernel_count(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct attempt_key key = key_of(10, RULE_MEM_READ);
	struct attempt sum = sum_of(5, 1);
	struct alert *a;

	ev.flags = EVENT_UNCOUNTED;
	a = alerts_event(*state, &ev);
	assert_ptr_equal(alerts_event(*state, &ev), a);
	assert_int_equal(a->count, 2);
	alerts_counted(*state, &key, &sum, 9 * S, true);
	assert_int_equal(a->count, 7);
}

static void forgotten_key_starts_a_new_alert(void **state)
{
	struct event ev = event_of(10, RULE_MEM_READ, 1);
	struct alert *a = alerts_event(*state, &ev);

	alert_shown(*state, a, 5 * S);
	alerts_forget(*state, &ev.key);
	a = alerts_event(*state, &ev);
	assert_non_null(a);
	assert_false(alert_shown(*state, a, 6 * S));
	assert_int_equal(a->id, 2);
}

static void kept_alert_is_not_shown_as_new_again(void **state)
{
	struct event ev = event_of(10, RULE_TLS_LISTENER, 1);
	struct attempt sum = sum_of(3, 1);
	struct alert *a = alerts_event(*state, &ev);

	sum.bytes = 70;
	assert_ptr_equal(alerts_counted(*state, &ev.key, &sum, 6 * S, true), a);
	alert_shown(*state, a, 6 * S);
	alerts_retain(*state, &ev.key);
	assert_null(alerts_event(*state, &ev)); /* the kernel counts from one again */
	sum.count = 2;
	sum.bytes = 50;
	assert_ptr_equal(alerts_counted(*state, &ev.key, &sum, 60 * S, false), a);
	assert_int_equal(a->count, 5);
	assert_int_equal(a->bytes, 120);
	assert_true(alert_shown(*state, a, 60 * S));
	alerts_retain(*state, &ev.key); /* a second time */
	sum.count = 1;
	alerts_counted(*state, &ev.key, &sum, 90 * S, false);
	assert_int_equal(a->count, 6);
	assert_int_equal(a->bytes, 170);
}

static void kept_alert_ends_with_its_instance_only(void **state)
{
	struct alerts *as = *state;
	struct event ev[3];

	for (int i = 0; i < 3; i++) {
		ev[i] = event_of(10 + (uint32_t)i, RULE_TLS_LISTENER, 1);
		ev[i].key.instance = i < 2 ? 1 : 2;
		alert_shown(as, alerts_event(as, &ev[i]), 5 * S);
	}
	alerts_retain(as, &ev[0].key); /* not ev[1]: the kernel still has an entry for it */
	alerts_retain(as, &ev[2].key);
	alerts_instance_ended(as, 1);
	assert_int_equal(as->by_key.count, 2);
	assert_non_null(alerts_event(as, &ev[0]));
	assert_null(alerts_event(as, &ev[1]));
	assert_null(alerts_event(as, &ev[2]));
}

/* The kernel does not send an event again while it has an entry for it. */
static void kept_alerts_are_evicted_first(void **state)
{
	struct alerts *as = *state;

	for (uint32_t i = 0; i < ALERTS_MAX + 50; i++) {
		struct event ev = event_of(i + 1, RULE_TLS_LISTENER, 1);

		alert_shown(as, alerts_event(as, &ev), 5 * S);
		if (i >= 100 && i < 200)
			alerts_retain(as, &ev.key);
	}
	for (uint32_t i = 0; i < 100; i++) {
		struct event ev = event_of(i + 1, RULE_TLS_LISTENER, 1);

		assert_null(alerts_event(as, &ev));
	}
	assert_int_equal(as->by_key.count, ALERTS_MAX);
}

static void blind_spot_is_one_alert_per_note_and_its_count_grows(void **state)
{
	struct alert *a = alerts_blind(*state, "ring full", 0, 3, 5 * S, false);

	assert_non_null(a);
	assert_string_equal(a->note, "ring full");
	alert_shown(*state, a, 5 * S);
	assert_null(alerts_blind(*state, "ring full", 0, 3, 9 * S, false));
	assert_ptr_equal(alerts_blind(*state, "ring full", 0, 4, 9 * S, false), a);
	assert_ptr_not_equal(alerts_blind(*state, "lost", 0, 1, 9 * S, false), a);
}

static void memory_is_bounded_and_evicted_alerts_were_shown(void **state)
{
	struct alerts *as = *state;

	for (uint32_t i = 0; i < ALERTS_MAX + 50; i++) {
		struct event ev = event_of(i + 1, RULE_MEM_READ, 1);
		struct alert *a = alerts_event(as, &ev);

		assert_non_null(a);
		alert_shown(as, a, 5 * S + i);
	}
	assert_int_equal(as->by_key.count, ALERTS_MAX);
	assert_int_equal(as->forgotten, 50);
}

/* Events and counts in random order: the total shown equals what the kernel counted. */
static void no_count_is_lost_in_any_order(void **state)
{
	uint64_t done[16] = {0}, shown = 0;
	bool sent[16] = {false};

	srandom(7);
	for (int step = 0; step < 20000; step++) {
		uint32_t actor = (uint32_t)random() % 16;
		struct event ev = event_of(actor + 1, RULE_MEM_READ, ++done[actor]);
		struct attempt_key key = ev.key;
		struct attempt sum;
		struct alert *a = NULL;

		if (!sent[actor] && random() % 3) { /* the ring had room */
			sent[actor] = true;
			a = alerts_event(*state, &ev);
		} else if (random() % 4 == 0) {
			sum = sum_of(done[actor], sent[actor]);
			a = alerts_counted(*state, &key, &sum, 5 * S + (uint64_t)step * 1000000,
					   false);
		}
		if (a) {
			shown += a->count - a->shown_count;
			alert_shown(*state, a, 5 * S + (uint64_t)step * 1000000);
		}
	}
	for (uint32_t actor = 0; actor < 16; actor++) {
		struct attempt_key key = key_of(actor + 1, RULE_MEM_READ);
		struct attempt sum = sum_of(done[actor], sent[actor]);
		struct alert *a = alerts_counted(*state, &key, &sum, 100 * S, true);

		if (a) {
			shown += a->count - a->shown_count;
			alert_shown(*state, a, 100 * S);
		}
	}
	assert_int_equal(shown, 20000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(first_event_is_shown_immediately),
		T(repeats_are_counted_and_shown_once_a_second),
		T(unchanged_count_is_not_shown_again),
		T(flush_does_not_wait_for_the_second),
		T(event_lost_to_a_full_ring_is_shown_from_its_count),
		T(count_of_an_event_still_in_the_ring_waits_for_it),
		T(late_event_adds_the_details),
		T(different_actor_rule_errno_or_program_is_another_alert),
		T(both_directions_of_a_connection_share_one_alert),
		T(uncounted_events_are_added_to_the_kernel_count),
		T(forgotten_key_starts_a_new_alert),
		T(kept_alert_is_not_shown_as_new_again),
		T(kept_alert_ends_with_its_instance_only),
		T(kept_alerts_are_evicted_first),
		T(blind_spot_is_one_alert_per_note_and_its_count_grows),
		T(memory_is_bounded_and_evicted_alerts_were_shown),
		T(no_count_is_lost_in_any_order),
	};

	return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
