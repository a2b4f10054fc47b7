/* SPDX-License-Identifier: BSD-2-Clause */
/* test_output.c - output lines to a reader that is slow, stopped or gone: no blocking, bounded memory. */
#include "unit.h"

#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void slow_reader_does_not_block_and_gets_every_line(void **state)
{
	struct output o;
	char line[1000], buf[1000];
	int p[2];
	size_t got = 0, sent = 0;

	assert_int_equal(pipe(p), 0);
	memset(line, 'a', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	output_init(&o, p[1]);
	for (int i = 0; i < 500; i++, sent += sizeof(line)) /* seven times what a pipe holds */
		output_line(&o, line, sizeof(line));
	assert_true(o.len > 0);
	while (got < sent) {
		ssize_t n = read(p[0], buf, sizeof(buf));

		assert_true(n > 0);
		got += (size_t)n;
		output_pump(&o, 0);
	}
	assert_int_equal(o.dropped, 0);
	assert_true(output_pump(&o, 0));
	output_free(&o);
	close(p[0]);
	close(p[1]);
}

static void stalled_reader_costs_bounded_memory(void **state)
{
	struct output o;
	static char line[100000];
	int p[2];

	assert_int_equal(pipe(p), 0);
	line[sizeof(line) - 1] = '\n';
	output_init(&o, p[1]);
	for (int i = 0; i < 200; i++)
		output_line(&o, line, sizeof(line));
	assert_true(o.len <= OUTPUT_PENDING_MAX);
	assert_true(o.dropped > 100);
	output_free(&o);
	close(p[0]);
	close(p[1]);
}

static void closed_pipe_is_an_error_and_its_lines_are_counted(void **state)
{
	struct output o;
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	close(p[0]);
	output_init(&o, p[1]);
	output_line(&o, "x\n", 2);
	assert_int_equal(o.error, EPIPE);
	assert_int_equal(o.dropped, 1);
	output_free(&o);
	close(p[1]);
}

static void full_device_is_an_error_and_its_lines_are_counted(void **state)
{
	struct output o;
	int fd = open("/dev/full", O_WRONLY);

	output_init(&o, fd);
	output_line(&o, "x\n", 2);
	assert_int_equal(o.error, ENOSPC);
	assert_int_equal(o.dropped, 1);
	output_free(&o);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_reader_does_not_block_and_gets_every_line),
		cmocka_unit_test(stalled_reader_costs_bounded_memory),
		cmocka_unit_test(closed_pipe_is_an_error_and_its_lines_are_counted),
		cmocka_unit_test(full_device_is_an_error_and_its_lines_are_counted),
	};

	return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
