/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate_drill.c - `cachewarden validate --drill` and `--drill-live`: that every attack is reported, by whose monitor, and what is
 * said where that cannot be judged.
 */
#include "validate.h"
#include "steps.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DRILLS 20
#define MOST_MS 60000 /* docs: all drills */

static const char *judge_of(json_t *report)
{
	return json_string_value(json_object_get(json_object_get(report, "drills"), "monitor"))
		       ?: "";
}

static bool is_drill(json_t *check)
{
	return !strncmp(of(check, "id"), "drill-", 6);
}

/* Every one is made and passes, but for those in the list, which are skipped. */
static void expect_drills(json_t *report, const char *const *skipped)
{
	size_t i, made = 0;
	json_t *one;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		const char *id = of(one, "id");
		bool skip = false;

		if (!is_drill(one))
			continue;
		made++;
		for (size_t k = 0; skipped && skipped[k]; k++)
			skip = skip || !strcmp(skipped[k], id + strlen("drill-"));
		/* a kernel without modules and kexec has no way to load code */
		if (!strcmp(id, "drill-mem-kernel") && !strcmp(of(one, "verdict"), "skip"))
			expect_verdict(report, id, "skip", "Function not implemented");
		else
			expect_verdict(report, id, skip ? "skip" : "pass", skip ? "" : "after ");
	}
	require(made == DRILLS, "%zu drills", made);
}

static json_t *drills_on(struct server *s, const char *option)
{
	long long began = now_ms();
	json_t *report = report_of(validate("--format", "json", option, PORT_OF(s), AS_CHECK));

	require(now_ms() - began < MOST_MS * patience, "it took %lld ms", now_ms() - began);
	expect_nothing_left();
	require(!child_ended(s->pid), "the server ended");
	return report;
}

static struct server *good_server(void)
{
	struct server *s = prepare(false, USERS);

	server_run_with(s, as_server);
	return s;
}

static void by_own_monitor(const void *arg)
{
	json_t *report = drills_on(good_server(), "--drill");

	expect_drills(report, NULL);
	require(strstr(judge_of(report), "validate's own") && strstr(judge_of(report), "none runs"),
		"by %s", judge_of(report));
}

/* The monitor that runs has to report them, and does: no other one is started. */
static void by_running_monitor(const void *arg)
{
	static const char *const rules[] = {"mem-read",	   "mem-inject", "tls-listener",
					    "tls-writer",  "tls-bypass", "tls-midstream",
					    "tls-version", "tls-key",	 "self-tamper"};
	struct monitor *m = monitor_start(NULL);
	json_t *report = drills_on(good_server(), "--drill");

	expect_drills(report, NULL);
	require(strstr(judge_of(report),
		       str("the monitor that runs here, pid %d, version ", m->pid)),
		"by %s", judge_of(report));
	monitor_sync(m);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		require(file_has(m->out, str("\"rule\":\"%s\"", rules[i])),
			"%s is none of its alerts", rules[i]);
}

static void hidden_by_policy(const void *arg)
{
	char exe[PATH_MAX];
	const char *policy = policy_file(str("instances:\n"
					     "  - name: all\n"
					     "    rules:\n"
					     "      mem-write: {mode: off}\n"
					     "      mem-remote: {mode: observe}\n"
					     "allow:\n"
					     "  - {rule: mem-read, exe: %s, reason: drills}\n",
					     realpath(MONITOR, exe)));
	struct monitor *m = monitor_start("--policy", policy, NULL);
	json_t *report = drills_on(good_server(), "--drill");

	require(strstr(judge_of(report), str("pid %d", m->pid)), "by %s", judge_of(report));
	expect_drills(report, (const char *const[]){"mem-read", "mem-write", "mem-remote", NULL});
	expect_verdict(report, "drill-mem-write", "skip", "by its policy it is no alert: off");
	expect_verdict(report, "drill-mem-remote", "skip",
		       "by its policy it is no alert: observed");
	expect_verdict(report, "drill-mem-read", "skip",
		       str("by its policy it is no alert: allowed, %s:7", policy));
}

/* Takes a request and closes, as a monitor does that does not know it. */
static pid_t other_version(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int ready[2], fd, client;
	char request;
	pid_t pid;

	require(!mkdir(run_path(""), 0700) || errno == EEXIST, "mkdir: %s", strerror(errno));
	require(!pipe(ready), "pipe: %s", strerror(errno));
	pid = fork();
	if (pid) {
		child_adopt(pid);
		require(read(ready[0], &request, 1) == 1, "no socket");
		return pid;
	}
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", run_path(str("%d.sock", getpid())));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4) ||
	    write(ready[1], "", 1) != 1)
		_exit(1);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		if (recv(client, &request, 1, 0) < 0)
			_exit(1);
		close(client);
	}
	_exit(0);
}

static void of_another_version(const void *arg)
{
	struct server *s = good_server();
	pid_t pid = other_version();
	json_t *report = drills_on(s, "--drill");

	expect_drills(report, NULL);
	require(strstr(judge_of(report), "validate's own") &&
			strstr(judge_of(report), str("pid %d", pid)) &&
			strstr(judge_of(report), "cannot be asked"),
		"by %s", judge_of(report));
	child_stop(pid, SIGKILL, 5000);
	unlink(run_path(str("%d.sock", pid)));
}

