/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_proc.c - opening the files below an instance's /proc/PID, by every way to open a file.
 */
#include "memory.h"
#include "steps.h"

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

/* To open a file is not to read it: both are said, and how many bytes came. */
void memory_proc_read(const void *arg)
{
	const struct mem_read *r = arg;
	struct trigger t = trigger("mem_read", pid_of(memory_target), r->bytes, r->received);
	long got = (long)trigger_int(&t, "result");

	if (!strcmp(r->bytes, "bad")) {
		require(got < 0, "the address is mapped");
		expect(memory_mon, {.rule = "mem-read",
				    .vector = "openat",
				    .detail = "mem",
				    .server = memory_target,
				    .by = &t,
				    .result = "opened for reading",
				    .count = 1});
		return;
	}
	require(got == atol(r->bytes), "%ld bytes were read", got);
	expect(memory_mon,
	       {.rule = "mem-read",
		.vector = "openat",
		.detail = "mem",
		.server = memory_target,
		.result = "opened for reading",
		.count = 1},
	       {.rule = "mem-read",
		.vector = "pread64",
		.detail = "mem",
		.server = memory_target,
		.by = &t,
		.result = got == 1 ? "read 1 byte" : str("read %ld bytes", got),
		.moved = got,
		.count = 1},
	       {.rule = "mem-read", /* received, and found before it was read */
		.vector = "sweep",
		.server = memory_target,
		.found_by = "sweep",
		.outcome = "unknown",
		.optional = true});
}

/* A read that fails has copied what came before the bad page of the reader's, who did not open the file. */
void memory_received_faulting(const void *arg)
{
	const char *ring = arg;
	struct trigger t = trigger("mem_read", pid_of(memory_target), "8192", "-s", "-f", ring);

	if (trigger_true(&t, "missing"))
		test_skip("io_uring is off here");
	require(trigger_int(&t, "errno") == EFAULT && trigger_true(&t, "copied"),
		"nothing was read: errno %lld", trigger_int(&t, "errno"));
	expect(memory_mon,
	       {.rule = "mem-read", .vector = "openat", .detail = "mem", .server = memory_target},
	       {.rule = "mem-read",
		.vector = ring ? "io_uring" : "pread64",
		.detail = "mem",
		.server = memory_target,
		.by = ring ? NULL
			   : &t, /* a worker of the ring may have read: another thread of it */
		.err = EFAULT},
	       {.rule = "mem-read", /* received, and found before it was read */
		.vector = "sweep",
		.server = memory_target,
		.found_by = "sweep",
		.outcome = "unknown",
		.optional = true});
	require(!ring || alert_find(memory_mon, "mem-read", t.pid),
		"the alert does not name the reader %d", t.pid);
}

void memory_uring_direct(const void *arg)
{
	const char *way = arg;
	struct trigger t = trigger("uring_direct", pid_of(memory_target), way);
	long got = (long)trigger_int(&t, "bytes_read");

	if (trigger_true(&t, "missing"))
		test_skip("io_uring has no direct descriptors here");
	require(got > 0, "nothing was read");
	expect(memory_mon,
	       {.rule = "mem-read",
		.vector = "io_uring",
		.detail = "mem",
		.server = memory_target,
		.result = "opened for reading"}, /* 6.1 may open it twice */
	       {.rule = "mem-read",
		.vector = "io_uring",
		.detail = "mem",
		.server = memory_target,
		.result = "read 4096 bytes",
		.moved = 4096,
		.count = 1});
	require(alert_find(memory_mon, "mem-read", (pid_t)trigger_int(&t, "reader")),
		"the reader %lld is not named", trigger_int(&t, "reader"));
}

/* Without completions the reading is seen, but not how much of it. */
void memory_uring_quiet(const void *arg)
{
	struct trigger t = trigger("uring_direct", pid_of(memory_target), "quiet");
	json_t *found = NULL;

	if (trigger_true(&t, "missing"))
		test_skip("io_uring has no direct descriptors here");
	require(trigger_int(&t, "bytes_read") > 0, "nothing was read");
	for (int i = 0; i < 60 && !found; i++) {
		sleep_ms(50);
		found = alert_find(memory_mon, "mem-read", (pid_t)trigger_int(&t, "reader"));
	}
	uring_opens_counted(memory_mon);
	require(found, "nothing names the reader %lld", trigger_int(&t, "reader"));
	require(!strcmp(alert_str(found, "vector"), "io_uring") &&
			!strcmp(alert_str(found, "detail"), "mem"),
		"it is %s", alert_text(found));
}
