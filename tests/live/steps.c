/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps.c - steps that several suites take with servers and other processes.
 */
#include "steps.h"

#include <sys/stat.h>
#include <unistd.h>

#define BENCHMARK_ARGS 24

void own_session(void)
{
	setsid();
}

void become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(125);
}

pid_t idle_start(void)
{
	return child_start((const char *const[]){"sleep", "1000", NULL}, &(struct child_opts){});
}

pid_t strace_start(const struct server *s, pid_t tid)
{
	const char *const argv[] = {"/usr/bin/strace", "-q", "-o", "/dev/null", "-p",
				    str("%d", tid),    NULL};
	pid_t tracer = child_start(argv, &(struct child_opts){});

	require(file_wait(str("/proc/%d/task/%d/status", s->pid, tid),
			  str("TracerPid:\t%d\n", tracer), 5000),
		"strace does not trace");
	return tracer;
}

pid_t benchmark_argv(const struct server *s, const char *const *more)
{
	const char *argv[BENCHMARK_ARGS + 1] = {
		"redis-benchmark",	"--tls", "--cacert", cert_path(), "-p",
		str("%d", s->tls_port), "-q"};

	for (int i = 0; more[i]; i++) {
		require(7 + i < BENCHMARK_ARGS, "too many arguments");
		argv[7 + i] = more[i];
	}
	return child_start(argv, &(struct child_opts){});
}

void replica_ready(const struct server *replica)
{
	require(file_wait(replica->log, "MASTER <-> REPLICA sync: Finished", 10000),
		"replication did not start: %s", file_read(replica->log));
}

const char *policy_file(const char *policy)
{
	static unsigned int nr;
	const char *path = str("%s/policy.%u.yaml", scratch, ++nr);

	file_write(path, policy);
	chmod(path, 0644); /* a policy that others may write is rejected */
	return path;
}

struct monitor *monitor_with_policy(const char *policy)
{
	return monitor_start("--policy", policy_file(policy), NULL);
}

int client_fd(struct client *c)
{
	const char *at = strstr(client_do(c, "CLIENT INFO"), " fd=");

	require(at, "CLIENT INFO names no descriptor");
	return atoi(at + 4);
}

void uring_opens_counted(struct monitor *m)
{
	static const char note[] = "opens through io_uring without a completion: "
				   "which files they led to went unseen";
	long before = blind_count(m, note);

	/* once a second; never on the access tier, which sees these opens */
	for (int i = 0; i < 30 && blind_count(m, note) == before; i++)
		sleep_ms(50);
}
