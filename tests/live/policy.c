/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - what a policy allows is recorded as allowed, everything else is an alert; prevention by instance and rule;
 * SIGHUP replaces the policy between two events.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *a, *b;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
	b = server_start(&(struct server_opts){});
}

static const char *allow_reader(const char *more)
{
	return str("allow:\n"
		   "  - rule: mem-read\n"
		   "    exe: %s\n"
		   "    reason: ticket 4711\n%s",
		   trigger_path("vm_readv"), more);
}

/* Checks the verdict on a read by vm_readv. */
static json_t *read_verdict_is(struct monitor *m, const char *verdict)
{
	struct trigger t;

	monitors_mark();
	t = trigger("vm_readv", pid_of(a));
	expect(m, {.rule = "mem-read",
		   .vector = "process_vm_readv",
		   .server = a,
		   .by = &t,
		   .verdict = verdict});
	return alert_find(m, "mem-read", t.pid);
}

static void allowed(const void *arg)
{
	struct monitor *m = monitor_with_policy(allow_reader(""));
	json_t *event = read_verdict_is(m, "allowed");

	require(!strcmp(alert_str(event, "policy.reason"), "ticket 4711"), "reason \"%s\"",
		alert_str(event, "policy.reason"));
	require(strstr(alert_str(event, "policy.entry"), ".yaml:2"), "entry \"%s\"",
		alert_str(event, "policy.entry"));
}

/* The same program breaks another rule, and another program the same rule. */
static void nothing_else(const void *arg)
{
	struct monitor *m = monitor_with_policy(allow_reader(""));
	struct trigger t = trigger("vm_writev", pid_of(a));

	/* it first reads what it writes back */
	expect(m, {.rule = "mem-write", .server = a, .by = &t, .verdict = "alert"},
	       {.rule = "mem-read", .server = a, .by = &t, .verdict = "alert"});
	monitors_mark();
	t = trigger("proc_open", pid_of(a), "mem");
	expect(m,
	       {.rule = "mem-read", .vector = "openat", .server = a, .by = &t, .verdict = "alert"});
}

static void without_events(const void *arg)
{
	const char *policy = policy_file(str("instances:\n  - {name: a, match: {port: %d}}\n%s",
					     a->plain_port, allow_reader("    instance: a\n")));
	const char *const argv[] = {MONITOR, "run", "--output", "json", "--policy", policy, NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){}, argv);
	struct trigger t;

	monitor_ready(m);
	t = trigger("vm_readv", pid_of(a));
	sleep_ms(1500);
	require(!alert_find(m, "mem-read", t.pid), "an allowed event is shown without --events");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(file_has(m->err, "verdicts: 1 events allowed"),
		"the allowed event is not counted: %s", file_read(m->err));
}

static void expired(const void *arg)
{
	struct monitor *m = monitor_with_policy(allow_reader("    until: 2020-01-01\n"));
	json_t *event = read_verdict_is(m, "alert");

	require(json_is_true(json_object_get(
			json_object_get(
				json_object_get(json_object_get(event, "unmapped"), "cachewarden"),
				"policy"),
			"expired")),
		"the event has no policy.expired");
}

static void sha256(const void *arg)
{
	struct run sum = run_command(5000, "/usr/bin/sha256sum", trigger_path("vm_readv"));

	require(!sum.status, "sha256sum: %s", sum.err);
	read_verdict_is(monitor_with_policy(allow_reader(str("    sha256: %.64s\n", sum.out))),
			"allowed");
	read_verdict_is(monitor_with_policy(allow_reader("    sha256: "
							 "00000000000000000000000000000000"
							 "00000000000000000000000000000000\n")),
			"alert");
}

static void one_instance(const void *arg)
{
	struct monitor *m =
		monitor_with_policy(str("instances:\n  - {name: b, match: {port: %d}}\n%s",
					b->tls_port, allow_reader("    instance: b\n")));
	struct trigger t;

	read_verdict_is(m, "alert");
	monitors_mark();
	t = trigger("vm_readv", pid_of(b));
	expect(m, {.rule = "mem-read", .server = b, .by = &t, .verdict = "allowed"});
}

