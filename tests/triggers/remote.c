/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote: steers the victim from outside, by one syscall.
 *
 *     remote PID madvise|mrelease|move_pages|migrate_pages|kcmp|kcmp-other|limit RESOURCE|look
 *
 * None of it harms the victim: pages are only called cold, asked for and moved where they are, limits are
 * set to what they were. `look` reads a limit.
 */
#include <sys/resource.h>
#include <sys/uio.h>

#include "trigger.h"

#define MADV_COLD 20
#define KCMP_VM 1

static long by_pidfd(long victim, const char *what)
{
	struct iovec page = {trigger_address(victim, STAT_START_CODE), 4096};
	long pidfd = syscall(SYS_pidfd_open, victim, 0);

	if (pidfd < 0)
		trigger_die("pidfd_open");
	page.iov_base = (void *)((unsigned long)page.iov_base & ~4095ul);
	errno = 0;
	if (!strcmp(what, "mrelease"))
		return syscall(SYS_process_mrelease, pidfd, 0);
	return syscall(SYS_process_madvise, pidfd, &page, 1ul, MADV_COLD, 0);
}

static long limit(long victim, int resource, int set)
{
	struct rlimit now;

	if (prlimit(victim, resource, NULL, &now))
		memset(&now, 0, sizeof(now)); /* denied: what is asked for does not matter */
	errno = 0;
	return set ? prlimit(victim, resource, &now, NULL) : 0;
}

int main(int argc, char **argv)
{
	unsigned long node = 1;
	void *page;
	int status = 0;
	const char *what;
	long victim, r;

	if (argc < 3)
		return 2;
	victim = atol(argv[1]);
	what = argv[2];
	page = trigger_address(victim, STAT_START_CODE);
	errno = 0;
	if (!strcmp(what, "madvise") || !strcmp(what, "mrelease"))
		r = by_pidfd(victim, what);
	else if (!strcmp(what, "move_pages"))
		r = syscall(SYS_move_pages, victim, 1ul, &page, NULL, &status, 0);
	else if (!strcmp(what, "migrate_pages"))
		r = syscall(SYS_migrate_pages, victim, 8ul, &node, &node);
	else if (!strcmp(what, "kcmp"))
		r = syscall(SYS_kcmp, victim, getpid(), KCMP_VM, 0ul, 0ul);
	else if (!strcmp(what, "kcmp-other"))
		r = syscall(SYS_kcmp, getpid(), victim, KCMP_VM, 0ul, 0ul);
	else if (!strcmp(what, "limit") && argc > 3)
		r = limit(victim, atoi(argv[3]), 1);
	else if (!strcmp(what, "look"))
		r = limit(victim, RLIMIT_NOFILE, 0);
	else
		return 2;
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d", getpid(), r, r < 0 ? errno : 0);
	return 0;
}
