// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_enrich.c - monitor/enrich_queue.c with real processes: what is read of an actor, what is said of one that is gone, and that nobody waits
 * for a file that does not answer. pread() and the clock are the test's: no other file can be made to hang.
 */
#include "monitor/enrich.h"

#include "base/clock.h"
#include "base/procdir.h"
#include "evidence_log.h"
#include "evidence/blob.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#define SECRET "kumquatMarmalade77"
#define RECORDS 256

static int hang; /* reading an executable does not end, atomic */
static int64_t later_ms, boot_later_ms;

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
	while (__atomic_load_n(&hang, __ATOMIC_SEQ_CST))
		usleep(1000);
	return lseek(fd, at, SEEK_SET) < 0 ? -1 : read(fd, buf, n);
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static int (*real)(clockid_t, struct timespec *);
	int err;

	if (!real)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	err = real(clock, ret);
	if (!err && clock == CLOCK_MONOTONIC)
		ret->tv_sec += later_ms / 1000;
	if (!err && clock == CLOCK_BOOTTIME)
		ret->tv_sec += boot_later_ms / 1000;
	return err;
}

/* --- actors --- */

static struct instance server = {
	.id = 1, .name = "redis-server:6379", .uid = "redis-server:6379@host/b"};
static struct alert alert;
static struct finding finding;
static struct enrich *e;

static pid_t child(const char *exe, bool memfd)
{
	static char secret[] = "TOKEN=" SECRET;
	char *argv[] = {(char *)exe, (char *)"60", NULL}, *env[] = {secret, NULL};
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		if (memfd) {
			int from = open(exe, O_RDONLY), to = memfd_create(SECRET, MFD_CLOEXEC);
			ssize_t n;
			char buf[4096];

			while ((n = read(from, buf, sizeof(buf))) > 0)
				if (write(to, buf, (size_t)n) != n)
					_exit(1);
			fexecve(to, argv, env);
		}
		execve(exe, argv, env);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0); /* it has executed */
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static uint64_t start_of(pid_t pid)
{
	char path[64], text[1024];
	int64_t ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	procdir_read(AT_FDCWD, path, text, sizeof(text));
	procdir_stat_field(text, 22, &ticks);
	return (uint64_t)ticks * (NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* The event of a deed of that process, as the kernel side would send it. */
static void deed(pid_t pid, uint64_t start_ns, uint64_t incident)
{
	char path[64];
	struct stat st;

	memset(&alert, 0, sizeof(alert));
	alert.ev.flags = EVENT_ACTOR;
	alert.ev.time_ns = clock_boot_ns();
	alert.ev.key.rule = RULE_MEM_READ;
	alert.ev.actor.pid = alert.ev.actor.tid = (uint32_t)pid;
	alert.ev.actor.start_ns = start_ns;
	alert.ev.actor.loginuid = UINT32_MAX;
	alert.ev.actor.ancestors = 1;
	alert.ev.actor.ancestor[0].pid = (uint32_t)getpid();
	alert.ev.actor.ancestor[0].start_ns = start_of(getpid());
	memcpy(alert.ev.actor.comm, "evil", 5);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (!stat(path, &st)) {
		alert.ev.actor.exe_ino = st.st_ino;
		alert.ev.actor.exe_dev = (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev));
	}
	memset(&finding, 0, sizeof(finding));
	finding.alert = &alert;
	finding.instance = &server;
	finding.uid_prefix = "0123456789abcdef";
	finding.incident = incident;
}

static char *records[RECORDS], *kinds[RECORDS];
static size_t count;

static void put(void *ctx, const char *kind, const char *record, size_t len)
{
	assert_true(count < RECORDS);
	assert_true(len > 2);
	records[count] = strndup(record, len);
	kinds[count++] = (char *)kind;
}

static void collect(void)
{
	enrich_finish(e, 20000);
	enrich_collect(e, NULL, put, NULL);
}

static json_t *record(size_t i)
{
	json_t *v = json_loads(records[i], JSON_REJECT_DUPLICATES, NULL);

	if (!v)
		fail_msg("no JSON: %s", records[i]);
	return v;
}

static const char *text(json_t *v, const char *a, const char *b)
{
	v = json_object_get(v, a);
	return json_string_value(b ? json_object_get(v, b) : v) ?: "";
}

static int make(void **state)
{
	server.pid = (uint32_t)getpid();
	server.start_ns = start_of(getpid());
	if (scratch_make(state) || mkdir(log_dir, 0700))
		return -1;
	return enrich_start(&e, log_dir);
}

static int end(void **state)
{
	enrich_free(e);
	for (; count; count--)
		free(records[count - 1]);
	return scratch_remove(state);
}

/* --- tests --- */

static void an_actor_is_told_with_what_it_is(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	char text_of_pid[32];
	json_t *v;

	deed(pid, start_of(pid), 1);
	enrich_hold(e, &alert.ev);
	enrich_actor(e, &finding);
	enrich_let_go(e);
	collect();
	end_child(pid);
	assert_int_equal(count, 2); /* and the layout of the server, which is this test */
	assert_string_equal(kinds[0], "actor");
	v = record(0);
	assert_int_equal(json_integer_value(json_object_get(v, "pid")), pid);
	assert_string_equal(json_string_value(json_array_get(json_object_get(v, "incidents"), 0)),
			    "0123456789abcdef-i1");
	assert_string_equal(
		json_string_value(json_array_get(
			json_object_get(json_object_get(v, "environment"), "names"), 0)),
		"TOKEN");
	assert_int_equal(json_array_size(json_object_get(v, "unread")), 0);
	assert_string_equal(text(v, "file", "kind"), "file");
	assert_string_equal(text(v, "file", "found_by"), "process");
	assert_int_equal(strlen(text(v, "file", "sha256")), 64);
	assert_true(json_is_true(json_object_get(json_object_get(v, "file"), "as_at_the_deed")));
	assert_true(json_is_array(json_object_get(json_object_get(v, "capabilities"), "bounding")));
	assert_true(json_integer_value(json_object_get(json_object_get(v, "namespaces"), "mnt")) >
		    0);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(v, "ancestors"), 0), "pid")),
			 getpid());
	assert_true(json_is_array(json_object_get(v, "connections")));
	assert_string_equal(kinds[1], "layout");
	snprintf(text_of_pid, sizeof(text_of_pid), "\"pid\":%d", (int)getpid());
	assert_non_null(strstr(records[1], text_of_pid));
	assert_non_null(strstr(records[1], "test_enrich"));
	assert_null(strstr(records[0], SECRET));
}

