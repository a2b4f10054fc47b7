/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schedule: takes CPU time from a process.
 *
 *     idle      sched_setscheduler(SCHED_IDLE)
 *     attr      sched_setattr(SCHED_BATCH)
 *     affinity  sched_setaffinity to the CPUs it has already
 *     nice      setpriority(19)
 *     query     sched_getscheduler: the benign twin
 *
 * Ground truth: "result" and "errno" of the call.
 */
#include <sched.h>
#include <sys/resource.h>

#include "trigger.h"

/* include/uapi/linux/sched/types.h; the C library of Debian 12 has no wrapper */
struct attributes {
	unsigned int size, policy;
	unsigned long long flags;
	int nice;
	unsigned int priority;
	unsigned long long runtime, deadline, period;
};

static long act(const char *how, pid_t pid)
{
	struct attributes attr = {.size = sizeof(attr), .policy = SCHED_BATCH};
	struct sched_param param = {};
	cpu_set_t cpus;

	if (!strcmp(how, "idle"))
		return sched_setscheduler(pid, SCHED_IDLE, &param);
	if (!strcmp(how, "attr"))
		return syscall(SYS_sched_setattr, pid, &attr, 0);
	if (!strcmp(how, "affinity"))
		return sched_getaffinity(pid, sizeof(cpus), &cpus)
			       ?: sched_setaffinity(pid, sizeof(cpus), &cpus);
	if (!strcmp(how, "nice"))
		return setpriority(PRIO_PROCESS, pid, 19);
	return sched_getscheduler(pid);
}

int main(int argc, char **argv)
{
	long result;

	if (argc < 3)
		trigger_usage("PID idle|attr|affinity|nice|query");
	result = act(argv[2], atoi(argv[1]));
	trigger_report_result(result, errno);
	return 0;
}
