/* SPDX-License-Identifier: BSD-2-Clause */
/* validate_watch.c - `cachewarden validate --duration` and `--while`: what it judges of what was done meanwhile. */
#include "validate.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* What validate says while meanwhile() is done to the server; it is ended by SIGTERM long before its time. */
static json_t *watched(struct server *s, void (*meanwhile)(struct server *s))
{
	const char *out = str("%s/watched.json", scratch), *err = str("%s/watched.err", scratch);
	const char *const argv[] = {MONITOR, "validate", "--format", "json", "--duration",
				    "600",   PORT_OF(s), AS_CHECK,   NULL};
	int status;
	pid_t pid;

	file_write(err, "");
	pid = child_start(argv, &(struct child_opts){.out = out, .err = err});
	for (int i = 0; !strstr(file_read(err), "watching"); i++) {
		require(i < 600 && !child_ended(pid), "it did not begin to watch: %s",
			file_read(err));
		usleep(100000);
	}
	meanwhile(s);
	status = child_stop(pid, SIGTERM, 30000 * patience);
	require(WIFEXITED(status), "it ended with status %d", status);
	expect_nothing_left();
	return report_of(
		(struct run){.out = (char *)file_read(out), .err = (char *)file_read(err)});
}

static void ask_something(struct server *s)
{
	struct client *c = client_open(s, "127.0.0.1", true);

	client_do(c, "PING");
	client_close(c);
}

static void attack(struct server *s)
{
	ask_something(s);
	trigger("vm_readv", pid_of(s));
	trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
}

static void failing_tests(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", "--while", "exit 7", PORT_OF(s), AS_CHECK));
	expect_verdict(report, "watch-covered", "skip", "the command of --while failed");
	expect_verdict(report, "watch-memory", "skip", "the command of --while failed");
	expect_nothing_left();
}

static void quiet_time(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, ask_something);
	expect_verdict(report, "watch-covered", "pass", "without a gap");
	expect_verdict(report, "watch-wire", "pass", "");
	expect_verdict(report, "watch-versions", "pass", "1 handshake");
	expect_verdict(report, "watch-ciphers", "pass", "");
	expect_verdict(report, "watch-memory", "pass", "");
	expect_verdict(report, "watch-files", "pass", "");
}

static void attacked_meanwhile(const void *arg)
{
	struct server *s = prepare(true, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, attack);
	expect_verdict(report, "watch-memory", "fail", "mem-read 1");
	expect_verdict(report, "watch-wire", "fail", "tls-plaintext");
	expect_verdict(report, "watch-covered", "pass", "without a gap");
	expect_verdict(report, "watch-files", "pass", "");
}

static void end_it(struct server *s)
{
	ask_something(s);
	server_stop(s, SIGKILL);
}

/* What it did after that nobody can say, but what was done to it before is known. */
static void ended_meanwhile(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, end_it);
	expect_verdict(report, "watch-covered", "skip", "the server ended meanwhile");
	expect_verdict(report, "watch-memory", "skip", "the server ended meanwhile");
	expect_verdict(report, "watch-versions", "skip", "the server ended meanwhile");
}

static void attack_and_end(struct server *s)
{
	attack(s);
	server_stop(s, SIGKILL);
}

static void attacked_and_ended(const void *arg)
{
	struct server *s = prepare(true, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, attack_and_end);
	expect_verdict(report, "watch-covered", "skip", "the server ended meanwhile");
	expect_verdict(report, "watch-memory", "fail", "mem-read 1");
}

static const struct test tests[] = {
	TEST("--duration: clients with TLS break no promise", quiet_time),
	TEST("--duration: a read of its memory, and plaintext, are broken promises",
	     attacked_meanwhile),
	TEST("--duration: a server that ends meanwhile is not judged", ended_meanwhile),
	TEST("--duration: what was done to it before it ended is a broken promise",
	     attacked_and_ended, .slow = true),
	TEST("--while: tests that fail prove nothing", failing_tests),
	{},
};

const struct suite validate_watch_suite = {"validate watch", NULL, NULL, tests};
