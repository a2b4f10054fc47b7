/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep_before.c - states that are older than the monitor: sweep_before_setup() creates them, and the tests check
 * what the monitor reported at its start.
 */
#include "sweep.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct server *sweep_traced, *sweep_probed;
/* Stand-ins that acted before the monitor started. */
static struct server *writable, *shared, *merged;
static struct trigger holders[4], prober;
static pid_t tracer, traced_thread;

void sweep_before_setup(void)
{
	sweep_traced = server_start(&(struct server_opts){});
	sweep_probed = server_start(&(struct server_opts){});
	writable = standin_start("wx", NULL, true);
	shared = standin_start("memfd", NULL, true);
	merged = access("/sys/kernel/mm/ksm", F_OK) ? NULL : standin_start("ksm", NULL, true);
	holders[0] = trigger_stay("hold", pid_of(sweep_redis), "mem");
	holders[1] = trigger_stay("hold", pid_of(sweep_redis), "mem", "mount");
	holders[2] = trigger_stay("hold", pid_of(sweep_redis), "pagemap");
	holders[3] = trigger_stay("hold", pid_of(sweep_redis), "perf");
	prober = trigger_stay("uprobe", "-p", pid_of(sweep_probed));
	traced_thread = server_thread(sweep_traced);
	tracer = strace_start(sweep_traced, traced_thread);
}

static json_t *find(const char *rule, const char *detail, const struct server *s, pid_t actor)
{
	json_t *one = NULL;

	monitor_poll(sweep_mon);
	for (size_t i = 0; i < sweep_mon->count; i++) {
		json_t *line = sweep_mon->lines[i];
		long long pid = alert_int(line, "actor.pid");

		if (strcmp(alert_str(line, "rule"), rule) ||
		    strcmp(alert_str(line, "detail"), detail) ||
		    alert_int(line, "instance.pid") != s->pid || (pid > 0 ? pid : 0) != actor)
			continue;
		require(!one, "%s %s of %d is reported more than once", rule, detail, s->pid);
		one = line;
	}
	return one;
}

/*
 * The only finding of that rule about that server by that actor (0: no actor) since the monitor started. Some states wait
 * for a second sweep.
 */
static json_t *found(const char *rule, const char *detail, const struct server *s, pid_t actor)
{
	long long end = now_ms() + ALERT_MS * patience;
	json_t *one;

	while (!(one = find(rule, detail, s, actor)) && now_ms() < end)
		sleep_ms(10);
	require(one, "no %s %s of %d by %d: %s", rule, detail, s->pid, actor,
		file_read(sweep_mon->out));
	require(!strcmp(alert_str(one, "found_by"), "sweep") &&
			!strcmp(alert_str(one, "vector"), "sweep"),
		"found by %s, vector %s", alert_str(one, "found_by"), alert_str(one, "vector"));
	require(!strcmp(alert_str(one, "outcome"), "unknown"), "outcome %s",
		alert_str(one, "outcome"));
	require(alert_int(one, "count") == 1, "count %lld", alert_int(one, "count"));
	return one;
}

void sweep_held_before(const void *arg)
{
	const struct held_state *b = arg;
	const struct trigger *t = &holders[b->holder];
	json_t *one = found(b->rule, b->detail, sweep_redis, t->pid);

	require(!strcmp(alert_str(one, "actor.exe"), t->exe) && !alert_int(one, "actor.uid"),
		"actor is %s", alert_str(one, "actor.exe"));
	require(!strcmp(alert_str(one, "severity"), b->severity), "severity %s",
		alert_str(one, "severity"));
	require(alert_int(one, "actor.ancestors.0.pid") == getpid(), "parent is %lld",
		alert_int(one, "actor.ancestors.0.pid"));
	require(alert_int(one, "instance.target_pid") == sweep_redis->pid, "target is %lld",
		alert_int(one, "instance.target_pid"));
}

void sweep_traced_before(const void *arg)
{
	json_t *one = found("mem-trace", "", sweep_traced, tracer);

	require(!strcmp(alert_str(one, "actor.comm"), "strace"), "by %s",
		alert_str(one, "actor.comm"));
	require(alert_int(one, "instance.target_tid") == traced_thread, "thread %lld",
		alert_int(one, "instance.target_tid"));
}

void sweep_probed_before(const void *arg)
{
	found("mem-probe", "breakpoints in its code, now or before", sweep_probed, 0);
	found("mem-probe", "perf event held", sweep_probed, prober.pid);
}

void sweep_writable_before(const void *arg)
{
	json_t *one = found("mem-inject", "anonymous memory", writable, writable->pid);

	require(!strcmp(alert_str(one, "severity"), "critical"), "severity %s",
		alert_str(one, "severity"));
}

void sweep_shared_before(const void *arg)
{
	json_t *one = found("mem-spill", "shared writable mapping", shared, 0);

	require(strstr(alert_str(one, "object"), "memfd:shared"), "it is %s",
		alert_str(one, "object"));
}

void sweep_merged_before(const void *arg)
{
	if (!merged)
		test_skip("no KSM here");
	found("mem-spill", "KSM may merge its memory with others'", merged, 0);
}

/* Nothing but what the tests above expect: the ordinary state of Redis is no finding. */
void sweep_ordinary_before(const void *arg)
{
	size_t n = 0;

	monitor_poll(sweep_mon);
	for (size_t i = 0; i < sweep_mon->count; i++)
		n += alert_int(sweep_mon->lines[i], "instance.pid") == sweep_redis->pid &&
		     !strcmp(alert_str(sweep_mon->lines[i], "vector"), "sweep");
	require(n == 4, "%zu findings about a, not 4: %s", n, file_read(sweep_mon->out));
}

/* The programs of the suite's monitor are recognised by their tags. */
void sweep_programs_before(const void *arg)
{
	struct trigger t = trigger_stay("bpf_load", "user", "hold");
	struct monitor *m;
	json_t *one = NULL;

	require(!trigger_int(&t, "errno"), "the program was not loaded: errno %lld",
		trigger_int(&t, "errno"));
	m = monitor_start("--sweep", "1", NULL);
	sleep_ms(SWEEPS_MS);
	monitor_sync(m);
	for (size_t i = 0; i < m->count; i++)
		require(strcmp(alert_str(m->lines[i], "rule"), "mem-kernel") ||
				strstr(alert_str(m->lines[i], "detail"), " trigger, type 2, tag "),
			"another program was found: %s", alert_str(m->lines[i], "detail"));
	for (size_t i = 0; i < m->count && !one; i++)
		if (!strcmp(alert_str(m->lines[i], "rule"), "mem-kernel"))
			one = m->lines[i];
	require(one, "the program was not found");
	require(!strcmp(alert_str(one, "found_by"), "sweep") && alert_int(one, "count") == 1,
		"found by %s, count %lld", alert_str(one, "found_by"), alert_int(one, "count"));
	monitor_poll(sweep_mon);
	for (size_t i = sweep_mon->mark; i < sweep_mon->count; i++)
		require(strcmp(alert_str(sweep_mon->lines[i], "rule"), "mem-kernel") ||
				!strcmp(alert_str(sweep_mon->lines[i], "found_by"), "hook"),
			"a sweep reported again what a hook had reported: %s",
			alert_str(sweep_mon->lines[i], "detail"));
	monitor_stop(m, SIGTERM);
}
