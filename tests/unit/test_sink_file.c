// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_sink_file.c - the file sink, and with it what all sinks of a policy share: the process, its rights, the bounded
 * queue, and that nothing is lost or delivered twice when a destination fails and recovers.
 */
#include "sink_sample.h"

#include <jansson.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const char *path;

static void open_file_sink(void)
{
	static char to[300];

	snprintf(to, sizeof(to), "file:%s", path);
	sample_open(&(struct policy_sink){.name = "sample", .to = to, .severity = SEVERITY_INFO});
}

static int setup(void **state)
{
	sample_setup(state);
	path = strdup(sample_path("alerts.json"));
	return 0;
}

static int teardown(void **state)
{
	sample_teardown(state);
	free((void *)path);
	return 0;
}

static void send_incidents(unsigned int first, unsigned int last)
{
	for (unsigned int i = first; i <= last; i++)
		sample_incident(i, INCIDENT_OPENED, SEVERITY_HIGH);
}

/* Every line of the file is a whole JSON object; their numbers are first, first + 1, ... Returns the last, 0: no line. */
static unsigned int check_lines(const char *file, unsigned int first)
{
	const char *text = sample_read(file);
	unsigned int number = first - 1;

	for (const char *line = text, *end; *line; line = end + 1) {
		json_error_t error;
		json_t *j;

		end = strchr(line, '\n');
		if (!end)
			sample_fail("a part of a line: %.80s", line);
		j = json_loadb(line, (size_t)(end - line), 0, &error);
		if (!j)
			sample_fail("not JSON: %s: %.80s", error.text, line);
		json_decref(j);
		assert_int_equal(sample_number(line), ++number);
	}
	return number;
}

