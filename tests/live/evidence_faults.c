/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence_faults.c - the evidence log when its monitor is stopped, its disk hangs, fails or is full, the clock is set, or somebody
 * is at its directory: the sensors go on, what is missing is said, and the log verifies.
 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FAILED "evidence log: attempts to write it that failed; records wait in memory"
#define HANGS "evidence log: the disk does not answer; records wait in memory"
#define MOVED "evidence log: its directory or write-ahead log was moved, replaced or removed"
#define HANG_MS 10000 /* that the monitor waits before it says so */

static struct server *a;
static char disk[300]; /* a file system of a test that is mounted; empty: none */

static void unmount(void)
{
	if (disk[0])
		umount2(disk, MNT_DETACH);
	disk[0] = '\0';
}

static void setup(void)
{
	a = server_start(&(struct server_opts){});
}

static long long wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static void verifies(const char *dir)
{
	struct run r = run_command(20000, MONITOR, "evidence", "verify", dir);

	require(r.status == 0, "it does not verify: %s", r.err);
}

/* Whether an event about that actor is in the log. */
static bool logged(const char *dir, const struct trigger *by)
{
	struct run r = run_command(20000, MONITOR, "evidence", "show", "--rule", "mem-read", dir);

	require(r.status == 0, "the log cannot be read: %s", r.err);
	return strstr(r.out, str("\"pid\":%d", by->pid));
}

/* A read of memory that is reported, whatever the disk does. */
static struct trigger read_and_report(struct monitor *m)
{
	struct trigger t = trigger("vm_readv", pid_of(a));
	long long end = now_ms() + ALERT_MS * patience;

	while (!alert_find(m, "mem-read", t.pid)) {
		require(now_ms() < end, "no alert");
		monitor_poll(m);
		sleep_ms(10);
	}
	return t;
}

static void stop_well(struct monitor *m, const char *dir)
{
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	verifies(dir);
}

/* --- time in which nobody was there --- */

struct stop {
	int seconds;
};

static long long number_of(json_t *object, const char *key)
{
	require(json_is_integer(json_object_get(object, key)), "no %s: %s", key,
		json_dumps(object, 0));
	return json_integer_value(json_object_get(object, key));
}

static json_t *statement(const char *dir, long long from_s, long long to_s)
{
	struct run r = run_command(20000, MONITOR, "evidence", "statement", "--unsigned", "--from",
				   str("@%lld", from_s), "--to", str("@%lld", to_s), dir);
	json_t *v = json_loads(r.out, 0, NULL);

	require(r.status == 0 && v, "no statement: %s%s", r.out, r.err);
	return json_object_get(v, "predicate");
}

/* The monitor is stopped and goes on: a statement about that time names the gap, and no other. */
static void gap_stated(const void *arg)
{
	long long ms = ((const struct stop *)arg)->seconds * 1000ll;
	const char *dir = str("%s/evidence-gap", scratch);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	long long from, stopped, went_on, to, gap_from, gap_to;
	json_t *coverage, *gap;

	sleep_ms(2000);
	from = wall_ms() / 1000;
	sleep_ms(1500);
	stopped = wall_ms();
	kill(m->pid, SIGSTOP);
	sleep_ms(ms);
	went_on = wall_ms();
	kill(m->pid, SIGCONT);
	sleep_ms(2500);
	to = wall_ms() / 1000;
	sleep_ms(1500);
	stop_well(m, dir);

	coverage = json_object_get(statement(dir, from, to), "coverage");
	gap = json_array_get(json_object_get(coverage, "gaps"), 0);
	require(json_array_size(json_object_get(coverage, "gaps")) == 1 &&
			!strcmp(json_string_value(json_object_get(gap, "reason")), "monitor-away"),
		"gaps: %s", json_dumps(coverage, 0));
	gap_from = number_of(gap, "from");
	gap_to = number_of(gap, "to");
	/* its loop goes round once a second */
	require(gap_from <= stopped && gap_from >= stopped - 1200 * patience && gap_to >= went_on &&
			gap_to <= went_on + 1200 * patience,
		"stopped from %lld to %lld: %s", stopped, went_on, json_dumps(coverage, 0));
	require(number_of(gap, "ms") == gap_to - gap_from &&
			number_of(coverage, "not_watched_ms") == gap_to - gap_from &&
			number_of(coverage, "watched_ms") ==
				(to - from) * 1000 - (gap_to - gap_from),
		"it does not add up: %s", json_dumps(coverage, 0));
}

