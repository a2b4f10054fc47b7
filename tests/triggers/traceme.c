/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traceme: starts a program that has made its parent its tracer (PTRACE_TRACEME). The tracer detaches
 * after exec, reports, and stays until the program ends.
 *
 * Ground truth: "server_pid", the traced program; "result" and "errno" of the detach.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	int status, err;
	long detached;
	pid_t pid;

	if (argc < 2)
		trigger_usage("PROGRAM ARGUMENT...");
	pid = fork();
	if (pid < 0)
		trigger_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			trigger_die("PTRACE_TRACEME");
		execv(argv[1], argv + 1);
		trigger_die("%s", argv[1]);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		trigger_die("the child did not stop at exec");
	errno = 0;
	detached = ptrace(PTRACE_DETACH, pid, 0, 0);
	err = errno;
	trigger_report("\"server_pid\":%d,\"result\":%ld,\"errno\":%d", pid, detached, err);
	waitpid(pid, &status, 0);
	return 0;
}
