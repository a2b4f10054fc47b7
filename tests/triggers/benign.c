/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * benign: the attacks' harmless twin. What it does breaks no rule.
 *
 *     benign PID look     reads stat, status, cmdline, comm, statm and cgroup of the instance
 *     benign PID self     reads its own memory by process_vm_readv, /proc/self/mem, maps and
 * environ benign PID child    the same, ptrace and pidfd_getfd upon a child that is no instance
 *     benign PID signal   kill(0), getpgid, getpriority, sched_getaffinity and prlimit of the
 * instance
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

static int done, failed;

static void count(long result)
{
	done += result >= 0;
	failed += result < 0;
}

static void files(const char *who, const char *const *names)
{
	char path[64], buf[512];
	int fd;

	for (; *names; names++) {
		snprintf(path, sizeof(path), "/proc/%s/%s", who, *names);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		count(fd);
		if (fd >= 0 && strcmp(*names, "mem"))
			count(read(fd, buf, sizeof(buf)));
		if (fd >= 0)
			close(fd);
	}
}

static void memory(pid_t pid)
{
	static const char *const names[] = {"mem", "maps", "smaps", "environ", "auxv", "io", NULL};
	char from[64] = "", to[64], who[16];
	struct iovec local = {to, sizeof(to)}, remote = {from, sizeof(from)};

	count(process_vm_readv(pid, &local, 1, &remote, 1, 0));
	count(process_vm_writev(pid, &local, 1, &remote, 1, 0));
	snprintf(who, sizeof(who), "%d", pid);
	files(who, names);
}

static void child(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		while (1)
			pause();
	memory(pid);
	count(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 0, 0));
	count(ptrace(PTRACE_ATTACH, pid, 0, 0));
	count(waitpid(pid, &status, 0));
	count(ptrace(PTRACE_PEEKDATA, pid, &done, 0));
	count(ptrace(PTRACE_DETACH, pid, 0, 0));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void signals(pid_t pid)
{
	struct rlimit limit;
	cpu_set_t cpus;

	count(kill(pid, 0));
	count(getpgid(pid));
	count(getpriority(PRIO_PROCESS, pid));
	count(sched_getaffinity(pid, sizeof(cpus), &cpus));
	count(prlimit(pid, RLIMIT_NOFILE, NULL, &limit));
}

int main(int argc, char **argv)
{
	static const char *const harmless[] = {"stat",	"status", "cmdline", "comm",
					       "statm", "cgroup", NULL};

	if (argc < 3)
		return 2;
	if (!strcmp(argv[2], "look"))
		files(argv[1], harmless);
	else if (!strcmp(argv[2], "self"))
		memory(getpid());
	else if (!strcmp(argv[2], "child"))
		child();
	else
		signals(atoi(argv[1]));
	trigger_report("\"tid\":%d,\"result\":%d,\"failed\":%d", getpid(), done, failed);
	return 0;
}
