/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.c - what a user without privileges does, however much of it, hides nothing that others do, and no server.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define LEVELS "7" /* and the initial namespaces */
#define THREADS "9000"
#define SERVERS "1500"

/* A server that starts now is watched, by number and by file. */
static void server_watched(struct monitor *m)
{
	struct server *s = server_start(&(struct server_opts){});
	struct trigger t, u;

	sleep_ms(1500); /* its name follows its port */
	monitors_mark();
	t = trigger("vm_readv", pid_of(s));
	u = trigger("proc_open", pid_of(s), "maps");
	expect(m, {.rule = "mem-read", .vector = "process_vm_readv", .server = s, .by = &t},
	       {.rule = "mem-inspect",
		.vector = "openat",
		.detail = "maps",
		.server = s,
		.by = &u});
}

static void threads(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger crowd = trigger_stay(trigger_for_all("crowd"), "threads", LEVELS, THREADS,
					    str("%d", NOBODY));

	if (trigger_int(&crowd, "made") < atol(THREADS))
		test_skip("only %lld threads: %s", trigger_int(&crowd, "made"),
			  strerror(trigger_int(&crowd, "errno")));
	server_watched(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* More than the monitor remembers. */
static void servers(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t = trigger_nobody("crowd", "servers", SERVERS);

	require(trigger_int(&t, "made") == atol(SERVERS), "%lld of " SERVERS,
		trigger_int(&t, "made"));
	server_watched(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(monitor_summary(m, "instance") >= atol(SERVERS), "%ld instances",
		monitor_summary(m, "instance"));
}

static const struct test tests[] = {
	TEST("9000 threads in nested pid namespaces: a server that starts later is watched",
	     threads),
	TEST("1500 processes with a server's title: a server that starts later is watched",
	     servers),
	{},
};

const struct suite noise_suite = {"noise", NULL, NULL, tests};
