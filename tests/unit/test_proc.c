// SPDX-License-Identifier: BSD-2-Clause
/* test_proc.c - base/proc.c: a process is known by its pid and its start. */
#include "base/proc.h"

#include "base/clock.h"
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* CLOCK_BOOTTIME, in nanoseconds: field 22 of /proc/PID/stat (proc(5)). */
static uint64_t start_of(pid_t pid)
{
	char path[64], line[1024], *field;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	field = strrchr(line, ')');
	for (int n = 2; n < 22; n++)
		field = strchr(field + 1, ' ');
	return strtoull(field, NULL, 10) * (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void a_pid_used_again_is_another_process(void **state)
{
	uint64_t start_ns = start_of(getpid());

	assert_true(proc_runs(getpid(), start_ns));
	assert_false(proc_runs(getpid(), start_ns - NS_PER_SEC));
}

static void a_process_that_was_reaped_does_not_run(void **state)
{
	pid_t pid = fork();
	uint64_t start_ns;

	if (!pid) {
		pause();
		_exit(0);
	}
	start_ns = start_of(pid);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(proc_runs(pid, start_ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pid_used_again_is_another_process),
		cmocka_unit_test(a_process_that_was_reaped_does_not_run),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