/* Its name is in a memfd's link, but the path that the kernel reports is not read from there. */
static void a_nameless_executable_is_kept_up_to_the_bound(void **state)
{
	pid_t pid = child("/bin/sleep", true);
	char sha256[DIGEST_LEN], bad[DIGEST_LEN], *bytes;
	uint64_t start = start_of(pid), n;
	size_t len;
	int log = open(log_dir, O_RDONLY | O_DIRECTORY);
	json_t *v;

	deed(pid, start, 1);
	enrich_actor(e, &finding);
	collect();
	v = record(0);
	assert_string_equal(text(v, "file", "kind"), "memfd");
	assert_string_equal(text(v, "file", "blob"), "");
	assert_string_equal(text(v, "file", "blob_missing"),
			    "evidence.keep-executables is not set");
	assert_int_equal(blobs_size(log), 0);

	count = 0;
	enrich_keep(e, 1000); /* too little */
	alert.ev.actor.exec_id = 1;
	enrich_actor(e, &finding);
	collect();
	assert_non_null(strstr(text(record(0), "file", "blob_missing"), "no room left"));

	count = 0;
	enrich_keep(e, 16 << 20);
	alert.ev.actor.exec_id = 2;
	enrich_actor(e, &finding);
	collect();
	end_child(pid);
	v = record(0);
	snprintf(sha256, sizeof(sha256), "%s", text(v, "file", "blob"));
	assert_string_equal(sha256, text(v, "file", "sha256"));
	assert_int_equal(blobs_check(log, &n, bad), 0);
	assert_int_equal(n, 1);
	assert_int_equal(blob_read(log, sha256, 16 << 20, &bytes, &len), 0);
	assert_memory_equal(bytes,
			    "\x7f"
			    "ELF",
			    4);
	free(bytes);
	close(log);
}