/* An exception by a name that means one server allows nothing once there are two. */
static void two_of_one_name(const void *arg)
{
	int port = port_free();
	struct monitor *m = monitor_with_policy(
		str("instances:\n  - {name: one, match: {port: %d}}\n%s", port,
		    allow_reader(str("    instance: redis-server:%d\n", port))));
	struct server *s = server_start(
		&(struct server_opts){.tls_port = port, .child = {.netns = netns_start()}});
	struct trigger t;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger("vm_readv", pid_of(s));
	expect(m, {.rule = "mem-read", .server = s, .by = &t, .verdict = "allowed"});
	server_start(&(struct server_opts){.tls_port = port, .child = {.netns = netns_start()}});
	require(file_wait(m->err,
			  str("the exception for 'redis-server:%d' matches 2 instances", port),
			  5000),
		"it is not said that two match: %s", file_read(m->err));
	require(file_has(m->err, "the entry 'one' matches 2 instances"),
		"it is not said that the entry matches two: %s", file_read(m->err));
	monitors_mark();
	t = trigger("vm_readv", pid_of(s));
	sleep_ms(ALERT_MS);
	require(alert_find(m, "mem-read", t.pid) &&
			!strcmp(alert_str(alert_find(m, "mem-read", t.pid), "verdict"), "alert"),
		"the exception allows it for one of two");
}

static void ambiguous_checked(const void *arg)
{
	struct run r = run_command(
		5000, MONITOR, "policy", "check",
		policy_file(str("instances:\n  - {name: a, match: {port: 6379, unit: a.service}}\n"
				"  - {name: b, match: {port: 6379, unit: b.service}}\n%s",
				allow_reader("    instance: redis-server:6379\n"))));

	require(!r.status, "it ended with %d", r.status);
	require(strstr(r.err, "warning: 2 entries are for servers on port 6379"), "it says: %s",
		r.err);
}

static void observed(const void *arg)
{
	struct monitor *m = monitor_with_policy("instances:\n"
						"  - name: all\n"
						"    rules:\n"
						"      mem-read: {mode: observe, severity: low}\n"
						"      mem-write: {mode: off}\n");
	json_t *event = read_verdict_is(m, "observed");

	require(!strcmp(alert_str(event, "severity"), "low"), "severity %s",
		alert_str(event, "severity"));
	monitors_mark();
	trigger("vm_writev", pid_of(a)); /* it reads as well */
	expect(m, {.rule = "mem-read", .server = a, .verdict = "observed"});
}

static void prevented(const void *arg)
{
	struct monitor *m = monitor_with_policy(str("instances:\n"
						    "  - name: b\n"
						    "    match: {port: %d}\n"
						    "    rules: {mem-read: {mode: prevent}}\n",
						    b->tls_port));
	struct trigger t = trigger("prevented", pid_of(b), "vm_readv");

	require(!trigger_int(&t, "bytes_read"), "memory was read");
	expect(m, {.rule = "mem-read",
		   .server = b,
		   .err = trigger_int(&t, "errno") > 0 ? trigger_int(&t, "errno") : 0,
		   .outcome = trigger_int(&t, "errno") > 0 ? "denied" : "killed",
		   .verdict = "prevented"});
	monitors_mark();
	t = trigger("prevented", pid_of(a), "vm_readv"); /* prevention is off for this server */
	require(trigger_int(&t, "bytes_read") > 0, "nothing was read");
	expect(m, {.rule = "mem-read", .server = a, .verdict = "alert"});
	monitors_mark();
	t = trigger("prevented", pid_of(b), "vm_writev"); /* and for this rule */
	require(trigger_true(&t, "written"), "nothing was written");
	expect(m, {.rule = "mem-write", .server = b, .verdict = "alert"});
}

static void plaintext(const void *arg)
{
	const char *text = "tls:\n"
			   "  plaintext:\n"
			   "    - peer: %s\n"
			   "      owner: %s\n";
	const char *client = trigger_path("plain_client");
	struct monitor *m = monitor_with_policy(str(text, "127.0.0.0/8", client));
	struct monitor *net = monitor_with_policy(str(text, "10.0.0.0/8", client));
	struct monitor *exe =
		monitor_with_policy(str(text, "127.0.0.0/8", trigger_path("vm_readv")));
	struct trigger t;

	monitors_mark();
	t = trigger("plain_client", "127.0.0.1", str("%d", a->plain_port), "-c", "PING");
	for (int i = 0; i < 3; i++)
		expect(i == 0	? m
		       : i == 1 ? net
				: exe,
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = a,
			.by = &t,
			.direction = "ingress",
			.verdict = i ? "alert" : "allowed"});
}

static void reloaded(const void *arg)
{
	const char *path = policy_file("incidents:\n  quiet: 60\n");
	struct monitor *m = monitor_start("--policy", path, NULL);

	read_verdict_is(m, "alert");
	file_write(path, allow_reader(""));
	kill(m->pid, SIGHUP);
	require(file_wait(m->err, "policy reloaded", 5000), "the reload is not reported: %s",
		file_read(m->err));
	read_verdict_is(m, "allowed");
	file_write(path, "allow:\n  - rule: mem-raed\n");
	kill(m->pid, SIGHUP);
	require(file_wait(m->err, ":2: allow[].rule: invalid value 'mem-raed'", 5000) &&
			file_wait(m->err, "the old one stays in force", 5000),
		"the error is not reported: %s", file_read(m->err));
	read_verdict_is(m, "allowed");
}

