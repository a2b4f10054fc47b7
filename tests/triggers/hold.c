/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold: opens a descriptor that gives access to the target and keeps it open until killed.
 *
 * OBJECT is a file in /proc/PID; "fd/N", a copy of the target's descriptor N (pidfd_getfd); or "perf", a
 * perf event that counts on the target. Ways:
 *
 *     self    the process that opened it keeps it (the default)
 *     mount   the same, through a procfs mounted in a private namespace
 *     exec    it executes itself and inherits the descriptor
 *     fork    a child inherits it, and the opener exits
 *     scm     a child opens it, sends it over a UNIX socket and exits
 *
 * Ground truth: "pid" holds the descriptor; "opened_by" is the pid that opened it.
 */
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "trigger.h"

static int open_object(const char *pid, const char *object, const char *proc)
{
	struct perf_event_attr count = {.size = sizeof(count),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK};
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, object);
	if (!strncmp(object, "fd/", 3))
		fd = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, atoi(pid), 0),
			     atoi(object + 3), 0);
	else if (!strcmp(object, "perf"))
		fd = syscall(SYS_perf_event_open, &count, atoi(pid), -1, -1, 0);
	else
		fd = open(path, O_RDONLY);
	if (fd < 0)
		trigger_die("%s of %s", object, pid);
	fcntl(fd, F_SETFD, 0); /* survives exec */
	return fd;
}

static void send_fd(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec one = {&byte, 1};
	struct msghdr m = {.msg_iov = &one,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) != 1)
		trigger_die("sendmsg");
}

static void receive_fd(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec one = {&byte, 1};
	struct msghdr m = {.msg_iov = &one,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};

	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		trigger_die("recvmsg");
}

__attribute__((noreturn)) static void keep(pid_t opener)
{
	trigger_report("\"opened_by\":%d", opener);
	trigger_stay();
}

static void get_by_message(const char *pid, const char *object)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		trigger_die("socketpair");
	child = fork();
	if (!child) {
		send_fd(pair[1], open_object(pid, object, "/proc"));
		exit(0);
	}
	receive_fd(pair[0]);
	waitpid(child, NULL, 0);
	keep(child);
}

int main(int argc, char **argv)
{
	const char *way = argc > 3 ? argv[3] : "self", *proc = "/proc";
	pid_t opener = getpid();

	if (argc < 3)
		trigger_usage("PID OBJECT [self|mount|exec|fork|scm]");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(way, "executed"))
		keep(opener);
	if (!strcmp(way, "scm"))
		get_by_message(argv[1], argv[2]);
	if (!strcmp(way, "mount")) {
		proc = "/mnt";
		trigger_mount_proc(proc);
	}
	open_object(argv[1], argv[2], proc);
	if (!strcmp(way, "exec"))
		execl("/proc/self/exe", "hold", argv[1], argv[2], "executed", NULL);
	if (!strcmp(way, "fork") && fork())
		return 0;
	keep(opener);
}
