/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood: makes NUMBER calls of process_vm_readv that read 64 bytes each.
 *
 *     loop       all by one process
 *     actors     each by a vforked child of its own, one after the other
 *     sessions   the same, each child in a session of its own
 *     execs      the same as actors, each child executes `vm_once`
 *
 * Ground truth: "result", calls that succeeded; "failed", calls that did not.
 */
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

/* Returns 0 or an errno. */
static int read_target(long target, void *at)
{
	char buf[64];
	struct iovec local = {buf, sizeof(buf)}, remote = {at, sizeof(buf)};

	return process_vm_readv(target, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

/* Reads in a child, by executing exe unless it is NULL. Returns 0, an errno, or -1. */
static int read_in_child(const char *target, void *at, const char *exe, int new_session)
{
	char address[32];
	pid_t pid = vfork(); /* many times faster than fork */
	int status;

	if (pid < 0)
		trigger_die("vfork");
	if (!pid && new_session)
		setsid();
	if (!pid && exe) {
		snprintf(address, sizeof(address), "%p", at);
		execl(exe, exe, target, address, NULL);
		_exit(255);
	}
	if (!pid)
		_exit(read_target(atol(target), at));
	if (waitpid(pid, &status, 0) != pid)
		trigger_die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
	long number, succeeded = 0, failed = 0;
	int loop, execs, sessions, err;
	char exe[4200];
	void *at;

	if (argc < 4)
		trigger_usage("PID loop|actors|sessions|execs NUMBER");
	trigger_sibling("vm_once", exe, sizeof(exe));
	loop = !strcmp(argv[2], "loop");
	execs = !strcmp(argv[2], "execs");
	sessions = !strcmp(argv[2], "sessions");
	number = atol(argv[3]);
	at = trigger_address(atol(argv[1]), STAT_START_CODE);
	for (long i = 0; i < number; i++) {
		err = loop ? read_target(atol(argv[1]), at)
			   : read_in_child(argv[1], at, execs ? exe : NULL, sessions);
		succeeded += !err;
		failed += !!err;
	}
	trigger_report("\"result\":%ld,\"failed\":%ld", succeeded, failed);
	return 0;
}
