/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.c - a state that no hook saw come about is reported once, with its actor; what a hook reported is not
 * reported again; ordinary states raise nothing.
 *
 * The suite's setup prepares everything that has to be older than the monitor. The tests whose names begin with "from
 * before" check what the monitor reported at its start.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLED_MS 2500 /* by then the monitor regards a listening instance as started */
#define SWEEPS_MS 2500	/* at least two sweeps */

static struct server *a; /* a Redis */
static struct server *traced,
	*probed; /* Redis servers with a tracer and a uprobe from the beginning */
static struct server *writable, *shared,
	*merged; /* stand-ins that did it before the monitor started */
static struct trigger holders[4], prober;
static pid_t tracer, traced_thread;
static struct monitor *mon;

/* ---- things that stay ---------------------------------------------------------------------------- */

/* A process that counts as a server. It performs its action on SIGUSR1, or at its start if early. */
static struct server *standin(const char *what, const char *file, bool early)
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
	require(file_wait(out, "\n", 5000), "the stand-in said nothing: %s",
		file_read(str("%s.err", out)));
	return s;
}

static void standin_act(struct server *s)
{
	kill(s->pid, SIGUSR1);
	require(file_wait(s->log, "\"did\"", 5000), "the stand-in did nothing: %s",
		file_read(str("%s.err", s->log)));
}

/* strace a thread that is not the main one. */
static void trace_thread(struct server *s)
{
	const char *tid = strdup(str("%d", traced_thread = server_thread(s)));

	tracer = child_start(
		(const char *const[]){"/usr/bin/strace", "-q", "-o", "/dev/null", "-p", tid, NULL},
		&(struct child_opts){});
	require(file_wait(str("/proc/%d/task/%s/status", s->pid, tid),
			  str("TracerPid:\t%d\n", tracer), 5000),
		"strace does not trace");
}

