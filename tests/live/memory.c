/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - access to an instance's memory, layout or descriptors is reported with actor, vector and outcome; access
 * to anything else is not reported.
 */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *a, *b; /* a is the usual target */
static struct monitor *mon;
static int null_fd = -1; /* a descriptor of a that can be opened again through /proc */

static bool syscalls_only; /* this kernel's tier has no access-check hook */

static void setup(void)
{
	struct run doctor = run_command(10000, MONITOR, "doctor", "--output", "json");

	syscalls_only = strstr(doctor.out, "\"rung\":\"syscalls\"") != NULL;
	a = server_start(&(struct server_opts){.plain = true, .extra = "appendonly yes"});
	b = server_start(&(struct server_opts){});
	null_fd = 0;
	mon = monitor_start(NULL);
}

/* ---- process_vm_* ------------------------------------------------------------------------------- */

static void vm_readv(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(a));

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .count = 1});
}

static void vm_readv_right_instance(const void *arg)
{
	struct trigger first = trigger("vm_readv", pid_of(b));
	struct trigger second = trigger("vm_readv", pid_of(a));

	expect(mon, {.rule = "mem-read", .vector = "process_vm_readv", .server = b, .by = &first},
	       {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &second});
}

static void vm_readv_both_by_one(const void *arg)
{
	struct trigger t = trigger("ptrace", pid_of(b), "attach");

	expect(mon,
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_ATTACH",
		.server = b,
		.by = &t},
	       {.rule = "mem-trace",
		.vector = "ptrace",
		.detail = "PTRACE_DETACH",
		.server = b,
		.by = &t});
}

static void vm_readv_thread(const void *arg)
{
	pid_t tid = server_thread(a);
	struct trigger t = trigger("vm_readv", str("%d", tid));

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .target_tid = tid});
}

static void vm_readv_by_thread(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(a), "-t");

	require(t.tid != t.pid, "trigger used no second thread");
	expect(mon, {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &t});
}

static void vm_readv_decoy(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(a), "-d");

	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .count = 1});
}

static void vm_readv_fault(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(a), "-b");

	require(trigger_int(&t, "errno") == EFAULT, "trigger did not fail");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .err = EFAULT});
}

static void vm_writev(const void *arg)
{
	const char *decoy = arg;
	struct trigger t = trigger("vm_writev", pid_of(a), decoy);

	require(trigger_int(&t, "result") == 64, "trigger wrote nothing");
	expect(mon,
	       {.rule = "mem-read",
		.vector = "process_vm_readv",
		.server = a,
		.by = &t,
		.count = 1},
	       {.rule = "mem-write",
		.vector = "process_vm_writev",
		.server = a,
		.by = &t,
		.count = 1});
}

static void vm_writev_thread(const void *arg)
{
	pid_t tid = server_thread(b);
	struct trigger t = trigger("vm_writev", str("%d", tid), "-w");

	expect(mon, {.rule = "mem-write",
		     .vector = "process_vm_writev",
		     .server = b,
		     .by = &t,
		     .err = EFAULT,
		     .target_tid = tid});
}

static void shortlived(const void *arg)
{
	struct trigger parent = trigger("shortlived", pid_of(a)), child = parent;
	long long born;
	json_t *alert;

	child.pid = trigger_int(&parent, "child");
	require(!trigger_int(&parent, "errno"), "the child read nothing");
	expect(mon, {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .count = 1});
	alert = alert_find(mon, "mem-read", child.pid);
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

/* ---- ptrace ------------------------------------------------------------------------------------- */

struct tracing {
	const char *words[8];
};

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
		wants[n].server = a;
		wants[n].target_tid = target;
		wants[n++].by = t;
	}
	expect_alerts(mon, wants, n);
}

static void ptrace_does(const void *arg)
{
	const struct tracing *tracing = arg;
	const char *argv[12] = {"ptrace", pid_of(a)};
	struct trigger t;
	char *said;

	for (int i = 0; tracing->words[i]; i++)
		argv[i + 2] = tracing->words[i];
	t = trigger_argv(&(struct child_opts){}, argv);
	said = json_dumps(t.said, 0);
	require(!strstr(said, "\"failed\": true"), "a request failed: %s", said);
	free(said);
	ptrace_expect(&t, 0);
}

static void ptrace_thread(const void *arg)
{
	pid_t tid = server_thread(a);
	struct trigger t = trigger("ptrace", str("%d", tid), "seize", "interrupt", "getregs");

	ptrace_expect(&t, tid);
}

