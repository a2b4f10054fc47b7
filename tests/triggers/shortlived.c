/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shortlived: vforks a process that becomes `vm_once`, reads the victim once and is gone.
 *
 *     shortlived PID
 *
 * Prints its own pid and the child's: pid, how it ended, and between which two moments it was born.
 */
#include <libgen.h>
#include <sys/wait.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	char self[4096], exe[4200], address[32];
	long long before, after;
	int status;
	pid_t pid;
	ssize_t n;

	if (argc < 2)
		return 2;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		trigger_die("readlink");
	self[n] = 0;
	snprintf(exe, sizeof(exe), "%s/vm_once", dirname(self));
	snprintf(address, sizeof(address), "%p", trigger_address(atol(argv[1]), STAT_START_CODE));
	before = trigger_clock_ms(CLOCK_REALTIME);
	pid = vfork();
	if (pid < 0)
		trigger_die("vfork");
	if (!pid) {
		execl(exe, exe, argv[1], address, NULL);
		_exit(255);
	}
	after = trigger_clock_ms(CLOCK_REALTIME);
	if (waitpid(pid, &status, 0) != pid)
		trigger_die("waitpid");
	trigger_report("\"tid\":%d,\"child\":%d,\"child_exe\":\"%s\",\"child_born_after_ms\":%lld,"
		       "\"child_born_before_ms\":%lld,\"errno\":%d,\"lived_ms\":%lld",
		       getpid(), pid, exe, before, after,
		       WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		       trigger_clock_ms(CLOCK_REALTIME) - before);
	return 0;
}
