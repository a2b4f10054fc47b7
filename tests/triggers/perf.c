/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf: opens a perf event: on a process, on everything, or a uprobe in a file.
 *
 *     perf count|samples|stack PID|-1
 *     perf uprobe PATH PID|-1
 *     perf trace PATH        a uprobe through tracefs, switched on there for a moment
 *
 * Nothing is read from any of them, and all are closed at once. A probe sits where the file's code begins.
 */
#include <linux/perf_event.h>
#include <sys/mount.h>

#include "trigger.h"

static long perf_open(struct perf_event_attr *attr, long pid)
{
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	errno = 0;
	return syscall(SYS_perf_event_open, attr, pid, pid < 0 ? 0 : -1, -1, 0ul);
}

static int put(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	int ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The name is of this process, so that two at once do not meet. */
static long by_tracefs(const char *path)
{
	char line[600], name[64], enable[200];
	const char *root = "/sys/kernel/tracing";
	int on;

	if (access("/sys/kernel/tracing/uprobe_events", F_OK))
		mount("tracefs", root, "tracefs", 0, NULL);
	snprintf(name, sizeof(name), "trigger/p%d", getpid());
	snprintf(line, sizeof(line), "p:%s %s:%#lx\n", name, path, trigger_code_offset(path));
	if (!put("/sys/kernel/tracing/uprobe_events", line, O_APPEND))
		trigger_die("uprobe_events");
	snprintf(enable, sizeof(enable), "%s/events/%s/enable", root, name);
	on = put(enable, "1", 0);
	usleep(300000);
	put(enable, "0", 0);
	snprintf(line, sizeof(line), "-:%s\n", name);
	if (!put("/sys/kernel/tracing/uprobe_events", line, O_APPEND))
		trigger_die("removing the probe");
	return on ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK};
	long r;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "uprobe") && argc > 3) {
		attr.type = trigger_uprobe_type();
		attr.config = 0;
		attr.uprobe_path = (unsigned long)argv[2];
		attr.probe_offset = trigger_code_offset(argv[2]);
		r = perf_open(&attr, atol(argv[3]));
	} else if (!strcmp(argv[1], "trace")) {
		r = by_tracefs(argv[2]);
	} else {
		if (strcmp(argv[1], "count")) {
			attr.sample_period = 1000000;
			attr.sample_type = PERF_SAMPLE_IP;
		}
		if (!strcmp(argv[1], "stack")) {
			attr.sample_type |= PERF_SAMPLE_STACK_USER;
			attr.sample_stack_user = 1024;
		}
		r = perf_open(&attr, atol(argv[2]));
	}
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d", getpid(), r, r < 0 ? errno : 0);
	return 0;
}
