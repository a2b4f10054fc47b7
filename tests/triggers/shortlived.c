/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shortlived: vforks a child that executes `vm_once`, reads the target once and exits.
 *
 * Ground truth: "child", "child_exe", "errno" of its call; the child was forked between
 * "child_born_after_ms" and "child_born_before_ms" (real time) and was reaped after "lived_ms".
 */
#include <sys/wait.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	char exe[4200], address[32];
	long long before, after;
	int status;
	pid_t pid;

	if (argc < 2)
		trigger_usage("PID");
	trigger_sibling("vm_once", exe, sizeof(exe));
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
	trigger_report("\"child\":%d,\"child_exe\":\"%s\",\"child_born_after_ms\":%lld,"
		       "\"child_born_before_ms\":%lld,\"errno\":%d,\"lived_ms\":%lld",
		       pid, exe, before, after, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		       trigger_clock_ms(CLOCK_REALTIME) - before);
	return 0;
}
