/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate.c - `cachewarden validate` on servers that break one promise each, and on servers that do not answer. What it writes, and what
 * it makes of a monitor, are in validate_report.c, validate_watch.c and validate_drill.c.
 */
#include "validate.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_MS 5000 /* docs: a run without drills */
#define LIBSSL "/usr/lib/x86_64-linux-gnu/libssl.so.3"

static void with_other_library(void)
{
	setenv("LD_LIBRARY_PATH", str("%s/lib", scratch), 1);
	as_server();
}

static void as_root_with_other_library(void)
{
	setenv("LD_LIBRARY_PATH", str("%s/lib", scratch), 1);
}

/* The exit code is that of the worst verdict; what the host makes of it counts, too. */
static void expect_status(json_t *report, int status)
{
	bool fails = false, skips = false;
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		fails = fails || !strcmp(of(one, "verdict"), "fail");
		skips = skips || !strcmp(of(one, "verdict"), "skip");
	}
	require(status == (fails   ? 1
			   : skips ? 3
				   : 0),
		"exit code %d, fails %d, skips %d", status, fails, skips);
}

struct scenario {
	bool plain, open_files, as_root;
	void (*setup)(void); /* default: as the server's own user */
	const char *more;    /* configuration */
	const char *broken[24];
};

static void expose_files(struct server *s)
{
	require(!chmod(s->dir, 0755) && !chmod(s->key, 0644), "chmod");
	file_write(str("%s/old.rdb", s->dir), "");
	require(!chmod(str("%s/old.rdb", s->dir), 0644), "chmod");
}

static void other_library(void)
{
	file_copy(LIBSSL, str("%s/lib/libssl.so.3", scratch));
	require(!chown(str("%s/lib", scratch), NOBODY, NOBODY), "chown: %s", strerror(errno));
}

static void scenario(const void *arg)
{
	const struct scenario *c = arg;
	struct server *s = prepare(c->plain, c->more ?: USERS);
	long long began;
	json_t *report;
	struct run r;

	if (c->open_files)
		expose_files(s);
	if (c->setup == with_other_library || c->setup == as_root_with_other_library)
		other_library();
	server_run_with(s, c->setup ?: as_server);
	began = now_ms();
	/* "everything wrong" has no user to authenticate as, and needs none */
	r = c->as_root ? validate("--format", "json", PORT_OF(s))
		       : validate("--format", "json", PORT_OF(s), AS_CHECK);
	require(now_ms() - began < MOST_MS * patience, "it took %lld ms", now_ms() - began);
	report = report_of(r);
	expect_failures(report, c->broken);
	expect_status(report, r.status);
}
#define SCENARIO(...) &((const struct scenario){__VA_ARGS__})

/* --- what does not answer --- */

/* A stopped server: the kernel accepts connections, nobody answers. */
static void silent(const void *arg)
{
	struct server *s = prepare(true, USERS);
	long long began;
	json_t *report;
	struct run r;

	server_run_with(s, as_server);
	kill(s->pid, SIGSTOP);
	began = now_ms();
	r = validate("--format", "json", PORT_OF(s), AS_CHECK);
	kill(s->pid, SIGCONT);
	require(now_ms() - began < 5000LL * patience, "took %lld ms", now_ms() - began);
	report = report_of(r);
	require(!strcmp(of(check_of(report, "tls-plain-port"), "verdict"), "skip") &&
			strstr(of(check_of(report, "tls-plain-port"), "seen"), "within a second"),
		"not told to be silent: %s", of(check_of(report, "tls-plain-port"), "seen"));
	require(!strcmp(of(check_of(report, "rest-data"), "verdict"), "skip"),
		"judged unseen files");
	require(r.status != 0, "a server that does not answer kept its promises");
}

static void wrong_password(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", PORT_OF(s), "--user", "check",
				    "--password-file", password_file("wrong-" PASSWORD),
				    SERVER_USER));
	require(strstr(of(check_of(report, "rest-data"), "seen"), "WRONGPASS"), "not told: %s",
		of(check_of(report, "rest-data"), "seen"));
	report = report_of(validate("--format", "json", PORT_OF(s)));
	require(!strcmp(of(check_of(report, "rest-key"), "verdict"), "skip") &&
			strstr(of(check_of(report, "rest-key"), "seen"), "NOAUTH"),
		"not told: %s", of(check_of(report, "rest-key"), "seen"));
	require(!strcmp(of(check_of(report, "rest-auth"), "verdict"), "pass"), "INFO was answered");
}

