/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instances.c - which processes are instances, from when to when, and with which pid and name.
 */
#include "harness.h"

#include <sys/stat.h>
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct monitor *mon;
/* Started before the monitor. */
static struct server *early, *daemonized, *namespaced, *with_title, *nameless;
static struct server named = {.name = "sleep"};

/* Checks that an instance is watched: its memory, by main process and by thread, and its sockets. */
static void is_watched(struct monitor *m, struct server *s)
{
	struct trigger t = trigger("vm_readv", str("%d", s->pid));
	pid_t tid = server_thread(s);
	struct trigger u = trigger("proc_open", str("%d", tid), "mem"), v;
	struct want wire = {.rule = "tls-plaintext",
			    .wire = true,
			    .server = s,
			    .direction = "ingress",
			    .command = "PING"};

	expect(m, {.rule = "mem-read", .vector = "process_vm_readv", .server = s, .by = &t},
	       {.rule = "mem-read",
		.vector = "openat",
		.detail = "mem",
		.server = s,
		.by = &u,
		.target_tid = tid});
	if (!s->plain_port)
		return;
	monitors_mark();
	v = trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
	require(trigger_int(&v, "received") > 0, "the server did not answer");
	wire.remote_port = trigger_int(&v, "port");
	expect_alerts(m, &wire, 1);
}

static void started_before(const void *arg)
{
	struct server *const *s = arg;

	is_watched(mon, *s);
}

static void started_after(const void *arg)
{
	is_watched(mon, server_start(&(struct server_opts){.plain = true}));
}

static void first_moments(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	const char *const argv[] = {REDIS_SERVER, s->config, NULL};
	struct trigger t;

	s->pid = child_start(argv, &(struct child_opts){});
	sleep_ms(5); /* after execve(), before it listens */
	t = trigger("vm_readv", str("%d", s->pid));
	server_ready(s);
	if (trigger_int(&t, "result") != 4096)
		test_skip("too early or too late");
	expect(mon, {.rule = "mem-read",
		     .vector = "process_vm_readv",
		     .by = &t,
		     .outcome = "succeeded"});
	require(alert_int(alert_find(mon, "mem-read", 0), "instance.pid") == s->pid,
		"instance.pid is not %d", s->pid);
}

static void restarted(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.plain = true}), *again;

	is_watched(mon, s);
	server_stop(s, SIGKILL);
	monitors_mark();
	again = server_start(&(struct server_opts){.plain = true, .tls_port = s->tls_port});
	require(again->pid != s->pid, "same pid again");
	is_watched(mon, again);
}

static void executes_itself(const void *arg)
{
	struct server *s = server_start(
		&(struct server_opts){.plain = true, .extra = "enable-debug-command yes"});
	struct run r;

	is_watched(mon, s);
	r = run_command(5000, "redis-cli", "--tls", "--cacert", cert_path(), "-p",
			str("%d", s->tls_port), "DEBUG", "RESTART");
	for (int i = 0; i < 100 && r.status >= 0; i++) {
		char *log = file_read(s->log), *up = strstr(log, "Ready to accept connections");

		up = up ? strstr(up + 1, "Ready to accept connections") : NULL;
		free(log);
		if (up)
			break;
		require(i < 99, "it did not restart: %s", file_read(s->log));
		sleep_ms(50);
	}
	monitors_mark();
	is_watched(mon, s);
}

static void daemonized_after(const void *arg)
{
	is_watched(mon, server_start(&(struct server_opts){.plain = true, .daemonize = true}));
}

static void own_pidns(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.plain = true, .child = {.pidns = true}});

	trigger("vm_readv", "1"); /* that server in its namespace, but the host's init in ours */
	trigger("proc_open", "1", "mem");
	expect_nothing(mon);
	is_watched(mon, s);
}

static void own_netns(const void *arg)
{
	pid_t ns = netns_start();
	struct child_opts in = {.netns = ns};
	struct server *s = server_start(&(struct server_opts){.plain = true, .child = in});
	struct trigger t = trigger_in(&in, "plain_client", "127.0.0.1", str("%d", s->plain_port));

	require(trigger_int(&t, "received") > 0, "the server did not answer");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .direction = "ingress",
		     .command = "PING",
		     .remote_port = trigger_int(&t, "port")});
}

static void valkey(const void *arg)
{
	const char *exe = str("%s/bin/valkey-server", scratch);

	file_copy(REDIS_SERVER, exe);
	is_watched(mon, server_start(&(struct server_opts){.exe = exe, .plain = true}));
}

