/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.c - a state that no hook saw come about is reported once, with its actor; what a hook reported is not
 * reported again; ordinary states raise nothing.
 *
 * This file has the suite's table, and tests descriptors that are held by another process than the one that opened
 * them. The other tests are in sweep_before.c and sweep_code.c.
 */
#include "sweep.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct server *sweep_redis;
struct monitor *sweep_mon;

struct server *standin_start(const char *what, const char *file, bool early)
{
	const char *exe = str("%s/standin/redis-server", scratch), *argv[8], *out;
	struct server *s = calloc(1, sizeof(*s));
	int n = 0;

	s->tls_port = port_free();
	s->name = "redis-server";
	out = strdup(str("%s/standin.%d", scratch, s->tls_port));
	snprintf(s->log, sizeof(s->log), "%s", out);
	if (access(exe, X_OK))
		file_copy(trigger_path("standin"), exe);
	argv[n++] = exe;
	argv[n++] = str("%d", s->tls_port);
	argv[n++] = what;
	if (file)
		argv[n++] = file;
	if (early)
		argv[n++] = "early";
	argv[n] = NULL;
	s->pid = child_start(argv, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	require(file_wait(out, "\n", 5000), "the stand-in printed nothing: %s",
		file_read(str("%s.err", out)));
	return s;
}

void standin_act(struct server *s)
{
	kill(s->pid, SIGUSR1);
	require(file_wait(s->log, "\"acted\"", 5000), "the stand-in did nothing: %s",
		file_read(str("%s.err", s->log)));
}

static void setup(void)
{
	sweep_redis = server_start(
		&(struct server_opts){.plain = true, .extra = "enable-module-command yes"});
	sweep_before_setup();
	sweep_mon = monitor_start("--sweep", "1", NULL);
	sweep_code_setup();
	sleep_ms(SWEEPS_MS); /* what is raised at its start is no test's, whichever is the first */
}

static void teardown(void)
{
	monitor_stop(sweep_mon, SIGTERM);
}

/* ---- held by another process than the opener --------------------------------------------------- */

/* The hook's finding names the child that opened it, the sweep's the process that holds it now. */
static void passed_on(const void *arg)
{
	struct trigger t = trigger_stay("hold", pid_of(sweep_redis), "mem", arg);

	expect(sweep_mon,
	       {.rule = "mem-read",
		.vector = "openat",
		.detail = "mem",
		.server = sweep_redis,
		.count = 1},
	       {.rule = "mem-read",
		.vector = "sweep",
		.detail = "mem held open",
		.server = sweep_redis,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
	require(alert_find(sweep_mon, "mem-read", trigger_int(&t, "opened_by")),
		"the opener %lld is not named", trigger_int(&t, "opened_by"));
}

/* On the monitor itself it is self-tamper, as every action on the monitor. */
static void passed_of_monitor(const void *arg)
{
	struct trigger t = trigger_stay("hold", str("%d", sweep_mon->pid), "mem", "scm");

	expect(sweep_mon, {.rule = "self-tamper", .vector = "openat", .detail = "mem", .count = 1},
	       {.rule = "self-tamper",
		.vector = "sweep",
		.detail = "mem held open",
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
}

static void kept_by_opener(const void *arg)
{
	struct trigger t = trigger_stay("hold", pid_of(sweep_redis), "mem", arg);

	sleep_ms(SWEEPS_MS);
	expect(sweep_mon, {.rule = "mem-read",
			   .vector = "openat",
			   .detail = "mem",
			   .server = sweep_redis,
			   .count = 1});
	require(alert_find(sweep_mon, "mem-read", t.pid), "the holder %d is not named", t.pid);
}

/* Hooks report a call when it returns, and this one never does. */
static void never_ends(const void *arg)
{
	struct trigger t = trigger_stay("stalled_call", pid_of(sweep_redis), "read");

	require(trigger_true(&t, "arrived"), "no byte arrived");
	expect(sweep_mon, {.rule = "mem-read",
			   .vector = "sweep",
			   .detail = "process_vm_readv under way",
			   .server = sweep_redis,
			   .by = &t,
			   .outcome = "unknown",
			   .found_by = "sweep",
			   .count = 1});
	monitors_mark();
	child_stop(t.pid, SIGKILL, 2000); /* now the call ends, and the hook reports it too */
	expect(sweep_mon, {.rule = "mem-read",
			   .vector = "process_vm_readv",
			   .server = sweep_redis,
			   .by = &t,
			   .count = 1});
}

static void never_ends_on_stranger(const void *arg)
{
	pid_t other = idle_start();

	trigger_stay("stalled_call", str("%d", other), "read");
	sleep_ms(SWEEPS_MS);
	expect_nothing(sweep_mon);
}

static void connection_passed(const void *arg)
{
	struct client *c = client_open(sweep_redis, "127.0.0.1", true);
	struct trigger t =
		trigger_stay("hold", pid_of(sweep_redis), str("fd/%d", client_fd(c)), "scm");

	expect(sweep_mon,
	       {.rule = "mem-fd", .vector = "pidfd_getfd", .server = sweep_redis, .count = 1},
	       {.rule = "mem-fd",
		.vector = "sweep",
		.detail = "connection held",
		.server = sweep_redis,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
	client_close(c);
}

static void connection_kept_by_taker(const void *arg)
{
	struct client *c = client_open(sweep_redis, "127.0.0.1", true);
	struct trigger t = trigger_stay("hold", pid_of(sweep_redis), str("fd/%d", client_fd(c)));

	sleep_ms(SWEEPS_MS);
	expect(sweep_mon, {.rule = "mem-fd",
			   .vector = "pidfd_getfd",
			   .server = sweep_redis,
			   .by = &t,
			   .count = 1});
	client_close(c);
}

static void listener_passed(const void *arg)
{
	struct server *s = standin_start("grow", NULL, false);
	json_t *said = json_loads(file_read(s->log), JSON_DISABLE_EOF_CHECK, NULL);
	int fd = json_integer_value(json_object_get(said, "listener"));
	struct trigger t = trigger_stay("hold", pid_of(s), str("fd/%d", fd), "scm");

	expect(sweep_mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = s, .count = 1},
	       {.rule = "mem-fd",
		.vector = "sweep",
		.detail = "listening socket held",
		.server = s,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
}

/* No sweep is due for a long time; the hook's alert triggers one. */
static void after_alert(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "0", NULL);
	struct trigger t;

	sleep_ms(SWEEPS_MS);
	monitors_mark();
	t = trigger_stay("hold", pid_of(sweep_redis), "mem", "scm");
	expect(m, {.rule = "mem-read", .vector = "openat", .server = sweep_redis},
	       {.rule = "mem-read",
		.vector = "sweep",
		.server = sweep_redis,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep"});
	monitor_stop(m, SIGTERM);
}

/* ---- raises nothing ------------------------------------------------------------------------------ */

/* A supervisor opens the listening socket, passes it to the server, and keeps it. */
static void listener_inherited(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger_stay("supervisor", REDIS_SERVER, s->config);

	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	sleep_ms(SWEEPS_MS);
	expect_nothing(sweep_mon);
}

/* A seccomp filter hands syscalls to whoever started the server: he may answer them, and put descriptors into it. */
static void answered(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger_stay("answerer", arg, REDIS_SERVER, s->config);

	s->pid = trigger_int(&t, "child");
	child_adopt(s->pid);
	server_ready(s);
	if (strcmp(arg, "hold")) {
		sleep_ms(SWEEPS_MS);
		expect_nothing(sweep_mon);
		return;
	}
	expect(sweep_mon, {.rule = "mem-trace",
			   .vector = "sweep",
			   .detail = "syscalls of it answered by another process (seccomp)",
			   .server = s,
			   .by = &t,
			   .outcome = "unknown",
			   .found_by = "sweep"});
}

/* A server that could send frames of its own: no packet of them passes a hook. */
static void other_family(const void *arg)
{
	struct server *s = standin_start("packet", NULL, true);

	expect(sweep_mon, {.rule = "tls-bypass",
			   .vector = "sweep",
			   .detail = "socket of a family that is neither IP, UNIX nor netlink",
			   .server = s,
			   .outcome = "unknown",
			   .found_by = "sweep"});
}

/* What it is no listener for: a process that is no instance. */
static void answered_stranger(const void *arg)
{
	trigger_stay("answerer", "hold", "/bin/sleep", "60");
	sleep_ms(SWEEPS_MS);
	expect_nothing(sweep_mon);
}

/* The holder's own files, files of processes that are not instances, and files of an instance that anybody may read. */
static void own_files(const void *arg)
{
	const char *line = str("exec 3</proc/self/mem 4</proc/$$/maps 5</proc/%d/stat "
			       "6</proc/%d/status 7</proc/1/mem; echo up; sleep 60",
			       sweep_redis->pid, sweep_redis->pid);
	const char *out = str("%s/own_files", scratch);

	child_start((const char *const[]){"bash", "-c", line, NULL},
		    &(struct child_opts){.out = out});
	require(file_wait(out, "up", 3000), "bash did not come up");
	sleep_ms(SWEEPS_MS);
	expect_nothing(sweep_mon);
}

/* ps and similar tools open and close: hooks report that, once. */
static void listed_repeatedly(const void *arg)
{
	struct run r = run_command(
		5000, "bash", "-c",
		str("for i in 1 2 3 4 5; do ls -l /proc/%d/fd >/dev/null; sleep 0.5; done",
		    sweep_redis->pid));
	json_t *alert;

	require(!r.status, "ls: %s", r.err);
	monitor_poll(sweep_mon);
	for (size_t i = sweep_mon->mark; i < sweep_mon->count; i++) {
		alert = sweep_mon->lines[i];
		if (alert_int(alert, "instance.pid") != sweep_redis->pid)
			continue;
		require(!strcmp(alert_str(alert, "found_by"), "hook") &&
				!strcmp(alert_str(alert, "severity"), "low"),
			"%s %s found by %s is %s", alert_str(alert, "rule"),
			alert_str(alert, "detail"), alert_str(alert, "found_by"),
			alert_str(alert, "severity"));
	}
}

static void background_save(const void *arg)
{
	struct client *c = client_open(sweep_redis, "127.0.0.1", true);

	for (int i = 0; i < 300; i++)
		client_do(c, str("SET sweep:%d x", i));
	client_do(c, "CONFIG SET rdb-key-save-delay 10000");
	client_do(c, "BGSAVE");
	sleep_ms(SWEEPS_MS);
	client_do(c, "CONFIG SET rdb-key-save-delay 0");
	client_close(c);
	expect_nothing(sweep_mon);
}

static const struct test tests[] = {
	TEST("from before: /proc/PID/mem held open", sweep_held_before,
	     .arg = HELD(0, "mem-read", "mem held open", "critical")),
	TEST("from before: the same through another mount of procfs", sweep_held_before,
	     .arg = HELD(1, "mem-read", "mem held open", "critical")),
	TEST("from before: /proc/PID/pagemap held open", sweep_held_before,
	     .arg = HELD(2, "mem-inspect", "pagemap held open", "medium")),
	TEST("from before: a perf event on the server", sweep_held_before,
	     .arg = HELD(3, "mem-probe", "perf event held", "high")),
	TEST("from before: a tracer of one thread", sweep_traced_before),
	TEST("from before: a breakpoint in the server's code, and who holds it",
	     sweep_probed_before),
	TEST("from before: memory that was written and is executable", sweep_writable_before),
	TEST("from before: a memfd mapped shared and writable", sweep_shared_before),
	TEST("from before: memory that KSM may merge", sweep_merged_before),
	TEST("from before: nothing else about a Redis", sweep_ordinary_before),
	TEST("from before: a BPF program, once; another monitor's raise nothing",
	     sweep_programs_before),

	TEST("process_vm_readv that never ends", never_ends),
	TEST("process_vm_readv of a stranger that never ends raises nothing",
	     never_ends_on_stranger),
	TEST("/proc/PID/mem sent over a socket: the receiver is a finding of its own", passed_on,
	     .arg = "scm"),
	TEST("/proc/PID/mem inherited by a child: the child is a finding of its own", passed_on,
	     .arg = "fork"),
	TEST("the monitor's own memory sent over a socket: the receiver tampers",
	     passed_of_monitor),
	TEST("/proc/PID/mem kept by who was seen to open it is told once", kept_by_opener,
	     .arg = "self"),
	TEST("the same when it executes something else", kept_by_opener, .arg = "exec"),
	TEST("a stolen connection sent over a socket: the receiver is a finding of its own",
	     connection_passed),
	TEST("a stolen connection kept by who was seen to take it is told once",
	     connection_kept_by_taker),
	TEST("a stolen listening socket sent over a socket: the receiver is a finding of its own",
	     listener_passed),
	TEST("syscalls of a server handed to a stranger by a seccomp filter", answered, "hold"),
	TEST("a packet socket of a server", other_family),
	TEST("a seccomp filter that hands them to nobody raises nothing", answered, "alone"),
	TEST("syscalls of a stranger handed to another raise nothing", answered_stranger),
	TEST("an alert brings a sweep where none is due", after_alert),

	TEST("MODULE LOAD names the module, once", sweep_module_loaded),
	TEST("a module loaded by the configuration at the start raises nothing",
	     sweep_module_at_start),
	TEST("memory made executable after it was written", sweep_injected,
	     .arg = INJECTION(STANDIN_WX, "mprotect", "memory")),
	TEST("memory mapped writable and executable", sweep_injected,
	     .arg = INJECTION(STANDIN_RWX, "mmap", "writable memory")),
	TEST("a file mapped executable after the start", sweep_injected,
	     .arg = INJECTION(STANDIN_FILE, "mmap", "file")),
	TEST("a server that only allocates raises nothing", sweep_allocates),
	TEST("pages swapped out to compressed RAM are info", sweep_swapped_out),

	TEST("a listening socket kept by the supervisor that handed it down raises nothing",
	     listener_inherited),
	TEST("files of one's own and what everybody may read raise nothing", own_files),
	TEST("ls of /proc/PID/fd again and again is found by hooks alone, and low",
	     listed_repeatedly),
	TEST("BGSAVE that lasts over sweeps raises nothing", background_save),
	{},
};

const struct suite sweep_suite = {"sweep", setup, teardown, tests};

static void alone_setup(void)
{
	sweep_redis = server_start(&(struct server_opts){});
	sweep_probed = server_start(&(struct server_opts){});
	sweep_mon = monitor_start("--sweep", "1", NULL);
}

static const struct test alone_tests[] = {
	TEST("a breakpoint on libssl is one on every server that maps it", sweep_probe_planted),
	{},
};

/* What concerns the servers of all tests. */
const struct suite sweep_alone_suite = {"sweep: alone", alone_setup, teardown, alone_tests};