static void setup(void)
{
	a = server_start(
		&(struct server_opts){.plain = true, .extra = "enable-module-command yes"});
	traced = server_start(&(struct server_opts){});
	probed = server_start(&(struct server_opts){});
	writable = standin("wx", NULL, true);
	shared = standin("memfd", NULL, true);
	merged = access("/sys/kernel/mm/ksm", F_OK) ? NULL : standin("ksm", NULL, true);
	holders[0] = trigger_stay("hold", pid_of(a), "mem");
	holders[1] = trigger_stay("hold", pid_of(a), "mem", "mount");
	holders[2] = trigger_stay("hold", pid_of(a), "pagemap");
	holders[3] = trigger_stay("hold", pid_of(a), "perf");
	prober = trigger_stay("uprobe", "-p", pid_of(probed));
	trace_thread(traced);
	mon = monitor_start("--sweep", "1", NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

/* ---- from before the monitor --------------------------------------------------------------------- */

/* The only finding of that rule about that server by that actor (0: no actor) since the monitor started. */
static json_t *found(const char *rule, const char *detail, const struct server *s, pid_t actor)
{
	json_t *one = NULL;

	monitor_poll(mon);
	for (size_t i = 0; i < mon->count; i++) {
		json_t *line = mon->lines[i];
		long long pid = alert_int(line, "actor.pid");

		if (strcmp(alert_str(line, "rule"), rule) ||
		    strcmp(alert_str(line, "detail"), detail) ||
		    alert_int(line, "instance.pid") != s->pid || (pid > 0 ? pid : 0) != actor)
			continue;
		require(!one, "%s %s of %d is told more than once", rule, detail, s->pid);
		one = line;
	}
	require(one, "no %s %s of %d by %d: %s", rule, detail, s->pid, actor, file_read(mon->out));
	require(!strcmp(alert_str(one, "found_by"), "sweep") &&
			!strcmp(alert_str(one, "vector"), "sweep"),
		"found by %s, vector %s", alert_str(one, "found_by"), alert_str(one, "vector"));
	require(!strcmp(alert_str(one, "outcome"), "unknown"), "outcome %s",
		alert_str(one, "outcome"));
	require(alert_int(one, "count") == 1, "count %lld", alert_int(one, "count"));
	return one;
}

struct before {
	int holder;
	const char *rule, *detail, *severity;
};

static void held_before(const void *arg)
{
	const struct before *b = arg;
	const struct trigger *t = &holders[b->holder];
	json_t *one = found(b->rule, b->detail, a, t->pid);

	require(!strcmp(alert_str(one, "actor.exe"), t->exe) && !alert_int(one, "actor.uid"),
		"actor is %s", alert_str(one, "actor.exe"));
	require(!strcmp(alert_str(one, "severity"), b->severity), "severity %s",
		alert_str(one, "severity"));
	require(alert_int(one, "actor.ancestors.0.pid") == getpid(), "parent is %lld",
		alert_int(one, "actor.ancestors.0.pid"));
	require(alert_int(one, "instance.target_pid") == a->pid, "target is %lld",
		alert_int(one, "instance.target_pid"));
}

static void traced_before(const void *arg)
{
	json_t *one = found("mem-trace", "", traced, tracer);

	require(!strcmp(alert_str(one, "actor.comm"), "strace"), "by %s",
		alert_str(one, "actor.comm"));
	require(alert_int(one, "instance.target_tid") == traced_thread, "thread %lld",
		alert_int(one, "instance.target_tid"));
}

static void probed_before(const void *arg)
{
	found("mem-probe", "breakpoints in its code, now or before", probed, 0);
	found("mem-probe", "perf event held", probed, prober.pid);
}

static void writable_before(const void *arg)
{
	json_t *one = found("mem-inject", "anonymous memory", writable, writable->pid);

	require(!strcmp(alert_str(one, "severity"), "critical"), "severity %s",
		alert_str(one, "severity"));
}

static void shared_before(const void *arg)
{
	json_t *one = found("mem-spill", "shared writable mapping", shared, 0);

	require(strstr(alert_str(one, "object"), "memfd:shared"), "it is %s",
		alert_str(one, "object"));
}

static void merged_before(const void *arg)
{
	if (!merged)
		test_skip("no KSM here");
	found("mem-spill", "KSM may merge its memory with others'", merged, 0);
}

/* Nothing but what the tests above expect: the ordinary state of Redis is no finding. */
static void ordinary_before(const void *arg)
{
	size_t n = 0;

	monitor_poll(mon);
	for (size_t i = 0; i < mon->count; i++)
		n += alert_int(mon->lines[i], "instance.pid") == a->pid &&
		     !strcmp(alert_str(mon->lines[i], "vector"), "sweep");
	require(n == 4, "%zu findings about a, not 4: %s", n, file_read(mon->out));
}

static void programs_before(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	size_t n = 0;

	sleep_ms(SWEEPS_MS);
	monitor_poll(m);
	for (size_t i = 0; i < m->count; i++) {
		json_t *line = m->lines[i];
		unsigned int id;

		if (strcmp(alert_str(line, "rule"), "mem-kernel"))
			continue;
		require(sscanf(alert_str(line, "detail"), "BPF program %u", &id) == 1,
			"detail is %s", alert_str(line, "detail"));
		require(!strcmp(alert_str(line, "found_by"), "sweep") &&
				alert_int(line, "count") == 1,
			"found by %s", alert_str(line, "found_by"));
		n++;
	}
	require(n, "the other monitor's programs were not found");
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++)
		require(strcmp(alert_str(mon->lines[i], "rule"), "mem-kernel") ||
				!strcmp(alert_str(mon->lines[i], "found_by"), "hook"),
			"what a hook told was found again: %s", alert_str(mon->lines[i], "detail"));
	monitor_stop(m, SIGTERM);
}

/* ---- held by others than those who got it -------------------------------------------------------- */

/* The hook's finding names the child that opened it, the sweep's the process that holds it now. */
static void passed(const void *arg)
{
	struct trigger t = trigger_stay("hold", pid_of(a), "mem", arg);

	expect(mon,
	       {.rule = "mem-read", .vector = "openat", .detail = "mem", .server = a, .count = 1},
	       {.rule = "mem-read",
		.vector = "sweep",
		.detail = "mem held open",
		.server = a,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
	require(alert_find(mon, "mem-read", trigger_int(&t, "got_by")),
		"the opener %lld is not named", trigger_int(&t, "got_by"));
}

/* On the monitor itself it is self-tamper, as every action on the monitor. */
static void passed_of_monitor(const void *arg)
{
	struct trigger t = trigger_stay("hold", str("%d", mon->pid), "mem", "scm");

	expect(mon, {.rule = "self-tamper", .vector = "openat", .detail = "mem", .count = 1},
	       {.rule = "self-tamper",
		.vector = "sweep",
		.detail = "mem held open",
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
}

static void told_by_hook(const void *arg)
{
	struct trigger t = trigger_stay("hold", pid_of(a), "mem", arg);

	sleep_ms(SWEEPS_MS);
	expect(mon,
	       {.rule = "mem-read", .vector = "openat", .detail = "mem", .server = a, .count = 1});
	require(alert_find(mon, "mem-read", t.pid), "the holder %d is not named", t.pid);
}

/* Hooks report a call when it returns, and this one never does. */
static void never_ends(const void *arg)
{
	struct trigger t = trigger_stay("stretched", pid_of(a), "read");

	require(trigger_true(&t, "taken"), "nothing was taken");
	expect(mon, {.rule = "mem-read",
		     .vector = "sweep",
		     .detail = "process_vm_readv under way",
		     .server = a,
		     .by = &t,
		     .outcome = "unknown",
		     .found_by = "sweep",
		     .count = 1});
	monitors_mark();
	child_stop(t.pid, SIGKILL, 2000); /* now the call ends, and the hook reports it too */
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .server = a,
		     .by = &t,
		     .count = 1});
}

static void strangers_never_ends(const void *arg)
{
	pid_t other = child_start((const char *const[]){"/usr/bin/sleep", "1000", NULL},
				  &(struct child_opts){});

	trigger_stay("stretched", str("%d", other), "read");
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

/* The number of a's descriptor for that client. */
static int client_fd(struct client *c)
{
	const char *at = strstr(client_do(c, "CLIENT INFO"), " fd=");

	require(at, "CLIENT INFO tells no descriptor");
	return atoi(at + 4);
}

static void connection_passed(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	struct trigger t = trigger_stay("hold", pid_of(a), str("fd/%d", client_fd(c)), "scm");

	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = a, .count = 1},
	       {.rule = "mem-fd",
		.vector = "sweep",
		.detail = "connection held",
		.server = a,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep",
		.count = 1});
	client_close(c);
}

static void connection_told(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	struct trigger t = trigger_stay("hold", pid_of(a), str("fd/%d", client_fd(c)));

	sleep_ms(SWEEPS_MS);
	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = a, .by = &t, .count = 1});
	client_close(c);
}