/* Only its first argument identifies it as a server, not its executable's name. */
static struct server *titled_server(const char *name)
{
	const char *exe = strdup(str("%s/bin/%s", scratch, name));
	const char *launch = strdup(str("%s/bin/launch-%s", scratch, name));
	struct server *s;

	file_copy(REDIS_SERVER, exe);
	file_write(launch, str("#!/bin/bash\nexec -a redis-server %s \"$@\"\n", exe));
	require(!chmod(launch, 0755), "chmod %s", launch);
	s = server_start(&(struct server_opts){.exe = launch, .plain = true});
	s->name = strdup(name);
	return s;
}

static void titled(const void *arg)
{
	is_watched(mon, titled_server("cache-one"));
}

static void with_version(const void *arg)
{
	const char *exe = strdup(str("%s/bin/redis-server-7.2", scratch));

	file_copy(REDIS_SERVER, exe);
	is_watched(mon, server_start(&(struct server_opts){.exe = exe, .plain = true}));
}

/* Nothing but what it is tells that it is a server. */
static struct server *nameless_server(const char *name)
{
	const char *exe = strdup(str("%s/bin/%s", scratch, name));

	file_copy(REDIS_SERVER, exe);
	return server_start(
		&(struct server_opts){.exe = exe, .plain = true, .extra = "set-proc-title no"});
}

#define UNWATCHED                                                                                   \
	"executables that look like a Redis server's and run unwatched: the monitor knows servers " \
	"by name, see --exe"

/* The first two characters of a name are looked up before the name is. */
static void short_name_with_version(const void *arg)
{
	struct monitor *m = monitor_start("--exe", "q", NULL);

	is_watched(m, nameless_server("q"));
	monitors_mark();
	is_watched(m, nameless_server("q-7"));
	monitor_stop(m, SIGTERM);
}

static void nameless_after(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", "--exe", "cache-known", NULL);
	const char *client = strdup(str("%s/bin/cache-cli", scratch));
	struct server *s;

	file_copy("/usr/bin/redis-cli", client);
	child_start((const char *const[]){client, "-p", strdup(str("%d", early->tls_port)), "--tls",
					  "--cacert", cert_path(), NULL},
		    &(struct child_opts){.keep_stdin = true});
	is_watched(m, nameless_server("cache-known"));
	s = nameless_server("cache-four");
	require(blind_count_wait(m, UNWATCHED, 0) == 1, "%ld executables are counted, not 1",
		blind_count(m, UNWATCHED));
	require(file_has(m->err, str("pid %d, %s/bin/cache-four, looks like a Redis server and is "
				     "not watched",
				     s->pid, scratch)),
		"not in the log: %s", file_read(m->err));
	monitor_stop(m, SIGTERM);
}

static void named_by_pid(const void *arg)
{
	struct trigger t = trigger("vm_readv", pid_of(&named));

	expect(mon, {.rule = "mem-read", .vector = "process_vm_readv", .server = &named, .by = &t});
}

static void not_an_instance(const void *arg)
{
	struct server *s = nameless_server("some-server");

	trigger("vm_readv", str("%d", s->pid));
	trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
	expect(mon, {.rule = "self-blind", .optional = true}); /* see nameless_after() */
}

static void client_is_no_instance(const void *arg)
{
	const char *const argv[] = {"redis-cli", "-p",	     str("%d", early->tls_port),
				    "--tls",	 "--cacert", cert_path(),
				    NULL};
	pid_t pid = child_start(argv, &(struct child_opts){.keep_stdin = true});

	sleep_ms(200);
	trigger("vm_readv", str("%d", pid));
	expect_nothing(mon);
}

static void pid_reused(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid_size = 1};
	pid_t old = s->pid, reused;
	struct trigger t;

	server_stop(s, SIGKILL);
	args.set_tid = (unsigned long)&old;
	reused = syscall(SYS_clone3, &args, sizeof(args));
	if (!reused) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		while (1)
			pause();
	}
	if (reused < 0)
		test_skip("cannot choose a pid here: %s", strerror(errno));
	child_adopt(reused);
	t = trigger("vm_readv", str("%d", old));
	require(trigger_int(&t, "result") >= 0 || trigger_int(&t, "errno") == EFAULT,
		"the trigger did not reach the heir");
	trigger("proc_open", str("%d", old), "mem");
	expect_nothing(mon);
}

