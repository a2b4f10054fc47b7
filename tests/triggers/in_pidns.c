/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_pidns: runs a trigger in a pid namespace of its own, with its own /proc, where pids mean other
 * things.
 *
 *     in_pidns [-s CONFIG -w PORT] [-n NUMBER] TRIGGER ARGUMENT...
 *
 * -s starts a redis-server in there and waits for its port; the word SERVER among the arguments
 * becomes its inner pid. -n starts an idle process there that has that very NUMBER; the word IDLE
 * becomes it. The trigger is the namespace's first process. After its line comes one of our own
 * with the pids out here.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "trigger.h"

static void port_wait(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 100; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0),
		    up = !connect(fd, (void *)&to, sizeof(to));

		close(fd);
		if (up)
			return;
		usleep(50000);
	}
	trigger_die("port %d", port);
}

/* The out-here pid of the child that init has in there. */
static pid_t child_of(pid_t init)
{
	struct dirent *e;
	DIR *proc = opendir("/proc");
	pid_t pid, found = 0;

	while (proc && !found && (e = readdir(proc)))
		if ((pid = atoi(e->d_name)) && trigger_stat(pid, STAT_PPID) == (unsigned long)init)
			found = pid;
	if (proc)
		closedir(proc);
	return found;
}

static void inside(const char *config, int port, int number, char **command, int ready, int go)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	char server[16] = "", idle[16], byte;
	pid_t pid, tids[1] = {number};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		trigger_die("procfs");
	if (config && !(pid = fork())) {
		execl("/usr/bin/redis-server", "redis-server", config, NULL);
		trigger_die("redis-server");
	}
	if (config) {
		snprintf(server, sizeof(server), "%d", pid);
		port_wait(port);
	}
	args.set_tid = (unsigned long)tids;
	args.set_tid_size = number ? 1 : 0;
	if (number && !(pid = syscall(SYS_clone3, &args, sizeof(args)))) {
		pause();
		_exit(0);
	}
	if (number && pid != number)
		trigger_die("pid %d in there", number);
	snprintf(idle, sizeof(idle), "%d", number);
	for (char **a = command; *a; a++)
		*a = !strcmp(*a, "SERVER") ? server : !strcmp(*a, "IDLE") ? idle : *a;
	if (write(ready, "", 1) != 1 ||
	    read(go, &byte, 1) < 0) /* until the outside knows our pids */
		trigger_die("ready");
	execv(command[0], command);
	trigger_die("%s", command[0]);
}

int main(int argc, char **argv)
{
	int opt, port = 0, number = 0, ready[2], go[2], status;
	const char *config = NULL;
	pid_t pid, child = 0;
	char byte;

	while ((opt = getopt(argc, argv, "+s:w:n:")) != -1) {
		if (opt == 's')
			config = optarg;
		else if (opt == 'w')
			port = atoi(optarg);
		else if (opt == 'n')
			number = atoi(optarg);
		else
			return 2;
	}
	if (optind >= argc || pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC) ||
	    unshare(CLONE_NEWPID))
		trigger_die("namespaces");
	pid = fork();
	if (!pid) {
		close(go[1]);
		inside(config, port, number, argv + optind, ready[1], go[0]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		child = child_of(pid);
	close(go[1]);
	waitpid(pid, &status, 0);
	trigger_report("\"inner_init\":%d,\"inner_child\":%d,\"status\":%d", pid, child,
		       WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
