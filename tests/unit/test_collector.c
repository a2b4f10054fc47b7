/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_collector.c - which ring buffer records the collector accepts. Reading the ring itself needs a
 * kernel: tests/live/collector.c.
 */
#include "unit.h"

#include "sensor/collector.h"

#include <stdlib.h>
#include <string.h>

#include "event_sample.h"

static void valid_record_is_accepted(void **state)
{
	struct event ev = event_sample();
	const char *why;

	assert_true(collector_valid(&ev, sizeof(ev), &why));
	assert_null(why);
}

static void truncated_record_is_rejected(void **state)
{
	struct event ev = event_sample();
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

static void record_with_an_invalid_field_is_rejected(void **state)
{
	struct event ev = event_sample();
	const char *why;

	ev.magic = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	ev.version++;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	ev.type = EVENT_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	ev.key.rule = RULE_MAX;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	ev.actor.ancestors = ANCESTORS_MAX + 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	memset(ev.actor.comm, 'x', sizeof(ev.actor.comm));
	assert_false(collector_valid(&ev, sizeof(ev), &why));
	ev = event_sample();
	ev.actor.exe.off = PATH_LEN;
	ev.actor.exe.len = 1;
	assert_false(collector_valid(&ev, sizeof(ev), &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_record_is_accepted),
		cmocka_unit_test(truncated_record_is_rejected),
		cmocka_unit_test(record_with_an_invalid_field_is_rejected),
	};

	return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
