/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover.c - one monitor takes over from another: nothing is lost, and nothing is told twice, while servers are attacked all the
 * time. The trigger says how often it did what. Both monitors write to the same file.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAKEN_MS 20000

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

/* Starts `cachewarden upgrade`; its output is in that file. */
static const char *upgrade_begin(const struct monitor *m)
{
	static unsigned int nr;
	const char *out = strdup(str("%s/upgrade.%u", scratch, ++nr));

	child_start((const char *const[]){MONITOR, "upgrade", "--pid", str("%d", m->pid), NULL},
		    &(struct child_opts){.out = out, .err = strdup(str("%s.err", out))});
	return out;
}

/* The next one is the monitor from now on. */
static void upgrade_end(struct monitor *m, const char *out)
{
	char *said;
	int next = 0, status;

	require(file_wait(out, "\n", TAKEN_MS), "nobody took over: %s%s",
		file_read(str("%s.err", out)), file_read(m->err));
	said = file_read(out);
	require(sscanf(said, "pid %d has taken over from pid", &next) == 1 && next > 1, "says: %s",
		said);
	status = child_wait(m->pid, 10000);
	require(WIFEXITED(status) && !WEXITSTATUS(status), "the one before ended with %x: %s",
		status, file_read(m->err));
	child_adopt(next);
	m->pid = next;
}

static void upgrade(struct monitor *m)
{
	upgrade_end(m, upgrade_begin(m));
}

/* How often that process broke the rule: the last count of each finding about it, over all monitors. */
static long total_by(struct monitor *m, const char *rule, pid_t pid)
{
	return alerts_sum(m, 0, rule, "actor.pid", pid);
}

static long total_wait(struct monitor *m, const char *rule, pid_t pid, long wanted)
{
	long long end = now_ms() + ALERT_MS * patience;
	long total;

	while ((total = total_by(m, rule, pid)) < wanted && now_ms() < end)
		sleep_ms(50);
	return total;
}

#define READS "12000"
#define ACTORS_MAX 2000

/* One actor without a pause, and one new actor after the other. */
static void counted_once(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	static pid_t actor[ACTORS_MAX];
	const char *out = strdup(str("%s/reads", scratch)), *upgrading;
	struct trigger steady = {};
	size_t n = 0;
	pid_t pid;

	pid = child_start((const char *const[]){trigger_path("vm_readv"), pid_of(a), "-r", READS,
						"-p", "1", NULL},
			  &(struct child_opts){.out = out});
	for (int i = 0; i < 3; i++) {
		upgrading = upgrade_begin(m);
		while (!file_has(upgrading, "\n") && n < ACTORS_MAX)
			actor[n++] = trigger("vm_readv", pid_of(a)).pid;
		upgrade_end(m, upgrading);
	}
	require(!file_has(out, "done"), "the trigger ended before the last handover");
	child_wait(pid, 40000);
	steady.said = json_loads(file_read(out), JSON_DISABLE_EOF_CHECK, NULL);
	require(trigger_int(&steady, "succeeded") == atol(READS), "the trigger says: %s",
		file_read(out));
	require(total_wait(m, "mem-read", pid, atol(READS)) == atol(READS),
		"%ld of " READS " reads are counted", total_by(m, "mem-read", pid));
	for (size_t i = 0; i < n; i++)
		require(total_wait(m, "mem-read", actor[i], 1) == 1,
			"the read by actor %zu of %zu, pid %d, is counted %ld times", i, n,
			actor[i], total_by(m, "mem-read", actor[i]));
	sleep_ms(2500); /* a sweep, and what is counted late */
	require(total_by(m, "mem-read", pid) == atol(READS), "later %ld are counted",
		total_by(m, "mem-read", pid));
}

/* Found by a sweep, and opened in sight of a hook: both still last when the next monitor sweeps. */
static void lasting_states_are_told_once(const void *arg)
{
	struct trigger before = trigger_staying(
			       (const char *const[]){"hold", pid_of(a), "mem", "self", NULL}),
		       seen;
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	long swept;

	seen = trigger_staying((const char *const[]){"hold", pid_of(a), "mem", "self", NULL});
	swept = total_wait(m, "mem-read", before.pid, 1);
	require(swept >= 1 && total_wait(m, "mem-read", seen.pid, 1) == 1,
		"they are not reported at all");
	upgrade(m);
	sleep_ms(3500); /* sweeps */
	require(total_by(m, "mem-read", before.pid) == swept, "what a sweep found is told again");
	require(total_by(m, "mem-read", seen.pid) == 1, "what a hook saw is told again");
}

