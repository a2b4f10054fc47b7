/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf: opens a perf event on a process or, for -1, on a CPU; or plants a uprobe where the code of the file
 * PATH begins. Nothing is read from an event, and it is closed at once.
 *
 *     count     counts the CPU clock
 *     samples   samples the instruction pointer
 *     stack     samples the user stack as well
 *     stat      names what to sample, as perf stat does, but no period: it counts
 *     cgroup    samples the instruction pointer of the processes of a cgroup
 *     cgroup-stack  samples their user stacks as well
 *     uprobe    a uprobe by perf_event_open
 *     trace     a uprobe by tracefs, enabled for 300 ms
 *
 * Ground truth: "result" and "errno" of the open; for trace 0 if the uprobe was enabled.
 */
#include <linux/perf_event.h>

#include "trigger.h"

#define TRACEFS "/sys/kernel/tracing"
#define ENABLED_US 300000

static const char synopsis[] =
	"count|samples|stack|stat PID|-1 | cgroup|cgroup-stack DIR | uprobe PATH PID|-1 | trace PATH";

static long perf_open(struct perf_event_attr *attr, long pid)
{
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	errno = 0;
	return syscall(SYS_perf_event_open, attr, pid, pid < 0 ? 0 : -1, -1, 0ul);
}

static long open_event(const char *kind, long pid)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK};

	if (strcmp(kind, "count"))
		attr.sample_type = PERF_SAMPLE_IP;
	if (strcmp(kind, "count") && strcmp(kind, "stat"))
		attr.sample_period = 1000000;
	if (!strcmp(kind, "stack") || !strcmp(kind, "stat")) {
		attr.sample_type |= PERF_SAMPLE_STACK_USER;
		attr.sample_stack_user = 1024;
	}
	return perf_open(&attr, pid);
}

static long open_cgroup(const char *kind, const char *dir)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .size = sizeof(attr),
				       .disabled = 1,
				       .sample_period = 1000000,
				       .sample_type = PERF_SAMPLE_IP,
				       .sample_stack_user = 1024};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		trigger_die(dir);
	if (!strcmp(kind, "cgroup-stack"))
		attr.sample_type |= PERF_SAMPLE_STACK_USER;
	errno = 0;
	return syscall(SYS_perf_event_open, &attr, fd, 0, -1, (unsigned long)PERF_FLAG_PID_CGROUP);
}

static long open_uprobe(const char *path, long pid)
{
	struct perf_event_attr attr = {.type = trigger_uprobe_type(),
				       .uprobe_path = (unsigned long)path,
				       .probe_offset = trigger_code_offset(path)};

	return perf_open(&attr, pid);
}

static int write_file(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags);
	int ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* The probe is named after this process, so that two at once do not collide. */
static long trace_uprobe(const char *path)
{
	char line[600], name[64], enable[200];
	int enabled;

	if (access(TRACEFS "/uprobe_events", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	snprintf(name, sizeof(name), "trigger/p%d", getpid());
	snprintf(line, sizeof(line), "p:%s %s:%#lx\n", name, path, trigger_code_offset(path));
	if (!write_file(TRACEFS "/uprobe_events", line, O_APPEND))
		trigger_die("uprobe_events");
	snprintf(enable, sizeof(enable), TRACEFS "/events/%s/enable", name);
	enabled = write_file(enable, "1", 0);
	usleep(ENABLED_US);
	write_file(enable, "0", 0);
	snprintf(line, sizeof(line), "-:%s\n", name);
	if (!write_file(TRACEFS "/uprobe_events", line, O_APPEND))
		trigger_die("cannot remove the probe");
	return enabled ? 0 : -1;
}

int main(int argc, char **argv)
{
	long r;

	if (argc < 3)
		trigger_usage(synopsis);
	if (!strcmp(argv[1], "uprobe") && argc > 3)
		r = open_uprobe(argv[2], atol(argv[3]));
	else if (!strncmp(argv[1], "cgroup", 6))
		r = open_cgroup(argv[1], argv[2]);
	else if (!strcmp(argv[1], "trace"))
		r = trace_uprobe(argv[2]);
	else
		r = open_event(argv[1], atol(argv[2]));
	trigger_report_result(r, errno);
	return 0;
}