/* Anybody may call his process redis-server: only users that are expected are sent a password. */
static void unexpected_user(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;
	struct run r;

	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", PORT_OF(s), "--user", "check",
				    "--password-file", password_file(PASSWORD)));
	require(!strcmp(of(check_of(report, "rest-data"), "verdict"), "skip") &&
			strstr(of(check_of(report, "rest-data"), "seen"),
			       "--server-user " SERVER_UID_TEXT),
		"%s", of(check_of(report, "rest-data"), "seen"));
	require(!strcmp(of(check_of(report, "rest-auth"), "verdict"), "pass"), "%s",
		of(check_of(report, "rest-auth"), "seen"));
	r = validate(PORT_OF(s), "--server-user", "nobody");
	require(r.status == 3 && strstr(r.err, "no such server"), "exit code %d: %s", r.status,
		r.err);
	r = validate(PORT_OF(s), "--server-user", "no-such-user");
	require(r.status == 2 && strstr(r.err, "no-such-user"), "exit code %d: %s", r.status,
		r.err);
}

/* How often somebody failed to authenticate, by the server's own log. */
static int failed_logins(struct server *s)
{
	struct client *c = client_open(s, "127.0.0.1", true);
	const char *reply;
	int n = 0;

	require(strstr(client_do(c, "AUTH admin x"), "OK"), "admin is not let in");
	for (reply = client_do(c, "ACL LOG"); (reply = strstr(reply, "reason")); reply++)
		n++;
	client_close(c);
	return n;
}

/* With --ca the certificate is verified before AUTH: what fails that is sent no password. */
static void unverified(const void *arg)
{
	struct server *s = prepare(false, USERS "user admin on nopass +@all\n");
	const char *wrong = password_file("wrong-" PASSWORD), *other = str("%s/other.pem", scratch);
	json_t *report;
	struct run r;

	server_run_with(s, as_server);
	file_write(other, file_read(cert_path()));
	report = report_of(validate("--format", "json", PORT_OF(s), "--user", "check",
				    "--password-file", wrong, SERVER_USER, "--ca", other));
	require(strstr(of(check_of(report, "rest-data"), "seen"), "--ca does not vouch for"), "%s",
		of(check_of(report, "rest-data"), "seen"));
	report = report_of(validate("--format", "json", PORT_OF(s), "--user", "check",
				    "--password-file", wrong, SERVER_USER, "--ca", good_cert(),
				    "--host", "elsewhere.example"));
	require(strstr(of(check_of(report, "rest-data"), "seen"), "another name"), "%s",
		of(check_of(report, "rest-data"), "seen"));
	require(failed_logins(s) == 0, "a password was sent");
	/* the same to a server that passes, which shows that it would have been seen */
	report = report_of(validate("--format", "json", PORT_OF(s), "--user", "check",
				    "--password-file", wrong, SERVER_USER, "--ca", good_cert()));
	require(strstr(of(check_of(report, "rest-data"), "seen"), "WRONGPASS"), "%s",
		of(check_of(report, "rest-data"), "seen"));
	require(failed_logins(s) == 1, "no password was sent");
	report = report_of(validate("--format", "json", PORT_OF(s), AS_CHECK, "--ca", good_cert(),
				    "--host", "localhost"));
	require(!strcmp(of(check_of(report, "rest-data"), "verdict"), "pass"), "%s",
		of(check_of(report, "rest-data"), "seen"));
	r = validate(PORT_OF(s), AS_CHECK, "--ca", str("%s/none.pem", scratch));
	require(r.status == 2 && strstr(r.err, "none.pem"), "exit code %d: %s", r.status, r.err);
}

/* Calls itself a server, and writes down what it is sent. */
static pid_t impostor(void (*setup)(void), const char *port, const char *log)
{
	const char *exe = str("%s/impostor/redis-server", scratch);
	pid_t pid;

	file_copy(trigger_path("impostor"), exe);
	pid = child_start((const char *const[]){exe, port, NULL},
			  &(struct child_opts){.out = log, .setup = setup});
	wait_listening(atoi(port));
	return pid;
}

static void expect_no_password(const char *log)
{
	const char *sent = file_read(log);

	require(strstr(sent, "INFO"), "it was asked nothing: %s", sent);
	require(!strstr(sent, "AUTH") && !strstr(sent, PASSWORD), "it was sent a password: %s",
		sent);
}