/* In an emulated machine only: this host's clock is other people's, too. */
static void clock_set_back(const void *arg)
{
	const char *dir = str("%s/evidence-clock", scratch);
	struct timespec now, was;
	struct monitor *m;
	struct trigger t;
	struct run r;
	char *at;

	if (!getenv("CACHEWARDEN_LANE"))
		test_skip("the clock of this host is left alone");
	m = monitor_start("--evidence", dir, NULL);
	sleep_ms(1500);
	clock_gettime(CLOCK_REALTIME, &now);
	was = now;
	now.tv_sec -= 3600;
	require(!clock_settime(CLOCK_REALTIME, &now), "clock_settime: %s", strerror(errno));
	sleep_ms(2500);
	t = read_and_report(m);
	monitor_sync(m);
	stop_well(m, dir);
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 3600;
	require(!clock_settime(CLOCK_REALTIME, &now) && now.tv_sec >= was.tv_sec,
		"clock_settime: %s", strerror(errno));
	require(logged(dir, &t), "the event is not in the log");
	r = run_command(20000, MONITOR, "evidence", "show", dir);
	at = strstr(r.out, "\"kind\":\"clock\"");
	at = at ? strstr(at, "\"step_ms\":") : NULL;
	require(at && llabs(strtoll(at + strlen("\"step_ms\":"), NULL, 10) + 3600000) < 5000,
		"the step is not in the log: %s", r.out);
	r = run_command(20000, MONITOR, "evidence", "statement", "--unsigned", dir);
	require(r.status == 0 && strstr(r.out, "set_back_ms"), "nor in a statement: %s%s", r.out,
		r.err);
}

/* --- the disk --- */

static const char *fault_path(void)
{
	return str("%s/sync-fault", scratch);
}

static void preload_faults(void)
{
	setenv("LD_PRELOAD", str("%s/build/triggers/sync_fault.so", getcwd(NULL, 0)), 1);
	setenv("SYNC_FAULT", fault_path(), 1);
}

/* A monitor whose disk does what is in the file of fault_path(). */
static struct monitor *monitor_with_faults(const char *dir)
{
	const char *const argv[] = {MONITOR,	"run",	      "--output", "json",
				    "--events", "--evidence", dir,	  NULL};
	struct monitor *m;

	unlink(fault_path());
	m = monitor_start_with(&(struct child_opts){.setup = preload_faults}, argv);
	monitor_ready(m);
	return m;
}

static void is_blind(struct monitor *m, const char *note)
{
	require(blind_count_wait(m, note, 0) > 0, "not said: %s", note);
}