static void many_instances(const void *arg)
{
	struct server *s[12];
	struct trigger t[12];
	struct want wants[12] = {};

	for (int i = 0; i < 12; i++)
		s[i] = server_start(&(struct server_opts){});
	for (int i = 0; i < 12; i++) {
		t[i] = trigger("proc_open", str("%d", s[i]->pid), "maps");
		wants[i] = (struct want){.rule = "mem-inspect",
					 .vector = "openat",
					 .detail = "maps",
					 .server = s[i],
					 .by = &t[i]};
	}
	expect_alerts(mon, wants, 12);
}

/* A cgroup that looks like a unit's; NULL where none can be made. */
static const char *unit_dir;

static void enter_unit(void)
{
	file_write(str("%s/cgroup.procs", unit_dir), "0");
}

static const char *unit_make(const char *name)
{
	static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	for (size_t r = 0; r < ARRAY_SIZE(roots); r++) {
		const char *dir = strdup(str("%s/%s", roots[r], name));

		if (!access(str("%s/cgroup.procs", roots[r]), W_OK) &&
		    (!mkdir(dir, 0755) || errno == EEXIST))
			return dir;
	}
	test_skip("no cgroup can be made here: %s", strerror(errno));
}

/* Two servers on one port, each in a network namespace and a unit of its own. */
static struct server *server_in_unit(const char *name, int port)
{
	unit_dir = unit_make(name);
	return server_start(&(struct server_opts){
		.tls_port = port, .child = {.netns = netns_start(), .setup = enter_unit}});
}

/* While both run, `policy check` says that the port alone names two. */
static void name_is_ambiguous(int port)
{
	const char *path = str("%s/two.yaml", scratch);
	struct run r;

	file_write(path, str("allow:\n  - {rule: mem-*, exe: /usr/bin/gdb, reason: planned, "
			     "instance: \"redis-server:%d\"}\n",
			     port));
	r = run_command(5000, "build/cachewarden", "policy", "check", path);
	require(!r.status, "status %d: %s", r.status, r.err);
	require(strstr(r.err, str("matches 2 servers that run (redis-server:%d@cw-one.service, "
				  "redis-server:%d@cw-two.service)",
				  port, port)),
		"policy check says: %s", r.err);
}

static void same_port(const void *arg)
{
	int port = port_free();
	struct server *s = server_in_unit("cw-one.service", port), *t;
	struct trigger of_s = trigger("proc_open", str("%d", s->pid), "maps"), of_t;
	json_t *alert;
	const char *uid;

	sleep_ms(SETTLE_MS);
	monitor_poll(mon);
	alert = alert_find(mon, "mem-inspect", of_s.pid);
	require(alert && !strcmp(alert_str(alert, "instance.name"), str("redis-server:%d", port)),
		"alone it is called %s", alert ? alert_str(alert, "instance.name") : "nothing");
	uid = strdup(alert_str(alert, "instance.uid"));
	require(!strncmp(uid, str("redis-server:%d@cw-one.service/", port), 27 + 5),
		"its uid is %s", uid);
	t = server_in_unit("cw-two.service", port);
	monitors_mark();
	of_s = trigger("proc_open", str("%d", s->pid), "maps");
	of_t = trigger("proc_open", str("%d", t->pid), "maps");
	sleep_ms(ALERT_MS);
	alert = alert_find(mon, "mem-inspect", of_s.pid);
	require(alert && !strcmp(alert_str(alert, "instance.uid"), uid), "its uid changed to %s",
		alert ? alert_str(alert, "instance.uid") : "nothing");
	require(!strcmp(alert_str(alert, "instance.name"),
			str("redis-server:%d@cw-one.service", port)),
		"beside the other it is called %s", alert_str(alert, "instance.name"));
	alert = alert_find(mon, "mem-inspect", of_t.pid);
	require(alert && !strcmp(alert_str(alert, "instance.name"),
				 str("redis-server:%d@cw-two.service", port)),
		"the other is called %s", alert ? alert_str(alert, "instance.name") : "nothing");
	require(strcmp(alert_str(alert, "instance.uid"), uid), "both have one uid");
	name_is_ambiguous(port);
	server_stop(s, SIGTERM);
	server_stop(t, SIGTERM);
	rmdir(unit_make("cw-one.service"));
	rmdir(unit_make("cw-two.service"));
}

