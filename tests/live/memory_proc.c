/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_proc.c - opening the files below an instance's /proc/PID, by every way to open a file.
 */
#include "memory.h"

#include <errno.h>

static void open_expect(const struct proc_file *o, struct trigger *t, pid_t target)
{
	require(trigger_int(t, "result") >= 0, "trigger could not open %s: %s", o->file,
		strerror(trigger_int(t, "errno")));
	expect(memory_mon, {.rule = o->rule,
			    .vector = o->vector ?: "openat",
			    .detail = o->detail ?: o->file,
			    .server = memory_target,
			    .by = t,
			    .target_tid = target,
			    .verdict = o->verdict,
			    .count = 1});
}

void memory_proc_open(const void *arg)
{
	const struct proc_file *o = arg;
	struct trigger t;

	if (!strcmp(o->file, "fd/N"))
		t = trigger("proc_open", pid_of(memory_target), "fd/0");
	else
		t = trigger("proc_open", pid_of(memory_target), o->file, "-m", o->mode ?: "r", "-w",
			    o->way ?: "openat");
	open_expect(o, &t, 0);
}

void memory_proc_open_thread(const void *arg)
{
	const struct proc_file *o = arg;
	pid_t tid = server_thread(memory_target);
	struct trigger t = trigger("proc_open", pid_of(memory_target), o->file, "-t",
				   str("%d", tid), "-w", o->way ?: "openat");

	open_expect(o, &t, tid);
}

void memory_proc_open_swapped(const void *arg)
{
	struct trigger t = trigger("stalled_call", pid_of(memory_target), "open");

	expect(memory_mon, {.rule = "mem-read",
			    .vector = "openat",
			    .detail = "mem",
			    .server = memory_target,
			    .by = &t,
			    .count = 1});
}

void memory_proc_open_handle(const void *arg)
{
	static const struct proc_file o = {
		.file = "mem", .rule = "mem-read", .vector = "open_by_handle_at"};
	struct trigger t = trigger("proc_open", pid_of(memory_target), "mem", "-w", "handle");

	if (trigger_int(&t, "errno") == EOPNOTSUPP)
		test_skip("this kernel gives no handles for procfs");
	open_expect(&o, &t, 0);
}

void memory_proc_open_missing(const void *arg)
{
	struct run r =
		run_command(3000, trigger_path("proc_open"), pid_of(memory_target), "no-such-file");

	require(!r.status, "trigger failed: %s", r.err);
	expect_nothing(memory_mon);
}

void memory_uring(const void *arg)
{
	const char *async = arg;
	struct trigger t = trigger("uring_open", pid_of(memory_target), "mem", async);

	if (trigger_true(&t, "missing"))
		test_skip("io_uring is off here");
	require(trigger_int(&t, "result") >= 0, "trigger opened nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .server = memory_target,
			    .detail = "mem",
			    .outcome = "succeeded"});
	require(alert_find(memory_mon, "mem-read", t.pid),
		"the alert does not name the submitter %d", t.pid);
}
