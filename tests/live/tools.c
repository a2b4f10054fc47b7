/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools.c - real programs: debuggers, tracers and memory scanners are reported by name; tools that operators and
 * agents run all day raise no alert.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOOL_MS 20000
#define ARGS 16
#define RULES 4

static struct server *a;
static struct monitor *mon;

static void setup(void)
{
	/* reptyr refuses a process that shares its process group */
	a = server_start(&(struct server_opts){.plain = true, .child = {.setup = own_session}});
	mon = monitor_start("--sweep", "1", NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

/* Finds the program; skips the test if it is missing or does not work here. */
static const char *program_path(const char *name)
{
	static const char *const dirs[] = {"/usr/bin", "/usr/sbin", NULL};

	for (const char *const *dir = dirs; *dir; dir++)
		if (!access(str("%s/%s", *dir, name), X_OK))
			return str("%s/%s", *dir, name);
	test_skip("no %s here", name);
}

struct tool {
	const char *argv[ARGS]; /* PID and DIR are replaced by the server's pid and a directory */
	const char *comm;	/* the actor's comm; default: the program's name */
	const char *rules[RULES];
	int stop_ms;	    /* stopped after that; 0: it ends by itself */
	const char *unable; /* its message if it does not work on this kernel */
};

#define TOOL(...) &((const struct tool){__VA_ARGS__})

static const char *expand(const char *arg, const char *dir)
{
	const char *at;

	if ((at = strstr(arg, "PID")))
		return str("%.*s%s%s", (int)(at - arg), arg, pid_of(a), at + 3);
	if ((at = strstr(arg, "DIR")))
		return str("%.*s%s%s", (int)(at - arg), arg, dir, at + 3);
	return arg;
}

/* A new finding of that rule about our server by an actor with that comm. */
static json_t *finding_by(const char *rule, const char *comm)
{
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++) {
		json_t *line = mon->lines[i];

		if (!strcmp(alert_str(line, "rule"), rule) &&
		    !strcmp(alert_str(line, "actor.comm"), comm) &&
		    alert_int(line, "instance.pid") == a->pid)
			return line;
	}
	return NULL;
}

static const char *work_dir; /* some write their dumps to the current directory */

static void in_work_dir(void)
{
	if (chdir(work_dir))
		_exit(126);
}

static void attack(const void *arg)
{
	const struct tool *t = arg;
	static unsigned int nr;
	const char *argv[ARGS + 1] = {program_path(t->argv[0])}, *comm = t->comm ?: t->argv[0];
	const char *dir = strdup(str("%s/tool.%u", scratch, ++nr)),
		   *out = strdup(str("%s/out", dir));
	json_t *found;
	pid_t pid;
	int n = 1;

	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	for (; t->argv[n]; n++)
		argv[n] = expand(t->argv[n], dir);
	work_dir = dir;
	pid = child_start(argv, &(struct child_opts){.out = out, .err = out, .setup = in_work_dir});
	if (t->stop_ms) {
		sleep_ms(t->stop_ms);
		child_stop(pid, SIGINT, TOOL_MS);
	} else {
		child_wait(pid, TOOL_MS);
	}
	sleep_ms(SETTLE_MS);
	if (t->unable && file_has(out, t->unable))
		test_skip("%s does not work here: %s", t->argv[0], t->unable);
	for (int r = 0; r < RULES && t->rules[r]; r++) {
		found = finding_by(t->rules[r], comm);
		require(found, "expected %s of %s\n  nothing came\n%s", t->rules[r], comm,
			file_read(out));
		alert_caught(found);
	}
	server_responds(a);
}

/* ---- raises nothing -------------------------------------------------------------------------------- */

/*
 * Whatever is reported about our server or the monitor since the test began is observed only. Counts of what an earlier
 * test did may come later.
 */
static void only_observed(void)
{
	sleep_ms(SETTLE_MS);
	monitor_sync(mon);
	for (size_t i = mon->mark; i < mon->count; i++) {
		json_t *line = mon->lines[i];
		long long pid = alert_int(line, "instance.pid");

		require((pid != a->pid && pid != mon->pid) || alert_activity(line) != 1 ||
				!strcmp(alert_str(line, "verdict"), "observed"),
			"%s: %s %s of %s by %s", alert_str(line, "verdict"),
			alert_str(line, "severity"), alert_str(line, "rule"),
			alert_str(line, "vector"), alert_str(line, "actor.comm"));
	}
}

struct lister {
	const char *argv[ARGS];
	const char *rule, *comm; /* what it is reported as; NULL: not at all */
};

#define LISTER(...) &((const struct lister){__VA_ARGS__})

static void lister_benign(const void *arg)
{
	const struct lister *l = arg;
	const char *argv[ARGS + 1] = {program_path(l->argv[0])};

	for (int n = 1; l->argv[n]; n++)
		argv[n] = expand(l->argv[n], scratch);
	child_stop(child_start(argv, &(struct child_opts){.keep_stdin = true}), 0, 3000);
	only_observed();
	if (l->rule)
		require(finding_by(l->rule, l->comm ?: l->argv[0]), "%s of %s was not reported",
			l->rule, l->argv[0]);
}

/* Numbers about the whole process, whoever reads them. */
static void totals(const void *arg)
{
	run_command(3000, "/bin/cat", str("/proc/%d/%s", a->pid, (const char *)arg));
	expect(mon, {.rule = "mem-inspect",
		     .vector = "openat",
		     .detail = arg,
		     .server = a,
		     .verdict = "observed"});
}

static json_t *tamper_by(const char *comm, const char *verdict)
{
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++) {
		if (!strcmp(alert_str(mon->lines[i], "rule"), "self-tamper") &&
		    !strcmp(alert_str(mon->lines[i], "actor.comm"), comm) &&
		    !strcmp(alert_str(mon->lines[i], "verdict"), verdict))
			return mon->lines[i];
	}
	return NULL;
}

