/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * self_monitors.c - another monitor is recognised, exempt and protected; nothing else passes for one.
 */
#include "self.h"
#include "steps.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A finding of that rule by that process, or by its guard. */
static json_t *finding_by(struct monitor *m, const char *rule, pid_t pid)
{
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++) {
		json_t *line = m->lines[i];

		if ((!rule || !strcmp(alert_str(line, "rule"), rule)) &&
		    (alert_int(line, "actor.pid") == pid ||
		     alert_int(line, "actor.ancestors.0.pid") == pid))
			return line;
	}
	return NULL;
}

void self_another_monitor(const void *arg)
{
	struct monitor *first = monitor_start("--sweep", "1", NULL), *second;
	struct trigger t;
	json_t *found;

	monitors_mark();
	second = monitor_start("--sweep", "1", NULL);
	sleep_ms(2500); /* sweeps look for programs whose load was not seen */
	found = finding_by(first, NULL, second->pid);
	require(!found, "what it does at its start is a finding: %s", alert_text(found));
	require(!alert_find(first, "mem-kernel", 0), "its programs are a finding: %s",
		alert_text(alert_find(first, "mem-kernel", 0)));
	require(file_has(first->err, str("another cachewarden was started: pid %d,", second->pid)),
		"it is not named: %s", file_read(first->err));
	for (size_t i = 0; i < second->count; i++)
		require(strcmp(alert_str(second->lines[i], "rule"), "mem-kernel") ||
				!strstr(alert_str(second->lines[i], "detail"), "proc_exec"),
			"the first one's programs are a finding of the second's");
	t = trigger("vm_readv", str("%d", second->pid));
	sleep_ms(SETTLE_MS);
	found = finding_by(first, "self-tamper", t.pid);
	require(found && alert_int(found, "instance.target_pid") == second->pid &&
			!strcmp(alert_str(found, "severity"), "high"),
		"it is not protected by the first");
	require(file_has(second->err, str("another cachewarden runs already: pid %d,", first->pid)),
		"the first is not named by it: %s", file_read(second->err));
	t = trigger("vm_readv", str("%d", first->pid));
	sleep_ms(SETTLE_MS);
	found = finding_by(second, "self-tamper", t.pid);
	require(found && alert_int(found, "instance.target_pid") == first->pid,
		"the first is not protected by it");
	monitors_mark();
	server_start(&(struct server_opts){}); /* of which both look for the files */
	sleep_ms(2500);
	found = finding_by(second, NULL, first->pid);
	require(!found, "what the first does is a finding: %s", alert_text(found));
}

static pid_t first_child(pid_t pid)
{
	char *text = file_read(str("/proc/%d/task/%d/children", pid, pid));
	pid_t child = atoi(text);

	free(text);
	return child;
}

static bool holds_perf_event(pid_t pid)
{
	DIR *dir = opendir(str("/proc/%d/fd", pid));
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		char to[64] = "";

		if (readlinkat(dirfd(dir), e->d_name, to, sizeof(to) - 1) > 0)
			found = !strcmp(to, "anon_inode:[perf_event]");
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Stops the child in which that monitor plants a breakpoint once it is planted. Returns 0 if that was missed. */
static pid_t stopped_when_planted(pid_t monitor)
{
	long long end = now_ms() + 20000 * patience;
	pid_t child;

	while (!(child = first_child(monitor)) && now_ms() < end)
		;
	while (child && !kill(child, SIGSTOP)) {
		if (holds_perf_event(child))
			return child;
		kill(child, SIGCONT);
		usleep(50);
	}
	return 0;
}

/* The child ends after milliseconds, but a sweep of another monitor may come in between. */
void self_learns_flags(const void *arg)
{
	static const char *const argv[] = {MONITOR, "run", "--output", "json", "--events", NULL};
	struct monitor *first = monitor_start("--sweep", "1", NULL), *second = NULL;
	pid_t child = 0;

	monitors_mark();
	for (int i = 0; i < 5 && !child; i++) {
		if (second) {
			monitor_ready(second);
			monitor_stop(second, SIGTERM);
		}
		second = monitor_start_with(&(struct child_opts){}, argv);
		child = stopped_when_planted(second->pid);
	}
	require(child, "the child with the breakpoint was never caught");
	sleep_ms(3500); /* several sweeps */
	kill(child, SIGCONT);
	monitor_ready(second);
	monitor_poll(first);
	for (size_t i = first->mark; i < first->count; i++)
		require(!strstr(alert_str(first->lines[i], "detail"), "breakpoints"),
			"its breakpoint is a finding: %s", alert_text(first->lines[i]));
}

/* A monitor whose code is not the next one's alone. */
void self_runs_with_other_code(const void *arg)
{
	const char *module = realpath(trigger_path("nothing.so"), NULL);
	const char *preload = strdup(str("LD_PRELOAD=%s", module));
	const char *const argv[] = {"/usr/bin/env", preload, MONITOR,	 "run",
				    "--output",	    "json",  "--events", NULL};
	struct monitor *first = monitor_start_with(&(struct child_opts){}, argv), *second;

	monitor_ready(first);
	require(file_has(str("/proc/%d/maps", first->pid), module), "it has not loaded %s", module);
	second = monitor_start(NULL);
	require(!file_has(second->err,
			  str("another cachewarden runs already: pid %d,", first->pid)),
		"it passes for a monitor");
}

/* Runs argv until it opened the server's key, and requires that the monitor says so. */
static void not_a_monitor(const char *const *argv)
{
	pid_t pid;

	monitors_mark();
	pid = child_start(argv, &(struct child_opts){});
	for (int i = 0; i < 100 * patience && !finding_by(self_mon, "tls-key", pid); i++)
		sleep_ms(50);
	require(finding_by(self_mon, "tls-key", pid), "%s opens the key unseen", argv[0]);
	require(!strcmp(alert_str(finding_by(self_mon, "tls-key", pid), "verdict"), "alert"),
		"the verdict is %s", alert_str(finding_by(self_mon, "tls-key", pid), "verdict"));
	require(!file_has(self_mon->err, str("another cachewarden was started: pid %d,", pid)),
		"it passes for a monitor");
	child_stop(pid, SIGTERM, 5000);
}

void self_impostor(const void *arg)
{
	const char *fake = strdup(str("%s/impostor/cachewarden", scratch));

	file_copy("/bin/cat", fake);
	not_a_monitor((const char *const[]){fake, "run", self_server->key, NULL});
}

void self_copy(const void *arg)
{
	const char *copy = strdup(str("%s/copy/cachewarden", scratch));

	file_copy(MONITOR, copy);
	not_a_monitor((const char *const[]){copy, "run", NULL});
}

void self_with_other_code(const void *arg)
{
	const char *preload = strdup(str("LD_PRELOAD=%s", "/lib/x86_64-linux-gnu/libz.so.1"));

	not_a_monitor((const char *const[]){"/usr/bin/env", preload, MONITOR, "run", NULL});
}

/* A verb that reads a file of the caller's choice. */
void self_other_verb(const void *arg)
{
	not_a_monitor((const char *const[]){MONITOR, "policy", "check", self_server->key, NULL});
}
