// SPDX-License-Identifier: BSD-2-Clause
/* guard.c - see guard.h. */
#include "monitor/guard.h"

#include "base/log.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 1000
#define STOPPED_POLLS 2 /* in a row: a debugger that attaches stops the monitor for a moment only */
#define STALLED_POLLS 5 /* longer than a sweep of a large host */
#define EXIT_ORPHANED 3

/* Returns 0 or a negative errno. */
static int leave_cgroup(int root_fd)
{
	int fd, err = 0;

	/* every cgroup but the root has this file: what a cgroup namespace shows as its root can be frozen */
	if (!faccessat(root_fd, "cgroup.type", F_OK, 0))
		return -EPERM;
	fd = openat(root_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, "0", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/* The monitor made no progress since the last poll. */
static bool beat_missed(const struct guard *g, uint64_t *last)
{
	uint64_t beat = __atomic_load_n(&g->shared->beat, __ATOMIC_RELAXED);
	bool missed = beat == *last;

	*last = beat;
	return missed;
}

static bool is_leaving(const struct guard *g)
{
	return __atomic_load_n(&g->shared->leaving, __ATOMIC_RELAXED);
}

static void watch(const struct guard *g, pid_t monitor, guard_fn fn, void *ctx)
{
	struct pollfd death = {.fd = g->monitor_fd, .events = POLLIN};
	unsigned int stopped = 0, stalled = 0;
	uint64_t beat = 0;

	while (poll(&death, 1, POLL_MS) <= 0) {
		__atomic_add_fetch(&g->shared->guard_beat, 1, __ATOMIC_RELAXED);
		stopped = proc_state(monitor) == 'T' ? stopped + 1 : 0;
		stalled = beat_missed(g, &beat) && !stopped && !is_leaving(g) ? stalled + 1 : 0;
		if (stopped == STOPPED_POLLS)
			fn(ctx, GUARD_MONITOR_STOPPED);
		if (stalled == STALLED_POLLS)
			fn(ctx, GUARD_MONITOR_STALLED);
	}
}

__attribute__((noreturn)) static void guard_main(const struct guard *g, pid_t monitor, guard_fn fn,
						 void *ctx)
{
	sigset_t all;
	int err;

	/* signals meant for the monitor may be sent to its process group, terminal or cgroup */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "cw-guard");
	err = leave_cgroup(g->cgroup_fd);
	if (err)
		log_warn(
			"the guard cannot leave the monitor's cgroup (%s): freezing that cgroup silences both",
			strerror(-err));
	watch(g, monitor, fn, ctx);
	fn(ctx, GUARD_MONITOR_DIED);
	_exit(EXIT_ORPHANED);
}

static int share(struct guard *g, pid_t monitor)
{
	g->monitor_fd = pidfd_open(monitor, 0);
	if (g->monitor_fd < 0)
		return -errno;
	g->shared = mmap(NULL, sizeof(*g->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->shared == MAP_FAILED) {
		g->shared = NULL;
		close(g->monitor_fd);
		return -ENOMEM;
	}
	return 0;
}

int guard_start(struct guard *g, guard_fn fn, void *ctx)
{
	pid_t monitor = getpid();
	int err = g->shared ? 0 : share(g, monitor);

	if (!g->shared)
		return err;
	g->seen_beat = g->shared->guard_beat;
	g->stalled = 0;
	g->pid = fork();
	if (!g->pid)
		guard_main(g, monitor, fn, ctx);
	if (g->pid > 0)
		return 0;
	g->pid = 0;
	return -errno;
}

/* Returns the pid of a child that ended and is still to be reaped; 0: there is none. */
static pid_t ended_child(void)
{
	siginfo_t info = {};

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ? 0 : info.si_pid;
}

bool guard_lost(struct guard *g, pid_t keep)
{
	bool lost = false;
	pid_t pid;

	/* those that made no progress, and what asked servers (ask.h), are reaped here, too */
	while ((pid = ended_child()) && pid != keep) {
		waitpid(pid, NULL, WNOHANG);
		lost = lost || pid == g->pid;
	}
	if (lost)
		g->pid = 0;
	return lost;
}

bool guard_stalled(struct guard *g)
{
	uint64_t beat;

	if (!g->pid)
		return false;
	beat = __atomic_load_n(&g->shared->guard_beat, __ATOMIC_RELAXED);
	g->stalled = beat == g->seen_beat ? g->stalled + 1 : 0;
	g->seen_beat = beat;
	if (g->stalled < STALLED_POLLS)
		return false;
	/* it may be frozen in a way that keeps it from dying: do not wait for it here */
	kill(g->pid, SIGKILL);
	g->pid = 0;
	return true;
}

void guard_leaving(struct guard *g)
{
	if (g->shared)
		__atomic_store_n(&g->shared->leaving, 1, __ATOMIC_RELAXED);
}

void guard_stop(struct guard *g)
{
	if (g->pid) {
		kill(g->pid, SIGKILL);
		waitpid(g->pid, NULL, 0);
		g->pid = 0;
	}
	if (g->shared) {
		munmap(g->shared, sizeof(*g->shared));
		close(g->monitor_fd);
		g->shared = NULL;
	}
}
