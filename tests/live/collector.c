/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * collector.c - the monitor starts, counts and ends as documented, and reports whatever it loses.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *a;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
}

static void attack(struct monitor *m)
{
	struct trigger t = trigger("vm_readv", pid_of(a));

	expect(m, {.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &t});
}

static void summary_is(struct monitor *m, long alerts)
{
	require(monitor_summary(m, "instance") >= 1, "no instances in the summary: %s",
		file_read(m->err));
	require(monitor_summary(m, "alert") == alerts, "%ld alerts in the summary, not %ld: %s",
		monitor_summary(m, "alert"), alerts, file_read(m->err));
	require(monitor_summary(m, "event") >= alerts, "too few events in the summary: %s",
		file_read(m->err));
	require(monitor_summary(m, "dropped") == 0, "something dropped: %s", file_read(m->err));
}

/* ---- start and end ----------------------------------------------------------------------------- */

static void idle(const void *arg)
{
	struct monitor *m = monitor_start(NULL);

	sleep_ms(1500);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(findings_count(m) == 0, "unexpected output: %s", file_read(m->out));
	summary_is(m, findings_all(m));
}

static void reports_coverage(const void *arg)
{
	struct monitor *m = monitor_start(NULL);

	require(file_has(m->err, "coverage full") || file_has(m->err, "coverage partial: "),
		"no coverage: %s", file_read(m->err));
	monitor_stop(m, SIGTERM);
}

static void stops_on_signal(const void *arg)
{
	struct monitor *m = monitor_start(NULL);

	attack(m);
	require(monitor_stop(m, arg ? SIGINT : SIGTERM) == 0, "exit code");
	summary_is(m, findings_all(m));
	require(findings_count(m) >= 1, "no findings");
}

static void stops_after_duration(const void *arg)
{
	long long begin = now_ms();
	struct monitor *m = monitor_start("--duration", "2", NULL);
	int status;

	attack(m);
	status = child_wait(m->pid, 10000);
	require(status != -1 && WIFEXITED(status) && !WEXITSTATUS(status), "status %d", status);
	require(now_ms() - begin >= 1900, "it ended after %lld ms", now_ms() - begin);
	summary_is(m, findings_all(m));
}

