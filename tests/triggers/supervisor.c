/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supervisor: opens a listening socket, passes it to a server it starts, and keeps it, as socket
 * activation does. The server does not use it: it listens on the port of its own configuration.
 * "replaced": a child starts the server; when that is killed, another process that has the socket gets its number.
 *
 * Ground truth: "server_pid", and "parent" of the server. Stays until it is killed.
 */
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "net.h"

static pid_t server_start(char **argv)
{
	pid_t pid = fork();

	if (!pid) {
		execl(argv[1], argv[1], argv[2], NULL);
		_exit(127);
	}
	return pid;
}

/* Returns the child's pid once it has started the server. */
static pid_t child_start(char **argv, pid_t *ret_server)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		trigger_die("pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		*ret_server = server_start(argv);
		if (write(ends[1], ret_server, sizeof(*ret_server)) < 0)
			_exit(1);
		trigger_stay();
	}
	if (read(ends[0], ret_server, sizeof(*ret_server)) != sizeof(*ret_server))
		trigger_die("the child");
	return pid;
}

/* A child with the number of one that has ended. */
static void replace(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};

	waitpid(number, NULL, 0);
	if (syscall(SYS_clone3, &args, sizeof(args)) < 0)
		trigger_die("clone3");
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a child does not inherit it */
}

int main(int argc, char **argv)
{
	pid_t server, parent = getpid();

	if (argc < 3)
		trigger_usage("SERVER CONFIG [replaced]");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	net_listen(0, 0); /* inherited by the server */
	if (argc > 3)
		parent = child_start(argv, &server);
	else
		server = server_start(argv);
	trigger_report("\"server_pid\":%d,\"parent\":%d", server, parent);
	if (argc > 3)
		replace(parent);
	trigger_stay();
}