static void ptrace_traceme(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	const char *out = str("%s/traceme", s->dir),
		   *argv[8] = {trigger_path("traceme"), REDIS_SERVER, s->config};
	struct trigger t = {.pid = child_start(argv, &(struct child_opts){.out = out})};

	require(file_wait(out, "\n", 5000), "traceme said nothing");
	t.said = json_loads(file_read(out), 0, NULL);
	require(t.said, "traceme said no JSON");
	t.tid = t.pid;
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "traceme");
	snprintf(t.exe, sizeof(t.exe), "%s", trigger_path("traceme"));
	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	expect(mon,
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

/* The tracer makes no call while the monitor runs: only the sweep at start can find it. */
static void traced_before(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	const char *pid = strdup(str("%d", s->pid));
	pid_t tracer = child_start(
		(const char *const[]){"/usr/bin/strace", "-q", "-o", "/dev/null", "-p", pid, NULL},
		&(struct child_opts){});
	struct monitor *m;
	json_t *alert;

	require(file_wait(str("/proc/%s/status", pid), str("TracerPid:\t%d\n", tracer), 5000),
		"strace does not trace");
	m = monitor_start(NULL);
	sleep_ms(SETTLE_MS);
	monitor_poll(m);
	alert = alert_find(m, "mem-trace", tracer);
	require(alert, "no mem-trace by strace");
	require(!strcmp(alert_str(alert, "found_by"), "sweep"), "found by %s",
		alert_str(alert, "found_by"));
	require(!strcmp(alert_str(alert, "actor.comm"), "strace"), "by %s",
		alert_str(alert, "actor.comm"));
	require(alert_int(alert, "instance.pid") == s->pid, "of %lld",
		alert_int(alert, "instance.pid"));
	child_stop(tracer, SIGTERM, 3000);
	monitor_stop(m, SIGTERM);
}

/* ---- /proc -------------------------------------------------------------------------------------- */

struct opening {
	const char *file, *mode, *way, *rule, *vector, *detail;
};

static void open_expect(const struct opening *o, struct trigger *t, pid_t target)
{
	require(trigger_int(t, "result") >= 0, "trigger could not open %s: %s", o->file,
		strerror(trigger_int(t, "errno")));
	expect(mon, {.rule = o->rule,
		     .vector = o->vector ?: "openat",
		     .detail = o->detail ?: o->file,
		     .server = a,
		     .by = t,
		     .target_tid = target,
		     .count = 1});
}

static void proc_open(const void *arg)
{
	const struct opening *o = arg;
	struct trigger t;

	if (!strcmp(o->file, "fd/N"))
		t = trigger("proc_open", pid_of(a), str("fd/%d", null_fd));
	else
		t = trigger("proc_open", pid_of(a), o->file, "-m", o->mode ?: "r", "-w",
			    o->way ?: "openat");
	open_expect(o, &t, 0);
}

static void proc_open_thread(const void *arg)
{
	const struct opening *o = arg;
	pid_t tid = server_thread(a);
	struct trigger t = trigger("proc_open", pid_of(a), o->file, "-t", str("%d", tid), "-w",
				   o->way ?: "openat");

	open_expect(o, &t, tid);
}

static void proc_open_swapped(const void *arg)
{
	struct trigger t = trigger("stretched", pid_of(a), "open");

	expect(mon, {.rule = "mem-read",
		     .vector = "openat",
		     .detail = "mem",
		     .server = a,
		     .by = &t,
		     .count = 1});
}

static void proc_open_handle(const void *arg)
{
	static const struct opening o = {
		.file = "mem", .rule = "mem-read", .vector = "open_by_handle_at"};
	struct trigger t = trigger("proc_open", pid_of(a), "mem", "-w", "handle");

	if (trigger_int(&t, "errno") == EOPNOTSUPP)
		test_skip("this kernel gives no handles for procfs");
	open_expect(&o, &t, 0);
}

static void proc_open_missing(const void *arg)
{
	struct run r = run_command(3000, trigger_path("proc_open"), pid_of(a), "no-such-file");

	require(!r.status, "trigger failed: %s", r.err);
	expect_nothing(mon);
}

static void uring(const void *arg)
{
	const char *async = arg;
	struct trigger t = trigger("uring_open", pid_of(a), "mem", async);

	if (trigger_true(&t, "missing"))
		test_skip("io_uring is off here");
	require(trigger_int(&t, "result") >= 0, "trigger opened nothing");
	expect(mon, {.rule = "mem-read", .server = a, .detail = "mem", .outcome = "succeeded"});
	require(alert_find(mon, "mem-read", t.pid), "the alert does not name the submitter %d",
		t.pid);
}

struct disguise {
	const char *way, *exe;
	bool deleted;
};

#define DISGUISE(...) &((const struct disguise){__VA_ARGS__})

static bool deleted_of(json_t *alert)
{
	json_t *own = json_object_get(json_object_get(alert, "unmapped"), "cachewarden");

	return json_is_true(json_object_get(json_object_get(own, "actor"), "exe_deleted"));
}

/* An actor without a file, or with a server's name, is still identified correctly. */
static void disguised(const void *arg)
{
	const struct disguise *d = arg;
	struct trigger t = trigger("disguise", d->way, trigger_path("vm_readv"), pid_of(a));
	json_t *found;

	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .outcome = "succeeded"});
	found = alert_find(mon, "mem-read", t.pid);
	require(found, "the alert does not name %d", t.pid);
	require(strstr(alert_str(found, "actor.exe"), d->exe), "it names %s",
		alert_str(found, "actor.exe"));
	require(deleted_of(found) == d->deleted, "its executable is called %s",
		d->deleted ? "there" : "deleted");
}