static void connections_go_on(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	struct client *plain = client_open(a, "127.0.0.1", false),
		      *tls = client_open(a, "127.0.0.1", true);

	client_do(tls, "PING");
	upgrade(m);
	monitors_mark();
	client_do(tls, "PING");
	client_do(plain, "PING");
	expect(m,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = a,
		.remote_port = client_port(plain)},
	       {.rule = "tls-listener", .wire = true, .server = a, .optional = true},
	       {.rule = "self-blind", .optional = true, .many = true});
	client_close(plain);
	client_close(tls);
}

/* A monitor whose executable can be replaced. */
static const char *exe_copy(const char *name)
{
	const char *to = strdup(str("%s/%s/cachewarden", scratch, name));

	file_copy(MONITOR, to);
	return to;
}

static struct monitor *copy_start(const char *exe, const char *const *more)
{
	const char *argv[16] = {exe, "run", "--output", "json", "--events", "--sweep", "1"};
	struct monitor *m;

	for (int i = 0; more && more[i]; i++)
		argv[7 + i] = more[i];
	m = monitor_start_with(&(struct child_opts){}, argv);
	monitor_ready(m);
	return m;
}

/* As a package manager does it. */
static void replace(const char *exe, const char *by)
{
	const char *next = strdup(str("%s.new", exe));

	file_copy(by, next);
	require(!chmod(next, 0755) && !rename(next, exe), "%s: %s", exe, strerror(errno));
}

/* The two are different files: neither may take the other for a stranger. */
static void replaced_executable(const void *arg)
{
	const char *exe = exe_copy("replaced");
	struct monitor *m = copy_start(exe, NULL);
	struct trigger t;
	pid_t first = m->pid;

	monitors_mark();
	replace(exe, MONITOR);
	upgrade(m);
	sleep_ms(2500);
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++) {
		long pid = alert_int(m->lines[i], "actor.pid");

		/* other tests' monitors are strangers to this one */
		require(pid != first && pid != m->pid &&
				!strstr(alert_str(m->lines[i], "actor.exe"), exe),
			"a handover is a finding: %s", alert_text(m->lines[i]));
	}
	t = trigger("vm_readv", str("%d", m->pid));
	require(total_wait(m, "self-tamper", t.pid, 1) == 1, "the next one is not protected");
}

/* What was not handed over is still this monitor's to report. */
static void still_reports(struct monitor *m)
{
	struct trigger t = trigger("vm_readv", pid_of(a));

	require(!kill(m->pid, 0), "the monitor is gone: %s", file_read(m->err));
	require(total_wait(m, "mem-read", t.pid, 1) == 1, "the one that runs does not go on");
}

static void next_cannot_start(const void *arg)
{
	const char *exe = exe_copy("broken");
	struct monitor *m = copy_start(exe, NULL);
	struct run r;

	replace(exe, "/bin/true");
	r = run_command(30000, MONITOR, "upgrade", "--pid", str("%d", m->pid));
	require(r.status == 3 && strstr(r.err, "has ended"), "upgrade says: %d %s", r.status,
		r.err);
	require(file_wait(m->err, "does not take over: it ended", 5000), "it does not say so: %s",
		file_read(m->err));
	still_reports(m);
	replace(exe, MONITOR);
	upgrade(m);
	still_reports(m);
}

/* Whoever can write the file would become the monitor. */
static void writable_executable(const void *arg)
{
	const char *exe = exe_copy("writable");
	struct monitor *m = copy_start(exe, NULL);
	struct run r;

	chmod(exe, 0775);
	r = run_command(10000, MONITOR, "upgrade", "--pid", str("%d", m->pid));
	require(r.status == 3 && strstr(r.err, "nobody else may write"), "upgrade says: %d %s",
		r.status, r.err);
	still_reports(m);
}

static void others_are_refused(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct run r = run_command(10000, "/usr/bin/setpriv", "--reuid=65534", "--clear-groups",
				   MONITOR, "upgrade", "--pid", str("%d", m->pid));

	require(r.status != 0 && !strstr(r.out, "taken over"), "upgrade says: %s%s", r.out, r.err);
	require(!file_has(m->err, "was started to take over"), "it is obeyed: %s",
		file_read(m->err));
	/* nor does a process take over because its environment says so */
	r = run_command(10000, "/usr/bin/env", "CACHEWARDEN_HANDOVER=1", MONITOR, "run");
	require(r.status == 3 && strstr(r.err, "use cachewarden upgrade"), "run says: %d %s",
		r.status, r.err);
	still_reports(m);
}