/* The ids, names and types of BPF objects, the monitor's among them; not their contents. */
static void bpf_listed(const void *arg)
{
	const char *bpftool = program_path("bpftool");

	run_command(10000, bpftool, "prog", "show");
	run_command(10000, bpftool, "map", "show");
	only_observed();
	require(tamper_by("bpftool", "observed"), "the listing was not seen");
	for (size_t i = mon->mark; i < mon->count; i++)
		require(strcmp(alert_str(mon->lines[i], "rule"), "mem-kernel") ||
				strcmp(alert_str(mon->lines[i], "actor.comm"), "bpftool"),
			"libbpf's probe is a finding: %s", alert_text(mon->lines[i]));
	monitors_mark();
	run_command(10000, bpftool, "map", "dump", "name", "procs");
	sleep_ms(SETTLE_MS);
	require(tamper_by("bpftool", "alert"), "a dump of the monitor's map raised no alert");
}

/* At the same path in a mount namespace of its own there is another program, which may do anything. */
static void brought_along(const void *arg)
{
	struct run r = run_command(
		5000, "/usr/bin/unshare", "-m", "/bin/bash", "-c",
		str("mount --bind /bin/cat /usr/bin/ps && exec /usr/bin/ps /proc/%d/environ",
		    a->pid));
	json_t *found;

	if (r.status)
		test_skip("no mount namespace here: %s", r.err);
	sleep_ms(SETTLE_MS);
	found = finding_by("mem-inspect", "ps");
	require(found, "nothing was reported");
	require(!strcmp(alert_str(found, "verdict"), "alert"),
		"a stranger's program passed for the host's ps");
}

/* A program that only has the name of an ordinary tool. */
static void disguised(const void *arg)
{
	const char *fake = str("%s/fake/ps", scratch);

	file_copy("/bin/cat", fake);
	run_command(3000, fake, str("/proc/%d/environ", a->pid));
	expect(mon, {.rule = "mem-inspect", .vector = "openat", .detail = "environ", .server = a});
	require(!strcmp(alert_str(alert_find(mon, "mem-inspect", 0), "severity"), "medium"),
		"the severity was lowered because of the name");
}

