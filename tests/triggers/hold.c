/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hold: gets hold of something of the victim's and keeps it, until it is killed.
 *
 *     hold PID WHAT [WAY]
 *
 * What: a file below /proc/PID, "fd/N" for a copy of the victim's descriptor N (pidfd_getfd), or "perf" for a
 * perf event that counts on it. Ways: self; mount (through a procfs mounted in a private namespace); exec (it
 * executes itself anew with the descriptor); fork (a child inherits it and holds it, the parent ends); scm (a
 * child gets hold of it and sends it over a socket). Prints who holds it and who got it.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "trigger.h"

static int get(const char *pid, const char *what, const char *proc)
{
	struct perf_event_attr count = {.size = sizeof(count),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK};
	char path[256];
	int fd;

	if (!strncmp(what, "fd/", 3))
		fd = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, atoi(pid), 0), atoi(what + 3),
			     0);
	else if (!strcmp(what, "perf"))
		fd = syscall(SYS_perf_event_open, &count, atoi(pid), -1, -1, 0);
	else
		snprintf(path, sizeof(path), "%s/%s/%s", proc, pid, what),
			fd = open(path, O_RDONLY);
	if (fd < 0)
		trigger_die("%s of %s", what, pid);
	fcntl(fd, F_SETFD, 0);
	return fd;
}

static void send_fd(int to, int fd)
{
	char room[CMSG_SPACE(sizeof(fd))] = {}, byte = 0;
	struct iovec one = {&byte, 1};
	struct msghdr m = {.msg_iov = &one,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = sizeof(room)};
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
	char room[CMSG_SPACE(sizeof(int))], byte;
	struct iovec one = {&byte, 1};
	struct msghdr m = {.msg_iov = &one,
			   .msg_iovlen = 1,
			   .msg_control = room,
			   .msg_controllen = sizeof(room)};

	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		trigger_die("recvmsg");
}

static void keep(pid_t got)
{
	trigger_report("\"tid\":%d,\"got_by\":%d", getpid(), got);
	while (1)
		pause();
}

int main(int argc, char **argv)
{
	const char *way = argc > 3 ? argv[3] : "self", *proc = "/proc";
	int pair[2];
	pid_t child;

	if (argc < 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(way, "kept"))
		keep(getpid());
	if (!strcmp(way, "mount")) {
		proc = "/mnt";
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", proc, "proc", 0, NULL))
			trigger_die("private procfs");
	}
	if (strcmp(way, "scm")) {
		get(argv[1], argv[2], proc);
		if (!strcmp(way, "exec"))
			execl("/proc/self/exe", "hold", argv[1], argv[2], "kept", NULL);
		child = getpid();
		if (!strcmp(way, "fork") && fork())
			return 0;
		keep(child);
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		trigger_die("socketpair");
	child = fork();
	if (!child) {
		send_fd(pair[1], get(argv[1], argv[2], proc));
		return 0;
	}
	receive_fd(pair[0]);
	waitpid(child, NULL, 0);
	keep(child);
}
