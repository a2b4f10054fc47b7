// SPDX-License-Identifier: BSD-2-Clause
/* confine.c - see confine.h. */
#include "validate/confine.h"

#include "base/proc.h"
#include "monitor/sock_diag.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process that could not begin ends. */
enum { END_DONE, END_NETWORK = 10, END_RIGHTS };

static bool enter_network(pid_t pid)
{
	int fd = -1, err = sock_diag_netns(pid, &fd);

	if (!err && setns(fd, CLONE_NEWNET))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err >= 0;
}

static bool drop_rights(void)
{
	if (!geteuid() && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
			   setresuid(NOBODY, NOBODY, NOBODY)))
		return false;
	/* a change of user cleared both */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

__attribute__((noreturn)) static void run(const struct confined *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NAME, "cw-validate");
	signal(SIGPIPE, SIG_IGN);
	if (c->prepare && !c->prepare(c->ctx))
		_exit(END_DONE);
	if (!enter_network(c->network_of))
		_exit(END_NETWORK);
	if (!drop_rights())
		_exit(END_RIGHTS);
	c->work(c->ctx);
	_exit(END_DONE);
}

bool confine(const struct confined *c, char *why, size_t size)
{
	pid_t pid = fork();
	struct pollfd p = {.events = POLLIN};
	int status = 0, ready;

	if (!pid)
		run(c);
	if (pid < 0) {
		snprintf(why, size, "no process can be started: %s", strerror(errno));
		return false;
	}
	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	do
		ready = poll(&p, 1, (int)c->seconds * 1000);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		kill(pid, SIGKILL);
	if (p.fd >= 0)
		close(p.fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ready <= 0)
		snprintf(why, size, "the server did not answer all questions within %u s",
			 c->seconds);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == END_NETWORK)
		snprintf(why, size, "its network namespace cannot be entered; run as root");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == END_RIGHTS)
		snprintf(why, size, "cannot give up root's rights");
	else if (status)
		snprintf(why, size, "the process that asks the server ended with status %d",
			 status);
	return ready > 0 && !status;
}

void *confine_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

void confine_free(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}
