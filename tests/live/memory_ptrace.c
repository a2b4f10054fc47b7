/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_ptrace.c - ptrace of an instance, by 64-bit and 32-bit system calls, and a tracer older than the monitor.
 */
#include "memory.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* One alert for each request that the trigger made, with its name, rule and outcome. */
static void ptrace_expect(const struct trigger *t, pid_t target)
{
	struct want wants[32] = {};
	json_t *requests = json_object_get(t->said, "requests"), *r;
	size_t n = 0, i;

	json_array_foreach (requests, i, r) {
		const char *name = json_string_value(json_object_get(r, "request"));
		int err = json_integer_value(json_object_get(r, "errno"));
		size_t old;

		for (old = 0; old < n; old++)
			if (!strcmp(wants[old].detail, name) && wants[old].err == err)
				break;
		wants[old].count++;
		if (old < n)
			continue;
		wants[n].rule = !strncmp(name, "PTRACE_PEEK", 11)   ? "mem-read"
				: !strncmp(name, "PTRACE_POKE", 11) ? "mem-write"
								    : "mem-trace";
		wants[n].vector = "ptrace";
		wants[n].detail = name;
		wants[n].err = err;
		wants[n].server = memory_target;
		wants[n].target_tid = target;
		wants[n++].by = t;
	}
	expect_alerts(memory_mon, wants, n);
}

void memory_ptrace(const void *arg)
{
	const struct ptrace_requests *requests = arg;
	const char *argv[12] = {"ptrace", pid_of(memory_target)};
	struct trigger t;
	char *said;

	for (int i = 0; requests->words[i]; i++)
		argv[i + 2] = requests->words[i];
	t = trigger_argv(&(struct child_opts){}, argv);
	said = json_dumps(t.said, 0);
	require(!strstr(said, "\"failed\": true"), "a request failed: %s", said);
	free(said);
	ptrace_expect(&t, 0);
}

void memory_ptrace_thread(const void *arg)
{
	pid_t tid = server_thread(memory_target);
	struct trigger t = trigger("ptrace", str("%d", tid), "seize", "interrupt", "getregs");

	ptrace_expect(&t, tid);
}

void memory_ptrace_right_instance(const void *arg)
{
	struct trigger t = trigger("ptrace", pid_of(memory_other), "attach");

	expect(memory_mon,
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_ATTACH",
		.server = memory_other,
		.by = &t},
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_DETACH",
		.server = memory_other,
		.by = &t});
}

void memory_traceme(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	const char *out = str("%s/traceme", s->dir),
		   *argv[8] = {trigger_path("traceme"), REDIS_SERVER, s->config};
	struct trigger t = {.pid = child_start(argv, &(struct child_opts){.out = out})};

	require(file_wait(out, "\n", 5000), "traceme printed nothing");
	t.said = json_loads(file_read(out), 0, NULL);
	require(t.said, "traceme printed no JSON");
	t.tid = t.pid;
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "traceme");
	snprintf(t.exe, sizeof(t.exe), "%s", trigger_path("traceme"));
	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	expect(memory_mon,
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_TRACEME",
		.server = s,
		.by = &t,
		.young = true},
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_DETACH",
		.server = s,
		.by = &t,
		.young = true});
}

/* The tracer is stopped, and so makes no call while the monitor runs: only a sweep can find it. */
void memory_traced_before(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	pid_t tracer = strace_start(s, s->pid);
	long long end = now_ms() + ALERT_MS * patience;
	struct monitor *m;
	json_t *alert;

	require(!kill(tracer, SIGSTOP), "SIGSTOP");
	m = monitor_start(NULL);
	while (!(alert = alert_find(m, "mem-trace", tracer)))
		require(now_ms() < end, "no mem-trace by strace");
	require(!strcmp(alert_str(alert, "found_by"), "sweep"), "found by %s",
		alert_str(alert, "found_by"));
	require(!strcmp(alert_str(alert, "actor.comm"), "strace"), "by %s",
		alert_str(alert, "actor.comm"));
	require(alert_int(alert, "instance.pid") == s->pid, "of %lld",
		alert_int(alert, "instance.pid"));
	require(!kill(tracer, SIGCONT), "SIGCONT");
	child_stop(tracer, SIGTERM, 3000);
	monitor_stop(m, SIGTERM);
}

void memory_compat(const void *arg)
{
	const char *what = arg;
	struct trigger t = trigger("compat", pid_of(memory_target), what);

	if (trigger_true(&t, "missing"))
		test_skip("no 32-bit system calls here");
	require(trigger_int(&t, "result") >= 0, "trigger failed");
	/* on the syscalls tier the open is not seen, only the read in progress */
	if (strcmp(what, "mem"))
		expect(memory_mon,
		       {.rule = "mem-trace",
			.server = memory_target,
			.by = &t,
			.detail = "PTRACE_ATTACH"},
		       {.rule = "mem-trace",
			.server = memory_target,
			.by = &t,
			.detail = "PTRACE_DETACH",
			.optional = memory_syscalls_only});
	else if (memory_syscalls_only)
		expect(memory_mon, {.rule = "mem-read",
				    .vector = "32-bit syscall 180",
				    .server = memory_target,
				    .by = &t,
				    .outcome = "unknown"});
	else
		expect(memory_mon, {.rule = "mem-read",
				    .server = memory_target,
				    .by = &t,
				    .detail = "mem",
				    .many = true}); /* the open and the read */
}