static void compat(const void *arg)
{
	const char *what = arg;
	struct trigger t = trigger("compat", pid_of(a), what);

	if (trigger_true(&t, "missing"))
		test_skip("no 32-bit system calls here");
	require(trigger_int(&t, "result") >= 0, "trigger failed");
	/* on the syscall tier the open is not seen, only the read in progress */
	if (strcmp(what, "mem"))
		expect(mon, {.rule = "mem-trace", .server = a, .by = &t, .detail = "PTRACE_ATTACH"},
		       {.rule = "mem-trace",
			.server = a,
			.by = &t,
			.detail = "PTRACE_DETACH",
			.optional = syscalls_only});
	else if (syscalls_only)
		expect(mon, {.rule = "mem-read",
			     .vector = "32-bit syscall 180",
			     .server = a,
			     .by = &t,
			     .outcome = "unknown"});
	else
		expect(mon, {.rule = "mem-read", .server = a, .by = &t, .detail = "mem"});
}

/* The same on a process that is not an instance. */
static void compat_stranger(const void *what)
{
	pid_t pid = child_start((const char *const[]){"sleep", "30", NULL}, &(struct child_opts){});

	trigger("compat", str("%d", pid), what);
	expect_nothing(mon);
}

/* ---- descriptors -------------------------------------------------------------------------------- */

static void getfd(const void *arg)
{
	struct trigger t = trigger("pidfd_getfd", pid_of(a), "3");

	require(trigger_int(&t, "result") >= 0, "trigger took nothing");
	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = a, .by = &t, .count = 1});
}

static void getfd_bad(const void *arg)
{
	struct trigger t = trigger("pidfd_getfd", pid_of(a), "999");

	expect(mon,
	       {.rule = "mem-fd", .vector = "pidfd_getfd", .server = a, .by = &t, .err = EBADF});
}

/* ---- denied ------------------------------------------------------------------------------------- */

struct denial {
	const char *trigger, *arg, *more;
	struct want want;
};

static void denied(const void *arg)
{
	const struct denial *d = arg;
	struct want want = d->want;
	struct trigger t = trigger_nobody(d->trigger, pid_of(a), d->arg, d->more);

	want.server = a;
	want.by = &t;
	expect_alerts(mon, &want, 1);
}

/* ---- floods ------------------------------------------------------------------------------------- */

static void flood_loop(const void *arg)
{
	struct trigger t = trigger("flood", pid_of(a), "loop", "20000");

	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .count = trigger_int(&t, "result")});
}

static void flood_actors(const void *arg)
{
	const char *how = arg;
	struct trigger t = trigger("flood", pid_of(a), how, "100");

	require(trigger_int(&t, "result") == 100, "trigger did not do it");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .many = true,
		     .count = 1});
	require(alerts_total(mon, "mem-read", a) == 100, "counted %ld of 100",
		alerts_total(mon, "mem-read", a));
}

/* ---- pid namespaces ----------------------------------------------------------------------------- */

