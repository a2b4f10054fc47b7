/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sinks.c - the sinks of a policy in a running monitor: they get what standard output gets, survive the end of their
 * process and that of the monitor, and delay nothing. Each sink's protocol is tested in tests/unit/.
 */
#include "steps.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define KILLED "the monitor was killed: nothing is monitored any more"
#define REPLACED "archive: its process was killed or crashed, another one was started"

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){});
}

static const char *archive(void)
{
	return str("%s/archive.json", scratch);
}

static struct monitor *start(const char *more)
{
	unlink(archive());
	return monitor_with_policy(
		str("sinks:\n  - name: archive\n    to: file:%s\n%s", archive(), more));
}

static long lines_of(const char *path)
{
	char *text = file_read(path);
	long n = 0;

	for (const char *c = text; *c; c++)
		n += *c == '\n';
	free(text);
	return n;
}

/* The child of the monitor that has this name. */
static pid_t child_named(pid_t monitor, const char *comm)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	pid_t found = 0;

	while (proc && !found && (e = readdir(proc))) {
		int parent = 0;
		char *stat = file_read(str("/proc/%d/stat", atoi(e->d_name)));
		const char *at = strstr(stat, str(" (%s) ", comm));

		if (at && sscanf(strrchr(at, ')') + 4, "%d", &parent) == 1 && parent == monitor)
			found = atoi(e->d_name);
		free(stat);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void same_as_stdout(const void *arg)
{
	struct monitor *m = start("");
	struct trigger t = trigger("vm_readv", pid_of(a));

	expect(m, {.rule = "mem-read", .server = a, .by = &t});
	require(monitor_stop(m, SIGTERM) == 0, "exit code; stderr: %s", file_read(m->err));
	require(lines_of(archive()) == lines_of(m->out), "%ld lines, standard output has %ld",
		lines_of(archive()), lines_of(m->out));
	require(file_has(archive(), "\"closed_because\":\"the monitor ended\""),
		"the last message is missing: %s", file_read(archive()));
}

static void killed(const void *arg)
{
	struct monitor *m = start("");
	struct trigger t = trigger("vm_readv", pid_of(a));

	expect(m, {.rule = "mem-read", .server = a, .by = &t});
	kill(m->pid, SIGKILL);
	require(file_wait(archive(), KILLED, 5000), "the guard is not in the file: %s",
		file_read(archive()));
	require(file_has(archive(), "vm_readv"), "the attack is not in the file");
	child_wait(m->pid, 1000);
}

static void process_killed(const void *arg)
{
	struct monitor *m = start("");
	pid_t first = child_named(m->pid, "cw-sink");
	struct trigger t;

	require(first > 0, "no process of a sink");
	kill(first, SIGKILL);
	require(file_wait(m->out, REPLACED, 12000), "nobody says so: %s", file_read(m->err));
	t = trigger("vm_readv", pid_of(a));
	require(file_wait(archive(), str("\"pid\":%d,\"comm\":\"vm_readv\"", t.pid), 5000),
		"the attack is not in the file: %s", file_read(archive()));
	require(file_has(archive(), REPLACED), "the end of its process is not in the file");
	require(child_named(m->pid, "cw-sink") != first, "the same process");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* Nothing listens at one, the other has another kind of file in its place: alerts arrive elsewhere as fast as ever. */
static void unreachable(const void *arg)
{
	struct monitor *m = start("  - name: siem\n    to: syslog:127.0.0.1:1\n"
				  "  - name: nowhere\n    to: file:/proc/nowhere\n");
	struct trigger t = trigger("vm_readv", pid_of(a));

	expect(m, {.rule = "mem-read", .server = a, .by = &t});
	require(file_wait(archive(), "vm_readv", 2000), "it is not in the file");
	require(monitor_said(m, "sink siem: 127.0.0.1: Connection refused; trying again"),
		"it does not say what is refused: %s", file_read(m->err));
	require(monitor_said(m, "sink nowhere: /proc/nowhere: "),
		"it does not say what cannot be opened: %s", file_read(m->err));
	require(file_wait(m->out, "nowhere: messages dropped", 3000), "no self-blind: %s",
		file_read(m->out));
	require(monitor_stop(m, SIGTERM), "exit code 0 though messages were lost");
}

static void reloaded(const void *arg)
{
	const char *policy =
		policy_file(str("sinks:\n  - name: archive\n    to: file:%s\n", archive()));
	struct monitor *m = monitor_start("--policy", policy, NULL);

	kill(m->pid, SIGHUP);
	require(file_wait(m->err, "policy reloaded", 3000), "not reloaded");
	require(!monitor_said(m, "the policy's sinks have changed"), "they have not");
	file_write(policy, "sinks:\n  - name: archive\n    to: journald\n");
	kill(m->pid, SIGHUP);
	require(file_wait(m->err, "the policy's sinks have changed: restart cachewarden", 3000),
		"no warning: %s", file_read(m->err));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static const struct test tests[] = {
	TEST("a file gets every line of standard output", same_as_stdout),
	TEST("the guard's report of the monitor's death is in the file", killed),
	TEST("a sink's process that is killed is reported and replaced", process_killed),
	TEST("sinks that cannot be reached delay nothing and are named", unreachable),
	TEST("a reload that changes sinks says that it needs a restart", reloaded),
	{},
};

const struct suite sinks_suite = {"sinks", setup, NULL, tests};
