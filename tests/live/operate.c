/* SPDX-License-Identifier: BSD-2-Clause */
/* operate.c - what an operator or a CI job does with the commands: exit codes, connections, leftovers of a kill. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){});
}

/* Runs the monitor for 3 s with a memory read (critical) or without; returns its exit code. */
static int run_for_1_s(const char *fail_on, bool attack)
{
	struct monitor *m = monitor_start("--duration", "1", "--fail-on", fail_on, NULL);
	int status;

	if (attack)
		trigger("vm_readv", pid_of(a));
	status = child_wait(m->pid, 10000 * patience);
	require(WIFEXITED(status), "it did not end: %s", file_read(m->err));
	return WEXITSTATUS(status);
}

static void fails_on(const void *arg)
{
	int code = run_for_1_s(arg, true);

	require(code == 1, "exit code %d, not 1", code);
}

static void fails_not(const void *arg)
{
	int code = run_for_1_s(arg, false);

	require(code == 0, "exit code %d without an incident", code);
	code = run_for_1_s("never", true);
	require(code == 0, "exit code %d with --fail-on never", code);
}

static void quiet(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "run", "-q", "--duration", "1");

	require(r.status == 0 && !r.err[0], "exit code %d, says: %s", r.status, r.err);
}

static void conns(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *pid = str("%d", m->pid);
	struct run r = run_command(8000, MONITOR, "conns", "--pid", pid);
	struct client *c;

	require(r.status == 0 && !strcmp(r.out, "no connections are open\n"), "no connection: %s%s",
		r.out, r.err);
	r = run_command(8000, MONITOR, "conns", "--pid", pid, "--output", "json");
	require(r.status == 0 && !r.out[0], "no connection, as JSON: %s%s", r.out, r.err);
	c = client_open(a, "127.0.0.1", true);
	client_do(c, "PING");
	r = run_command(8000, MONITOR, "conns", "--pid", pid);
	require(r.status == 0 && !strncmp(r.out, "SINCE ", 6) && strstr(r.out, "TLSv1."),
		"one connection: %s%s", r.out, r.err);
	r = run_command(8000, MONITOR, "conns", "--pid", pid, "--output", "json");
	require(r.status == 0 && r.out[0] == '{', "one connection, as JSON: %s%s", r.out, r.err);
	client_close(c);
}

static const char *socket_of(const struct monitor *m)
{
	return run_path(str("%d.sock", m->pid));
}

static void stale_socket(const void *arg)
{
	struct monitor *m = monitor_start("--no-guard", NULL), *next;

	require(!access(socket_of(m), F_OK), "no control socket");
	kill(m->pid, SIGKILL);
	child_wait(m->pid, 5000);
	require(!access(socket_of(m), F_OK), "a kill removed the socket");
	next = monitor_start(NULL);
	require(access(socket_of(m), F_OK), "the socket of a killed monitor is left");
	require(!access(socket_of(next), F_OK), "its own is gone");
}

static void live_socket(const void *arg)
{
	struct monitor *m = monitor_start(NULL), *next = monitor_start(NULL);

	require(!access(socket_of(m), F_OK) && !access(socket_of(next), F_OK),
		"the socket of a running monitor is gone");
}

static struct run check(const char *until)
{
	const char *path = str("%s/until.yaml", scratch);

	file_write(path, str("allow:\n  - rule: mem-read\n    exe: /usr/bin/gdb\n    until: %s\n"
			     "    reason: ticket 4711\n",
			     until));
	return run_command(5000, MONITOR, "policy", "check", path);
}

static void expired(const void *arg)
{
	struct run r = check("2020-01-01");

	require(r.status == 0 && strstr(r.err, "until.yaml:2: warning: ") &&
			strstr(r.err, "expired"),
		"exit code %d, says: %s", r.status, r.err);
	r = check("2099-01-01");
	require(r.status == 0 && !r.err[0], "not expired: %d %s", r.status, r.err);
}

static const struct test tests[] = {
	TEST("--fail-on critical ends with 1 after a read of memory", fails_on, .arg = "critical"),
	TEST("--fail-on low ends with 1 after a read of memory", fails_on, .arg = "low"),
	TEST("--fail-on low ends with 0 if nothing happened, never after all", fails_not,
	     .arg = "low"),
	TEST("-q says nothing where there is nothing to warn of", quiet),
	TEST("conns prints a header, and says when there is nothing", conns),
	TEST("the socket of a killed monitor is removed by the next", stale_socket),
	TEST("the socket of a running monitor stays", live_socket),
	TEST("policy check warns of an entry that has expired", expired),
	{},
};

const struct suite operate_suite = {"operate", setup, NULL, tests};