static void impostors(const void *arg)
{
	const char *log = str("%s/impostor.log", scratch);
	const char *port = str("%d", port_free());
	json_t *report;
	pid_t pid;

	pid = impostor(become_nobody, port, log);
	report = report_of(validate("--format", "json", "--port", port, "--password-file",
				    password_file(PASSWORD)));
	require(strstr(of(check_of(report, "rest-data"), "seen"),
		       "nothing secret is sent to uid 65534"),
		"%s", of(check_of(report, "rest-data"), "seen"));
	expect_no_password(log);
	child_stop(pid, SIGKILL, 5000);
	/* it runs as the right user, but has no certificate to show */
	pid = impostor(as_server, port, log);
	report = report_of(
		validate("--format", "json", "--port", port, AS_CHECK, "--ca", good_cert()));
	require(strstr(of(check_of(report, "rest-data"), "seen"), "it speaks no TLS"), "%s",
		of(check_of(report, "rest-data"), "seen"));
	expect_no_password(log);
	child_stop(pid, SIGKILL, 5000);
}

static void readable_password_file(const void *arg)
{
	struct server *s = prepare(false, USERS);
	const char *path = password_file(PASSWORD);
	struct run r;

	server_run_with(s, as_server);
	chmod(path, 0644);
	r = validate(PORT_OF(s), "--user", "check", "--password-file", path, SERVER_USER);
	require(r.status == 2 && strstr(r.err, "0600"), "exit code %d: %s", r.status, r.err);
}

/* Without the certificate it is not asked: the plain port is there, but the password is for TLS. */
static void client_certificate(const void *arg)
{
	struct server *s = prepare(true, USERS "tls-auth-clients yes\n");
	const char *key = str("%s/good.key", scratch);
	json_t *report;

	server_run_with(s, as_server);
	report = report_of(
		validate("--format", "json", "--profile", "strict", PORT_OF(s), AS_CHECK));
	require(!strcmp(of(check_of(report, "tls-client-cert"), "verdict"), "pass"), "%s",
		of(check_of(report, "tls-client-cert"), "seen"));
	require(!strcmp(of(check_of(report, "tls-cert-chain"), "verdict"), "skip") &&
			strstr(of(check_of(report, "tls-cert-chain"), "seen"), "--ca"),
		"%s", of(check_of(report, "tls-cert-chain"), "seen"));
	require(!strcmp(of(check_of(report, "rest-data"), "verdict"), "skip"), "was let in");
	report = report_of(validate("--format", "json", PORT_OF(s), AS_CHECK, "--cert", good_cert(),
				    "--key", key));
	expect_failures(report, (const char *const[]){"tls-plain-port", NULL});
}

static void ipv6_alone(const void *arg)
{
	struct server *s = prepare(false, USERS "bind ::1\n");

	server_run_with(s, as_server);
	expect_failures(report_of(validate("--format", "json", PORT_OF(s), AS_CHECK)),
			(const char *const[]){NULL});
}

static void unix_socket_alone(const void *arg)
{
	const char *dir = str("%s/unix", scratch);
	struct server *s = prepare(
		false,
		str("tls-port 0\nunixsocket %s/redis.sock\nunixsocketperm 700\n" USERS, dir));
	json_t *report;

	require(!mkdir(dir, 0755) && !chown(dir, SERVER_UID, SERVER_UID), "mkdir %s", dir);
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, NULL},
			     &(struct child_opts){.setup = as_server});
	require(file_wait(s->log, "ready to accept connections at", 8000 * patience), "not up: %s",
		file_read(s->log));
	report = report_of(validate("--format", "json", "--instance", "redis-server", AS_CHECK));
	expect_failures(report, (const char *const[]){NULL});
	require(strstr(of(check_of(report, "unix-socket"), "seen"), "0700"), "%s",
		of(check_of(report, "unix-socket"), "seen"));
}

static void by_nobody(const void *arg)
{
	static const struct child_opts nobody = {.setup = become_nobody};
	const char *exe = str("%s/bin/cachewarden", scratch);
	struct server *s = prepare(false, USERS);
	json_t *report;
	struct run r;

	server_run_with(s, as_server);
	file_copy(MONITOR, exe);
	r = run_with(&nobody, 20000 * patience, exe, "validate", "--format", "json", PORT_OF(s));
	report = report_of(r);
	require(!strcmp(of(check_of(report, "tls-versions"), "verdict"), "pass"), "%s",
		of(check_of(report, "tls-versions"), "seen"));
	require(!strcmp(of(check_of(report, "mem-code"), "verdict"), "skip") &&
			strstr(of(check_of(report, "mem-code"), "seen"), "root"),
		"%s", of(check_of(report, "mem-code"), "seen"));
	require(r.status != 0, "exit code 0, with checks that could not be made");
}

