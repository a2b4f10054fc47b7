// SPDX-License-Identifier: BSD-2-Clause
/* test_procdir.c - base/procdir.c and base/host_state.c: a process that is held is never mistaken for another one. */
#include "base/procdir.h"

#include "base/clock.h"
#include "base/host_state.h"
#include "evidence_log.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define TICK_NS (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK))

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make(void **state)
{
	char path[128];

	if (scratch_make(state))
		return -1;
	snprintf(path, sizeof(path), "%s/4711", scratch);
	if (mkdir(path, 0700))
		return -1;
	/* a name that tries to be another process's line */
	put("4711/stat",
	    "4711 (x) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 0 0 9) S 99 98 97 34816 5 0 0 0 0 0 0 0 0 0 20 0 1 0 "
	    "777 0 0\n");
	put("4711/status", "Name:\tx\nCapPrm:\t00000000a80425fb\nCapEff:\t0000000000000000\n");
	return 0;
}

static void the_start_decides_who_it_is(void **state)
{
	char text[64];
	int dir = procdir_open(scratch, 4711, 777 * TICK_NS + 5);

	assert_true(dir >= 0);
	assert_true(procdir_read(dir, "status", text, sizeof(text)) > 0);
	assert_int_equal(procdir_read(dir, "environ", text, sizeof(text)), -ENOENT);
	close(dir);
	/* the pid is another process's by now */
	assert_int_equal(procdir_open(scratch, 4711, 776 * TICK_NS), -ESRCH);
	assert_int_equal(procdir_open(scratch, 4711, 9 * TICK_NS), -ESRCH);
	assert_int_equal(procdir_open(scratch, 4712, 777 * TICK_NS), -ESRCH);
	put("4711/stat", "");
	assert_int_equal(procdir_open(scratch, 4711, 777 * TICK_NS), -ESRCH);
}

static void fields_are_found(void **state)
{
	char text[64];
	int64_t n;

	assert_true(procdir_stat_field("1 (a) b) S 7 8", 4, &n));
	assert_int_equal(n, 7);
	assert_false(procdir_stat_field("1 (a) b) S 7 8", 6, &n));
	assert_false(procdir_stat_field("1 (a) b) S 7 8", 3, &n)); /* no number */
	assert_false(procdir_stat_field("", 3, &n));
	assert_true(procdir_status_field("Name:\tx\nCapEff:\t1f\n", "CapEff", text, sizeof(text)));
	assert_string_equal(text, "1f");
	assert_true(procdir_status_field("Name:\tx", "Name", text, sizeof(text)));
	assert_string_equal(text, "x");
	assert_false(procdir_status_field("Name:\tCapEff:\t1f\n", "CapEff", text, sizeof(text)));
	assert_false(procdir_status_field("", "CapEff", text, sizeof(text)));
}

static uint64_t start_of(pid_t pid)
{
	char path[64], text[1024];
	int64_t ticks;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	assert_true(procdir_read(AT_FDCWD, path, text, sizeof(text)) > 0);
	assert_true(procdir_stat_field(text, 22, &ticks));
	return (uint64_t)ticks * TICK_NS;
}

/* What was held stays that process: once it is gone there is nothing, and its executable can still be read. */
static void what_is_held_outlives_the_process(void **state)
{
	pid_t pid = fork();
	char text[64], path[64], link[256];
	int dir, exe, fd;

	if (!pid) {
		pause();
		_exit(0);
	}
	dir = procdir_open(PROCDIR_ROOT, pid, start_of(pid));
	assert_true(dir >= 0);
	exe = procdir_pin_exe(dir);
	assert_true(exe >= 0);
	assert_true(procdir_link(dir, "exe", link, sizeof(link)) > 0);
	assert_non_null(strstr(link, "test_procdir"));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(procdir_read(dir, "status", text, sizeof(text)) < 0);
	assert_true(procdir_read(dir, "environ", text, sizeof(text)) < 0);
	assert_true(procdir_pin_exe(dir) < 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", exe);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, 4), 4);
	assert_memory_equal(text,
			    "\x7f"
			    "ELF",
			    4);
	close(fd);
	close(exe);
	close(dir);
}

static void the_host_says_how_it_is(void **state)
{
	struct host_state h;
	char text[16];

	host_state_chosen("none [integrity] confidentiality\n", text, sizeof(text));
	assert_string_equal(text, "integrity");
	host_state_chosen("none integrity", text, sizeof(text));
	assert_string_equal(text, "");
	host_state_chosen("[", text, sizeof(text));
	assert_string_equal(text, "");
	host_state_read(&h);
	assert_true(h.taint >= 0);
	if (!h.ntp_error)
		assert_true(h.max_error_us >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_start_decides_who_it_is),
		TEST(fields_are_found),
		TEST(what_is_held_outlives_the_process),
		TEST(the_host_says_how_it_is),
	};

	return cmocka_run_group_tests_name("procdir", tests, NULL, NULL);
}
