/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prevent.c - with --prevent nothing of an instance reaches a foreign process: the access is denied where a hook can
 * deny it, else the actor is killed. A process that does not access memory or descriptors is left alone.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct server *a;
static struct monitor *mon;

static void setup_off(void)
{
	a = server_start(&(struct server_opts){});
	mon = monitor_start(NULL);
}

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
	mon = monitor_start("--prevent", NULL);
}

/* Denied, or killed before it could use what it got: both are prevention. */
static bool was_denied(const struct trigger *t)
{
	return trigger_true(t, "returned") &&
	       (trigger_int(t, "errno") == EPERM || trigger_int(t, "errno") == EACCES);
}

static void was_prevented(const struct trigger *t)
{
	char *said = json_dumps(t->said, 0);

	require(was_denied(t) || trigger_int(t, "signal") == SIGKILL, "it was not prevented: %s",
		said);
	require(!trigger_int(t, "bytes_read"), "memory was read: %s", said);
	require(!trigger_true(t, "written"), "memory was written: %s", said);
	free(said);
}

struct way {
	const char *words[3];
	const char *rule, *vector, *detail;
};

static struct trigger attack(const struct way *w)
{
	struct trigger t = trigger("prevented", pid_of(a), w->words[0], w->words[1]);

	require(trigger_int(&t, "child") > 0, "no child");
	return t;
}

static void prevented(const void *arg)
{
	const struct way *w = arg;
	struct trigger t = attack(w);
	bool denied = was_denied(&t);
	json_t *alert;

	was_prevented(&t);
	expect(mon,
	       {.rule = w->rule,
		.vector = w->vector,
		.detail = w->detail,
		.server = a,
		.err = denied ? trigger_int(&t, "errno") : 0,
		.outcome = denied ? "denied" : "killed",
		.verdict = "prevented",
		.count = 1},
	       {.rule = w->rule, /* another holder of the descriptor is killed when it uses it */
		.vector = "pread64",
		.server = a,
		.outcome = "killed",
		.verdict = "prevented",
		.optional = true});
	alert = alert_find(mon, w->rule, trigger_int(&t, "child"));
	require(alert, "the alert does not name the child");
	require(alert_int(alert, "actor.tid") == trigger_int(&t, "child_tid"), "tid is %lld",
		alert_int(alert, "actor.tid"));
	require(llabs(alert_int(alert, "actor.start_time") - trigger_int(&t, "child_start_ms")) <=
			START_SLACK_MS,
		"start_time is %lld", alert_int(alert, "actor.start_time"));
	server_responds(a);
}

/* Without --prevent the trigger succeeds and is only reported. */
static void not_prevented(const void *arg)
{
	const struct way *w = arg;
	struct trigger t = attack(w);

	require(trigger_true(&t, "returned") && !trigger_int(&t, "errno"), "it failed");
	require(strcmp(w->rule, "mem-read") || trigger_int(&t, "bytes_read") > 0,
		"nothing was read");
	expect(mon, {.rule = w->rule, .vector = w->vector, .server = a},
	       {.rule = "mem-read",
		.vector = "pread64", /* through the descriptor that was opened */
		.server = a,
		.result = "read 4096 bytes",
		.optional = strcmp(w->vector, "openat") != 0});
}

/* What ps and lsof read is reported, and not prevented. */
static void inspection_not_prevented(const void *arg)
{
	struct trigger t = trigger("prevented", pid_of(a), "maps");

	require(trigger_true(&t, "returned") && trigger_int(&t, "result") >= 0,
		"an inspection was prevented");
	expect(mon, {.rule = "mem-inspect",
		     .vector = "openat",
		     .detail = "maps",
		     .server = a,
		     .verdict = "alert"});
}

static void tools_unaffected(const void *arg)
{
	struct run ps = run_command(10000, "ps", "aux");
	struct run ls = run_command(5000, "ls", "-l", str("/proc/%s/fd", pid_of(a)));

	require(!ps.status && !ls.status, "ps ended with %d, ls with %d", ps.status, ls.status);
}

static void own_child_unaffected(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	const char *reply = client_do(c, "BGSAVE");

	require(strstr(reply, "started"), "BGSAVE: %s", reply);
	sleep_ms(500);
	reply = client_do(c, "INFO persistence");
	require(strstr(reply, "rdb_last_bgsave_status:ok"), "BGSAVE did not end well");
	client_close(c);
	expect_nothing(mon);
}

/* Access to other processes is not prevented. */
static void other_processes_unaffected(const void *arg)
{
	pid_t pid = idle_start();
	struct trigger t;

	sleep_ms(100);
	t = trigger("prevented", str("%d", pid), "vm_readv");
	require(trigger_int(&t, "bytes_read") > 0, "an access to a stranger was prevented");
	expect_nothing(mon);
}

static void by_uring(const void *arg)
{
	const char *async = arg;
	struct run r = run_command(10000, trigger_path("uring_open"), pid_of(a), "mem", async);

	if (strstr(r.out, "\"missing\":true"))
		test_skip("no io_uring here");
	require(r.status == 128 + SIGKILL || strstr(r.out, "\"result\":-1"),
		"it was not stopped: %d %s", r.status, r.out);
	monitor_poll(mon);
	sleep_ms(SETTLE_MS);
	require(alert_find(mon, "mem-read", r.pid), "no mem-read by %d", r.pid);
	require(!strcmp(alert_str(alert_find(mon, "mem-read", r.pid), "verdict"), "prevented"),
		"verdict is not prevented");
}