/* The pid of the one that was started, and until then: sig for the one that runs. */
static pid_t interrupt_handover(struct monitor *m, int sig)
{
	char *err, *at;
	int next = 0;

	upgrade_begin(m);
	require(file_wait(m->err, "was started to take over", 10000), "not started: %s",
		file_read(m->err));
	kill(m->pid, sig);
	err = file_read(m->err);
	for (at = err; (at = strstr(at, "cachewarden: pid ")); at++)
		if (sscanf(at, "cachewarden: pid %d,", &next) == 1)
			break;
	require(next > 1, "no pid: %s", err);
	free(err);
	return next;
}

static void taken_from_the_dead(struct monitor *m, pid_t next, const char *dir, const char *said)
{
	require(file_wait(m->err, said, 30000), "it does not say so: %s", file_read(m->err));
	child_wait(m->pid, 5000);
	child_adopt(next);
	m->pid = next;
	require(file_wait(m->err, "evidence is kept in", 1000), "no evidence");
	still_reports(m);
	monitor_stop(m, SIGTERM);
	require(!run_command(10000, MONITOR, "evidence", "verify", dir).status,
		"the log does not verify");
}

static void killed_on_its_way(const void *arg)
{
	const char *dir = strdup(str("%s/killed-ev", scratch));
	struct monitor *m = monitor_start("--evidence", dir, NULL);

	taken_from_the_dead(m, interrupt_handover(m, SIGKILL), dir, "ended on its way");
}

static void stopped_on_its_way(const void *arg)
{
	const char *dir = strdup(str("%s/stopped-ev", scratch));
	struct monitor *m = monitor_start("--evidence", dir, NULL);

	taken_from_the_dead(m, interrupt_handover(m, SIGSTOP), dir, "did not go on and was killed");
}

/* In a gap of another reason than these: before the first monitor was ready, and after the last one was told to end. */
static bool has_gap_between(json_t *predicate)
{
	json_t *gaps = json_object_get(json_object_get(predicate, "coverage"), "gaps"), *gap;
	size_t i;

	json_array_foreach (gaps, i, gap) {
		const char *why = json_string_value(json_object_get(gap, "reason"));

		if (strcmp(why, i ? "monitor-stopped" : "starting") != 0 ||
		    (i && i + 1 < json_array_size(gaps)))
			return true;
	}
	return false;
}

static void evidence_has_no_gap(const void *arg)
{
	const char *dir = strdup(str("%s/handed-ev", scratch));
	struct monitor *m = monitor_start("--evidence", dir, NULL);
	struct run r;
	json_t *statement, *predicate;

	upgrade(m);
	upgrade(m);
	sleep_ms(1500);
	monitor_stop(m, SIGTERM);
	require(!run_command(10000, MONITOR, "evidence", "verify", dir).status,
		"the log does not verify");
	r = run_command(10000, MONITOR, "evidence", "statement", "--unsigned", dir);
	statement = json_loads(r.out, 0, NULL);
	require(statement, "no statement: %s", r.err);
	predicate = json_object_get(statement, "predicate");
	require(number_at(predicate, "coverage", "monitor_starts") == 2 &&
			number_at(predicate, "coverage", "watched_ms") > 2000,
		"watched: %s", r.out);
	require(!has_gap_between(predicate), "a handover is a gap: %s", r.out);
	require(number_at(predicate, "counted", "ms") ==
			number_at(predicate, "counted", "to") -
				number_at(predicate, "counted", "from"),
		"what was counted has a gap or an overlap: %s", r.out);
	json_decref(statement);
}

static const struct test tests[] = {
	TEST("every attack is counted once across three handovers", counted_once),
	TEST("what lasts across a handover is told once", lasting_states_are_told_once),
	TEST("plaintext on a connection from before is reported, TLS is not", connections_go_on),
	TEST("the executable may be another one", replaced_executable),
	TEST("if the next one does not start, the one that runs goes on", next_cannot_start),
	TEST("an executable that others may write is not started", writable_executable),
	TEST("only root can ask for it", others_are_refused),
	TEST("one that is killed on its way is replaced, and that is said", killed_on_its_way),
	TEST("one that is stopped on its way is replaced, and that is said", stopped_on_its_way),
	TEST("a statement has no gap", evidence_has_no_gap),
	{},
};

const struct suite handover_suite = {"handover", setup, NULL, tests};