static void none_or_several(const void *arg)
{
	struct run r = validate("--port", "1");
	struct server *a, *b;

	require(r.status == 3 && strstr(r.err, "no "), "exit code %d: %s", r.status, r.err);
	a = prepare(false, USERS);
	b = prepare(false, USERS);
	server_run_with(a, as_server);
	server_run_with(b, as_server);
	r = validate("--format", "json");
	require(r.status == 2 && strstr(r.err, str("redis-server:%d", a->tls_port)) &&
			strstr(r.err, str("redis-server:%d", b->tls_port)),
		"exit code %d, or a server is not named: %s", r.status, r.err);
	/* they share a user */
	require(!strcmp(of(check_of(report_of(validate("--format", "json", PORT_OF(a))),
				    "mem-neighbours"),
			   "verdict"),
			"fail"),
		"a server of the same user is none of its neighbours");
}

/* --- wrong use --- */

struct usage {
	const char *argv[8];
	const char *says;
};

static void usage(const void *arg)
{
	const struct usage *u = arg;
	struct run r = validate_argv(u->argv);

	require(r.status == 2 && strstr(r.err, u->says) && !r.out[0], "exit code %d: %s%s",
		r.status, r.out, r.err);
}
#define USAGE(...) &((const struct usage){__VA_ARGS__})

static void wrong_profile(const void *arg)
{
	const char *file = str("%s/profile.yaml", scratch);
	struct run r;

	file_write(file,
		   "name: ours\npromises:\n  - promise: x\n    checks:\n      - tls-verison\n");
	r = validate("--profile", file);
	require(r.status == 2 && strstr(r.err, str("%s:3: ", file)) &&
			strstr(r.err, "tls-versions"),
		"exit code %d: %s", r.status, r.err);
}

static const struct test tests[] = {
	TEST("a good server keeps its promises", scenario, .arg = SCENARIO(.broken = {NULL})),
	TEST("an open plain port is found, and nothing else", scenario,
	     .arg = SCENARIO(.plain = true, .broken = {"tls-plain-port"})),
	TEST("old versions and weak ciphers are found, and nothing else", scenario,
	     .arg = SCENARIO(.more = USERS EVERYTHING, .broken = {"tls-versions", "tls-ciphers"})),
	TEST("a key and a dump for everybody are found, and nothing else", scenario,
	     .arg = SCENARIO(.open_files = true,
			     .broken = {"rest-key", "rest-data", "rest-encrypted"})),
	TEST("a library that another user may change is found, and what loaded it", scenario,
	     .arg = SCENARIO(.setup = with_other_library, .broken = {"mem-code", "mem-loader"})),
	TEST("everything wrong: each check fails that can", scenario,
	     .arg = SCENARIO(.plain = true, .open_files = true, .as_root = true,
			     .setup = as_root_with_other_library,
			     .more = EVERYTHING "save 3600 1\n",
			     .broken = {"tls-plain-port", "tls-versions", "tls-ciphers", "rest-key",
					"rest-data", "rest-encrypted", "rest-auth",
					"rest-config-command", "rest-commands", "mem-code",
					"mem-loader", "mem-user", "mem-user-shared",
					"mem-capabilities"})),
	TEST("a server that does not answer is not judged, in time", silent),
	TEST("a wrong password is told, and is in no output", wrong_password),
	TEST("a server of an unexpected user is sent no password", unexpected_user),
	TEST("--ca: a server whose certificate does not pass is sent no password", unverified),
	TEST("a program that calls itself redis-server is sent no password", impostors),
	TEST("a password file that others can read is refused", readable_password_file),
	TEST("a server that requires a client certificate", client_certificate),
	TEST("a server on IPv6 alone", ipv6_alone),
	TEST("a server on a UNIX socket alone", unix_socket_alone),
	TEST("nobody judges what he sees, and is told what he lacks", by_nobody),
	TEST("no server, and several", none_or_several),
	TEST("a wrong profile names file, line and what is near", wrong_profile),
	TEST("--port and --instance exclude each other", usage,
	     .arg = USAGE({"--port", "1", "--instance", "x"}, "one of them")),
	TEST("--cert needs --key", usage, .arg = USAGE({"--cert", "/x"}, "--key")),
	TEST("--user needs a password", usage,
	     .arg = USAGE({"--user", "x"}, "CACHEWARDEN_PASSWORD")),
	TEST("an unknown profile names those that there are", usage,
	     .arg = USAGE({"--profile", "lenient"}, "azure-cache")),
	{},
};

const struct suite validate_suite = {"validate", NULL, NULL, tests};