static void listener_passed(const void *arg)
{
	struct server *s = standin("grow", NULL, false);
	json_t *said = json_loads(file_read(s->log), JSON_DISABLE_EOF_CHECK, NULL);
	int fd = json_integer_value(json_object_get(said, "listener"));
	struct trigger t = trigger_stay("hold", pid_of(s), str("fd/%d", fd), "scm");

	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = s, .count = 1},
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
	t = trigger_stay("hold", pid_of(a), "mem", "scm");
	expect(m, {.rule = "mem-read", .vector = "openat", .server = a},
	       {.rule = "mem-read",
		.vector = "sweep",
		.server = a,
		.by = &t,
		.outcome = "unknown",
		.found_by = "sweep"});
	monitor_stop(m, SIGTERM);
}

/* ---- code ---------------------------------------------------------------------------------------- */

static const char *module_path(void)
{
	char *real = realpath("build/triggers/nothing.so", NULL);
	const char *path = str("%s", real ?: "");

	require(real, "build/triggers/nothing.so: %s (make tests)", strerror(errno));
	free(real);
	return path;
}

static void object_is(const char *rule, const char *path)
{
	json_t *alert = alert_find(mon, rule, 0);

	require(!strcmp(alert_str(alert, "object"), path), "object is %s, not %s",
		alert_str(alert, "object"), path);
}

static void module_loaded(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", true);
	const char *reply = client_do(c, str("MODULE LOAD %s", module_path()));

	require(!strncmp(reply, "+OK", 3), "MODULE LOAD: %s", reply);
	sleep_ms(SWEEPS_MS);
	expect(mon,
	       {.rule = "mem-inject", .vector = "mmap", .detail = "file", .server = a, .count = 1});
	object_is("mem-inject", module_path());
	client_close(c);
}