static const char *uid_of(struct monitor *m, const struct server *s)
{
	struct trigger t = trigger("proc_open", pid_of(s), "maps");
	json_t *found = NULL;

	for (long long end = now_ms() + ALERT_MS * patience; !found && now_ms() < end; sleep_ms(10))
		found = alert_find(m, "mem-inspect", t.pid);
	require(found && alert_int(found, "instance.pid") == s->pid, "no alert about pid %d",
		s->pid);
	return str("%s", alert_str(found, "instance.uid"));
}

/* The first of two in one place is started again: it is the younger one then, but has its number. */
static void same_place(const void *arg)
{
	int port = port_free();
	const struct server_opts here = {.tls_port = port, .child = {.netns = netns_start()}},
				 there = {.tls_port = port, .child = {.netns = netns_start()}};
	struct monitor *m = monitor_start(NULL);
	struct server *one = server_start(&here), *two;
	const char *first, *second;

	sleep_ms(SETTLE_MS);
	two = server_start(&there);
	sleep_ms(SETTLE_MS);
	server_stop(one, SIGTERM);
	one = server_start(&here);
	sleep_ms(SETTLE_MS);
	first = uid_of(m, one);
	second = uid_of(m, two);
	require(!strstr(first, "#") && strstr(second, "#2/"), "they are %s and %s", first, second);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	m = monitor_start(NULL);
	require(!strcmp(uid_of(m, one), first), "%s became %s", first, uid_of(m, one));
	require(!strcmp(uid_of(m, two), second), "%s became %s", second, uid_of(m, two));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static void one_actor_two_instances(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct run r = run_command(
		5000, "sh", "-c",
		str("exec 3< /proc/%d/maps; exec 4< /proc/%d/maps", early->pid, s->pid));

	require(!r.status, "sh: %s", r.err);
	expect(mon,
	       {.rule = "mem-inspect",
		.vector = "openat",
		.detail = "maps",
		.server = early,
		.count = 1},
	       {.rule = "mem-inspect",
		.vector = "openat",
		.detail = "maps",
		.server = s,
		.count = 1});
}

static void setup(void)
{
	early = server_start(&(struct server_opts){.plain = true});
	daemonized = server_start(&(struct server_opts){.plain = true, .daemonize = true});
	namespaced = server_start(&(struct server_opts){.plain = true, .child = {.pidns = true}});
	with_title = titled_server("cache-two");
	nameless = nameless_server("cache-three");
	named.pid = child_start((const char *const[]){"/bin/sleep", "1000", NULL},
				&(struct child_opts){});
	mon = monitor_start("--pid", pid_of(&named), NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

static const struct test tests[] = {
	TEST("a server older than the monitor is watched", started_before, &early),
	TEST("a server started after the monitor is watched", started_after),
	TEST("a server is watched from its first moments", first_moments),
	TEST("a server killed and started again on its port is a new instance", restarted),
	TEST("a server that executes itself (DEBUG RESTART) stays watched", executes_itself),
	TEST("a server that goes into the background is watched under its final pid",
	     daemonized_after),
	TEST("a server that went into the background before the monitor is watched", started_before,
	     &daemonized),
	TEST("a server in a pid namespace of its own is watched, and no other process with that number",
	     own_pidns),
	TEST("the same in a pid namespace, with the server older than the monitor", started_before,
	     &namespaced),
	TEST("a server in a network namespace of its own is watched", own_netns),
	TEST("a server named valkey-server is watched under that name", valkey),
	TEST("a server of another name whose first argument says redis-server is watched", titled),
	TEST("the same by first argument, with the server older than the monitor", started_before,
	     &with_title),
	TEST("a server named with its version is watched", with_version),
	TEST("--exe: a name of one letter, also with its version", short_name_with_version),
	TEST("a server of another name that runs before the monitor is watched", started_before,
	     &nameless),
	TEST("one that starts later is reported as unwatched, unless --exe names it",
	     nameless_after),
	TEST("a process that --pid names is watched", named_by_pid),
	TEST("a server of another name is none", not_an_instance),
	TEST("redis-cli is no instance", client_is_no_instance),
	TEST("a stranger that got an ended instance's pid is none", pid_reused),
	TEST("twelve instances are kept apart", many_instances),
	TEST("two servers on one port are told apart by their units", same_port),
	TEST("two servers in one place keep their numbers when the monitor is started again",
	     same_place),
	TEST("one actor that touches two instances is an alert for each", one_actor_two_instances),
	{},
};

const struct suite instances_suite = {"instances", setup, teardown, tests};