static void node_exporter(const void *arg)
{
	const char *exe = program_path("prometheus-node-exporter"),
		   *out = str("%s/exporter", scratch);
	int port = port_free();
	pid_t pid = child_start(
		(const char *const[]){exe, str("--web.listen-address=127.0.0.1:%d", port),
				      "--collector.processes", NULL},
		&(struct child_opts){.out = out, .err = out});

	require(file_wait(out, "Listening on", 5000), "no exporter: %s", file_read(out));
	for (int i = 0; i < 5; i++)
		run_command(
			5000, "bash", "-c",
			str("exec 3<>/dev/tcp/127.0.0.1/%d; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' "
			    ">&3; cat <&3 >/dev/null",
			    port));
	only_observed();
	child_stop(pid, SIGTERM, 3000);
}

static struct client *tls_client(const struct server *s)
{
	return client_open(s, "127.0.0.1", true);
}

static void wait_for_info(const struct server *s, const char *section, const char *text)
{
	struct client *c = tls_client(s);

	for (int i = 0; i < 200; i++) {
		if (strstr(client_do(c, str("INFO %s", section)), text)) {
			client_close(c);
			return;
		}
		sleep_ms(50);
	}
	test_fail("%s never said %s", s->dir, text);
}

/* A compressed hour of an ordinary host: load, saves, AOF rewrites, a replica, agents, a restart. */
static void mixed_load(const void *arg)
{
	static const char *const agents[][ARGS] = {{"ps", "-ef"},
						   {"ps", "axo", "pid,args,rss,pcpu"},
						   {"top", "-b", "-n", "1"},
						   {"pidof", "redis-server"},
						   {"lsof", "-n", "-P", "-i"},
						   {"ss", "-tlnp"}};
	struct server *b, *s = server_prepare(&(struct server_opts){
				  .extra = "appendonly yes\nsave 1 1\ntls-replication yes"});
	struct client *c;
	pid_t load;

	server_run(s);
	b = server_start(&(struct server_opts){
		.extra = str("tls-replication yes\nreplicaof 127.0.0.1 %d", s->tls_port)});
	load = benchmark_start(s, "-n", "40000", "-c", "10", "-t", "set,get");
	wait_for_info(s, "replication", "state=online");
	for (int round = 0; round < 3; round++) {
		c = tls_client(s);
		client_do(c, round % 2 ? "BGSAVE" : "BGREWRITEAOF");
		client_close(c);
		for (size_t i = 0; i < ARRAY_SIZE(agents); i++) {
			const char *argv[ARGS + 1] = {program_path(agents[i][0])};

			for (int n = 1; agents[i][n]; n++)
				argv[n] = agents[i][n];
			run_argv(5000, &(struct child_opts){}, argv);
		}
		sleep_ms(300);
	}
	child_wait(load, 30000);
	wait_for_info(s, "persistence", "rdb_bgsave_in_progress:0");
	server_stop(b, SIGTERM);
	server_stop(s, SIGTERM);
	server_run(s);
	sleep_ms(SETTLE_MS);
	monitor_poll(mon);
	for (size_t i = mon->mark; i < mon->count; i++) {
		const char *severity = alert_str(mon->lines[i], "severity");

		if (alert_int(mon->lines[i], "instance.pid") <= 0)
			continue;
		require(!strcmp(severity, "low") || !strcmp(severity, "info"),
			"too much: %s %s of %s by %s", severity, alert_str(mon->lines[i], "rule"),
			alert_str(mon->lines[i], "vector"), alert_str(mon->lines[i], "actor.comm"));
	}
	server_stop(s, SIGTERM);
}