static void killed_then_restarted(const void *arg)
{
	struct monitor *m = monitor_start(NULL);

	attack(m);
	child_stop(m->pid, SIGKILL, 3000);
	m = monitor_start(NULL);
	monitors_mark();
	attack(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	summary_is(m, findings_all(m));
}

static void two_at_once(const void *arg)
{
	struct monitor *one = monitor_start(NULL), *two = monitor_start(NULL);
	struct trigger t = trigger("vm_readv", pid_of(a));
	struct trigger u = trigger("plain_client", "127.0.0.1", str("%d", a->plain_port));
	struct want wants[] = {
		{.rule = "mem-read", .vector = "process_vm_readv", .server = a, .by = &t},
		{.rule = "tls-plaintext",
		 .wire = true,
		 .server = a,
		 .command = "PING",
		 .remote_port = trigger_int(&u, "port")},
		/* each sees what the other one opens when it starts */
		{.rule = "mem-inspect", .optional = true, .many = true},
		{.rule = "rest-file", .optional = true, .many = true},
		{.rule = "tls-key", .optional = true, .many = true}};

	expect_alerts(one, wants, ARRAY_SIZE(wants));
	expect_alerts(two, wants, ARRAY_SIZE(wants));
	require(monitor_stop(one, SIGTERM) == 0, "exit code");
	monitors_mark();
	attack(two);
	require(monitor_stop(two, SIGTERM) == 0, "exit code");
}

static void without_cgroup2_setup(void)
{
	char line[1024], at[512], type[64];
	FILE *f = fopen("/proc/self/mounts", "re");

	if (!f || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(125);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %511s %63s", at, type) == 2 && !strcmp(type, "cgroup2") &&
		    umount2(at, MNT_DETACH))
			_exit(124);
	fclose(f);
}

static void without_cgroup2(const void *arg)
{
	const struct child_opts opts = {.setup = without_cgroup2_setup};
	const char *const argv[] = {MONITOR, "run", "--output", "json", "--events", NULL};
	struct monitor *m = monitor_start_with(&opts, argv);
	struct trigger t;

	monitor_ready(m);
	t = trigger("plain_client", "127.0.0.1", str("%d", a->plain_port));
	expect(m, {.rule = "tls-plaintext",
		   .wire = true,
		   .server = a,
		   .command = "PING",
		   .remote_port = trigger_int(&t, "port")});
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* ---- counting ----------------------------------------------------------------------------------- */

static void flood_exact(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t = trigger("flood", pid_of(a), "loop", "50000");

	require(trigger_int(&t, "result") == 50000, "the trigger did not make all calls");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	monitor_poll(m);
	require(alerts_total(m, "mem-read", a) == 50000, "counted %ld of 50000",
		alerts_total(m, "mem-read", a));
	require(findings_count(m) == 1, "%ld findings", findings_count(m));
	summary_is(m, findings_all(m));
}

static void updates_are_rare(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	long long begin = now_ms();
	struct trigger t = trigger("vm_readv", pid_of(a), "-r", "300", "-p", "10");
	size_t lines = 0, most;

	expect(m, {.rule = "mem-read",
		   .vector = "process_vm_readv",
		   .server = a,
		   .by = &t,
		   .count = 300});
	most = 3 + (now_ms() - begin) / 1000;
	for (size_t i = 0; i < m->count; i++)
		lines += alert_int(m->lines[i], "actor.pid") == t.pid;
	require(lines >= 3 && lines <= most, "%zu lines, not 3 to %zu", lines, most);
	monitor_stop(m, SIGTERM);
}

static void flush_at_end(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t = trigger("vm_readv", pid_of(a), "-r", "7");

	require(trigger_int(&t, "succeeded") == 7, "the trigger did not make all calls");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(alerts_total(m, "mem-read", a) == 7, "counted %ld of 7",
		alerts_total(m, "mem-read", a));
}

static void ring_full(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *number = arg;
	struct trigger t;
	long done, seen, dropped;

	kill(m->pid, SIGSTOP);
	t = trigger("flood", pid_of(a), "actors", number);
	done = trigger_int(&t, "result");
	require(done == atol(number), "the trigger made %ld calls", done);
	kill(m->pid, SIGCONT);
	sleep_ms(2500);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	seen = alerts_total(m, "mem-read", a);
	dropped = monitor_summary(m, "dropped");
	/* exact unless a server outside the tests is attacked meanwhile */
	require(seen + dropped == done ||
			(monitor_summary(m, "instance") > 1 && seen + dropped > done),
		"%ld counted + %ld dropped of %ld: %s", seen, dropped, done, file_read(m->err));
	require(seen >= 2000, "only %ld of %ld were counted", seen, done);
}

static void flood_hides_no_actor(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	const char *const flood[] = {trigger_path("flood"), pid_of(a), "loop", "100000000", NULL};
	struct want wants[2] = {
		{.rule = "mem-read", .vector = "process_vm_readv", .server = a},
		{.rule = "mem-inspect", .vector = "openat", .detail = "maps", .server = a}};
	pid_t pid = child_start(flood, &(struct child_opts){});
	struct trigger t;

	sleep_ms(300);
	t = trigger("proc_open", pid_of(a), "maps");
	wants[1].by = &t;
	expect_alerts(m, wants, 2);
	child_stop(pid, SIGTERM, 2000);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* ---- standard output ---------------------------------------------------------------------------- */

/* stdout fails: expect a clear message on stderr, an orderly end, and an exit code that is not success. */
static void stdout_broken(int fd, const char *reason)
{
	const struct child_opts opts = {.out_fd = fd, .err = str("%s/broken.err", scratch)};
	const char *const argv[] = {MONITOR, "run", "--output", "json", "--events", NULL};
	long long end = now_ms() + 15000 * patience;
	pid_t pid;
	int status;

	unlink(opts.err); /* left by an earlier run */
	pid = child_start(argv, &opts);
	while (!file_has(opts.err, "cachewarden: watching ")) {
		require(now_ms() < end, "monitor is not up: %s", file_read(opts.err));
		sleep_ms(10);
	}
	trigger("vm_readv", pid_of(a));
	trigger("proc_open", pid_of(a), "maps");
	require(file_wait(opts.err, reason, 3000), "stderr does not say \"%s\": %s", reason,
		file_read(opts.err));
	status = child_wait(pid, 500);
	if (status == -1)
		status = child_stop(pid, SIGTERM, 5000);
	require(status != -1, "the monitor did not end");
	require(WIFEXITED(status), "the monitor was ended by signal %d", WTERMSIG(status));
	require(WEXITSTATUS(status), "exit code 0 though alerts were lost");
}

static void stdout_closed(const void *arg)
{
	int fds[2];

	require(!pipe2(fds, O_CLOEXEC), "pipe");
	close(fds[0]);
	stdout_broken(fds[1], "Broken pipe");
}

static void stdout_full(const void *arg)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	require(fd > 0, "/dev/full: %s", strerror(errno));
	stdout_broken(fd, "No space left on device");
}

static void text(const void *arg)
{
	const char *const argv[] = {MONITOR, "run", "--output", "text", NULL};
	struct monitor *m = monitor_start_with(&(struct child_opts){}, argv);
	struct trigger t, u;
	char *out;

	m->is_text = true;
	monitor_ready(m);
	t = trigger("vm_readv", pid_of(a));
	u = trigger("plain_client", "127.0.0.1", str("%d", a->plain_port), "-c", "GET marble");
	/* another part of the tests may do the same to a server of its own */
	require(file_wait(m->out, str("vm_readv(%d)", t.pid), ALERT_MS), "no mem-read: %s",
		file_read(m->out));
	require(file_wait(m->out, str(":%lld -> ", trigger_int(&u, "port")), ALERT_MS),
		"no tls-plaintext: %s", file_read(m->out));
	sleep_ms(SETTLE_MS);
	out = file_read(m->out);
	require(strstr(out, str("%d", t.pid)) && strstr(out, "vm_readv") && strstr(out, pid_of(a)),
		"attacker or instance not named: %s", out);
	require(strstr(out, str("%lld", trigger_int(&u, "port"))) && strstr(out, "GET"),
		"connection or command not named: %s", out);
	require(!strstr(out, "marble"), "the key is in it: %s", out);
	require(!strchr(out, '\033'), "colour, though stdout is no terminal");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static const struct test tests[] = {
	TEST("nothing happens: nothing is printed", idle),
	TEST("it says what it covers once it watches", reports_coverage),
	TEST("SIGTERM ends it with a summary", stops_on_signal),
	TEST("SIGINT ends it with a summary", stops_on_signal, .arg = "int"),
	TEST("--duration ends it with a summary", stops_after_duration),
	TEST("killed, it leaves nothing that hinders the next one", killed_then_restarted),
	TEST("two monitors at once both see everything", two_at_once),
	TEST("without a mounted cgroup2 it mounts a private one", without_cgroup2),
	TEST("50000 reads are counted to the last one", flood_exact),
	TEST("counts are updated at most once a second", updates_are_rare),
	TEST("counts not yet told are told at the end", flush_at_end),
	TEST("a ring buffer that overflows loses nothing in silence", ring_full, .arg = "4000"),
	TEST("a table of attempts that overflows loses nothing in silence", ring_full,
	     .arg = "20000", .slow = true),
	TEST("a flood by one actor hides no other actor", flood_hides_no_actor),
	TEST("stdout closed by its reader is an error, clearly said", stdout_closed),
	TEST("stdout on a full device is an error, clearly said", stdout_full),
	TEST("text output names attacker, instance, connection and command", text),
	{},
};

const struct suite collector_suite = {"collector", setup, NULL, tests};
