/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_benign.c - raises nothing: what an instance does itself, what anybody may read of it, and access to processes that
 * are not instances.
 */
#include "memory.h"
#include "steps.h"

void memory_benign(const void *arg)
{
	struct trigger t = trigger("benign", pid_of(memory_target), arg);

	require(!trigger_int(&t, "failed"), "%lld of it failed", trigger_int(&t, "failed"));
	expect_nothing(memory_mon);
}

void memory_benign_unprivileged(const void *arg)
{
	trigger_nobody("benign", pid_of(memory_target), arg);
	expect_nothing(memory_mon);
}

void memory_benign_stranger(const void *arg)
{
	pid_t pid = idle_start();

	trigger("vm_readv", str("%d", pid));
	trigger("ptrace", str("%d", pid), "seize");
	trigger("proc_open", str("%d", pid), "mem");
	trigger("pidfd_getfd", str("%d", pid), "0");
	expect_nothing(memory_mon);
}

/* The same on a process that is not an instance. */
void memory_compat_stranger(const void *what)
{
	pid_t pid = idle_start();

	trigger("compat", str("%d", pid), what);
	expect_nothing(memory_mon);
}

/* with `comm` or `args` ps opens every process's environ, which is an alert */
void memory_benign_ps(const void *arg)
{
	struct run r = run_command(3000, "ps", "-e", "-o", "pid,ppid,stat,rss,time");

	if (r.status == 127)
		test_skip("no ps here");
	require(!r.status, "ps: %s", r.err);
	expect_nothing(memory_mon);
}

void memory_background_save(const void *arg)
{
	struct client *c = client_open(memory_target, "127.0.0.1", true);
	pid_t pid = benchmark_start(memory_target, "-t", "set,get", "-n", "15000", "-r", "10000",
				    "-d", "128");

	for (int i = 0; i < 6; i++) {
		client_do(c, i % 2 ? "BGREWRITEAOF" : "BGSAVE");
		sleep_ms(300);
	}
	require(strstr(client_do(c, "INFO persistence"), "rdb_last_bgsave_status:ok"),
		"BGSAVE failed");
	require(strstr(client_do(c, "INFO persistence"), "aof_last_bgrewrite_status:ok"),
		"BGREWRITEAOF failed");
	client_close(c);
	require(child_wait(pid, 20000) == 0, "redis-benchmark failed");
	expect_nothing(memory_mon);
}