/* Every attempt of a flood is counted, however often the policy is replaced meanwhile. */
static void reloaded_under_load(const void *arg)
{
	const char *path = policy_file(allow_reader(""));
	struct monitor *m = monitor_start("--policy", path, NULL);
	const char *const argv[] = {trigger_path("flood"), pid_of(a), "actors", "1000", NULL};
	const char *out = str("%s/reload.out", scratch);
	pid_t pid = child_start(argv, &(struct child_opts){.out = out});
	int status = -1;
	long total;

	for (int i = 0; i < 200 && status == -1; i++) {
		kill(m->pid, SIGHUP);
		status = child_wait(pid, 20);
	}
	require(!status, "the flood did not end");
	total = alerts_total_wait(m, "mem-read", a, 1000);
	require(total == 1000, "%ld of 1000 counted", total);
	require(file_has(m->err, "policy reloaded"), "no policy was swapped");
	require(monitor_stop(m, SIGTERM) == 0 && monitor_summary(m, "dropped") == 0,
		"something was dropped: %s", file_read(m->err));
}

static void policy_rejected(const void *arg)
{
	const char *path = policy_file("alow:\n");
	struct run r = run_command(5000, MONITOR, "run", "--policy", path);

	require(r.status == 2, "exit code %d: %s", r.status, r.err);
	require(strstr(r.err, ":1: unknown key 'alow'") && strstr(r.err, "did you mean 'allow'"),
		"it says: %s", r.err);
	file_write(path, "tls:\n  minimum: 1.2\n");
	chmod(path, 0666);
	r = run_command(5000, MONITOR, "run", "--policy", path);
	require(r.status == 2 && strstr(r.err, "lets others write it"), "it says: %s", r.err);
}

/* Replays what a monitor recorded of a server against another policy. */
static void replayed(const void *arg)
{
	struct monitor *m = monitor_with_policy("");
	const char *path = policy_file(allow_reader("    until: 2099-12-31\n"));
	const char *recorded = str("%s/recorded.jsonl", scratch);
	struct run r;

	read_verdict_is(m, "alert");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	/* a monitor that started a moment ago may have looked at the server, too */
	r = run_command(5000, "grep", "-E",
			str("\"pid\":%d\\b.*vm_readv|vm_readv.*\"pid\":%d\\b", a->pid, a->pid),
			m->out);
	file_write(recorded, r.out);
	r = run_command(5000, MONITOR, "policy", "test", path, recorded);
	require(r.status == 0 && strstr(r.out, "allowed") && strstr(r.out, "ticket 4711"),
		"exit code %d: %s%s", r.status, r.out, r.err);
	r = run_command(5000, MONITOR, "policy", "test", path, recorded, "--at", "2100-01-01");
	require(r.status == 1 && strstr(r.out, "alert") && strstr(r.out, "expired: ticket 4711"),
		"exit code %d: %s%s", r.status, r.out, r.err);
	r = run_command(5000, MONITOR, "policy", "test", path, path);
	require(r.status == 2 && strstr(r.err, ":1: line is not a JSON object"), "exit code %d: %s",
		r.status, r.err);
}

static const struct test tests[] = {
	TEST("an allowed actor is recorded with the entry that allows it", allowed),
	TEST("nothing else is allowed by it", nothing_else),
	TEST("what is allowed is not shown without --events, but counted", without_events),
	TEST("an expired entry allows no more, and says so", expired),
	TEST("the executable's SHA-256 decides", sha256),
	TEST("an entry for one instance holds for no other", one_instance),
	TEST("an exception by a name that two servers have allows nothing", two_of_one_name),
	TEST("check says that a name may mean two servers", ambiguous_checked),
	TEST("observe records, off does not", observed),
	TEST("prevention upon one instance and rule", prevented),
	TEST("plaintext is allowed by network and executable together", plaintext),
	TEST("SIGHUP swaps the policy; a wrong one is told and the old one stays in force",
	     reloaded),
	TEST("policies swapped under load lose no event", reloaded_under_load),
	TEST("a wrong policy, and one that anybody may write, are refused", policy_rejected),
	TEST("recorded events are judged by another policy", replayed),
	{},
};

const struct suite policy_suite = {"policy", setup, NULL, tests};
