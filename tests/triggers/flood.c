/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood: many process_vm_readv of 64 bytes, by one actor or by many that live only for one.
 *
 *     flood PID loop|actors|sessions|execs NUMBER
 *
 * loop: one process, NUMBER calls. actors: NUMBER vforked children, one call each, one after the
 * other. sessions: the same, each child in a session of its own. execs: the same, each child executes `vm_once` first.
 */
#include <libgen.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

static int once(long victim, void *at)
{
	char buf[64];
	struct iovec local = {buf, sizeof(buf)}, remote = {at, sizeof(buf)};

	return process_vm_readv(victim, &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

static int actor(const char *victim, void *at, const char *exe, int sessions)
{
	char address[32];
	pid_t pid = vfork(); /* many times as fast as fork, and a process all the same */
	int status;

	if (pid < 0)
		trigger_die("vfork");
	if (!pid && sessions)
		setsid();
	if (!pid && exe) {
		snprintf(address, sizeof(address), "%p", at);
		execl(exe, exe, victim, address, NULL);
		_exit(255);
	}
	if (!pid)
		_exit(once(atol(victim), at));
	if (waitpid(pid, &status, 0) != pid)
		trigger_die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char **argv)
{
	long number, done = 0, failed = 0;
	char self[4096], exe[4200];
	int loop, execs, sessions, err;
	ssize_t n;
	void *at;

	if (argc < 4)
		return 2;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		trigger_die("readlink");
	self[n] = 0;
	snprintf(exe, sizeof(exe), "%s/vm_once", dirname(self));
	loop = !strcmp(argv[2], "loop");
	execs = !strcmp(argv[2], "execs");
	sessions = !strcmp(argv[2], "sessions");
	number = atol(argv[3]);
	at = trigger_address(atol(argv[1]), STAT_START_CODE);
	for (long i = 0; i < number; i++) {
		err = loop ? once(atol(argv[1]), at)
			   : actor(argv[1], at, execs ? exe : NULL, sessions);
		done += !err;
		failed += !!err;
	}
	trigger_report("\"tid\":%d,\"result\":%ld,\"failed\":%ld", getpid(), done, failed);
	return 0;
}
