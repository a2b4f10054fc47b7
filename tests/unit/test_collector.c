/* SPDX-License-Identifier: BSD-2-Clause */
/* test_collector.c - which records from the ring buffer the collector accepts. */
#include "unit.h"

#include "sensor/collector.h"

#include <stdlib.h>
#include <string.h>

#include "event_sample.h"

static void whole_record_is_taken(void **state)
{
	struct event ev = sample();
	const char *why;

	assert_true(collector_valid(&ev, sizeof(ev), &why));
	assert_null(why);
}

static void record_cut_at_any_byte_is_refused(void **state)
{
	struct event ev = sample();
	const char *why;

	for (size_t n = 0; n < sizeof(ev); n++) {
		unsigned char *cut = malloc(
			n ? n : 1); /* exact room: a read beyond is seen by ASan and valgrind */

		memcpy(cut, &ev, n);
		assert_false(collector_valid(cut, n, &why));
		assert_non_null(why);
		free(cut);
	}
}

static void foreign_record_is_refused(void **state)
{
	struct event ev = sample();
	const char *why;

	ev.magic = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.version++;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.type = EVENT_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.key.rule = RULE_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.actor.ancestors = ANCESTORS_MAX + 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	memset(ev.actor.comm, 'x', sizeof(ev.actor.comm));
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = sample();
	ev.actor.exe.off = PATH_LEN;
	ev.actor.exe.len = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_record_is_taken),
		cmocka_unit_test(record_cut_at_any_byte_is_refused),
		cmocka_unit_test(foreign_record_is_refused),
	};

	return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
