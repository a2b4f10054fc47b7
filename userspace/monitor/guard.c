// SPDX-License-Identifier: BSD-2-Clause
/* guard.c - see guard.h. */
#include "monitor/guard.h"

#include "base/proc.h"

#include <errno.h>
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
#define EXIT_ORPHANED 3

__attribute__((noreturn)) static void guard_main(const struct guard *g, pid_t monitor, guard_fn fn,
						 void *ctx)
{
	struct pollfd death = {.fd = g->monitor_fd, .events = POLLIN};
	unsigned int stopped = 0;
	sigset_t all;

	/* signals meant for the monitor may be sent to its process group, terminal or cgroup */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "cw-guard");
	while (poll(&death, 1, POLL_MS) <= 0) {
		stopped = proc_state(monitor) == 'T' ? stopped + 1 : 0;
		if (stopped == STOPPED_POLLS)
			fn(ctx, GUARD_MONITOR_STOPPED);
	}
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

	if (err)
		return err;
	g->pid = fork();
	if (!g->pid)
		guard_main(g, monitor, fn, ctx);
	if (g->pid > 0)
		return 0;
	g->pid = 0;
	return -errno;
}

bool guard_lost(struct guard *g)
{
	if (!g->pid || waitpid(g->pid, NULL, WNOHANG) != g->pid)
		return false;
	g->pid = 0;
	return true;
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