static void module_at_start(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = str("loadmodule %s", module_path())});

	sleep_ms(SETTLED_MS + SWEEPS_MS);
	require(file_has(s->log, "Module 'nothing' loaded"), "no module: %s", file_read(s->log));
	expect_nothing(mon);
}

struct injection {
	const char *what, *vector, *detail;
};

static void injected(const void *arg)
{
	const struct injection *in = arg;
	const char *file = strcmp(in->what, "file") ? NULL : trigger_path("vm_once");
	struct server *s = standin(in->what, file, false);

	sleep_ms(SETTLED_MS);
	standin_act(s);
	sleep_ms(SWEEPS_MS);
	expect(mon, {.rule = "mem-inject",
		     .vector = in->vector,
		     .detail = in->detail,
		     .server = s,
		     .count = 1});
	if (file)
		object_is("mem-inject", trigger_path("vm_once"));
}

static void allocates(const void *arg)
{
	struct server *s = standin("grow", NULL, false);

	sleep_ms(SETTLED_MS);
	standin_act(s);
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

static void probe_planted(const void *arg)
{
	struct trigger t = trigger_stay("uprobe");
	struct server *all[] = {a, traced, probed};
	struct want wants[3] = {};

	for (int i = 0; i < 3; i++)
		wants[i] = (struct want){.rule = "mem-probe",
					 .vector = "perf_event_open",
					 .detail = "uprobe",
					 .server = all[i],
					 .by = &t};
	sleep_ms(SWEEPS_MS);
	expect_alerts(mon, wants, 3);
}

/* ---- swap ---------------------------------------------------------------------------------------- */

#define ZRAM "/sys/block/zram0"

static void zram_off(void)
{
	run_command(5000, "swapoff", "/dev/zram0");
	file_write(ZRAM "/reset", "1");
}

static void swapped_out(const void *arg)
{
	struct server *s;
	long long end;
	json_t *alert;
	struct run r;

	if (access(ZRAM, F_OK) || strcmp(file_read(ZRAM "/disksize"), "0\n"))
		test_skip("no zram here to swap to, or it is in use");
	file_write(ZRAM "/disksize", "67108864");
	r = run_command(5000, "mkswap", "/dev/zram0");
	require(!r.status, "mkswap: %s", r.err);
	r = run_command(5000, "swapon", "/dev/zram0");
	require(!r.status, "swapon: %s", r.err);
	s = standin("swap", NULL, false);
	kill(s->pid, SIGUSR1);
	end = now_ms() + 8000 * patience;
	while (!(alert = alert_find(mon, "mem-spill", 0)) && now_ms() < end)
		sleep_ms(20);
	zram_off();
	require(alert && alert_int(alert, "instance.pid") == s->pid, "no mem-spill: %s",
		file_read(mon->out));
	require(strstr(alert_str(alert, "detail"), "pages swapped out, encrypted or in RAM") &&
			atoi(alert_str(alert, "detail")) > 1000,
		"detail is %s", alert_str(alert, "detail"));
	require(!strcmp(alert_str(alert, "severity"), "info"), "severity %s",
		alert_str(alert, "severity"));
}

/* ---- nothing ------------------------------------------------------------------------------------- */

/* A supervisor opens the listening socket, passes it to the server, and keeps it. */
static void handed_down(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger_stay("supervisor", REDIS_SERVER, s->config);

	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

/* The holder's own files, files of processes that are not instances, and files of an instance that anybody may read. */
static void own_files(const void *arg)
{
	const char *line = str("exec 3</proc/self/mem 4</proc/$$/maps 5</proc/%d/stat "
			       "6</proc/%d/status 7</proc/1/mem; echo up; sleep 60",
			       a->pid, a->pid);
	const char *out = str("%s/own_files", scratch);

	child_start((const char *const[]){"bash", "-c", line, NULL},
		    &(struct child_opts){.out = out});
	require(file_wait(out, "up", 3000), "bash did not come up");
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
}

/* ps and similar tools open and close: hooks report that, once. */
static void looked_at(const void *arg)
{
	struct run r = run_command(
		5000, "bash", "-c",
		str("for i in 1 2 3 4 5; do ls -l /proc/%d/fd >/dev/null; sleep 0.5; done",
		    a->pid));
	json_t *alert;

	require(!r.status, "ls: %s", r.err);
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++) {
		alert = mon->lines[i];
		if (alert_int(alert, "instance.pid") != a->pid)
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
	struct client *c = client_open(a, "127.0.0.1", true);

	for (int i = 0; i < 300; i++)
		client_do(c, str("SET sweep:%d x", i));
	client_do(c, "CONFIG SET rdb-key-save-delay 10000");
	client_do(c, "BGSAVE");
	sleep_ms(SWEEPS_MS);
	client_do(c, "CONFIG SET rdb-key-save-delay 0");
	client_close(c);
	expect_nothing(mon);
}

#define BEFORE(...)                                                                                \
	&(const struct before)                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define INJECTION(...)                                                                             \
	&(const struct injection)                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static const struct test tests[] = {
	TEST("from before: /proc/PID/mem held open", held_before,
	     .arg = BEFORE(0, "mem-read", "mem held open", "critical")),
	TEST("from before: the same through another mount of procfs", held_before,
	     .arg = BEFORE(1, "mem-read", "mem held open", "critical")),
	TEST("from before: /proc/PID/pagemap held open", held_before,
	     .arg = BEFORE(2, "mem-inspect", "pagemap held open", "medium")),
	TEST("from before: a perf event on the server", held_before,
	     .arg = BEFORE(3, "mem-probe", "perf event held", "high")),
	TEST("from before: a tracer of one thread", traced_before),
	TEST("from before: a breakpoint in the server's code, and who holds it", probed_before),
	TEST("from before: memory that was written and is executable", writable_before),
	TEST("from before: a memfd mapped shared and writable", shared_before),
	TEST("from before: memory that KSM may merge", merged_before),
	TEST("from before: nothing else about a Redis", ordinary_before),
	TEST("from before: another monitor's BPF programs, each once", programs_before),

	TEST("process_vm_readv that never ends", never_ends),
	TEST("process_vm_readv of a stranger that never ends raises nothing", strangers_never_ends),
	TEST("/proc/PID/mem sent over a socket: the receiver is a finding of its own", passed,
	     .arg = "scm"),
	TEST("/proc/PID/mem inherited by a child: the child is a finding of its own", passed,
	     .arg = "fork"),
	TEST("the monitor's own memory sent over a socket: the receiver tampers",
	     passed_of_monitor),
	TEST("/proc/PID/mem kept by who was seen to open it is told once", told_by_hook,
	     .arg = "self"),
	TEST("the same when it executes something else", told_by_hook, .arg = "exec"),
	TEST("a stolen connection sent over a socket: the receiver is a finding of its own",
	     connection_passed),
	TEST("a stolen connection kept by who was seen to take it is told once", connection_told),
	TEST("a stolen listening socket sent over a socket: the receiver is a finding of its own",
	     listener_passed),
	TEST("an alert brings a sweep where none is due", after_alert),

	TEST("MODULE LOAD names the module, once", module_loaded),
	TEST("a module loaded by the configuration at the start raises nothing", module_at_start),
	TEST("memory made executable after it was written", injected,
	     .arg = INJECTION("wx", "mprotect", "memory")),
	TEST("memory mapped writable and executable", injected,
	     .arg = INJECTION("rwx", "mmap", "writable memory")),
	TEST("a file mapped executable after the start", injected,
	     .arg = INJECTION("file", "mmap", "file")),
	TEST("a server that only allocates raises nothing", allocates),
	TEST("a breakpoint on libssl is one on every server that maps it", probe_planted),
	TEST("pages swapped out to compressed RAM are info", swapped_out),

	TEST("a listening socket kept by the supervisor that handed it down raises nothing",
	     handed_down),
	TEST("files of one's own and what everybody may read raise nothing", own_files),
	TEST("ls of /proc/PID/fd again and again is found by hooks alone, and low", looked_at),
	TEST("BGSAVE that lasts over sweeps raises nothing", background_save),
	{},
};

const struct suite sweep_suite = {"sweep", setup, teardown, tests};
