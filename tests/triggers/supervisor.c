/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor: opens a listening socket, hands it down to a server it starts, and keeps it, as socket activation
 * does. The server takes no notice of it: it gets another port.
 *
 *     supervisor SERVER CONFIG
 */
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	struct sockaddr_in me = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	if (argc < 3)
		return 2;
	me.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) || listen(fd, 1))
		trigger_die("listen");
	pid = fork();
	if (!pid) {
		execl(argv[1], argv[1], argv[2], NULL);
		_exit(127);
	}
	trigger_report("\"tid\":%d,\"server_pid\":%d", getpid(), pid);
	while (1)
		pause();
}
