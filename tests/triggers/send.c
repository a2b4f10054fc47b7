/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send: sends the victim a signal.
 *
 *     send PID SIGNAL [-q|-t]
 *
 * -q by sigqueue, -t to its first thread.
 */
#include <signal.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	int sig, r;
	pid_t victim;

	if (argc < 3)
		return 2;
	victim = atoi(argv[1]);
	sig = atoi(argv[2]);
	errno = 0;
	if (argc > 3 && !strcmp(argv[3], "-q"))
		r = sigqueue(victim, sig, (union sigval){});
	else if (argc > 3 && !strcmp(argv[3], "-t"))
		r = syscall(SYS_tgkill, victim, victim, sig);
	else
		r = kill(victim, sig);
	trigger_report("\"tid\":%d,\"result\":%d,\"errno\":%d", getpid(), r, r < 0 ? errno : 0);
	return 0;
}