/* "prevented" is only said of who read nothing. */
static void by_direct_descriptor(const void *arg)
{
	const char *way = arg;
	struct trigger t = trigger("uring_direct", pid_of(a), way);
	long long reader = trigger_int(&t, "reader");
	bool said = false;

	if (trigger_true(&t, "missing"))
		test_skip("io_uring has no direct descriptors here");
	sleep_ms(SETTLE_MS);
	if (way && !strcmp(way, "quiet"))
		uring_opens_counted(mon);
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++)
		said |= alert_int(mon->lines[i], "actor.pid") == reader &&
			!strcmp(alert_str(mon->lines[i], "rule"), "mem-read") &&
			!strcmp(alert_str(mon->lines[i], "verdict"), "prevented");
	require(!trigger_int(&t, "bytes_read"), "%lld bytes were read, which is called %s",
		trigger_int(&t, "bytes_read"), said ? "prevented" : "something else");
	require(said, "no prevented mem-read by %lld", reader);
	server_responds(a);
}

static void by_strace(const void *arg)
{
	struct run r = run_command(10000, "strace", "-q", "-o", "/dev/null", "-p", pid_of(a));
	json_t *alert;

	require(r.status > 0, "strace ended with %d", r.status);
	sleep_ms(SETTLE_MS);
	alert = alert_find(mon, "mem-trace", r.pid);
	require(alert, "no mem-trace by strace");
	require(!strcmp(alert_str(alert, "verdict"), "prevented"), "verdict is %s",
		alert_str(alert, "verdict"));
	server_responds(a);
}

/* An instance that starts later is protected from its start. */
static void later_instance(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct trigger t = trigger("prevented", str("%d", s->pid), "vm_readv");

	was_prevented(&t);
}

static void monitor_memory(const void *arg)
{
	struct trigger t = trigger("prevented", str("%d", mon->pid), "vm_readv");

	was_prevented(&t);
	sleep_ms(SETTLE_MS);
	monitor_poll(mon);
	require(alert_find(mon, "self-tamper", trigger_int(&t, "child")), "no self-tamper");
}

static void reports_rules(const void *arg)
{
	require(file_has(mon->err, "prevented: mem-trace mem-read mem-write mem-fd"),
		"the prevented rules are not reported: %s", file_read(mon->err));
}

#define WAY(...) &((const struct way){__VA_ARGS__})
#define READV WAY({"vm_readv"}, "mem-read", "process_vm_readv")

static const struct test tests[] = {
	TEST("it says what it prevents", reports_rules),
	TEST("process_vm_readv reads nothing", prevented, .arg = READV),
	TEST("process_vm_readv by a second thread reads nothing", prevented,
	     .arg = WAY({"vm_thread"}, "mem-read", "process_vm_readv")),
	TEST("process_vm_writev writes nothing", prevented,
	     .arg = WAY({"vm_writev"}, "mem-write", "process_vm_writev")),
	TEST("/proc/PID/mem opened: nothing is read", prevented,
	     .arg = WAY({"mem"}, "mem-read", "openat", "mem")),
	TEST("/proc/PID/mem opened for writing: nothing is read or written", prevented,
	     .arg = WAY({"mem_write"}, "mem-write", "openat", "mem")),
	TEST("a descriptor left in a shared table reads nothing", prevented,
	     .arg = WAY({"mem", "-f"}, "mem-read", "openat", "mem")),
	TEST("pidfd_getfd takes nothing", prevented,
	     .arg = WAY({"getfd"}, "mem-fd", "pidfd_getfd")),
	TEST("/proc/PID/fd/N reopened takes nothing", prevented,
	     .arg = WAY({"fd"}, "mem-fd", "openat", "fd/N")),
	TEST("PTRACE_ATTACH does not attach, and leaves the server running", prevented,
	     .arg = WAY({"attach"}, "mem-trace", "ptrace", "PTRACE_ATTACH")),
	TEST("PTRACE_SEIZE does not attach", prevented,
	     .arg = WAY({"seize"}, "mem-trace", "ptrace", "PTRACE_SEIZE")),
	TEST("/proc/PID/mem through io_uring", by_uring),
	TEST("/proc/PID/mem through an io_uring worker", by_uring, .arg = "async"),
	TEST("/proc/PID/mem as a direct descriptor of io_uring", by_direct_descriptor),
	TEST("the same by a worker", by_direct_descriptor, .arg = "async"),
	TEST("the same by a polling thread", by_direct_descriptor, .arg = "sqpoll"),
	TEST("the same without completions", by_direct_descriptor, .arg = "quiet"),
	TEST("strace -p is stopped, the server is not", by_strace),
	TEST("a look at maps is told, and nobody dies for it", inspection_not_prevented),
	TEST("ps and ls of fd/ live", tools_unaffected),
	TEST("BGSAVE lives", own_child_unaffected),
	TEST("who reads another process lives", other_processes_unaffected),
	TEST("an instance that starts later is guarded", later_instance),
	TEST("the monitor's own memory is guarded", monitor_memory),
	{},
};

static const struct test off_tests[] = {
	TEST("process_vm_readv reads", not_prevented, .arg = READV),
	TEST("/proc/PID/mem opened is read", not_prevented,
	     .arg = WAY({"mem"}, "mem-read", "openat")),
	TEST("pidfd_getfd takes a descriptor", not_prevented,
	     .arg = WAY({"getfd"}, "mem-fd", "pidfd_getfd")),
	TEST("PTRACE_SEIZE attaches", not_prevented, .arg = WAY({"seize"}, "mem-trace", "ptrace")),
	{},
};

const struct suite unprevented_suite = {"no prevent", setup_off, NULL, off_tests};
const struct suite prevent_suite = {"prevent", setup, NULL, tests};