/* The disk is well again, and the log has what happened meanwhile. */
static void recovers(struct monitor *m, const char *dir, const struct trigger *t, size_t n)
{
	struct trigger after;

	sleep_ms(2500); /* it tries again every second */
	after = read_and_report(m);
	monitor_sync(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	verifies(dir);
	for (size_t i = 0; i < n; i++)
		require(logged(dir, &t[i]), "what happened meanwhile is not in the log");
	require(logged(dir, &after), "what happened afterwards is not in the log");
	require(!file_has(m->err, "are not in the evidence log"), "records are missing: %s",
		file_read(m->err));
}

static void sync_fails(const void *arg)
{
	const char *dir = str("%s/evidence-fails", scratch);
	struct monitor *m = monitor_with_faults(dir);
	struct trigger t[2];
	char *signed_before;

	sleep_ms(1500);
	file_write(fault_path(), "fail\n");
	sleep_ms(500);
	signed_before = file_read(str("%s/checkpoint", dir));
	t[0] = read_and_report(m);
	is_blind(m, FAILED);
	t[1] = read_and_report(m);
	require(!strcmp(signed_before, file_read(str("%s/checkpoint", dir))),
		"it was signed, though it was not synced");
	verifies(dir);
	unlink(fault_path());
	recovers(m, dir, t, 2);
}

/* The disk does not answer for longer than an alert may take. */
static void sync_hangs(const void *arg)
{
	const char *dir = str("%s/evidence-hangs", scratch);
	struct monitor *m = monitor_with_faults(dir);
	struct trigger t[2];

	sleep_ms(1500);
	file_write(fault_path(), "hang\n");
	t[0] = read_and_report(m);
	sleep_ms(HANG_MS + 1000);
	is_blind(m, HANGS);
	t[1] = read_and_report(m);
	unlink(fault_path());
	recovers(m, dir, t, 2);
}

static void mount_disk(const char *options)
{
	snprintf(disk, sizeof(disk), "%s/evidence-disk", scratch);
	mkdir(disk, 0700);
	require(!mount("none", disk, "tmpfs", 0, options), "mount: %s", strerror(errno));
}

/* Returns how many bytes more there were. */
static long long fill_disk(const char *path)
{
	static const char bytes[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	long long all = 0;
	ssize_t n;

	require(fd >= 0, "%s: %s", path, strerror(errno));
	while ((n = write(fd, bytes, sizeof(bytes))) > 0)
		all += n;
	require(n < 0 && errno == ENOSPC, "%s: %s", path, strerror(errno));
	close(fd);
	return all;
}

static void disk_full(const void *arg)
{
	const char *dir, *rest;
	struct trigger t[2];
	struct monitor *m;

	unmount(); /* of a test that failed */
	mount_disk("size=1m,mode=0700");
	dir = str("%s/log", disk);
	rest = str("%s/rest", disk);
	m = monitor_start("--evidence", dir, NULL);
	sleep_ms(1500);
	require(fill_disk(rest) > 0, "there was no room");
	t[0] = read_and_report(m);
	is_blind(m, FAILED);
	t[1] = read_and_report(m);
	unlink(rest);
	recovers(m, dir, t, 2);
	unmount();
}

static void read_only(const void *arg)
{
	struct monitor *m;

	unmount();
	mount_disk("size=1m,mode=0700");
	require(!mount("none", disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), "remount: %s",
		strerror(errno));
	m = monitor_start("--evidence", disk, NULL);
	is_blind(m, "no evidence is kept: cannot write to it: Read-only file system");
	read_and_report(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	unmount();
}

/* --- others at the directory --- */

static void two_writers(const void *arg)
{
	const char *dir = str("%s/evidence-two", scratch);
	struct monitor *first = monitor_start("--evidence", dir, NULL),
		       *second = monitor_start("--evidence", dir, NULL);
	struct trigger t;

	is_blind(second, str("no evidence is kept: process %d writes to it already", first->pid));
	t = read_and_report(first);
	read_and_report(second);
	require(monitor_stop(second, SIGTERM) == 0, "the second failed: %s",
		file_read(second->err));
	monitor_sync(first);
	stop_well(first, dir);
	require(logged(dir, &t), "the first one's event is not in the log");
}

/* Root puts another directory in its place: what is written goes to the one that was opened. */
static void replaced(const void *arg)
{
	const char *dir = str("%s/evidence-replaced", scratch), *away = str("%s.away", dir);
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct trigger t;

	sleep_ms(1500);
	require(!rename(dir, away) && !mkdir(dir, 0700), "%s: %s", dir, strerror(errno));
	is_blind(m, MOVED);
	t = read_and_report(m);
	monitor_sync(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor failed: %s", file_read(m->err));
	verifies(away);
	require(logged(away, &t), "the event is not in the log");
	require(run_command(20000, MONITOR, "evidence", "verify", dir).status != 0,
		"the empty directory verifies");
}

static const struct test tests[] = {
	TEST("a monitor that was stopped for 8 seconds: a statement says exactly that", gap_stated,
	     .arg = &(const struct stop){8}),
	TEST("a monitor that was stopped for 30 seconds: a statement says exactly that", gap_stated,
	     .arg = &(const struct stop){30}, .slow = true),
	TEST("a clock that is set back is in the log and in a statement", clock_set_back),
	TEST("a disk that fails: alerts go on, and what waited is in the log", sync_fails),
	TEST("a disk that does not answer delays no alert", sync_hangs),
	TEST("a full disk: alerts go on, and what waited is in the log", disk_full),
	TEST("a log on a read-only disk is reported", read_only),
	TEST("the log is written by one monitor", two_writers),
	TEST("a directory that root replaced is reported", replaced),
	{},
};

const struct suite evidence_faults_suite = {
	.name = "evidence faults", .setup = setup, .teardown = unmount, .tests = tests};