static void one_that_is_gone_is_told_as_such(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	uint64_t start = start_of(pid);
	json_t *v;

	deed(pid, start, 0);
	end_child(pid);
	enrich_hold(e, &alert.ev);
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 1);
	v = record(0);
	assert_non_null(strstr(json_string_value(json_array_get(json_object_get(v, "unread"), 0)),
			       "the process had ended"));
	assert_null(json_object_get(v, "environment"));
	assert_null(json_object_get(v, "connections"));
	assert_string_equal(text(v, "file", "sha256"), "");
	assert_non_null(strstr(text(v, "file", "unread"), "the process had ended"));
}

/* It had gone before it was held, but its file is still there: found by name and number. */
static void a_file_is_found_by_name_and_number(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	char path[PATH_LEN];
	struct stat st;
	json_t *v;

	deed(pid, start_of(pid), 0);
	assert_non_null(realpath("/bin/sleep", path));
	assert_int_equal(stat(path, &st), 0);
	memcpy(finding.exe, path, sizeof(path));
	alert.ev.actor.exe_dev = (uint32_t)(major(st.st_dev) << 20 | minor(st.st_dev));
	end_child(pid);
	enrich_actor(e, &finding);
	collect();
	v = record(0);
	assert_string_equal(text(v, "file", "found_by"), "name");
	assert_int_equal(strlen(text(v, "file", "sha256")), 64);
	count = 0;
	alert.ev.actor.exe_ino++;
	alert.ev.actor.exec_id++;
	enrich_actor(e, &finding);
	collect();
	assert_string_equal(text(record(0), "file", "sha256"), "");
}

static void a_pid_used_again_is_not_the_actor(void **state)
{
	pid_t pid = child("/bin/sleep", false);

	deed(pid, start_of(pid) - NS_PER_SEC, 0);
	enrich_hold(e, &alert.ev);
	enrich_actor(e, &finding);
	collect();
	end_child(pid);
	assert_int_equal(count, 1);
	assert_non_null(strstr(records[0], "the process had ended"));
	assert_null(strstr(records[0], "TOKEN"));
}

/* Once it is held it is known, whatever becomes of it. */
static void what_was_held_is_read_after_its_end(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	json_t *v;

	deed(pid, start_of(pid), 0);
	enrich_hold(e, &alert.ev);
	end_child(pid);
	enrich_actor(e, &finding);
	collect();
	v = record(0);
	assert_int_equal(strlen(text(v, "file", "sha256")), 64);
	assert_string_equal(text(v, "file", "found_by"), "process");
}

static void each_incident_has_its_actor_once(void **state)
{
	pid_t pid = child("/bin/sleep", false);

	deed(pid, start_of(pid), 1);
	enrich_actor(e, &finding);
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 2);
	enrich_actor(e, &finding); /* known */
	collect();
	assert_int_equal(count, 2);
	finding.incident = 2;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 3);
	assert_non_null(strstr(records[2], "\"incidents\":[\"0123456789abcdef-i2\"]"));
	assert_non_null(strstr(records[2], "TOKEN"));
	finding.update = true; /* a repeat is no deed */
	finding.incident = 3;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 3);
	end_child(pid);
}

