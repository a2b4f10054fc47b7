/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_identity.c - actors and targets that are hard to identify: an actor that lives for a millisecond or hides
 * its executable, either of them in a nested pid namespace, and a forked child as the target.
 */
#include "memory.h"

#include <stdio.h>
#include <unistd.h>

void memory_shortlived(const void *arg)
{
	struct trigger parent = trigger("shortlived", pid_of(memory_target)), child = parent;
	long long born;
	json_t *alert;

	child.pid = trigger_int(&parent, "child");
	require(!trigger_int(&parent, "errno"), "the child read nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .count = 1});
	alert = alert_find(memory_mon, "mem-read", child.pid);
	require(alert, "the alert does not name the child %d", child.pid);
	require(!strcmp(alert_str(alert, "actor.comm"), "vm_once"), "comm is %s",
		alert_str(alert, "actor.comm"));
	require(!strcmp(alert_str(alert, "actor.exe"), trigger_path("vm_once")), "exe is %s",
		alert_str(alert, "actor.exe"));
	require(alert_int(alert, "actor.uid") == 0, "uid is %lld", alert_int(alert, "actor.uid"));
	born = alert_int(alert, "actor.start_time");
	require(born >= trigger_int(&parent, "child_born_after_ms") - START_SLACK_MS &&
			born <= trigger_int(&parent, "child_born_before_ms") + START_SLACK_MS,
		"start_time is %lld", born);
	require(alert_int(alert, "actor.ancestors.0.pid") == parent.pid &&
			!strcmp(alert_str(alert, "actor.ancestors.0.comm"), "shortlived") &&
			!strcmp(alert_str(alert, "actor.ancestors.0.exe"), parent.exe),
		"parent is %lld %s %s", alert_int(alert, "actor.ancestors.0.pid"),
		alert_str(alert, "actor.ancestors.0.comm"),
		alert_str(alert, "actor.ancestors.0.exe"));
	require(llabs(alert_int(alert, "actor.ancestors.0.start_time") - parent.start_ms) <=
			START_SLACK_MS,
		"parent's start_time is %lld, not %lld",
		alert_int(alert, "actor.ancestors.0.start_time"), parent.start_ms);
	require(alert_int(alert, "actor.ancestors.1.pid") == getpid(), "grandparent is %lld",
		alert_int(alert, "actor.ancestors.1.pid"));
}

static bool deleted_of(json_t *alert)
{
	json_t *own = json_object_get(json_object_get(alert, "unmapped"), "cachewarden");

	return json_is_true(json_object_get(json_object_get(own, "actor"), "exe_deleted"));
}

/* An actor without a file, or with a server's name, is still identified correctly. */
void memory_disguised(const void *arg)
{
	const struct disguise *d = arg;
	struct trigger t =
		trigger("disguise", d->way, trigger_path("vm_readv"), pid_of(memory_target));
	json_t *found;

	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .outcome = "succeeded"});
	found = alert_find(memory_mon, "mem-read", t.pid);
	require(found, "the alert does not name %d", t.pid);
	require(strstr(alert_str(found, "actor.exe"), d->exe), "it names %s",
		alert_str(found, "actor.exe"));
	require(deleted_of(found) == d->deleted, "its executable is called %s",
		d->deleted ? "there" : "deleted");
}

void memory_nested(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger("in_pidns", "-s", s->config, "-w", str("%d", s->tls_port),
				   trigger_path("vm_readv"), "SERVER");
	pid_t init = trigger_int(&t, "inner_init");
	json_t *alert;

	s->pid = trigger_int(&t, "inner_child");
	require(s->pid && !trigger_int(&t, "status"), "the namespace did not work");
	pid_ours_add(s->pid);
	expect(memory_mon,
	       {.rule = "mem-read", .vector = "process_vm_readv", .server = s, .count = 1});
	alert = alert_find(memory_mon, "mem-read", 0);
	require(alert_int(alert, "actor.pid") == init && alert_int(alert, "actor.tid") == init,
		"actor is %lld, not %d", alert_int(alert, "actor.pid"), init);
	require(!strcmp(alert_str(alert, "actor.exe"), trigger_path("vm_readv")), "exe is %s",
		alert_str(alert, "actor.exe"));
	require(alert_int(alert, "actor.ancestors.0.pid") == t.pid, "parent is %lld",
		alert_int(alert, "actor.ancestors.0.pid"));
}

void memory_nested_open(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger("in_pidns", "-s", s->config, "-w", str("%d", s->tls_port),
				   trigger_path("proc_open"), "SERVER", "mem");

	s->pid = trigger_int(&t, "inner_child");
	require(s->pid && !trigger_int(&t, "status"), "the namespace did not work");
	pid_ours_add(s->pid);
	expect(memory_mon,
	       {.rule = "mem-read", .vector = "openat", .detail = "mem", .server = s, .count = 1});
}

void memory_nested_number(const void *arg)
{
	const char *what = arg;
	struct trigger t =
		trigger("in_pidns", "-n", pid_of(memory_target), trigger_path(what), "IDLE",
			!strcmp(what, "ptrace")	       ? "getregs"
			: !strcmp(what, "proc_open")   ? "mem"
			: !strcmp(what, "pidfd_getfd") ? "0"
						       : NULL);

	require(!trigger_int(&t, "status"), "the namespace did not work");
	expect_nothing(memory_mon);
}

void memory_child(const void *arg)
{
	struct client *c = client_open(memory_target, "127.0.0.1", true);
	struct trigger t;
	pid_t child;

	for (int i = 0; i < 200; i++)
		client_do(c, str("SET delay:%d x", i));
	client_do(c, "CONFIG SET rdb-key-save-delay 20000");
	client_do(c, "BGSAVE");
	sleep_ms(100);
	child = process_child(memory_target->pid);
	client_do(c, "CONFIG SET rdb-key-save-delay 0");
	require(child, "BGSAVE has no child");
	t = trigger("vm_readv", str("%d", child));
	client_close(c);
	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(memory_mon, {.rule = "mem-read",
			    .vector = "process_vm_readv",
			    .server = memory_target,
			    .by = &t,
			    .target_pid = child});
}
