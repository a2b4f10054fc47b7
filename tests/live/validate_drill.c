/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate_drill.c - `cachewarden validate --drill` and `--drill-live`: that every attack is reported, by whose monitor, and what is
 * said where that cannot be judged.
 */
#include "validate.h"
#include "steps.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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
			expect_verdict(report, id, "skip", "no system call for it");
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

/* --- the decoy --- */

/* What is in its configuration while these drills run; the report goes to report. */
static char *decoy_config(const char *const *argv, int *ret_status)
{
	pid_t pid = child_start(argv, &(struct child_opts){});
	char *text = NULL;
	glob_t found;

	while (!child_ended(pid)) {
		if (!text && !glob("/run/cachewarden-decoy.*/decoy.conf", 0, NULL, &found)) {
			const char *seen = file_read(found.gl_pathv[0]);

			/* the last line of it */
			if (strstr(seen, "enable-module-command"))
				text = strdup(seen);
			globfree(&found);
		}
		sleep_ms(5);
	}
	*ret_status = child_wait(pid, 1000);
	require(text, "no decoy was seen");
	return text;
}

static const char *report_path(void)
{
	return str("%s/report.json", scratch);
}

static json_t *report_read(void)
{
	return report_of((struct run){.out = (char *)file_read(report_path()), .err = ""});
}

static const char *option_of(json_t *report, const char *name)
{
	json_t *options = json_object_get(json_object_get(report, "drills"), "options");

	return json_string_value(json_object_get(json_object_get(options, "taken"), name)) ?: "";
}

static const char *options_from(json_t *report)
{
	json_t *options = json_object_get(json_object_get(report, "drills"), "options");

	return json_string_value(json_object_get(options, "from")) ?: "";
}

/* A decoy that asks for a client certificate, speaks one suite and has threads: all drills are made on one like that. */
static void like_the_server(const void *arg)
{
	static const char *const lines[] = {"tls-protocols \"TLSv1.2\"\n",
					    "tls-ciphers \"ECDHE-ECDSA-AES256-GCM-SHA384\"\n",
					    "tls-auth-clients \"yes\"\n",
					    "io-threads \"3\"\n",
					    "appendonly \"yes\"\n",
					    "appendfsync \"always\"\n",
					    "maxmemory-policy \"allkeys-lru\"\n",
					    "enable-debug-command \"local\"\n",
					    "save 900 1\nsave 300 10\n"};
	struct server *s = prepare(
		false, USERS "tls-protocols TLSv1.2\ntls-ciphers ECDHE-ECDSA-AES256-GCM-SHA384\n"
			     "tls-auth-clients yes\nio-threads 3\nappendonly yes\n"
			     "appendfsync always\nmaxmemory-policy allkeys-lru\n"
			     "enable-debug-command local\nsave 900 1 300 10\n");
	const char *const argv[] = {MONITOR,
				    "validate",
				    "--drill",
				    "--format",
				    "json",
				    "--out",
				    report_path(),
				    PORT_OF(s),
				    AS_CHECK,
				    "--cert",
				    good_cert(),
				    "--key",
				    str("%s/good.key", scratch),
				    NULL};
	json_t *report;
	char *config;
	int status;

	server_run_with(s, as_server);
	config = decoy_config(argv, &status);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		require(strstr(config, lines[i]), "no %s in the decoy's configuration", lines[i]);
	report = report_read();
	expect_drills(report, NULL);
	require(!strcmp(options_from(report), "CONFIG GET"), "from %s", options_from(report));
	require(!strcmp(option_of(report, "io-threads"), "3"), "io-threads: %s",
		option_of(report, "io-threads"));
	expect_nothing_left();
}

#define SECRET "S3cret"

static void expect_no_secret(const char *text, const char *where)
{
	const char *secret = strstr(text, SECRET);

	require(!secret, "%s has %.*s", where, 12, secret);
	require(!strstr(text, PASSWORD), "%s has the password", where);
	/* a line of the key */
	require(!strstr(text, strchr(file_read(str("%s/good.key", scratch)), '\n')),
		"%s has the server's key", where);
}

/* With CONFIG out of reach, whoever validates has its file to go by. */
static void no_secret_reaches_the_decoy(const void *arg)
{
	const bool by_file = arg;
	struct server *s = prepare(
		false,
		str(USERS "requirepass " SECRET "-1\nmasterauth " SECRET "-2\n"
			  "masteruser " SECRET "-3\ntls-key-file-pass " SECRET "-4\n"
			  "rename-command FLUSHALL " SECRET "-5\ndbfilename " SECRET "-6\n"
			  "appendfilename " SECRET "-7\nuser other on >" SECRET "-8 +ping\n"
			  "syslog-ident " SECRET "-9\ntls-protocols TLSv1.3\n%s",
		    by_file ? "rename-command CONFIG " SECRET "-10\nset-proc-title no\n" : ""));
	const char *const argv[] = {MONITOR, "validate",    "--drill",	"--format", "json",
				    "--out", report_path(), PORT_OF(s), AS_CHECK,   NULL};
	json_t *report;
	char *config;
	int status;

	require(!chown(s->config, SERVER_UID, SERVER_UID), "chown: %s", strerror(errno));
	server_run_with(s, as_server);
	config = decoy_config(argv, &status);
	expect_no_secret(config, "the decoy's configuration");
	expect_no_secret(file_read(report_path()), "the report");
	report = report_read();
	expect_drills(report, NULL);
	require(strstr(config, "tls-protocols \"TLSv1.3\"") &&
			!strcmp(option_of(report, "tls-protocols"), "TLSv1.3"),
		"its options were not taken: %s", config);
	require(strstr(options_from(report), by_file ? "configuration file" : "CONFIG GET"),
		"from %s", options_from(report));
	expect_nothing_left();
}