static void what_finds_no_place_is_counted(void **state)
{
	struct enrich_status s;
	pid_t pid = child("/bin/sleep", false);

	__atomic_store_n(&hang, 1, __ATOMIC_SEQ_CST);
	deed(pid, start_of(pid), 0);
	for (uint32_t i = 0; i < ENRICH_JOBS + 10; i++) {
		alert.ev.actor.exec_id = i;
		enrich_actor(e, &finding);
	}
	enrich_status(e, &s);
	assert_int_equal(s.dropped, 10);
	__atomic_store_n(&hang, 0, __ATOMIC_SEQ_CST);
	collect();
	assert_int_equal(count, ENRICH_JOBS);
	/* there is room again */
	alert.ev.actor.exec_id = 1000;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, ENRICH_JOBS + 1);
	end_child(pid);
}

/* It is told with what is known, another thread goes on, and nobody waits. */
static void a_file_that_does_not_answer_stops_nobody(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	struct enrich_status s;
	json_t *v;

	__atomic_store_n(&hang, 1, __ATOMIC_SEQ_CST);
	deed(pid, start_of(pid), 0);
	enrich_actor(e, &finding);
	usleep(200000);
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 0);
	later_ms += ENRICH_STUCK_MS + 1000;
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 1);
	v = record(0);
	assert_non_null(strstr(json_string_value(json_array_get(json_object_get(v, "unread"), 0)),
			       "did not come to an end"));
	assert_string_equal(text(v, "comm", NULL), "evil");
	enrich_status(e, &s);
	assert_int_equal(s.stuck, 1);
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 1);
	__atomic_store_n(&hang, 0,
			 __ATOMIC_SEQ_CST); /* the first one may be late, but is not told again */
	alert.ev.actor.exec_id = 7;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 2);
	usleep(100000);
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 2);
	end_child(pid);
}

static void set_hang(int on)
{
	__atomic_store_n(&hang, on, __ATOMIC_SEQ_CST);
}

static const char *unread(size_t i)
{
	return json_string_value(json_array_get(json_object_get(record(i), "unread"), 0)) ?: "";
}

/* Nobody else has a place then, and somebody comes. */
static void a_user_who_has_most_places_makes_room(void **state)
{
	struct enrich_status s;
	pid_t pid = child("/bin/sleep", false);
	size_t others = 0;

	set_hang(1);
	deed(pid, start_of(pid), 0);
	alert.ev.actor.uid = 1000;
	for (uint32_t i = 0; i < ENRICH_JOBS; i++) {
		alert.ev.actor.exec_id = i;
		enrich_actor(e, &finding);
	}
	alert.ev.actor.exec_id = 1000;
	enrich_actor(e, &finding); /* of the same user: finds none */
	enrich_status(e, &s);
	assert_int_equal(s.dropped, 1);
	alert.ev.actor.uid = 1001;
	for (uint32_t i = 2000; i < 2000 + ENRICH_JOBS; i++) {
		alert.ev.actor.exec_id = i;
		enrich_actor(e, &finding);
	}
	enrich_status(e, &s);
	assert_int_equal(s.dropped, 1 + ENRICH_JOBS);
	set_hang(0);
	collect();
	assert_int_equal(count, ENRICH_JOBS);
	for (size_t i = 0; i < count; i++)
		others += json_integer_value(json_object_get(record(i), "uid")) == 1001;
	assert_int_equal(others, ENRICH_JOBS / 2);
	end_child(pid);
}

static void what_has_no_turn_before_the_end_is_told(void **state)
{
	char *config[] = {"/etc/hostname"};
	pid_t pid = child("/bin/sleep", false);
	struct enrich_status s;

	set_hang(1);
	deed(pid, start_of(pid), 1);
	enrich_actor(e, &finding);
	usleep(200000);
	alert.ev.actor.exec_id = 1;
	enrich_actor(e, &finding);
	assert_true(enrich_server(e, &server, config, 1));
	enrich_finish(e, 100);
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 3);
	assert_non_null(strstr(unread(0), "did not come to an end"));
	assert_non_null(strstr(unread(1), "before it had its turn"));
	assert_string_equal(kinds[2], "server");
	assert_non_null(strstr(unread(2), "before it had its turn"));
	assert_string_equal(text(record(2), "name", NULL), server.name);
	enrich_status(e, &s);
	assert_int_equal(s.dropped, 3);
	set_hang(0);
	end_child(pid);
}

