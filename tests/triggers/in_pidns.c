/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * in_pidns: runs a trigger as the first process of a pid namespace with its own /proc, where pids differ
 * from those outside.
 *
 *     -s CONFIG   start a redis-server inside; the word SERVER in the arguments becomes its inner pid
 *     -w PORT     wait for the server to listen on that port
 *     -n NUMBER   start an idle process inside with that very pid; the word IDLE becomes it
 *
 * The trigger prints its own line first. Ground truth, in outer pids: "inner_init", the trigger;
 * "inner_child", its child; and "status", its exit status, which is also this program's.
 */
#include <dirent.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "net.h"

#define LISTEN_TRIES 100
#define LISTEN_PAUSE_US 50000

static const char synopsis[] = "[-s CONFIG -w PORT] [-n NUMBER] TRIGGER ARGUMENT...";

struct job {
	const char *config;
	int port;
	pid_t number;
	char **command;
};

static void wait_listening(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (int i = 0; i < LISTEN_TRIES; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0),
		    up = !connect(fd, (void *)&to, sizeof(to));

		close(fd);
		if (up)
			return;
		usleep(LISTEN_PAUSE_US);
	}
	trigger_die("port %d", port);
}

/* 0 if there is none. */
static pid_t child_of(pid_t parent)
{
	struct dirent *e;
	DIR *proc = opendir("/proc");
	pid_t pid, found = 0;

	while (proc && !found && (e = readdir(proc)))
		if ((pid = atoi(e->d_name)) &&
		    trigger_stat(pid, STAT_PPID) == (unsigned long)parent)
			found = pid;
	if (proc)
		closedir(proc);
	return found;
}

static pid_t start_server(const struct job *job)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/usr/bin/redis-server", "redis-server", job->config, NULL);
		trigger_die("redis-server");
	}
	wait_listening(job->port);
	return pid;
}

static void start_idle(pid_t number)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (unsigned long)&number, .set_tid_size = 1};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		pause();
		_exit(0);
	}
	if (pid != number)
		trigger_die("inner pid %d", number);
}

/* In the namespace: signals `ready`, waits until `go` is closed, then becomes the trigger. */
__attribute__((noreturn)) static void run_inside(const struct job *job, int ready, int go)
{
	char server[16] = "", idle[16] = "", byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	trigger_mount_proc("/proc");
	if (job->config)
		snprintf(server, sizeof(server), "%d", start_server(job));
	if (job->number) {
		start_idle(job->number);
		snprintf(idle, sizeof(idle), "%d", job->number);
	}
	for (char **a = job->command; *a; a++)
		*a = !strcmp(*a, "SERVER") ? server : !strcmp(*a, "IDLE") ? idle : *a;
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) < 0)
		trigger_die("pipe");
	execv(job->command[0], job->command);
	trigger_die("%s", job->command[0]);
}

int main(int argc, char **argv)
{
	struct job job = {};
	int opt, ready[2], go[2], status;
	pid_t pid, child = 0;
	char byte;

	while ((opt = getopt(argc, argv, "+s:w:n:")) != -1) {
		if (opt == 's')
			job.config = optarg;
		else if (opt == 'w')
			job.port = atoi(optarg);
		else if (opt == 'n')
			job.number = atoi(optarg);
		else
			trigger_usage(synopsis);
	}
	if (optind >= argc)
		trigger_usage(synopsis);
	job.command = argv + optind;
	if (pipe2(ready, O_CLOEXEC) || pipe2(go, O_CLOEXEC) || unshare(CLONE_NEWPID))
		trigger_die("pid namespace");
	pid = fork();
	if (!pid) {
		close(go[1]);
		run_inside(&job, ready[1], go[0]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1)
		child = child_of(pid); /* before the trigger ends and takes the namespace down */
	close(go[1]);
	waitpid(pid, &status, 0);
	trigger_report("\"inner_init\":%d,\"inner_child\":%d,\"status\":%d", pid, child,
		       WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
