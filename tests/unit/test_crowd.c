/* SPDX-License-Identifier: BSD-2-Clause */
/* test_crowd.c - which connections are told one by one, which are counted together, and that none is lost. */
#include "unit.h"

#include "model/crowd.h"

#include <string.h>

#define S 1000000000ull

static struct event event_of(uint32_t instance, uint8_t rule, uint8_t address)
{
	struct event ev = {.flags = EVENT_CONN, .key = {.instance = instance, .rule = rule}};

	ev.key.actor = 1234; /* its cookie */
	ev.conn.ends.remote_ip[10] = ev.conn.ends.remote_ip[11] = 0xff;
	ev.conn.ends.remote_ip[15] = address;
	return ev;
}

static uint64_t total, ended;

static void on_crowd(void *ctx, const struct crowd *c, bool last)
{
	total += c->counted.count;
	ended += last;
}

/* What the crowds have counted; those without anybody new for ten seconds end. */
static uint64_t counted(struct crowds *cs, uint64_t now)
{
	total = ended = 0;
	crowds_tick(cs, now, 10 * S, on_crowd, NULL);
	return total;
}

static void a_share_is_told_one_by_one(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {};

	for (int i = 0; i < SHARE; i++) {
		struct event ev = event_of(1, RULE_TLS_VERSION, 1);

		assert_true(crowds_admit(&cs, &own, &ev, S));
		assert_int_equal(ev.key.actor, 1234);
		assert_int_equal(ev.flags, EVENT_CONN);
	}
	assert_int_equal(counted(&cs, S), 0);
}

static void the_rest_is_counted_together(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {};
	int told = 0;

	for (int i = 0; i < 3 * SHARE; i++) {
		struct event ev = event_of(1, RULE_TLS_VERSION, 1);

		if (crowds_admit(&cs, &own, &ev, S))
			continue;
		assert_true(ev.flags & EVENT_CROWD);
		assert_true(ev.key.actor & ACTOR_CROWD && ev.key.actor & ACTOR_PEERS);
		told += crowds_count(&cs, &ev, S);
	}
	assert_int_equal(told, 1);
	assert_int_equal(counted(&cs, S), 2 * SHARE);
}

static void rules_and_servers_have_crowds_of_their_own(void **state)
{
	struct crowds cs = {};
	struct crowd_share one = {.since_ns = S, .used = SHARE}, other = one;
	struct event a = event_of(1, RULE_TLS_VERSION, 1), b = event_of(1, RULE_TLS_CIPHER, 1),
		     c = event_of(2, RULE_TLS_VERSION, 1);

	assert_false(crowds_admit(&cs, &one, &a, S));
	assert_false(crowds_admit(&cs, &one, &b, S));
	assert_false(crowds_admit(&cs, &other, &c, S));
	assert_true(crowds_count(&cs, &a, S));
	assert_true(crowds_count(&cs, &b, S));
	assert_true(crowds_count(&cs, &c, S));
	assert_int_equal(counted(&cs, S), 3);
}

static void another_server_is_told_meanwhile(void **state)
{
	struct crowds cs = {};
	struct crowd_share noisy = {}, quiet = {};
	struct event ev;

	for (int i = 0; i < 100 * SHARE; i++) {
		ev = event_of(1, RULE_TLS_VERSION, 1);
		if (!crowds_admit(&cs, &noisy, &ev, S))
			crowds_count(&cs, &ev, S);
	}
	ev = event_of(2, RULE_TLS_VERSION, 1);
	assert_true(crowds_admit(&cs, &quiet, &ev, S));
	assert_int_equal(counted(&cs, S), 99 * SHARE);
}

static void a_new_period_has_a_new_share(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {.since_ns = S, .used = SHARE};
	struct event ev = event_of(1, RULE_TLS_VERSION, 1);

	assert_false(crowds_admit(&cs, &own, &ev, 11 * S));
	ev = event_of(1, RULE_TLS_VERSION, 1);
	assert_true(crowds_admit(&cs, &own, &ev, 11 * S + 1));
}

static void an_idle_crowd_ends(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {.since_ns = S, .used = SHARE};
	struct event ev = event_of(1, RULE_TLS_VERSION, 1);

	assert_false(crowds_admit(&cs, &own, &ev, S));
	assert_true(crowds_count(&cs, &ev, S));
	assert_int_equal(counted(&cs, 11 * S), 1);
	assert_int_equal(ended, 0);
	assert_int_equal(counted(&cs, 11 * S + 1), 1);
	assert_int_equal(ended, 1);
	assert_int_equal(counted(&cs, 12 * S), 0);
	assert_true(crowds_count(&cs, &ev, 12 * S)); /* told anew */
}

/* However many servers there are, nobody goes uncounted. */
static void a_full_table_counts_servers_together(void **state)
{
	static struct crowds cs;
	int told = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		struct crowd_share own = {.since_ns = S, .used = SHARE};
		struct event ev = event_of(100 + i, RULE_TLS_VERSION, (uint8_t)i);

		assert_false(crowds_admit(&cs, &own, &ev, S));
		told += crowds_count(&cs, &ev, S);
	}
	assert_int_equal(told, CROWDS_MAX + 1);
	assert_int_equal(counted(&cs, S), 5000);
	assert_int_equal(cs.all[CROWDS_MAX].key.instance, INSTANCE_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_told_one_by_one),
		cmocka_unit_test(the_rest_is_counted_together),
		cmocka_unit_test(rules_and_servers_have_crowds_of_their_own),
		cmocka_unit_test(another_server_is_told_meanwhile),
		cmocka_unit_test(a_new_period_has_a_new_share),
		cmocka_unit_test(an_idle_crowd_ends),
		cmocka_unit_test(a_full_table_counts_servers_together),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
