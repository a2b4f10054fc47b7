// SPDX-License-Identifier: BSD-2-Clause
/* guard.c - see guard.h. It never touches what the monitor is still using. */
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

#define LOOK_MS 1000
#define STOPPED_LOOKS 2 /* a debugger's glance is no stop */
#define EXIT_ORPHANED 3

__attribute__((noreturn)) static void watch(const struct guard *g, pid_t monitor,
					    void (*news)(void *ctx, enum guard_news what),
					    void *ctx)
{
	struct pollfd death = {.fd = g->monitor_fd, .events = POLLIN};
	unsigned int stopped = 0;
	sigset_t all;

	/* what is meant for the monitor may reach its whole group, terminal or cgroup */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "cw-guard");
	while (poll(&death, 1, LOOK_MS) <= 0) {
		stopped = proc_state(monitor) == 'T' ? stopped + 1 : 0;
		if (stopped == STOPPED_LOOKS)
			news(ctx, GUARD_STOPPED);
	}
	news(ctx, GUARD_KILLED);
	_exit(EXIT_ORPHANED);
}

int guard_start(struct guard *g, void (*news)(void *ctx, enum guard_news what), void *ctx)
{
	pid_t monitor = getpid();

	if (!g->will) {
		g->monitor_fd = pidfd_open(monitor, 0);
		if (g->monitor_fd < 0)
			return -errno;
		g->will = mmap(NULL, sizeof(*g->will), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (g->will == MAP_FAILED) {
			g->will = NULL;
			close(g->monitor_fd);
			return -ENOMEM;
		}
	}
	g->pid = fork();
	if (!g->pid)
		watch(g, monitor, news, ctx);
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
	if (g->will) {
		munmap(g->will, sizeof(*g->will));
		close(g->monitor_fd);
		g->will = NULL;
	}
}
