/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor: opens a listening socket, passes it to a server it starts, and keeps it, as socket
 * activation does. The server does not use it: it listens on the port of its own configuration.
 *
 * Ground truth: "server_pid". Stays until it is killed.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "net.h"

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc < 3)
		trigger_usage("SERVER CONFIG");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	net_listen(0, 0); /* inherited by the server */
	pid = fork();
	if (!pid) {
		execl(argv[1], argv[1], argv[2], NULL);
		_exit(127);
	}
	trigger_report("\"server_pid\":%d", pid);
	trigger_stay();
}
