/* SPDX-License-Identifier: BSD-2-Clause */
/* test_crowd.c - which connections are told one by one, which are counted together, and that none is lost. */
#include "unit.h"

#include "model/crowd.h"

#include <string.h>

#define S 1000000000ull
#define ROOT 0
#define MALLORY 1000
#define VICTIM 2000

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

		assert_true(crowds_admit(&cs, ROOT, &own, &ev, S));
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

		if (crowds_admit(&cs, ROOT, &own, &ev, S))
			continue;
		assert_true(ev.flags & EVENT_CROWD);
		assert_true(ev.key.actor & ACTOR_CROWD && ev.key.actor & ACTOR_PEERS);
		told += crowds_count(&cs, ROOT, &ev, S);
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

	assert_false(crowds_admit(&cs, ROOT, &one, &a, S));
	assert_false(crowds_admit(&cs, ROOT, &one, &b, S));
	assert_false(crowds_admit(&cs, ROOT, &other, &c, S));
	assert_true(crowds_count(&cs, ROOT, &a, S));
	assert_true(crowds_count(&cs, ROOT, &b, S));
	assert_true(crowds_count(&cs, ROOT, &c, S));
	assert_int_equal(counted(&cs, S), 3);
}

static void another_server_is_told_meanwhile(void **state)
{
	struct crowds cs = {};
	struct crowd_share noisy = {}, quiet = {};
	struct event ev;

	for (int i = 0; i < 100 * SHARE; i++) {
		ev = event_of(1, RULE_TLS_VERSION, 1);
		if (!crowds_admit(&cs, ROOT, &noisy, &ev, S))
			crowds_count(&cs, ROOT, &ev, S);
	}
	ev = event_of(2, RULE_TLS_VERSION, 1);
	assert_true(crowds_admit(&cs, ROOT, &quiet, &ev, S));
	assert_int_equal(counted(&cs, S), 99 * SHARE);
}

static void a_new_period_has_a_new_share(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {.since_ns = S, .used = SHARE};
	struct event ev = event_of(1, RULE_TLS_VERSION, 1);

	assert_false(crowds_admit(&cs, ROOT, &own, &ev, 11 * S));
	ev = event_of(1, RULE_TLS_VERSION, 1);
	assert_true(crowds_admit(&cs, ROOT, &own, &ev, 11 * S + 1));
}

static void an_idle_crowd_ends(void **state)
{
	struct crowds cs = {};
	struct crowd_share own = {.since_ns = S, .used = SHARE};
	struct event ev = event_of(1, RULE_TLS_VERSION, 1);

	assert_false(crowds_admit(&cs, ROOT, &own, &ev, S));
	assert_true(crowds_count(&cs, ROOT, &ev, S));
	assert_int_equal(counted(&cs, 11 * S), 1);
	assert_int_equal(ended, 0);
	assert_int_equal(counted(&cs, 11 * S + 1), 1);
	assert_int_equal(ended, 1);
	assert_int_equal(counted(&cs, 12 * S), 0);
	assert_true(crowds_count(&cs, ROOT, &ev, 12 * S)); /* told anew */
}

/* However many servers there are, nobody goes uncounted. */
static void a_full_table_counts_servers_together(void **state)
{
	static struct crowds cs;
	int told = 0;

	for (uint32_t i = 0; i < 5000; i++) {
		struct crowd_share own = {.since_ns = S, .used = SHARE};
		struct event ev = event_of(100 + i, RULE_TLS_VERSION, (uint8_t)i);

		assert_false(crowds_admit(&cs, i, &own, &ev, S));
		told += crowds_count(&cs, i, &ev, S);
	}
	assert_int_equal(told, CROWDS_MAX + 1);
	assert_int_equal(counted(&cs, S), 5000);
	assert_int_equal(cs.all[CROWDS_MAX].key.instance, INSTANCE_HOST);
}

/* One more connection. Returns whether it was told by itself. */
static bool told_alone(struct crowds *cs, uint32_t account, struct crowd_share *own,
		       uint32_t instance, uint8_t address, uint64_t now)
{
	struct event ev = event_of(instance, RULE_TLS_VERSION, address);

	if (crowds_admit(cs, account, own, &ev, now))
		return true;
	crowds_count(cs, account, &ev, now);
	return false;
}

/* Servers of one user, however many, with as many connections as each may have. */
static void servers_of_one_user_leave_others_their_share(void **state)
{
	static struct crowds cs;
	struct crowd_share victim = {};
	uint64_t alone = 0, all = 0;

	for (uint32_t i = 0; i < 500; i++) {
		struct crowd_share own = {};

		for (int k = 0; k < SHARE; k++, all++)
			alone += told_alone(&cs, MALLORY, &own, 100 + i, (uint8_t)k, S);
	}
	assert_int_equal(alone, SHARE_PEERS);
	assert_true(told_alone(&cs, VICTIM, &victim, 1, 1, S));
	assert_int_equal(counted(&cs, S), all - alone);
}

/* The victim's server has a crowd of its own all the same, when its share is used up, too. */
static void crowds_of_one_user_leave_room_for_others(void **state)
{
	static struct crowds cs;
	struct crowd_share victim = {.since_ns = S, .used = SHARE};
	struct event ev = event_of(1, RULE_TLS_VERSION, 1);

	for (uint32_t i = 0; i < 1000; i++) {
		struct crowd_share own = {.since_ns = S, .used = SHARE};

		told_alone(&cs, MALLORY, &own, 100 + i, 1, S);
	}
	assert_true(cs.count <= CROWDS_MAX / 2 + 1);
	assert_false(crowds_admit(&cs, VICTIM, &victim, &ev, S));
	assert_int_equal(ev.key.instance, 1);
	assert_true(crowds_count(&cs, VICTIM, &ev, S));
	assert_int_equal(counted(&cs, S), 1001);
}

/* More users than have a share: each has his turn when another has been quiet for a period. */
static void many_users_share_what_is_left(void **state)
{
	static struct crowds cs;
	struct crowd_share own[2 * CROWD_OWNERS + 1] = {};

	for (uint32_t i = 0; i < 2 * CROWD_OWNERS; i++)
		assert_true(told_alone(&cs, 1000 + i, &own[i], 100 + i, 1, S));
	assert_int_equal(cs.others.used, CROWD_OWNERS);
	assert_true(told_alone(&cs, VICTIM, &own[2 * CROWD_OWNERS], 1, 1, 12 * S));
	assert_int_equal(cs.others.used, CROWD_OWNERS);
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
		cmocka_unit_test(servers_of_one_user_leave_others_their_share),
		cmocka_unit_test(crowds_of_one_user_leave_room_for_others),
		cmocka_unit_test(many_users_share_what_is_left),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
