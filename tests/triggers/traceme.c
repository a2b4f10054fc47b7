/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traceme: starts a program that lets its parent trace it (PTRACE_TRACEME) and then becomes it.
 *
 *     traceme PROGRAM ARGUMENT...
 *
 * The parent is the tracer. It lets the child go once it has executed the program, prints one line
 * with the child's pid, and stays until the child ends.
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
		return 2;
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
		trigger_die("no stop at exec");
	errno = 0;
	detached = ptrace(PTRACE_DETACH, pid, 0, 0);
	err = errno;
	trigger_report("\"tid\":%d,\"server_pid\":%d,\"result\":%ld,\"errno\":%d", getpid(), pid,
		       detached, err);
	waitpid(pid, &status, 0);
	return 0;
}
