/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_writer.c - the thread that writes the evidence log: groups, order, the end; a disk that fails for a while, whose
 * fdatasync() is the one below; a process that is killed.
 */
#include "evidence_log.h"

#include "base/clock_step.h"
#include "evidence/writer.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static int sync_error; /* what fdatasync() fails with, atomic */
static bool hangs;     /* it does not return, atomic */

int fdatasync(int fd)
{
	int error = __atomic_load_n(&sync_error, __ATOMIC_RELAXED);

	while (__atomic_load_n(&hangs, __ATOMIC_RELAXED))
		usleep(1000);
	if (error) {
		errno = error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* How far the clocks are ahead of the kernel's, atomic. */
static int64_t boot_ahead_s, real_ahead_s;

int clock_gettime(clockid_t id, struct timespec *t)
{
	int err = (int)syscall(SYS_clock_gettime, id, t);

	if (id == CLOCK_BOOTTIME)
		t->tv_sec += __atomic_load_n(&boot_ahead_s, __ATOMIC_RELAXED);
	if (id == CLOCK_REALTIME)
		t->tv_sec += __atomic_load_n(&real_ahead_s, __ATOMIC_RELAXED);
	return err;
}

static bool cancelled; /* the kernel cancels a timer, since somebody set the clock; atomic */

ssize_t read(int fd, void *buf, size_t len)
{
	if (len == sizeof(uint64_t) && __atomic_exchange_n(&cancelled, false, __ATOMIC_RELAXED)) {
		errno = ECANCELED;
		return -1;
	}
	return syscall(SYS_read, fd, buf, len);
}

/* Time passes: the clock goes on as the time since boot does. */
static void pass(int64_t s)
{
	__atomic_add_fetch(&real_ahead_s, s, __ATOMIC_RELAXED);
	__atomic_add_fetch(&boot_ahead_s, s, __ATOMIC_RELAXED);
}

static void step_clock(int64_t s)
{
	__atomic_add_fetch(&real_ahead_s, s, __ATOMIC_RELAXED);
}

static void fail_disk(int error)
{
	__atomic_store_n(&sync_error, error, __ATOMIC_RELAXED);
}

static struct writer *start(void)
{
	char error[STORE_ERROR_LEN];
	struct writer *w;

	if (writer_start(&w, log_dir, "host.example", NULL, error))
		fail_msg("cannot start: %s", error);
	return w;
}

static int stop(struct writer *w, int timeout_ms)
{
	struct writer_status s;

	return writer_stop(w, timeout_ms, &s);
}

static void put(struct writer *w, unsigned int number, bool urgent)
{
	char record[64];
	int n = snprintf(record, sizeof(record), "{\"number\":%u}", number);

	writer_put(w, "event", record, (size_t)n, urgent);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* How long until the checkpoint covers that many entries. */
static uint64_t wait_entries(struct writer *w, uint64_t entries)
{
	uint64_t began = now_ms();
	struct writer_status s;

	for (;;) {
		writer_status(w, &s);
		if (s.entries >= entries)
			return now_ms() - began;
		if (now_ms() > began + 20000)
			fail_msg("only %llu entries after 20 s", (unsigned long long)s.entries);
		usleep(1000);
	}
}

/* --- what is in a log --- */

struct found {
	unsigned int events, next, kinds[8];
	long long lost;
	char last[16];
};

static const char *const kind_names[8] = {"epoch",    "event", "stop",	"lost",
					  "recovery", "alive", "clock", "away"};

static int look(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct found *f = ctx;
	char want[64];

	for (size_t i = 0; i < 8 && kind_names[i]; i++) {
		if (!entry_is(entry, len, kind_names[i]))
			continue;
		f->kinds[i]++;
		strcpy(f->last, kind_names[i]);
	}
	if (entry_is(entry, len, "lost"))
		f->lost += strtoll(strstr(entry, "\"records\":") + 10, NULL, 10);
	if (!entry_is(entry, len, "event"))
		return 0;
	snprintf(want, sizeof(want), "{\"kind\":\"event\",\"record\":{\"number\":%u}", f->next++);
	f->events += !strncmp(entry, want, strlen(want));
	return 0;
}

static struct found look_at_log(void)
{
	struct found f = {};
	struct reader r;

	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(reader_each(&r, 0, look, &f, NULL), 0);
	reader_close(&r);
	return f;
}

/* --- tests --- */

static void records_are_logged_in_order_and_the_end_is(void **state)
{
	struct writer *w = start();
	struct found f;

	for (unsigned int i = 0; i < 3000; i++)
		put(w, i, i % 100 == 0);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_verifies(3000 + 2);
	f = look_at_log();
	assert_int_equal(f.events, 3000);
	assert_string_equal(f.last, "stop");
	w = start(); /* ended properly: nothing to recover */
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	f = look_at_log();
	assert_int_equal(f.kinds[4], 0);
	assert_verifies(3000 + 4);
}

static void others_wait_for_a_second_and_urgent_ones_do_not(void **state)
{
	struct writer *w = start();
	uint64_t urgent, other;

	usleep(50000);
	put(w, 0, true);
	urgent = wait_entries(w, 2);
	put(w, 1, false);
	other = wait_entries(w, 3);
	assert_true(urgent < 500);
	assert_in_range(other, 500, 2500);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
}

static void full_group_does_not_wait(void **state)
{
	struct writer *w = start();

	usleep(50000);
	for (unsigned int i = 0; i < WRITER_GROUP; i++)
		put(w, i, false);
	assert_true(wait_entries(w, 1 + WRITER_GROUP) < 700);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
}

/* Nobody waits for the disk, what fits is kept, what does not is counted, and the log says how much is missing. */
static void failing_disk(void **state)
{
	static char record[20000];
	struct writer *w = start();
	struct writer_status s;
	uint64_t began = now_ms();
	struct found f;

	fail_disk(EIO);
	snprintf(record, sizeof(record), "{\"text\":\"%0*d\"}", 19000, 0);
	for (unsigned int i = 0; i < 3000; i++)
		writer_put(w, "large", record, strlen(record), false);
	assert_true(now_ms() - began < 2000);
	do {
		usleep(10000);
		writer_status(w, &s);
	} while (!s.failed && now_ms() < began + 20000);
	for (unsigned int i = 0; i < 3000; i++) /* the first ones may have gone into the store */
		writer_put(w, "large", record, strlen(record), false);
	writer_status(w, &s);
	assert_int_equal(s.queued, 6000);
	assert_true(s.failed > 0 && s.lost > 0 && s.lost < 6000);
	assert_int_equal(s.error, EIO);
	assert_int_equal(s.entries, 1);
	assert_verifies(1);

	fail_disk(0);
	wait_entries(w, 1 + 6000 - s.lost);
	writer_status(w, &s);
	assert_int_equal(s.error, 0);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	f = look_at_log();
	assert_int_equal(f.lost, s.lost);
	assert_true(f.kinds[3] >= 1);
	assert_verifies(1 + 6000 - s.lost + f.kinds[3] + 1);
}

static int count_parts(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	unsigned int *parts = ctx;
	const char *part = memmem(entry, len, "\"part\":", 7);

	if (entry_is(entry, len, "incident") && part)
		parts[strtoul(part + 7, NULL, 10)]++;
	return 0;
}

/* Whatever its size when the store has no room: its parts wait together. */
static void parts_of_an_incident_are_logged_once(void **state)
{
	static char record[100000];
	unsigned int parts[8] = {};
	struct writer *w = start();
	struct writer_status s;
	struct reader r;
	size_t n;

	n = (size_t)snprintf(record, sizeof(record),
			     "{\"unmapped\":{\"cachewarden\":{\"events\":[");
	for (unsigned int i = 0; i < 4; i++)
		n += (size_t)snprintf(record + n, sizeof(record) - n, "%s{\"text\":\"%0*d\"}",
				      i ? "," : "", 20000, 0);
	n += (size_t)snprintf(record + n, sizeof(record) - n, "]}}}");
	fail_disk(EIO);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < 60; i++)
			writer_put(w, "incident", record, n, true);
		do {
			usleep(1000);
			writer_status(w, &s);
		} while (s.failed <= round);
	}
	fail_disk(0);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(reader_each(&r, 0, count_parts, parts, NULL), 0);
	reader_close(&r);
	for (unsigned int i = 1; i <= 4; i++)
		assert_int_equal(parts[i], 300 - s.lost);
}

static void disk_that_fails_at_the_end_is_said(void **state)
{
	struct writer *w = start();
	struct writer_status s;

	fail_disk(ENOSPC);
	for (unsigned int i = 0; i < 5; i++)
		put(w, i, true);
	assert_int_equal(writer_stop(w, WRITER_STOP_MS, &s), -ENOSPC);
	assert_int_equal(s.lost, 5);
	fail_disk(0);
	assert_verifies(1);
}

/* Whoever replaces the directory hides the log: the monitor has to say so. */
static void replaced_directory_is_said(void **state)
{
	struct writer *w = start();
	struct writer_status s;
	char moved[sizeof(log_dir) + 8];

	put(w, 0, true);
	wait_entries(w, 2);
	writer_status(w, &s);
	assert_false(s.misplaced);
	snprintf(moved, sizeof(moved), "%s.moved", log_dir);
	assert_int_equal(rename(log_dir, moved), 0);
	assert_int_equal(mkdir(log_dir, 0700), 0);
	put(w, 1, true);
	wait_entries(w, 3);
	writer_status(w, &s);
	assert_true(s.misplaced);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_int_equal(rmdir(log_dir), 0);
	assert_int_equal(rename(moved, log_dir), 0);
	assert_verifies(4);
}

/* Checkpoints of entries in a file that nobody can open any more are worth nothing. */
static void removed_write_ahead_log_is_said(void **state)
{
	struct writer *w = start();
	struct writer_status s;

	put(w, 0, true);
	wait_entries(w, 2);
	writer_status(w, &s);
	assert_false(s.misplaced);
	assert_int_equal(unlink(log_path("wal/00000000.wal")), 0);
	put(w, 1, true);
	wait_entries(w, 3);
	writer_status(w, &s);
	assert_true(s.misplaced);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
}

/* Neither the caller nor its end waits for a disk that does not answer. */
static void hanging_disk(void **state)
{
	struct writer *w = start();
	uint64_t began = now_ms();

	__atomic_store_n(&hangs, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < 1000; i++)
		put(w, i, true);
	assert_true(now_ms() - began < 1000);
	while (!writer_stalls(w, 50)) {
		assert_true(now_ms() < began + 20000);
		usleep(1000);
	}
	usleep(100000);
	assert_int_equal(writer_stalls(w, 50), 1); /* each commit counts once */
	assert_int_equal(writer_stalls(w, 3600000), 1);
	began = now_ms();
	assert_int_equal(stop(w, 300), -ETIMEDOUT);
	assert_in_range(now_ms() - began, 300, 5000);
	assert_verifies(1);
	__atomic_store_n(&hangs, false, __ATOMIC_RELAXED);
	wait_entries(w, 1002); /* the thread goes on, to its end */
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_verifies(1002);
}

static void what_is_no_record_is_counted(void **state)
{
	static char large[100000];
	struct writer *w = start();
	struct writer_status s;

	snprintf(large, sizeof(large), "{\"text\":\"%0*d\"}", 90000, 0);
	writer_put(w, "event", "{\"a\":", 5, true);
	writer_put(w, "event", large, strlen(large), true);
	put(w, 0, true);
	wait_entries(w, 3);
	writer_status(w, &s);
	assert_int_equal(s.refused, 2);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_int_equal(look_at_log().lost, 2);
}

static void killed_writer_is_in_the_log_of_the_next_one(void **state)
{
	int status;
	struct found f;
	pid_t pid = fork();

	if (!pid) {
		struct writer *w = start();

		for (unsigned int i = 0; i < 700; i++)
			put(w, i, false);
		wait_entries(w, 600);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	f = look_at_log();
	assert_true(f.events >= 599);
	assert_int_equal(stop(start(), WRITER_STOP_MS), 0);
	f = look_at_log();
	assert_int_equal(f.kinds[4], 1);
	assert_int_equal(f.kinds[0], 2);
}

/* In seconds of the test, since time is passed in. */
static void silence_and_keys_follow_the_time_since_boot(void **state)
{
	struct writer *w = start();
	struct found f;

	for (int i = 0; i < 2; i++) { /* nothing is due */
		pass(20);
		usleep(1200000);
	}
	f = look_at_log();
	assert_int_equal(f.kinds[5], 0);
	pass(25); /* more than a minute since anything was logged */
	usleep(1500000);
	f = look_at_log();
	assert_int_equal(f.kinds[5], 0); /* that this thread lives shows nothing of the caller */
	writer_tick(w);
	wait_entries(w, 2);
	f = look_at_log();
	assert_int_equal(f.kinds[5], 1);
	assert_int_equal(f.kinds[0], 1);
	pass(900);
	wait_entries(
		w,
		3); /* a key, and no sign of life, though it was silent: the caller was not there */
	usleep(1500000);
	f = look_at_log();
	assert_int_equal(f.kinds[5], 1);
	assert_int_equal(f.kinds[0], 2);
	writer_tick(w);
	wait_entries(w, 4);
	f = look_at_log();
	assert_int_equal(f.kinds[7], 1);
	assert_int_equal(f.kinds[5], 1);
	assert_int_equal(f.kinds[6], 0); /* the clock was right all the time */
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_verifies(5);
}

static int take_said(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	if (entry_is(entry, len, "clock") || entry_is(entry, len, "away"))
		snprintf(ctx, 256, "%.*s", (int)len, entry);
	return 0;
}

static long long member(const char *entry, const char *name)
{
	const char *at = strstr(entry, name);

	assert_non_null(at);
	return strtoll(at + strlen(name) + 2, NULL, 10);
}

/* Stopped, hung or suspended: it says for how long once it goes on. */
static void absence_of_the_caller_is_logged(void **state)
{
	struct writer *w = start();
	char entry[256] = "";
	struct reader r;
	long long from, to;

	writer_tick(w);
	pass(4);
	writer_tick(w);
	pass(30);
	writer_tick(w);
	wait_entries(w, 2);
	assert_int_equal(reader_open(&r, log_dir), 0);
	assert_int_equal(reader_each(&r, 0, take_said, entry, NULL), 0);
	reader_close(&r);
	from = member(entry, "\"from");
	to = member(entry, "\"to");
	assert_in_range(to - from, 30000, 30100);
	writer_tick(w);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_int_equal(look_at_log().kinds[7], 1);
}

/* Forward and back; each is an entry of its own, and neither makes the log silent or loud. */
static void steps_of_the_clock_are_logged(void **state)
{
	static const int64_t steps[] = {3600, -7200, 0}; /* the last one is set to what it was */
	struct writer *w = start();
	struct found f;

	for (unsigned int i = 0; i < 3; i++) {
		char entry[256] = "";
		struct reader r;
		long long before, after, by;

		step_clock(steps[i]);
		__atomic_store_n(&cancelled, i == 2, __ATOMIC_RELAXED);
		wait_entries(w, 2 + i);
		assert_int_equal(reader_open(&r, log_dir), 0);
		assert_int_equal(reader_each(&r, 0, take_said, entry, NULL), 0);
		reader_close(&r);
		before = member(entry, "\"boot_time_before");
		after = member(entry, "\"boot_time");
		by = member(entry, "\"step_ms");
		assert_int_equal(by, after - before);
		assert_in_range(by - steps[i] * 1000 + 100, 0, 200);
		assert_non_null(strstr(entry, i == 2 ? "\"set\":true" : "\"set\":false"));
	}
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	f = look_at_log();
	assert_int_equal(f.kinds[6], 3);
	assert_int_equal(f.kinds[5], 0);
	assert_verifies(5);
}

static uint64_t log_size(void)
{
	char error[READER_ERROR_LEN];
	struct verified v;

	if (log_verify(&v, error))
		fail_msg("does not verify: %s", error);
	return v.size;
}

static uint64_t pruned(void)
{
	struct reader r;
	uint64_t before;

	assert_int_equal(reader_open(&r, log_dir), 0);
	before = r.pruned.before;
	reader_close(&r);
	return before;
}

/* By the time that passed, and not by a clock that somebody set. */
static void old_entries_are_removed(void **state)
{
	struct writer *w = start();
	struct writer_status s;
	uint64_t first;

	writer_keep(w, 30);
	for (unsigned int i = 0; i < 3000; i++)
		put(w, i, false);
	wait_entries(w, 3001);
	writer_tick(w);
	pass(29 * 86400);
	writer_tick(w);
	wait_entries(w, 3003); /* a key, and that the caller was away: it had the chance */
	usleep(1200000);
	assert_int_equal(pruned(), 0);
	pass(2 * 86400);
	for (int i = 0; i < 100 && !pruned(); i++)
		usleep(100000);
	first = pruned();
	assert_in_range(first, 1792, 2048); /* 1024 stay */
	writer_status(w, &s);
	assert_int_equal(s.unpruned, 0);

	for (unsigned int i = 0; i < 3000; i++)
		put(w, i, false);
	wait_entries(w, 6003);
	step_clock(40 * 86400ll);
	usleep(1500000);
	pass(2 * 86400);
	usleep(2500000);
	assert_int_equal(pruned(), first);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	assert_true(log_size() > 6000);
}

/* Little by little, each less than what is believed; and before the monitor started. */
static void clock_that_was_set_removes_nothing(void **state)
{
	struct writer *w = start();

	writer_keep(w, 1);
	for (unsigned int i = 0; i < 3000; i++)
		put(w, i, false);
	wait_entries(w, 3001);
	for (unsigned int i = 0; i < 4; i++) { /* to be seen one by one */
		step_clock(1200);
		wait_entries(w, 3002 + i);
	}
	pass(3 * 86400);
	usleep(2500000);
	assert_int_equal(pruned(), 0);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	step_clock(40 * 86400ll);
	w = start();
	writer_keep(w, 30);
	pass(70);
	usleep(2500000);
	assert_int_equal(pruned(), 0);
	writer_keep(w, 50);
	pass(15 * 86400); /* but not for ever */
	for (int i = 0; i < 100 && !pruned(); i++)
		usleep(100000);
	assert_in_range(pruned(), 1792, 2048);
	assert_int_equal(stop(w, WRITER_STOP_MS), 0);
	log_size();
}

/* What decides, without a clock. */
static void clock_decisions(void **state)
{
	struct clock_step step;
	int64_t last = 1000000;

	assert_false(clock_step_check(&last, 1000000 + CLOCK_STEP_MS - 1, false, &step));
	assert_false(clock_step_check(&last, 1000000 - CLOCK_STEP_MS + 1, false, &step));
	assert_int_equal(last, 1000000); /* drift adds up */
	assert_true(clock_step_check(&last, 1000000 + CLOCK_STEP_MS, false, &step));
	assert_int_equal(step.before_ms, 1000000);
	assert_int_equal(step.ms, 1000000 + CLOCK_STEP_MS);
	assert_false(step.set);
	assert_false(clock_step_check(&last, 1000000 + CLOCK_STEP_MS, false, &step));
	assert_true(clock_step_check(&last, last - 1, true, &step)); /* set, and hardly changed */
	assert_true(step.set);
	assert_true(clock_step_check(&last, -5000000, false, &step));
	assert_int_equal(step.ms, -5000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_logged_in_order_and_the_end_is),
		TEST(others_wait_for_a_second_and_urgent_ones_do_not),
		TEST(full_group_does_not_wait),
		TEST(failing_disk),
		TEST(parts_of_an_incident_are_logged_once),
		TEST(disk_that_fails_at_the_end_is_said),
		TEST(replaced_directory_is_said),
		TEST(removed_write_ahead_log_is_said),
		TEST(hanging_disk),
		TEST(what_is_no_record_is_counted),
		TEST(killed_writer_is_in_the_log_of_the_next_one),
		TEST(silence_and_keys_follow_the_time_since_boot),
		TEST(absence_of_the_caller_is_logged),
		TEST(steps_of_the_clock_are_logged),
		TEST(old_entries_are_removed),
		TEST(clock_that_was_set_removes_nothing),
		cmocka_unit_test(clock_decisions),
	};

	return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
