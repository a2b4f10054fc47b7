/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_fd.c - a server's files and pipes by descriptors that no open led to: in a ring of io_uring, by fanotify, through
 * /proc/PID/fd, and held since before the monitor.
 */
#include "files.h"

#include <unistd.h>

/* The descriptor exists in the ring alone; "hold" leaves it there for the sweep. */
void files_direct(const void *arg)
{
	const char *way = arg;
	bool hold = way && !strcmp(way, "hold");
	struct trigger t = hold ? trigger_stay("uring_direct", files_dump, way)
				: trigger("uring_direct", files_dump, way);
	json_t *found = NULL;

	if (trigger_true(&t, "missing"))
		test_skip("io_uring has no direct descriptors here");
	require(hold || trigger_int(&t, "bytes_read") > 0, "nothing was read");
	for (int i = 0; i < 60 && !found; i++) {
		sleep_ms(50);
		found = alert_find(files_mon, "rest-file", trigger_int(&t, "reader"));
	}
	require(found, "nothing names %lld", trigger_int(&t, "reader"));
	require(!strncmp(alert_str(found, "detail"), "data file", 9), "it is called %s",
		alert_str(found, "detail"));
}

/* What no dump is, through the same descriptors. */
void files_stranger_direct(const void *arg)
{
	const char *other = str("%s/other", scratch);

	file_write(other, "nobody's");
	trigger("uring_direct", other);
	expect_nothing(files_mon);
}

/* A descriptor of the server that is a pipe, 0 if it has none. */
static int pipe_of(const struct server *s)
{
	char to[32];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		n = readlink(str("/proc/%d/fd/%d", s->pid, fd), to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (!strncmp(to, "pipe:", 5))
			return fd;
	}
	return 0;
}

/* The path that is opened says nothing of /proc. */
void files_pipe_by_link(const void *arg)
{
	int fd = pipe_of(files_server);
	struct trigger t;

	if (!fd)
		test_skip("the server has no pipe");
	t = trigger("file_open", str("/proc/%d/fd/%d", files_server->pid, fd), "-w", "away");
	require(!files_open_errno(&t), "it was not opened: errno %d", files_open_errno(&t));
	expect(files_mon,
	       {.rule = "mem-fd",
		.vector = "openat",
		.detail = "fd/N",
		.server = files_server,
		.by = &t},
	       {.rule = "mem-inspect", /* the test itself reads the links */
		.vector = "readlink",
		.server = files_server,
		.optional = true});
}

/* A stranger's pipe, as of a shell's process substitution. */
void files_stranger_pipe(const void *arg)
{
	struct run r = run_command(3000, "/bin/bash", "-c", "cat <(echo one) | cat /dev/stdin");

	require(!r.status, "the pipes failed: %s", r.err);
	expect_nothing(files_mon);
}

/* The kernel hands an open descriptor of the dump to whoever watches its directory. */
void files_fanotify(const void *arg)
{
	const char *read_it = strdup(str("%s/fanotify.read", scratch));
	struct trigger t = trigger_stay("fanotify", files_server->dir, "dump.rdb", read_it);
	json_t *found = NULL;

	if (trigger_true(&t, "missing"))
		test_skip("no fanotify here");
	files_run_in_background("DEBUG RELOAD", "nothing"); /* the server opens its dump */
	for (int i = 0; i < 100 && access(read_it, F_OK); i++)
		sleep_ms(50);
	require(!access(read_it, F_OK), "nothing was read");
	for (int i = 0; i < 100 && !found; i++) {
		sleep_ms(50);
		found = alert_find(files_mon, "rest-file", t.pid);
	}
	require(found, "nothing names %d", t.pid);
	require(!strncmp(alert_str(found, "detail"), "data file", 9), "it is called %s",
		alert_str(found, "detail"));
}

static void found_held(pid_t pid)
{
	json_t *found;

	monitor_poll(files_mon);
	for (size_t i = 0; i < files_mon->count; i++) {
		found = files_mon->lines[i];
		if (alert_int(found, "actor.pid") == pid) {
			require(!strcmp(alert_str(found, "rule"), "rest-file") &&
					!strcmp(alert_str(found, "found_by"), "sweep"),
				"it is %s", alert_str(found, "rule"));
			return;
		}
	}
	test_fail("nothing says that %d holds a dump open", pid);
}

void files_held_before(const void *arg)
{
	const struct trigger *t = arg;

	found_held(t->pid);
}

void files_held_in_ring_before(const void *arg)
{
	const struct trigger *t = arg;

	if (trigger_true(t, "missing"))
		test_skip("io_uring has no such descriptors here");
	found_held((pid_t)trigger_int(t, "reader"));
}
