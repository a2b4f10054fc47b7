/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup_churn: makes NUMBER cgroups below DIRECTORY, which it may write, one after the other. It moves itself into each, and
 * PID if there is one; both leave it again before it is removed. Reported at the end.
 *
 * Ground truth: "made", how many were made and removed; "moved", how often PID was moved into one; "errno" of the first
 * failure.
 */
#include <sys/stat.h>

#include "trigger.h"

static int move(const char *cgroup, const char *pid)
{
	char path[512];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, pid, strlen(pid)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int main(int argc, char **argv)
{
	long number, made = 0, moved = 0;
	const char *pid = argc > 3 ? argv[3] : NULL;
	char cgroup[480];
	int err = 0;

	if (argc < 3)
		trigger_usage("DIRECTORY NUMBER [PID]");
	number = atol(argv[2]);
	for (long i = 0; i < number && !err; i++) {
		snprintf(cgroup, sizeof(cgroup), "%s/%d.%ld", argv[1], getpid(), i);
		if (mkdir(cgroup, 0700)) {
			err = errno;
			break;
		}
		err = move(cgroup, "0");
		if (!err && pid) {
			err = move(cgroup, pid);
			moved += !err;
			err = err ?: move(argv[1], pid);
		}
		err = err ?: move(argv[1], "0");
		if (rmdir(cgroup))
			err = err ?: errno;
		made += !err;
	}
	trigger_report("\"made\":%ld,\"moved\":%ld,\"errno\":%d", made, moved, err);
	return 0;
}
