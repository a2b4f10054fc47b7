/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answerer: starts a program with a seccomp filter that hands some of its syscalls to this process, which may answer them and
 * put descriptors into it (seccomp_unotify(2)). The one handed over is acct(2), which no server calls.
 *
 *     hold COMMAND [ARG]...       keeps the descriptor for that
 *     alone COMMAND [ARG]...      the same filter without one: the syscall is refused
 *
 * Ground truth: "child", the program's pid, and "link", what the descriptor is called in /proc. Stays until it is killed.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "trigger.h"

/* Returns the descriptor, or 0. */
static int set_filter(int hold)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
			 hold ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    hold ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &prog);
}

/* The child waits until its descriptor has been taken. */
static pid_t start(char **argv, int hold, int *ret_fd)
{
	int told[2], taken[2], fd = -1;
	pid_t pid;
	char c;

	if (pipe2(told, O_CLOEXEC) || pipe2(taken, O_CLOEXEC))
		trigger_die("pipe");
	pid = fork();
	if (!pid) {
		fd = set_filter(hold);
		if (write(told[1], &fd, sizeof(fd)) != sizeof(fd) || read(taken[0], &c, 1) != 1)
			_exit(1);
		execv(argv[0], argv);
		_exit(127);
	}
	if (read(told[0], &fd, sizeof(fd)) != sizeof(fd) || fd < 0)
		trigger_die("the filter");
	*ret_fd = hold ? (int)syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), fd, 0) : -1;
	if (write(taken[1], "", 1) != 1)
		trigger_die("the child");
	return pid;
}

int main(int argc, char **argv)
{
	char link[64] = "", path[40];
	int hold, fd;
	pid_t pid;

	if (argc < 3 || (strcmp(argv[1], "hold") && strcmp(argv[1], "alone")))
		trigger_usage("hold|alone COMMAND [ARG]...");
	hold = !strcmp(argv[1], "hold");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = start(argv + 2, hold, &fd);
	if (hold && fd < 0)
		trigger_die("pidfd_getfd");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (hold && readlink(path, link, sizeof(link) - 1) < 0)
		trigger_die("%s", path);
	trigger_report("\"child\":%d,\"link\":\"%s\"", pid, link);
	trigger_stay();
}