static void lines_are_appended_to_a_file_for_nobody_else(void **state)
{
	struct stat st;

	open_file_sink();
	send_incidents(1, 3);
	sample_until(sample_status().delivered == 3);
	assert_int_equal(check_lines(path, 1), 3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sample_close();
	open_file_sink();
	send_incidents(4, 5);
	sample_until(sample_status().delivered == 2);
	assert_int_equal(check_lines(path, 1), 5);
	assert_int_equal(sample_status().lag, 0);
}

static void a_heartbeat_is_a_line_too(void **state)
{
	open_file_sink();
	sample_heartbeat(1);
	sample_until(sample_status().delivered == 1);
	assert_non_null(strstr(sample_read(path), "\"kind\":\"heartbeat\",\"number\":1"));
}

static void a_file_that_was_renamed_is_left_for_a_new_one(void **state)
{
	const char *old = sample_path("alerts.json.1");

	open_file_sink();
	send_incidents(1, 2);
	sample_until(sample_status().delivered == 2);
	assert_int_equal(rename(path, old), 0);
	send_incidents(3, 4);
	sample_until(sample_status().delivered == 4);
	assert_int_equal(check_lines(old, 1), 2);
	assert_int_equal(check_lines(path, 3), 4);
	assert_int_equal(unlink(path), 0);
	send_incidents(5, 5);
	sample_until(sample_status().delivered == 5);
	assert_int_equal(check_lines(path, 5), 5);
}

/* Refused at once, with the reason; what would have been delivered is counted. */
static void expect_refused(const char *why)
{
	open_file_sink();
	sample_expect_refused(why);
	send_incidents(1, 2);
	assert_int_equal(sample_status().dropped, 2);
	assert_int_equal(sample_status().pid, 0);
	sample_close();
}

static void a_path_that_others_control_is_refused(void **state)
{
	assert_int_equal(symlink("elsewhere", path), 0);
	expect_refused("alerts.json: is a symbolic link");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused("alerts.json: Is a directory");
	rmdir(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused("alerts.json: not a regular file");
	unlink(path);
	sample_write(path, "");
	assert_int_equal(chmod(path, 0620), 0);
	expect_refused("alerts.json: can be written by others than its owner");
	if (geteuid())
		return;
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	expect_refused("alerts.json: belongs to another user");
}

/* Mounts a file system of that kind where only this process sees it, and moves the file there. */
static bool on_file_system(const char *type, const char *options)
{
	const char *disk = sample_path("disk");

	assert_int_equal(mkdir(disk, 0700), 0);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(type, disk, type, 0, options))
		return false;
	free((void *)path);
	path = strdup(sample_path("disk/alerts.json"));
	return true;
}

static void leave_file_system(void)
{
	sample_close();
	umount2(sample_path("disk"), MNT_DETACH);
}

/* Two lines and a half: room is reserved beyond such a limit, so the third is cut, and taken back. */
static void a_part_of_a_line_is_cut_off_and_written_later(void **state)
{
	struct rlimit limit = {0, RLIM_INFINITY};
	struct stat st;

	open_file_sink();
	send_incidents(1, 1);
	sample_until(sample_status().delivered == 1);
	assert_int_equal(stat(path, &st), 0);
	limit.rlim_cur = (rlim_t)st.st_size * 5 / 2;
	assert_int_equal(prlimit(sample_status().pid, RLIMIT_FSIZE, &limit, NULL), 0);
	send_incidents(2, 5);
	sample_until(sample_said("alerts.json: No space left on device; trying again"));
	assert_int_equal(sample_status().lag, 3);
	assert_true(sample_status().failing_s > 0);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(prlimit(sample_status().pid, RLIMIT_FSIZE, &limit, NULL), 0);
	sample_until(sample_status().delivered == 5);
	assert_int_equal(check_lines(path, 1), 5);
	assert_int_equal(sample_status().failing_s, 0);
	assert_int_equal(sample_status().dropped, 0);
	sample_until(sample_said("delivers again, after"));
}

/* At no moment is there a part of a line. */
static void a_full_disk_loses_nothing(void **state)
{
	const char *ballast = sample_path("disk/ballast");
	char room[32768] = "";

	if (!on_file_system("tmpfs", "size=64k"))
		skip();
	memset(room, 'x', sizeof(room) - 1);
	sample_write(ballast, room);
	open_file_sink();
	send_incidents(1, 14);
	sample_until(check_lines(path, 1) > 1 &&
		     sample_said("No space left on device; trying again"));
	assert_in_range(sample_status().lag, 1, 13);
	unlink(ballast);
	sample_until(check_lines(path, 1) == 14);
	assert_int_equal(sample_status().dropped, 0);
	leave_file_system();
}

static void a_line_that_a_crash_cut_is_said_and_ended(void **state)
{
	sample_write(path, "{\"half\":");
	open_file_sink();
	send_incidents(1, 1);
	sample_until(sample_status().delivered == 1);
	assert_true(sample_said("ends with a part of a line"));
	assert_int_equal(strncmp(sample_read(path), "{\"half\":\n{", 10), 0);
}

static void a_process_that_is_killed_is_replaced_and_nothing_is_lost(void **state)
{
	pid_t first;

	open_file_sink();
	first = sample_status().pid;
	send_incidents(1, 10);
	sample_until(sample_status().delivered == 10);
	kill(first, SIGKILL);
	send_incidents(11, 200);
	sample_until(sample_status().delivered == 200);
	assert_int_equal(check_lines(path, 1), 200);
	assert_int_equal(sample_status().restarts, 1);
	assert_int_not_equal(sample_status().pid, first);
	assert_true(sample_said("its process ended, by SIGKILL; starting another one"));
}

/* Another process has the file: as slow as a sink can be. */
static void what_does_not_fit_into_the_queue_is_counted_and_the_rest_delivered(void **state)
{
	const unsigned int sent = 6000;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unsigned long long last = 0, lines = 0;
	uint64_t before = clock_mono_ns();

	assert_int_equal(flock(fd, LOCK_EX), 0);
	open_file_sink();
	send_incidents(1, sent);
	assert_true(clock_mono_ns() - before < 10 * NS_PER_SEC);
	sample_until(sample_said("in use by another process; trying again"));
	assert_in_range(sample_status().dropped, 1, sent - 1);
	assert_int_equal(sample_status().lag + sample_status().dropped, sent);
	close(fd);
	sample_until(!sample_status().lag);
	assert_int_equal(sample_status().delivered + sample_status().dropped, sent);
	for (FILE *f = fopen(path, "re"); f;) {
		static char line[65536];

		if (!fgets(line, sizeof(line), f)) {
			fclose(f);
			break;
		}
		assert_true(sample_number(line) > last);
		last = sample_number(line);
		lines++;
	}
	assert_int_equal(lines, sample_status().delivered);
}

static unsigned int count_fds(pid_t pid)
{
	unsigned int n = 0;
	char name[64], target[64];

	for (int fd = 0; fd < 1024; fd++) {
		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, fd);
		n += readlink(name, target, sizeof(target)) > 0;
	}
	return n;
}

