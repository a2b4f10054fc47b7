/* SPDX-License-Identifier: BSD-2-Clause */
/* test_carried.c - bytes of connections: each is counted once, whether it is read while the connection is open or when it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/carried.h"

static struct carried_conns cc;

static int begin(void **state)
{
	return carried_init(&cc);
}

static int end(void **state)
{
	carried_free(&cc);
	return 0;
}

static struct carried opened(uint64_t cookie, uint64_t in, uint32_t in_unread, uint64_t out)
{
	struct conn_snapshot s = {.cookie = cookie,
				  .in = {.bytes = in, .unsynced_bytes = in_unread},
				  .out = {.bytes = out}};

	return carried_open(&cc, &s);
}

static struct carried closed(uint64_t cookie, uint64_t in, uint64_t in_unread, uint64_t out)
{
	struct handshake_chunk p = {.cookie = cookie, .flags = CHUNK_CLOSED};
	struct chunk_carried *c = (struct chunk_carried *)p.bytes;

	c[0] = (struct chunk_carried){in, in_unread};
	c[1] = (struct chunk_carried){out, 0};
	return carried_close(&cc, &p);
}

static void assert_carried(struct carried c, uint64_t in, uint64_t in_unread, uint64_t out)
{
	assert_int_equal(c.bytes[0], in);
	assert_int_equal(c.unread[0], in_unread);
	assert_int_equal(c.bytes[1], out);
	assert_int_equal(c.unread[1], 0);
}

static void round_of(uint64_t cookie, uint64_t in)
{
	carried_begin(&cc);
	if (cookie)
		opened(cookie, in, 0, 0);
	carried_end(&cc, true);
}

static void a_connection_that_was_never_read_counts_when_it_ends(void **state)
{
	assert_carried(closed(1, 300, 20, 5000), 300, 20, 5000);
}

static void each_byte_counts_once(void **state)
{
	carried_begin(&cc);
	assert_carried(opened(1, 100, 10, 1000), 100, 10, 1000);
	assert_carried(opened(2, 7, 0, 8), 7, 0, 8);
	carried_end(&cc, true);
	carried_begin(&cc);
	assert_carried(opened(1, 150, 10, 1000), 50, 0, 0);
	assert_carried(opened(2, 7, 0, 8), 0, 0, 0);
	carried_end(&cc, true);
	assert_carried(closed(1, 300, 30, 1500), 150, 20, 500);
	assert_carried(closed(2, 7, 0, 8), 0, 0, 0);
	assert_int_equal(cc.by_cookie.count, 0);
}

/* The report waits in the ring buffer, or another one was read first. */
static void an_end_that_is_told_late_counts_the_rest(void **state)
{
	round_of(1, 100);
	round_of(0, 0);
	assert_carried(closed(1, 130, 0, 0), 30, 0, 0);
}

static void an_end_that_is_lost_takes_no_room(void **state)
{
	round_of(1, 100);
	round_of(2, 100);
	assert_int_equal(cc.by_cookie.count, 2);
	round_of(2, 100);
	assert_int_equal(cc.by_cookie.count, 1);
	/* nobody is forgotten who was not looked at */
	for (int i = 0; i < 5; i++) {
		carried_begin(&cc);
		carried_end(&cc, false);
	}
	assert_int_equal(cc.by_cookie.count, 1);
	assert_carried(closed(2, 100, 0, 0), 0, 0, 0);
}

/* Bytes that were received before a program saw any are in no offset. */
static void bytes_from_before_are_not_walked(void **state)
{
	assert_carried(closed(1, 0, 50, 0), 50, 50, 0);
	carried_begin(&cc);
	assert_carried(opened(2, 10, 50, 0), 50, 50, 0);
	assert_carried(opened(2, 90, 50, 0), 40, 0, 0);
	carried_end(&cc, true);
}

/* The kernel side cannot count more: none of what follows is called walked. */
static void a_full_count_of_unread_bytes_takes_all_that_follow(void **state)
{
	carried_begin(&cc);
	assert_carried(opened(1, 6000000000, UINT32_MAX, 0), 6000000000, 6000000000, 0);
	assert_carried(opened(1, 6000000100, UINT32_MAX, 0), 100, 100, 0);
	carried_end(&cc, true);
	assert_carried(closed(1, 6000000300, UINT32_MAX, 0), 200, 200, 0);
}

static void what_finds_no_room_counts_when_it_ends(void **state)
{
	carried_begin(&cc);
	for (uint64_t i = 1; i <= CARRIED_CONNS_MAX; i++)
		opened(i, 1, 0, 0);
	assert_int_equal(cc.later, 0);
	assert_carried(opened(CARRIED_CONNS_MAX + 1, 70, 0, 0), 0, 0, 0);
	assert_int_equal(cc.later, 1);
	carried_end(&cc, true);
	assert_carried(closed(CARRIED_CONNS_MAX + 1, 90, 0, 0), 90, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_that_was_never_read_counts_when_it_ends),
		TEST(each_byte_counts_once),
		TEST(an_end_that_is_told_late_counts_the_rest),
		TEST(an_end_that_is_lost_takes_no_room),
		TEST(bytes_from_before_are_not_walked),
		TEST(a_full_count_of_unread_bytes_takes_all_that_follow),
		TEST(what_finds_no_room_counts_when_it_ends),
	};

	return cmocka_run_group_tests_name("carried", tests, NULL, NULL);
}