static void nested(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger("in_pidns", "-s", s->config, "-w", str("%d", s->tls_port),
				   trigger_path("vm_readv"), "SERVER");
	pid_t init = trigger_int(&t, "inner_init");
	json_t *alert;

	s->pid = trigger_int(&t, "inner_child");
	require(s->pid && !trigger_int(&t, "status"), "the namespace did not work");
	pid_ours_add(s->pid);
	expect(mon, {.rule = "mem-read", .vector = "process_vm_readv", .server = s, .count = 1});
	alert = alert_find(mon, "mem-read", 0);
	require(alert_int(alert, "actor.pid") == init && alert_int(alert, "actor.tid") == init,
		"actor is %lld, not %d", alert_int(alert, "actor.pid"), init);
	require(!strcmp(alert_str(alert, "actor.exe"), trigger_path("vm_readv")), "exe is %s",
		alert_str(alert, "actor.exe"));
	require(alert_int(alert, "actor.ancestors.0.pid") == t.pid, "parent is %lld",
		alert_int(alert, "actor.ancestors.0.pid"));
}

static void nested_trace(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger("in_pidns", "-s", s->config, "-w", str("%d", s->tls_port),
				   trigger_path("proc_open"), "SERVER", "mem");

	s->pid = trigger_int(&t, "inner_child");
	require(s->pid && !trigger_int(&t, "status"), "the namespace did not work");
	pid_ours_add(s->pid);
	expect(mon,
	       {.rule = "mem-read", .vector = "openat", .detail = "mem", .server = s, .count = 1});
}

static void nested_number(const void *arg)
{
	const char *what = arg;
	struct trigger t = trigger("in_pidns", "-n", pid_of(a), trigger_path(what), "IDLE",
				   !strcmp(what, "ptrace")	  ? "getregs"
				   : !strcmp(what, "proc_open")	  ? "mem"
				   : !strcmp(what, "pidfd_getfd") ? "0"
								  : NULL);

	require(!trigger_int(&t, "status"), "the namespace did not work");
	expect_nothing(mon);
}

static void child_attacked(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	struct trigger t;
	pid_t child;

	for (int i = 0; i < 200; i++)
		client_do(c, str("SET delay:%d x", i));
	client_do(c, "CONFIG SET rdb-key-save-delay 20000");
	client_do(c, "BGSAVE");
	sleep_ms(100);
	child = process_child(a->pid);
	client_do(c, "CONFIG SET rdb-key-save-delay 0");
	require(child, "BGSAVE has no child");
	t = trigger("vm_readv", str("%d", child));
	client_close(c);
	require(trigger_int(&t, "result") == 4096, "trigger read nothing");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .target_pid = child});
}

/* ---- nothing ------------------------------------------------------------------------------------ */

static void benign(const void *arg)
{
	struct trigger t = trigger("benign", pid_of(a), arg);

	require(!trigger_int(&t, "failed"), "%lld of it failed", trigger_int(&t, "failed"));
	expect_nothing(mon);
}

static void benign_unprivileged(const void *arg)
{
	trigger_nobody("benign", pid_of(a), arg);
	expect_nothing(mon);
}

static void benign_stranger(const void *arg)
{
	const char *const argv[] = {"sleep", "30", NULL};
	pid_t pid = child_start(argv, &(struct child_opts){});

	trigger("vm_readv", str("%d", pid));
	trigger("ptrace", str("%d", pid), "seize");
	trigger("proc_open", str("%d", pid), "mem");
	trigger("pidfd_getfd", str("%d", pid), "0");
	expect_nothing(mon);
}

/* with `comm` or `args` ps opens every process's environ, which is an alert */
static void benign_ps(const void *arg)
{
	struct run r = run_command(3000, "ps", "-e", "-o", "pid,ppid,stat,rss,time");

	if (r.status == 127)
		test_skip("no ps here");
	require(!r.status, "ps: %s", r.err);
	expect_nothing(mon);
}

