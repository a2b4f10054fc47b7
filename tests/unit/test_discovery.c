/* SPDX-License-Identifier: BSD-2-Clause */
/* test_discovery.c - each user has a share of the monitor's time, root has all of it, and what waits has its turn. */
#include "unit.h"

#include "model/discovery.h"

#include <stdlib.h>

#define SEC 1000000000ull

static struct discovery d;
static const struct event ev = {.type = EVENT_FILE};

static uint32_t take(uint64_t now)
{
	uint32_t uid = 0;
	struct discovery_job *job = discovery_take(&d, &uid, now);

	free(job);
	return job ? uid : 0;
}

static void a_user_has_his_share_of_time(void **state)
{
	discovery_init(&d);
	assert_true(discovery_admits(&d, 1, SEC));
	discovery_spend(&d, 1, SEC, SEC); /* twice what is saved up */
	assert_true(!discovery_admits(&d, 1, SEC));
	assert_true(discovery_admits(&d, 2, SEC));
	assert_true(discovery_admits(&d, 0, SEC));
	discovery_spend(&d, 0, 100 * SEC, SEC);
	assert_true(discovery_admits(&d, 0, SEC));
	assert_true(!discovery_admits(&d, 1, 3 * SEC));
	assert_true(!discovery_admits(&d, 1, SEC)); /* of the past, it gives nothing twice */
	assert_true(!discovery_admits(&d, 1, 3 * SEC));
	assert_true(discovery_admits(&d, 1, 3 * SEC + DISCOVERY_SHARE));
	assert_true(discovery_admits(&d, 1, 1000 * SEC));
	discovery_spend(&d, 1, DISCOVERY_BURST_NS, 1000 * SEC); /* no more was saved up */
	assert_true(!discovery_admits(&d, 1, 1000 * SEC));
	discovery_free(&d);
}

static void users_take_turns(void **state)
{
	discovery_init(&d);
	assert_true(discovery_due(&d, SEC) == UINT64_MAX);
	discovery_spend(&d, 1, DISCOVERY_BURST_NS, SEC);
	discovery_spend(&d, 2, DISCOVERY_BURST_NS, SEC);
	for (int i = 0; i < 2; i++) {
		assert_true(discovery_defer(&d, 1, &ev, SEC));
		assert_true(discovery_defer(&d, 2, &ev, SEC));
	}
	assert_true(take(SEC) == 0);
	assert_true(discovery_due(&d, SEC) == SEC + DISCOVERY_SHARE);
	assert_true(take(2 * SEC) == 1);
	assert_true(discovery_due(&d, 2 * SEC) == 2 * SEC);
	assert_true(!discovery_admits(&d, 1, 2 * SEC)); /* another one of his waits */
	assert_true(take(2 * SEC) == 2);
	assert_true(take(2 * SEC) == 1);
	assert_true(discovery_admits(&d, 1, 2 * SEC));
	assert_true(take(2 * SEC) == 2);
	assert_true(take(2 * SEC) == 0);
	discovery_free(&d);
}

static void one_user_takes_no_room_from_another(void **state)
{
	discovery_init(&d);
	for (int i = 0; i < DISCOVERY_WAITING; i++)
		assert_true(discovery_defer(&d, 1, &ev, SEC));
	assert_true(!discovery_defer(&d, 1, &ev, SEC));
	assert_true(discovery_defer(&d, 2, &ev, SEC));
	for (const struct discovery_user *u = NULL; (u = discovery_next_user(&d, u));)
		assert_true(u->dropped == (u->uid == 1));
	discovery_free(&d); /* with what waits */
}

static void postponed_sweeps_are_counted_for_their_user(void **state)
{
	discovery_init(&d);
	discovery_spend(&d, 2, 1, SEC);
	discovery_postpone(&d, 1, SEC);
	discovery_postpone(&d, 1, 2 * SEC);
	for (const struct discovery_user *u = NULL; (u = discovery_next_user(&d, u));)
		assert_true(u->postponed == (u->uid == 1 ? 2 : 0));
	discovery_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_has_his_share_of_time),
		cmocka_unit_test(users_take_turns),
		cmocka_unit_test(one_user_takes_no_room_from_another),
		cmocka_unit_test(postponed_sweeps_are_counted_for_their_user),
	};

	return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
