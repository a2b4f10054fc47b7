/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send: sends the target a signal with kill(2), with -q by sigqueue(3), with -t by tgkill(2) to its main
 * thread.
 *
 * Ground truth: "result" and "errno" of the call.
 */
#include <signal.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	int sig, r;
	pid_t target;

	if (argc < 3)
		trigger_usage("PID SIGNAL [-q|-t]");
	target = atoi(argv[1]);
	sig = atoi(argv[2]);
	errno = 0;
	if (argc > 3 && !strcmp(argv[3], "-q"))
		r = sigqueue(target, sig, (union sigval){});
	else if (argc > 3 && !strcmp(argv[3], "-t"))
		r = syscall(SYS_tgkill, target, target, sig);
	else
		r = kill(target, sig);
	trigger_report_result(r, errno);
	return 0;
}