static void each_incident_has_its_layout(void **state)
{
	pid_t pid = child("/bin/sleep", false);

	deed(pid, start_of(pid), 1);
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 2);
	boot_later_ms += 11000; /* not more often than every 10 s */
	finding.incident = 2;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 4);
	for (size_t i = 2; i < 4; i++)
		assert_non_null(strstr(records[i], "\"incidents\":[\"0123456789abcdef-i2\"]"));
	assert_string_equal(strcmp(kinds[2], "layout") ? kinds[3] : kinds[2], "layout");
	end_child(pid);
}

/* The thread that copies waits for a file; the next executable is kept all the same, and the first one is not any more. */
static void a_copy_that_hangs_holds_up_no_other(void **state)
{
	pid_t pid = child("/bin/sleep", true);
	char bad[DIGEST_LEN];
	uint64_t n;
	int log = open(log_dir, O_RDONLY | O_DIRECTORY);

	enrich_keep(e, 16 << 20);
	set_hang(1);
	deed(pid, start_of(pid), 0);
	enrich_actor(e, &finding);
	usleep(200000);
	later_ms += ENRICH_STUCK_MS + 1000;
	enrich_collect(e, NULL, put, NULL);
	assert_int_equal(count, 1);
	set_hang(0);
	alert.ev.actor.exec_id = 1;
	enrich_actor(e, &finding);
	collect();
	assert_int_equal(count, 2);
	assert_int_equal(strlen(text(record(1), "file", "blob")), DIGEST_LEN - 1);
	usleep(200000);
	assert_int_equal(blobs_check(log, &n, bad), 0);
	assert_int_equal(n, 1);
	close(log);
	end_child(pid);
}

/* Retention removes some while the monitor runs. */
static void what_retention_removes_makes_room(void **state)
{
	pid_t pid = child("/bin/sleep", true);
	int log = open(log_dir, O_RDONLY | O_DIRECTORY);
	struct stat st;

	assert_int_equal(stat("/bin/sleep", &st), 0);
	enrich_keep(e, (uint64_t)st.st_size);
	deed(pid, start_of(pid), 0);
	for (uint32_t i = 0; i < 2; i++) {
		alert.ev.actor.exec_id = i;
		enrich_actor(e, &finding);
		collect();
		assert_int_equal(count, i + 1);
		assert_int_equal(strlen(text(record(i), "file", "blob")), DIGEST_LEN - 1);
		assert_int_equal(blobs_prune(log, INT64_MAX), 0);
	}
	close(log);
	end_child(pid);
}

static size_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void what_was_held_in_vain_is_closed(void **state)
{
	pid_t pid = child("/bin/sleep", false);
	size_t before = open_files(), waited = 0;

	deed(pid, start_of(pid), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		alert.ev.actor.exec_id = i;
		enrich_hold(e, &alert.ev);
		enrich_let_go(e);
	}
	while (open_files() > before && waited++ < 5000)
		usleep(1000);
	assert_int_equal(open_files(), before);
	end_child(pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_actor_is_told_with_what_it_is),
		TEST(a_nameless_executable_is_kept_up_to_the_bound),
		TEST(one_that_is_gone_is_told_as_such),
		TEST(a_file_is_found_by_name_and_number),
		TEST(a_pid_used_again_is_not_the_actor),
		TEST(what_was_held_is_read_after_its_end),
		TEST(each_incident_has_its_actor_once),
		TEST(what_finds_no_place_is_counted),
		TEST(a_file_that_does_not_answer_stops_nobody),
		TEST(a_user_who_has_most_places_makes_room),
		TEST(what_has_no_turn_before_the_end_is_told),
		TEST(each_incident_has_its_layout),
		TEST(a_copy_that_hangs_holds_up_no_other),
		TEST(what_retention_removes_makes_room),
		TEST(what_was_held_in_vain_is_closed),
	};

	return cmocka_run_group_tests_name("enrich", tests, NULL, NULL);
}
