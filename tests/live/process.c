/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.c - processes that end with the test or suite that started them. None is ended by name; if the test program
 * is killed, the kernel ends what it started (PR_SET_PDEATHSIG).
 */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 256

static struct child {
	pid_t pid;
	int scope;
} children[CHILDREN_MAX];

int child_scope;
static pid_t *started;
static size_t started_count;

void pid_ours_add(pid_t pid)
{
	started = realloc(started, (started_count + 1) * sizeof(*started));
	started[started_count++] = pid;
}

bool pid_ours(pid_t pid)
{
	for (size_t i = 0; i < started_count; i++)
		if (started[i] == pid)
			return true;
	return false;
}

void child_adopt(pid_t pid)
{
	pid_ours_add(pid);
	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i].pid)
			continue;
		children[i] = (struct child){pid, child_scope};
		return;
	}
	kill(pid, SIGKILL);
	test_fail("more than %d processes at once", CHILDREN_MAX);
}

static void child_forget(pid_t pid)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid == pid)
			children[i].pid = 0;
}

static void fd_open(int fd, const char *path, int flags)
{
	int from = open(path ?: "/dev/null", flags | O_CLOEXEC, 0644);

	if (from < 0 || dup2(from, fd) < 0)
		_exit(126);
}

static void child_become(const char *const *argv, const struct child_opts *o, int in)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_DFL);
	alarm(0);
	if (in >= 0)
		dup2(in, 0);
	else
		fd_open(0, NULL, O_RDONLY);
	if (o->out_fd > 0)
		dup2(o->out_fd, 1);
	else
		fd_open(1, o->out, O_WRONLY | O_CREAT | O_TRUNC);
	fd_open(2, o->err, O_WRONLY | O_CREAT | O_TRUNC);
	if (o->netns) {
		int ns = open(str("/proc/%d/ns/net", o->netns), O_RDONLY | O_CLOEXEC);

		if (ns < 0 || setns(ns, CLONE_NEWNET))
			_exit(126);
	}
	if (o->setup)
		o->setup();
	execvp(argv[0], (char *const *)argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

pid_t child_start(const char *const *argv, const struct child_opts *o)
{
	int in[2] = {-1, -1};
	pid_t pid;

	if (o->keep_stdin && pipe2(in, O_CLOEXEC))
		test_fail("pipe: %s", strerror(errno));
	fflush(stdout);
	/* raw: glibc's fork() has no place for the namespace flag */
	pid = o->pidns ? syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) : fork();
	if (pid < 0)
		test_fail("fork: %s", strerror(errno));
	if (!pid)
		child_become(argv, o, in[0]);
	if (in[0] >= 0)
		close(in[0]); /* our end stays open */
	child_adopt(pid);
	return pid;
}

int child_wait(pid_t pid, int timeout_ms)
{
	long long end = now_ms() + (long long)timeout_ms * patience;
	int status;

	for (int pause_ms = 1;; pause_ms = pause_ms < 10 ? pause_ms + 1 : 10) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			child_forget(pid);
		if (got == pid)
			return status;
		if (got < 0 && kill(pid, 0)) { /* not our child, or already waited for */
			child_forget(pid);
			return 0;
		}
		if (now_ms() > end)
			return -1;
		sleep_ms(pause_ms);
	}
}

bool child_ended(pid_t pid)
{
	siginfo_t info = {};

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == pid;
}

int child_stop(pid_t pid, int sig, int timeout_ms)
{
	int status;

	kill(pid, sig);
	status = child_wait(pid, timeout_ms);
	if (status == -1) {
		kill(pid, SIGKILL);
		child_wait(pid, 2000);
	}
	return status;
}

void children_end(int of)
{
	for (int i = 0; i < CHILDREN_MAX; i++) {
		if (children[i].pid && children[i].scope >= of) {
			kill(children[i].pid, SIGTERM);
			kill(children[i].pid,
			     SIGCONT); /* a stopped process does not handle SIGTERM */
		}
	}
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid && children[i].scope >= of)
			child_stop(children[i].pid, SIGTERM, 3000);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

struct run run_argv(int timeout_ms, const struct child_opts *o, const char *const *argv)
{
	static unsigned int nr;
	struct child_opts opts = *o;
	struct run r = {};
	int status;

	nr++;
	opts.out = str("%s/run.%u.out", scratch, nr);
	opts.err = str("%s/run.%u.err", scratch, nr);
	r.pid = child_start(argv, &opts);
	status = child_wait(r.pid, timeout_ms);
	if (status == -1)
		child_stop(r.pid, SIGKILL, 1000);
	r.status = status == -1	       ? -1
		   : WIFEXITED(status) ? WEXITSTATUS(status)
				       : 128 + WTERMSIG(status);
	r.out = file_read(opts.out);
	r.err = file_read(opts.err);
	unlink(opts.out);
	unlink(opts.err);
	return r;
}

pid_t process_child(pid_t parent)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (proc && !found && (e = readdir(proc))) {
		char *stat, *at;

		if (!atoi(e->d_name))
			continue;
		stat = file_read(str("/proc/%d/stat", atoi(e->d_name)));
		at = strrchr(stat, ')'); /* ") S PPID ..." */
		if (at && atoi(at + 4) == parent)
			found = atoi(e->d_name);
		free(stat);
	}
	if (proc)
		closedir(proc);
	return found;
}

void children_kill(void)
{
	for (int i = 0; i < CHILDREN_MAX; i++)
		if (children[i].pid)
			kill(children[i].pid, SIGKILL);
}