/* It is attacked itself, by what does not change it: what does is not tried. */
static void on_the_server(const void *arg)
{
	static const char *const harmful[] = {"mem-trace", "mem-write", "mem-fd", "mem-dump",
					      "mem-inject", "tls-writer", "tls-bypass",
					      "tls-listener",
					      /* a good server does not speak them */
					      "tls-version", "tls-cipher", NULL};
	struct monitor *m = monitor_start(NULL);
	struct server *s = good_server();
	const char *limits = str("/proc/%d/limits", s->pid), *before;
	struct client *c;
	json_t *report;

	monitor_sync(m);
	before = file_read(limits);
	report = drills_on(s, "--drill-live");
	expect_drills(report, harmful);
	for (size_t i = 0; i < 8; i++)
		expect_verdict(report, str("drill-%s", harmful[i]), "skip",
			       "not on a server that serves: ");
	expect_verdict(report, "drill-tls-version", "skip", "cannot be tried here");
	require(before[0] && !strcmp(before, file_read(limits)), "a limit of it was changed");
	c = client_open(s, "127.0.0.1", true);
	require(strstr(client_do(c, "PING"), "NOAUTH"), "it does not serve any more");
	client_close(c);
	monitor_sync(m);
	require(alert_int(alert_find(m, "mem-read", 0), "instance.pid") == s->pid,
		"the alert is about another process");
	require(!alert_find(m, "mem-trace", 0) && !alert_find(m, "mem-inject", 0),
		"it was traced or changed");
}

static const char *own_dir(void)
{
	return str("%s/own", scratch);
}

/* A file system of its own, in which the server's executable lies. */
static void in_a_container(void)
{
	const char *copy = str("cp %s %s", REDIS_SERVER, own_dir());

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", own_dir(), "tmpfs", 0, "mode=755") ||
	    system(copy)) /* NOLINT(cert-env33-c): by root, in a test */
		_exit(126);
	as_server();
}

/* Run by its own user, who may change it, in a mount namespace of its own. */
static void in_a_namespace(void)
{
	if (unshare(CLONE_NEWNS))
		_exit(126);
	as_server();
}

static void run_as(struct server *s, const char *exe, void (*setup)(void))
{
	unlink(s->log); /* server_ready() must not find what an earlier run wrote */
	s->pid = child_start((const char *const[]){exe, s->config, NULL},
			     &(struct child_opts){.setup = setup});
	server_ready(s);
}

/* Its executable is not run where it could do more than in there. */
static void container(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	require(!mkdir(own_dir(), 0755), "mkdir: %s", strerror(errno));
	run_as(s, str("%s/redis-server", own_dir()), in_a_container);
	report = report_of(validate("--format", "json", "--drill", PORT_OF(s), AS_CHECK));
	expect_verdict(report, "drill-mem-read", "skip", "is in a container, or was replaced");
	expect_nothing_left();
	server_stop(s, SIGTERM);

	/* a service with mounts of its own executes the host's file */
	run_as(s, REDIS_SERVER, in_a_namespace);
	report = report_of(validate("--format", "json", "--drill", PORT_OF(s), AS_CHECK));
	expect_drills(report, NULL);
	expect_nothing_left();
	server_stop(s, SIGTERM);

	file_copy(REDIS_SERVER, str("%s/theirs/redis-server", scratch));
	require(!chown(str("%s/theirs/redis-server", scratch), SERVER_UID, SERVER_UID), "chown: %s",
		strerror(errno));
	run_as(s, str("%s/theirs/redis-server", scratch), in_a_namespace);
	report = report_of(validate("--format", "json", "--drill", PORT_OF(s), AS_CHECK));
	expect_verdict(report, "drill-mem-read", "skip",
		       "its executable is not run outside of that");
	expect_nothing_left();
}

/* What docs/validate.md says of a monitor that runs meanwhile. */
static void seen_by_a_monitor(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct server *s = prepare(false, USERS EVERYTHING);
	json_t *alert;
	struct run r;

	server_run_with(s, as_server);
	r = validate("--format", "json", PORT_OF(s), AS_CHECK);
	monitor_sync(m);
	alert = alert_find(m, "mem-inspect", r.pid);
	require(alert, "reading maps and environ was not reported");
	require(!strcmp(alert_str(alert, "actor.comm"), "cachewarden"), "by %s", alert_text(alert));
	require(alert_find(m, "tls-version", 0), "a session of TLS 1.0 was not reported");
}

static const struct test tests[] = {
	TEST("a monitor of its own reports every attack on a decoy, in time", by_own_monitor),
	TEST("the monitor that runs reports every attack on a decoy", by_running_monitor),
	TEST("what its policy hides is not judged, and the entry is named", hidden_by_policy),
	TEST("a monitor that cannot be asked is replaced, and named", of_another_version),
	TEST("--drill-live attacks the server with what is harmless", on_the_server),
	TEST("what a container brings along is not run outside of it", container),
	TEST("a monitor that runs reports the validation", seen_by_a_monitor, .slow = true),
	{},
};

const struct suite validate_drill_suite = {"validate drill", NULL, NULL, tests};
