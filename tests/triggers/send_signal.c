/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * send_signal: sends one signal to a process.
 *
 *     send_signal PID SIGNAL
 */
#include <signal.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	int result, err;

	if (argc < 3)
		return 2;
	result = kill(atoi(argv[1]), atoi(argv[2]));
	err = result ? errno : 0;
	trigger_report("\"tid\":%d,\"result\":%d,\"errno\":%d", getpid(), result, err);
	return 0;
}
