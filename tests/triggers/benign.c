/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * benign: the harmless twin of the attacks. None of what it does breaks a rule.
 *
 *     read     reads stat, status, cmdline, comm, statm and cgroup of the target
 *     self     reads and writes its own memory with process_vm_readv and process_vm_writev, opens its own
 *              mem, maps, smaps, environ, auxv and io
 *     child    the same, ptrace and pidfd_getfd on a child of its own, which is not an instance
 *     signal   kill(0), getpgid, getpriority, sched_getaffinity and prlimit on the target
 *
 * Ground truth: "result", calls that succeeded; "failed", calls that did not.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "trigger.h"

static int succeeded, failed;

static void count(long result)
{
	succeeded += result >= 0;
	failed += result < 0;
}

/* names end with NULL. */
static void read_files(pid_t pid, const char *const *names)
{
	char path[64], buf[512];
	int fd;

	for (; *names; names++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, *names);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		count(fd);
		if (fd >= 0 && strcmp(*names, "mem"))
			count(read(fd, buf, sizeof(buf)));
		if (fd >= 0)
			close(fd);
	}
}

static void access_memory(pid_t pid)
{
	static const char *const names[] = {"mem", "maps", "smaps", "environ", "auxv", "io", NULL};
	char from[64] = "", to[64];
	struct iovec local = {to, sizeof(to)}, remote = {from, sizeof(from)};

	count(process_vm_readv(pid, &local, 1, &remote, 1, 0));
	count(process_vm_writev(pid, &local, 1, &remote, 1, 0));
	read_files(pid, names);
}

static void access_child(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		trigger_stay();
	access_memory(pid);
	count(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 0, 0));
	count(ptrace(PTRACE_ATTACH, pid, 0, 0));
	count(waitpid(pid, &status, 0));
	count(ptrace(PTRACE_PEEKDATA, pid, &succeeded, 0));
	count(ptrace(PTRACE_DETACH, pid, 0, 0));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void query(pid_t pid)
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
		trigger_usage("PID read|self|child|signal");
	if (!strcmp(argv[2], "read"))
		read_files(atoi(argv[1]), harmless);
	else if (!strcmp(argv[2], "self"))
		access_memory(getpid());
	else if (!strcmp(argv[2], "child"))
		access_child();
	else
		query(atoi(argv[1]));
	trigger_report("\"result\":%d,\"failed\":%d", succeeded, failed);
	return 0;
}
