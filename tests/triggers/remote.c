/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * remote: manipulates the target from outside with one system call.
 *
 * None of it harms the target: pages are marked cold or moved to where they are, limits are set to their
 * present value, and mrelease fails on a living process. kcmp-other names the target second. get_limit only
 * reads a limit: the benign twin.
 *
 * Ground truth: "result" and "errno" of the call.
 */
#include <sys/resource.h>
#include <sys/uio.h>

#include "trigger.h"

static const char synopsis[] = "PID madvise|mrelease|move_pages|migrate_pages|kcmp|kcmp-other|"
			       "limit RESOURCE|get_limit";

#define MADV_COLD 20
#define KCMP_VM 1

static long by_pidfd(long target, const char *call)
{
	struct iovec page = {trigger_address(target, STAT_START_CODE), 4096};
	long pidfd = syscall(SYS_pidfd_open, target, 0);

	if (pidfd < 0)
		trigger_die("pidfd_open");
	page.iov_base = (void *)((unsigned long)page.iov_base & ~4095ul);
	errno = 0;
	if (!strcmp(call, "mrelease"))
		return syscall(SYS_process_mrelease, pidfd, 0);
	return syscall(SYS_process_madvise, pidfd, &page, 1ul, MADV_COLD, 0);
}

static long limit(long target, int resource, int set)
{
	struct rlimit now;

	if (prlimit(target, resource, NULL, &now))
		memset(&now, 0, sizeof(now)); /* setting it will be refused as well */
	errno = 0;
	return set ? prlimit(target, resource, &now, NULL) : 0;
}

int main(int argc, char **argv)
{
	unsigned long node = 1;
	void *page;
	int status = 0;
	const char *call;
	long target, r;

	if (argc < 3)
		trigger_usage(synopsis);
	target = atol(argv[1]);
	call = argv[2];
	page = trigger_address(target, STAT_START_CODE);
	errno = 0;
	if (!strcmp(call, "madvise") || !strcmp(call, "mrelease"))
		r = by_pidfd(target, call);
	else if (!strcmp(call, "move_pages"))
		r = syscall(SYS_move_pages, target, 1ul, &page, NULL, &status, 0);
	else if (!strcmp(call, "migrate_pages"))
		r = syscall(SYS_migrate_pages, target, 8ul, &node, &node);
	else if (!strcmp(call, "kcmp"))
		r = syscall(SYS_kcmp, target, getpid(), KCMP_VM, 0ul, 0ul);
	else if (!strcmp(call, "kcmp-other"))
		r = syscall(SYS_kcmp, getpid(), target, KCMP_VM, 0ul, 0ul);
	else if (!strcmp(call, "limit") && argc > 3)
		r = limit(target, atoi(argv[3]), 1);
	else if (!strcmp(call, "get_limit"))
		r = limit(target, RLIMIT_NOFILE, 0);
	else
		trigger_usage(synopsis);
	trigger_report_result(r, errno);
	return 0;
}