static void background_save(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	const char *const load[] = {"redis-benchmark",
				    "--tls",
				    "--cacert",
				    cert_path(),
				    "-p",
				    str("%d", a->tls_port),
				    "-t",
				    "set,get",
				    "-n",
				    "15000",
				    "-r",
				    "10000",
				    "-d",
				    "128",
				    "-q",
				    NULL};
	pid_t pid = child_start(load, &(struct child_opts){});

	for (int i = 0; i < 6; i++) {
		client_do(c, i % 2 ? "BGREWRITEAOF" : "BGSAVE");
		sleep_ms(300);
	}
	require(strstr(client_do(c, "INFO persistence"), "rdb_last_bgsave_status:ok"),
		"BGSAVE failed");
	require(strstr(client_do(c, "INFO persistence"), "aof_last_bgrewrite_status:ok"),
		"BGREWRITEAOF failed");
	client_close(c);
	require(child_wait(pid, 20000) == 0, "redis-benchmark failed");
	expect_nothing(mon);
}

#define TRACE(...) &((const struct tracing){{__VA_ARGS__}})
#define OPEN(name, ...) &((const struct opening){.file = name, __VA_ARGS__})
#define DENIED(name, ...) &((const struct denial){.trigger = name, __VA_ARGS__})

static const struct test tests[] = {
	TEST("process_vm_readv names who did it, to whom, and that it worked", vm_readv),
	TEST("process_vm_readv of each of two instances names the right one",
	     vm_readv_right_instance),
	TEST("process_vm_readv by the id of a server's thread names thread and instance",
	     vm_readv_thread),
	TEST("process_vm_readv from an attacker's second thread names that thread",
	     vm_readv_by_thread),
	TEST("process_vm_readv behind an empty iovec is seen", vm_readv_decoy),
	TEST("process_vm_readv that faults is reported as failed with EFAULT", vm_readv_fault),
	TEST("process_vm_writev is a write, and the read before it a read", vm_writev),
	TEST("process_vm_writev behind an empty iovec is seen", vm_writev, .arg = "-d"),
	TEST("process_vm_writev by a thread's id, that faults, is reported as failed",
	     vm_writev_thread),
	TEST("a process that lives a millisecond is fully named", shortlived),

	TEST("ptrace attach and detach", ptrace_does, .arg = TRACE("attach")),
	TEST("ptrace of the second of two instances names the second", vm_readv_both_by_one),
	TEST("ptrace seize and interrupt", ptrace_does, .arg = TRACE("seize", "interrupt")),
	TEST("ptrace PEEKDATA is a read", ptrace_does, .arg = TRACE("attach", "peekdata")),
	TEST("ptrace PEEKTEXT is a read", ptrace_does, .arg = TRACE("attach", "peektext")),
	TEST("ptrace POKEDATA is a write", ptrace_does,
	     .arg = TRACE("attach", "peekdata", "pokedata")),
	TEST("ptrace POKETEXT is a write", ptrace_does,
	     .arg = TRACE("attach", "peektext", "poketext")),
	TEST("ptrace PEEKUSER and POKEUSER are a read and a write", ptrace_does,
	     .arg = TRACE("attach", "peekuser", "pokeuser")),
	TEST("ptrace GETREGS and SETREGS", ptrace_does,
	     .arg = TRACE("attach", "getregs", "setregs")),
	TEST("ptrace GETREGSET and SETOPTIONS", ptrace_does,
	     .arg = TRACE("attach", "getregset", "setoptions")),
	TEST("ptrace SYSCALL, SINGLESTEP and CONT", ptrace_does,
	     .arg = TRACE("attach", "syscall", "singlestep", "cont")),
	TEST("ptrace of a server's thread names the thread", ptrace_thread),
	TEST("a server started under its parent's trace (PTRACE_TRACEME) names the parent",
	     ptrace_traceme),
	TEST("a tracer older than the monitor is found by the sweep", traced_before),

	TEST("/proc/PID/mem opened for reading is a read", proc_open,
	     .arg = OPEN("mem", .rule = "mem-read")),
	TEST("/proc/PID/mem opened for writing is a write", proc_open,
	     .arg = OPEN("mem", .mode = "w", .rule = "mem-write")),
	TEST("/proc/PID/mem opened for both is a write", proc_open,
	     .arg = OPEN("mem", .mode = "rw", .rule = "mem-write")),
	TEST("/proc/PID/mem by open", proc_open,
	     .arg = OPEN("mem", .way = "open", .rule = "mem-read", .vector = "open")),
	TEST("/proc/PID/mem by openat2", proc_open,
	     .arg = OPEN("mem", .way = "openat2", .rule = "mem-read", .vector = "openat2")),
	TEST("/proc/PID/mem by creat is a write", proc_open,
	     .arg = OPEN("mem", .mode = "w", .way = "creat", .rule = "mem-write",
			 .vector = "creat")),
	TEST("/proc/PID/mem relative to an opened directory", proc_open,
	     .arg = OPEN("mem", .way = "dirfd", .rule = "mem-read")),
	TEST("/proc/PID/mem relative to the working directory", proc_open,
	     .arg = OPEN("mem", .way = "cwd", .rule = "mem-read")),
	TEST("/proc/PID/mem on another mount of procfs", proc_open,
	     .arg = OPEN("mem", .way = "mount", .rule = "mem-read")),
	TEST("/proc/PID/mem by O_PATH and reopening", proc_open,
	     .arg = OPEN("mem", .way = "opath", .rule = "mem-read")),
	TEST("/proc/PID/mem behind a symbolic link", proc_open,
	     .arg = OPEN("mem", .way = "symlink", .rule = "mem-read")),
	TEST("/proc/PID/mem by a name that userfaultfd swaps for another", proc_open_swapped),
	TEST("/proc/PID/mem by file handle", proc_open_handle),
	TEST("/proc/PID/task/TID/mem names the thread", proc_open_thread,
	     .arg = OPEN("mem", .way = "task", .rule = "mem-read")),
	TEST("/proc/TID/mem of a thread names the thread", proc_open_thread,
	     .arg = OPEN("mem", .rule = "mem-read")),
	TEST("/proc/PID/task/TID/maps names the thread", proc_open_thread,
	     .arg = OPEN("maps", .way = "task", .rule = "mem-inspect")),
	TEST("/proc/PID/mem through io_uring", uring, .arg = NULL),
	TEST("/proc/PID/mem through io_uring's own worker", uring, .arg = "async"),
	TEST("/proc/PID/mem through io_uring's polling thread", uring, .arg = "sqpoll"),
	TEST("process_vm_readv by what runs from a memfd", disguised,
	     .arg = DISGUISE("memfd", "memfd:disguise", true)),
	TEST("process_vm_readv by what runs from a deleted file", disguised,
	     .arg = DISGUISE("deleted", "cachewarden-disguise.", true)),
	TEST("process_vm_readv by what calls itself redis-server", disguised,
	     .arg = DISGUISE("title", "vm_readv")),
	TEST("/proc/PID/mem by a 32-bit system call", compat, .arg = "mem"),
	TEST("ptrace by a 32-bit system call", compat, .arg = "ptrace"),
	TEST("a stranger's mem by a 32-bit system call raises nothing", compat_stranger,
	     .arg = "mem"),
	TEST("ptrace of a stranger by a 32-bit system call raises nothing", compat_stranger,
	     .arg = "ptrace"),
	TEST("/proc/PID/maps", proc_open, .arg = OPEN("maps", .rule = "mem-inspect")),
	TEST("/proc/PID/smaps", proc_open, .arg = OPEN("smaps", .rule = "mem-inspect")),
	TEST("/proc/PID/smaps_rollup", proc_open,
	     .arg = OPEN("smaps_rollup", .rule = "mem-inspect")),
	TEST("/proc/PID/numa_maps", proc_open, .arg = OPEN("numa_maps", .rule = "mem-inspect")),
	TEST("/proc/PID/pagemap", proc_open, .arg = OPEN("pagemap", .rule = "mem-inspect")),
	TEST("/proc/PID/clear_refs", proc_open,
	     .arg = OPEN("clear_refs", .mode = "w", .rule = "mem-inspect")),
	TEST("/proc/PID/environ", proc_open, .arg = OPEN("environ", .rule = "mem-inspect")),
	TEST("/proc/PID/auxv", proc_open, .arg = OPEN("auxv", .rule = "mem-inspect")),
	TEST("/proc/PID/stack", proc_open, .arg = OPEN("stack", .rule = "mem-inspect")),
	TEST("/proc/PID/syscall", proc_open, .arg = OPEN("syscall", .rule = "mem-inspect")),
	TEST("/proc/PID/personality", proc_open, .arg = OPEN("personality", .rule = "mem-inspect")),
	TEST("/proc/PID/io", proc_open, .arg = OPEN("io", .rule = "mem-inspect")),
	TEST("/proc/PID/map_files", proc_open, .arg = OPEN("map_files", .rule = "mem-inspect")),
	TEST("/proc/PID/fd", proc_open, .arg = OPEN("fd", .rule = "mem-inspect")),
	TEST("/proc/PID/fdinfo", proc_open, .arg = OPEN("fdinfo", .rule = "mem-inspect")),
	TEST("/proc/PID/fdinfo/0", proc_open,
	     .arg = OPEN("fdinfo/0", .rule = "mem-inspect", .detail = "fdinfo")),
	TEST("/proc/PID/fd/N opened again takes a descriptor", proc_open,
	     .arg = OPEN("fd/N", .rule = "mem-fd")),
	TEST("a file below /proc/PID that does not exist raises nothing", proc_open_missing),

	TEST("pidfd_getfd takes a descriptor", getfd),
	TEST("pidfd_getfd of a descriptor that is not there is reported as failed", getfd_bad),

	TEST("process_vm_readv by nobody is reported as denied", denied,
	     .arg = DENIED(
		     "vm_readv",
		     .want = {.rule = "mem-read", .vector = "process_vm_readv", .err = EPERM})),
	TEST("process_vm_writev by nobody is reported as denied", denied,
	     .arg = DENIED(
		     "vm_writev", .arg = "-w",
		     .want = {.rule = "mem-write", .vector = "process_vm_writev", .err = EPERM})),
	TEST("ptrace attach by nobody is reported as denied", denied,
	     .arg = DENIED("ptrace", .arg = "attach",
			   .want = {.rule = "mem-trace",
				    .vector = "ptrace",
				    .detail = "PTRACE_ATTACH",
				    .err = EPERM})),
	TEST("ptrace seize by nobody is reported as denied", denied,
	     .arg = DENIED("ptrace", .arg = "seize",
			   .want = {.rule = "mem-trace",
				    .vector = "ptrace",
				    .detail = "PTRACE_SEIZE",
				    .err = EPERM})),
	TEST("/proc/PID/mem by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "mem",
			   .want = {.rule = "mem-read",
				    .vector = "openat",
				    .detail = "mem",
				    .err = EACCES})),
	TEST("/proc/PID/environ by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "environ",
			   .want = {.rule = "mem-inspect",
				    .vector = "openat",
				    .detail = "environ",
				    .err = EACCES})),
	TEST("/proc/PID/maps by nobody is reported as denied", denied,
	     .arg = DENIED("proc_open", .arg = "maps",
			   .want = {.rule = "mem-inspect",
				    .vector = "openat",
				    .detail = "maps",
				    .err = EACCES})),
	TEST("pidfd_getfd by nobody is reported as denied", denied,
	     .arg = DENIED("pidfd_getfd", .arg = "3",
			   .want = {.rule = "mem-fd", .vector = "pidfd_getfd", .err = EPERM})),

	TEST("20000 reads by one actor are one alert with the exact count", flood_loop),
	TEST("100 forked actors are 100 alerts", flood_actors, .arg = "actors"),
	TEST("100 actors that execute something first are 100 alerts", flood_actors,
	     .arg = "execs"),

	TEST("an attack inside a nested pid namespace, by the number in there, is seen", nested),
	TEST("/proc/PID/mem inside a nested pid namespace, by the number in there, is seen",
	     nested_trace),
	TEST("the instance's number in a nested namespace is somebody else: process_vm_readv",
	     nested_number, .arg = "vm_readv"),
	TEST("the instance's number in a nested namespace is somebody else: ptrace", nested_number,
	     .arg = "ptrace"),
	TEST("the instance's number in a nested namespace is somebody else: /proc/PID/mem",
	     nested_number, .arg = "proc_open"),
	TEST("the instance's number in a nested namespace is somebody else: pidfd_getfd",
	     nested_number, .arg = "pidfd_getfd"),
	TEST("an attack on the forked child that saves the database is one on the instance",
	     child_attacked),

	TEST("reading stat, status, cmdline and the like of an instance raises nothing", benign,
	     .arg = "look"),
	TEST("the same by nobody raises nothing", benign_unprivileged, .arg = "look"),
	TEST("a process that reads its own memory raises nothing", benign, .arg = "self"),
	TEST("a process that reads and traces its own child raises nothing", benign,
	     .arg = "child"),
	TEST("kill 0, getpgid, prlimit and the like upon an instance raise nothing", benign,
	     .arg = "signal"),
	TEST("the same attacks upon a process that is no instance raise nothing", benign_stranger),
	TEST("ps that asks for no names raises nothing", benign_ps),
	TEST("BGSAVE and BGREWRITEAOF under load raise nothing", background_save),
	{},
};

const struct suite memory_suite = {"memory", setup, NULL, tests};
