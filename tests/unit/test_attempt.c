/* SPDX-License-Identifier: BSD-2-Clause */
/* test_attempt.c - the words for what came of an attempt. */
#include "unit.h"

#include "model/attempt.h"

#include "event.h"
#include "syscall_nr.h"

#include <errno.h>

static void result_is(struct event ev, uint64_t bytes, const char *want)
{
	char text[64];

	attempt_result(&ev, bytes, text, sizeof(text));
	assert_string_equal(text, want);
}

static struct event mem_event(uint8_t vector, uint32_t flags)
{
	struct event ev = {
		.flags = flags,
		.key = {.rule = RULE_MEM_READ, .vector = vector, .detail = PROC_FILE_MEM}};

	if (vector == VECTOR_ACCESS)
		ev.key.detail = NR_pread64 | PROC_FILE_MEM << SYSCALL_OP_SHIFT;
	return ev;
}

static void an_open_is_no_read(void **unused)
{
	result_is(mem_event(VECTOR_OPENAT, EVENT_FOR_READING), 0, "opened for reading");
	result_is(mem_event(VECTOR_OPENAT, EVENT_FOR_WRITING), 0, "opened for writing");
	result_is(mem_event(VECTOR_OPENAT, EVENT_FOR_READING | EVENT_FOR_WRITING), 0,
		  "opened for reading and writing");
	result_is(mem_event(VECTOR_OPENAT, 0), 0, "opened");
}

static void bytes_are_counted(void **unused)
{
	struct event wrote = mem_event(VECTOR_ACCESS, EVENT_TRANSFER | EVENT_FOR_WRITING);

	result_is(mem_event(VECTOR_ACCESS, EVENT_TRANSFER), 1, "read 1 byte");
	result_is(mem_event(VECTOR_ACCESS, EVENT_TRANSFER), 4096, "read 4096 bytes");
	result_is(wrote, 8, "wrote 8 bytes");
}

static void who_read_was_not_prevented(void **unused)
{
	result_is(mem_event(VECTOR_ACCESS, EVENT_TRANSFER | EVENT_KILLED), 64,
		  "read 64 bytes, then was killed");
	result_is(mem_event(VECTOR_OPENAT, EVENT_PREVENTED), 0, "prevented, killed");
}

static void errors_are_named(void **unused)
{
	struct event ev = mem_event(VECTOR_OPENAT, 0);

	ev.key.err = EACCES;
	result_is(ev, 0, "denied (EACCES)");
	ev.key.err = EIO;
	result_is(ev, 0, "failed (EIO)");
	result_is(mem_event(VECTOR_ACCESS, EVENT_IN_PROGRESS), 0, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_is_no_read),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(who_read_was_not_prevented),
		cmocka_unit_test(errors_are_named),
	};

	return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