/* --- what a monitor prevents --- */

/* What drills have to do first is an attack as well. */
static void prevented(const void *arg)
{
	static const char *const first[] = {"mem-fd", "tls-plaintext"};
	const bool all = arg;
	struct monitor *m =
		monitor_start("--policy",
			      policy_file(str("instances:\n  - name: all\n    rules:\n"
					      "      mem-fd: {mode: prevent}\n%s",
					      all ? "      mem-trace: {mode: prevent}\n"
						    "      mem-read: {mode: prevent}\n"
						    "      mem-write: {mode: prevent}\n"
						    "      tls-plaintext: {mode: prevent}\n"
						  : "")),
			      NULL);
	json_t *report = drills_on(good_server(), "--drill");

	require(strstr(judge_of(report), str("pid %d", m->pid)), "by %s", judge_of(report));
	expect_drills(report, NULL);
	expect_verdict(report, "drill-tls-writer", "pass",
		       str("prevented and reported as %s", first[all]));
	expect_verdict(report, "drill-tls-bypass", "pass", "prevented and reported as mem-fd");
}

/* --- a signal meanwhile --- */

static void interrupted(const void *arg)
{
	struct server *s = good_server();
	const char *errors = str("%s/errors", scratch);
	const char *const argv[] = {MONITOR, "validate",    "--drill",	"--format", "json",
				    "--out", report_path(), PORT_OF(s), AS_CHECK,   NULL};
	pid_t pid = child_start(argv, &(struct child_opts){.err = errors});
	glob_t found = {};
	long long began;
	json_t *report;
	int status;

	while (glob("/run/cachewarden-decoy.*/data/socket", 0, NULL, &found) == GLOB_NOMATCH) {
		require(!child_ended(pid), "it ended without a decoy: %s", file_read(errors));
		sleep_ms(5);
	}
	globfree(&found);
	began = now_ms();
	kill(pid, SIGINT);
	status = child_wait(pid, 10000 * patience);
	require(now_ms() - began < 2000LL * patience, "it took %lld ms", now_ms() - began);
	expect_nothing_left();
	report = report_read();
	expect_verdict(report, "drill-self-tamper", "skip", "stopped by a signal");
	require(WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
			strstr(file_read(errors), "SIGINT"),
		"status %x, says: %s", status, file_read(errors));
	require(!strcmp(of(json_object_get(report, "drills"), "interrupted"), "SIGINT"),
		"the report does not say so");
}

/* --- several monitors --- */

/* Answers every request with that, or closes, as a monitor does that does not know it. */
static pid_t monitor_that_answers(const char *answer)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int ready[2], fd, client;
	char request, whole[64];
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
		/* all of it: to close with something unread is a reset */
		if (recv(client, whole, sizeof(whole), 0) < 0 ||
		    send(client, answer, strlen(answer), MSG_NOSIGNAL) < 0)
			_exit(1);
		close(client);
	}
	_exit(0);
}

static void of_another_version(const void *arg)
{
	struct server *s = good_server();
	pid_t pid = monitor_that_answers("");
	json_t *report = drills_on(s, "--drill");

	expect_drills(report, NULL);
	require(strstr(judge_of(report), "validate's own") &&
			strstr(judge_of(report), str("pid %d", pid)) &&
			strstr(judge_of(report), "cannot be asked"),
		"by %s", judge_of(report));
	child_stop(pid, SIGKILL, 5000);
	unlink(run_path(str("%d.sock", pid)));
}

/* One of two knows the decoy, then two of three. */
static void of_several_the_one_that_watches(const void *arg)
{
	static const char nothing[] = "{\"version\":\"0\",\"seq\":0,\"gone\":0,\"events\":[],"
				      "\"instances\":[]}";
	struct monitor *m = monitor_start(NULL);
	pid_t blind = monitor_that_answers(nothing); /* a monitor that starts removes its socket */
	json_t *report = drills_on(good_server(), "--drill");

	expect_drills(report, NULL);
	require(strstr(judge_of(report), str("pid %d, ", m->pid)) &&
			strstr(judge_of(report), "the only one of 2"),
		"by %s", judge_of(report));
	monitor_start(NULL);
	report = drills_on(good_server(), "--drill");
	require(strstr(judge_of(report), "the one of 2 that watch"), "by %s", judge_of(report));
	child_stop(blind, SIGKILL, 5000);
	unlink(run_path(str("%d.sock", blind)));
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
	TEST("the decoy has the server's options, and all drills are made on it", like_the_server),
	TEST("no secret of the server reaches its decoy or a report", no_secret_reaches_the_decoy),
	TEST("nor where its configuration file is read for want of CONFIG GET",
	     no_secret_reaches_the_decoy, .arg = USERS),
	TEST("what mem-fd prevents is told as prevented", prevented),
	TEST("what everything prevents is told as prevented", prevented, .arg = USERS),
	TEST("Ctrl-C ends the drills at once, and leaves a report and nothing else", interrupted),
	TEST("of several monitors the one that watches has to report",
	     of_several_the_one_that_watches),
	TEST("a monitor that cannot be asked is replaced, and named", of_another_version),
	TEST("--drill-live attacks the server with what is harmless", on_the_server),
	TEST("what a container brings along is not run outside of it", container),
	TEST("a monitor that runs reports the validation", seen_by_a_monitor, .slow = true),
	{},
};

const struct suite validate_drill_suite = {"validate drill", NULL, NULL, tests};