static const struct test tests[] = {
	TEST("gdb", attack,
	     TOOL({"gdb", "-q", "-batch", "-p", "PID", "-ex", "bt 1"},
		  .rules = {"mem-trace", "mem-write", "mem-inspect"})),
	TEST("gcore", attack,
	     TOOL({"gcore", "-o", "DIR/core", "PID"}, "gdb",
		  .rules = {"mem-trace", "mem-write", "mem-inspect"})),
	TEST("strace", attack,
	     TOOL({"strace", "-f", "-o", "/dev/null", "-p", "PID"},
		  .rules = {"mem-trace", "mem-read"}, .stop_ms = 1500)),
	TEST("ltrace", attack,
	     TOOL({"ltrace", "-o", "/dev/null", "-p", "PID"}, .rules = {"mem-trace", "mem-write"},
		  .stop_ms = 1500)),
	TEST("scanmem", attack,
	     TOOL({"scanmem", "-p", "PID", "-c", "option region_scan_level 1;12345;exit"},
		  .rules = {"mem-trace", "mem-read", "mem-inspect"})),
	TEST("reptyr", attack, TOOL({"reptyr", "PID"}, .rules = {"mem-trace"})),
	TEST("procdump", attack,
	     TOOL({"procdump", "-n", "1", "-s", "1", "-p", "PID"}, "gdb",
		  .rules = {"mem-trace", "mem-write"})),
	TEST("lldb", attack,
	     TOOL({"lldb", "-b", "-p", "PID", "-o", "detach"}, "lldb-server-14.",
		  .rules = {"mem-trace", "mem-read", "mem-inspect"})),
	TEST("perf record", attack,
	     TOOL({"perf", "record", "-o", "DIR/data", "-p", "PID", "--", "sleep", "1"},
		  .rules = {"mem-probe", "mem-inspect"})),
	TEST("perf stat", attack,
	     TOOL({"perf", "stat", "-p", "PID", "--", "sleep", "1"}, .rules = {"mem-probe"})),
	TEST("bpftrace upon the server's code", attack,
	     TOOL({"bpftrace", "-e",
		   "uprobe:/usr/bin/redis-server:main { @ = count(); } interval:s:1 { exit(); }"},
		  .rules = {"mem-probe"})),
	TEST("criu", attack,
	     TOOL({"criu", "dump", "-t", "PID", "-D", "DIR", "--leave-running", "-j",
		   "--tcp-established"},
		  .rules = {"mem-trace", "mem-inspect"},
		  .unable = "Could not initialize kernel features detection")),
	{},
};

static const struct test benign_tests[] = {
	TEST("ps -ef", lister_benign, LISTER({"ps", "-ef"}, "mem-inspect")),
	TEST("ps axo args", lister_benign,
	     LISTER({"ps", "axo", "pid,args,pcpu,rss"}, "mem-inspect")),
	TEST("top", lister_benign, LISTER({"top", "-b", "-n", "1"})),
	TEST("htop", lister_benign, LISTER({"timeout", "2", "htop", "-d", "5"}, NULL)),
	TEST("pidof", lister_benign, LISTER({"pidof", "redis-server"})),
	TEST("pgrep", lister_benign, LISTER({"pgrep", "-f", "redis-server"})),
	TEST("pstree", lister_benign, LISTER({"pstree", "-p"})),
	TEST("lsof of the server", lister_benign,
	     LISTER({"lsof", "-n", "-P", "-p", "PID"}, "mem-inspect")),
	TEST("lsof of all sockets", lister_benign,
	     LISTER({"lsof", "-n", "-P", "-i"}, "mem-inspect")),
	TEST("ss -p", lister_benign, LISTER({"ss", "-tlnp"}, "mem-inspect")),
	TEST("fuser", lister_benign, LISTER({"fuser", "DIR"}, "mem-inspect")),
	TEST("smaps_rollup, read by anybody", totals, .arg = "smaps_rollup"),
	TEST("io, read by anybody", totals, .arg = "io"),
	TEST("bpftool lists BPF objects; a dump of the monitor's map is an alert", bpf_listed),
	TEST("what only calls itself ps is medium", disguised),
	TEST("a program mounted over ps is not ps", brought_along),
	TEST("a node exporter", node_exporter),
	TEST("an ordinary hour, compressed, raises nothing above low", mixed_load),
	{},
};

const struct suite tools_suite = {"tools", setup, teardown, tests};
const struct suite benign_suite = {"benign", setup, teardown, benign_tests};