static void the_process_has_no_capability_and_no_descriptor_of_the_monitor(void **state)
{
	char name[64];
	const char *text;
	int other = open("/dev/null", O_RDONLY);

	open_file_sink();
	send_incidents(1, 1);
	sample_until(sample_status().delivered == 1);
	snprintf(name, sizeof(name), "/proc/%d/status", (int)sample_status().pid);
	text = sample_read(name);
	assert_non_null(strstr(text, "Name:\tcw-sink"));
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(text, "NoNewPrivs:\t1"));
	if (!geteuid())
		assert_int_equal(count_fds(sample_status().pid), 5); /* 0 to 3 and the file */
	close(other);
}

static bool alive(pid_t pid)
{
	return !kill(pid, 0);
}

/* As monitor/guard.c: a process forked from the monitor speaks for it once it is killed. */
static void the_guard_is_heard_after_the_monitor_was_killed(void **state)
{
	int said[2], killed[2];
	pid_t worker = 0, monitor;
	char byte;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	assert_int_equal(pipe(said), 0);
	assert_int_equal(pipe(killed), 0);
	monitor = fork();
	if (!monitor) {
		open_file_sink();
		worker = sample_status().pid;
		send_incidents(1, 1);
		sinks_flush(&sample, SAMPLE_WAIT_MS);
		if (!fork()) {
			struct sink_status left[SINKS_MAX] = {};

			close(killed[1]);
			if (read(killed[0], &byte, 1))
				_exit(1);
			sinks_take_over(&sample, left);
			send_incidents(2, 2);
			_exit(!sinks_flush(&sample, SAMPLE_WAIT_MS));
		}
		if (write(said[1], &worker, sizeof(worker)) != sizeof(worker))
			_exit(1);
		pause();
	}
	assert_int_equal(read(said[0], &worker, sizeof(worker)), sizeof(worker));
	close(killed[1]);
	kill(monitor, SIGKILL);
	sample_until(check_lines(path, 1) == 2);
	while (waitpid(-1, NULL, 0) >
	       0) /* the monitor, the guard, and the worker, which ends by itself */
		;
	assert_false(alive(worker));
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	close(said[0]);
	close(said[1]);
	close(killed[0]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(lines_are_appended_to_a_file_for_nobody_else),
		T(a_heartbeat_is_a_line_too),
		T(a_file_that_was_renamed_is_left_for_a_new_one),
		T(a_path_that_others_control_is_refused),
		T(a_part_of_a_line_is_cut_off_and_written_later),
		T(a_full_disk_loses_nothing),
		T(a_line_that_a_crash_cut_is_said_and_ended),
		T(a_process_that_is_killed_is_replaced_and_nothing_is_lost),
		T(what_does_not_fit_into_the_queue_is_counted_and_the_rest_delivered),
		T(the_process_has_no_capability_and_no_descriptor_of_the_monitor),
		T(the_guard_is_heard_after_the_monitor_was_killed),
	};

	return cmocka_run_group_tests_name("sink_file", tests, NULL, NULL);
}
