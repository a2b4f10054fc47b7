/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.c - servers are asked which files are their own, where the policy says so: what is known then, what is said where it
 * fails, and that no password gets out.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE                                                                                      \
	"/run/cachewarden/files" /* what the last monitor learnt: these tests are about what is asked */
#define ADMIN "correct-horse"
#define PASSWORD "battery-staple"
#define USERS                                                                                      \
	"user default on >" ADMIN " ~* &* +@all\n"                                                 \
	"user watcher on >" PASSWORD " -@all +config|get +info\n"
#define UNASKED " was not asked for all of its files: "

static const char *password, *wrong;

static const char *secret_file(const char *name, const char *text)
{
	const char *path = strdup(str("%s/%s", scratch, name));

	file_write(path, text);
	require(!chmod(path, 0600), "chmod %s: %s", path, strerror(errno));
	return path;
}

static void setup(void)
{
	password = secret_file("ask.password", PASSWORD "\nnot this line\n");
	wrong = secret_file("ask.wrong", "hunter2\n");
}

static const char *odd_dir(void)
{
	static unsigned int nr;
	const char *dir = str("%s/odd.%u", scratch, ++nr);

	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	return dir;
}

static void append(const struct server *s, const char *text)
{
	FILE *f = fopen(s->config, "ae");

	require(f && fputs(text, f) >= 0 && !fclose(f), "%s: %s", s->config, strerror(errno));
}

static void start(struct server *s)
{
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, NULL},
			     &(struct child_opts){});
	/* "Ready to", or where it listens on a UNIX socket alone "ready to" */
	require(file_wait(s->log, "eady to accept connections", 8000), "server %s not up: %s",
		s->dir, file_read(s->log));
}

/* A server with users. Its ACL file and its configuration lie where no search looks. */
static struct server *server_of(const char *extra)
{
	struct server *s = server_prepare(&(struct server_opts){.extra = extra});
	const char *dir = odd_dir(), *acl = str("%s/people", dir);

	file_write(acl, USERS);
	require(!chmod(acl, 0600), "chmod: %s", strerror(errno));
	append(s, str("aclfile %s\n", acl));
	require(!rename(s->config, str("%s/settings", dir)), "rename: %s", strerror(errno));
	snprintf(s->config, sizeof(s->config), "%s/settings", dir);
	start(s);
	return s;
}

static void must(struct client *c, const char *command)
{
	const char *said = client_do(c, command);

	require(!strncmp(said, "+OK", 3), "%.12s...: %s", command, said);
}

struct moved {
	struct server *s;
	const char *key, *data, *acl;
};

/* Its key and its data are moved while it runs. */
static struct moved moved_server(void)
{
	const char *dir = odd_dir();
	struct moved m = {server_of("enable-protected-configs yes"), str("%s/secret", dir),
			  str("%s/state", dir), NULL};
	struct client *c = client_open(m.s, "127.0.0.1", true);

	key_copy(m.key);
	must(c, "AUTH default " ADMIN);
	must(c, str("CONFIG SET dir %s", dir));
	must(c, "CONFIG SET dbfilename state");
	must(c, str("CONFIG SET tls-key-file %s", m.key));
	must(c, "SAVE");
	client_close(c);
	m.acl = str("%.*s/people", (int)(strrchr(m.s->config, '/') - m.s->config), m.s->config);
	return m;
}

static const char *policy_for(const struct server *s, const char *ask)
{
	return str("instances:\n  - name: asked\n    match: {port: %d}\n    ask: {%s}\n",
		   s->tls_port ?: s->plain_port, ask);
}

static const char *as_watcher(void)
{
	return str("user: watcher, password-file: %s", password);
}

static struct monitor *asking(const struct server *s, const char *ask)
{
	unlink(STATE);
	return monitor_with_policy(policy_for(s, ask));
}

static void asked(struct monitor *m, const char *how)
{
	require(file_wait(m->err, str("was asked for its files %s", how), 12000),
		"it was not asked: %s", file_read(m->err));
}

static void no_password(const struct monitor *m)
{
	require(!file_has(m->out, PASSWORD) && !file_has(m->err, PASSWORD) &&
			!file_has(m->out, "hunter2") && !file_has(m->err, "hunter2"),
		"a password got out");
}

/* The blind spot, once the monitor tells it. */
static void blind(struct monitor *m, const struct server *s, const char *reason)
{
	const char *note =
		str("redis-server:%d" UNASKED "%s", s->plain_port ?: s->tls_port, reason);

	for (int i = 0; i < 120 && !blind_told(m, note); i++)
		sleep_ms(100);
	require(blind_told(m, note) == 1, "not \"%s\" once: %s\n%s", note, file_read(m->out),
		file_read(m->err));
	no_password(m);
}

/* ---- what is asked is known ---- */

static void unknown_without(const void *arg)
{
	struct moved v = moved_server();
	struct monitor *m;

	unlink(STATE);
	m = monitor_start(NULL);
	trigger("file_open", v.key);
	trigger("file_open", v.data);
	trigger("file_open", v.acl);
	trigger("file_open", v.s->config);
	expect_nothing(m);
	require(file_has(m->err, "none known as: configuration, private key, ACL file, data file"),
		"it is not said: %s", file_read(m->err));
}

static void known_when_asked(const void *arg)
{
	struct moved v = moved_server();
	struct monitor *m = asking(v.s, as_watcher());
	struct trigger key, data, acl, config;

	asked(m, "over TLS");
	expect_nothing(m); /* its own connection */
	monitors_mark();
	key = trigger("file_open", v.key);
	data = trigger("file_open", v.data);
	acl = trigger("file_open", v.acl);
	config = trigger("file_open", v.s->config);
	expect(m, {.rule = "tls-key", .detail = "private key", .server = v.s, .by = &key},
	       {.rule = "rest-file", .detail = "data file", .server = v.s, .by = &data},
	       {.rule = "rest-file", .detail = "ACL file", .server = v.s, .by = &acl},
	       {.rule = "rest-file", .detail = "configuration", .server = v.s, .by = &config});
	no_password(m);
}

/* The benign twin: the same files without a server that names them. */
static void others_files(const void *arg)
{
	struct moved v = moved_server();
	const char *dir = odd_dir(), *key = str("%s/secret", dir), *acl = str("%s/people", dir);
	struct monitor *m;

	key_copy(key);
	file_write(acl, USERS);
	m = asking(v.s, as_watcher());
	asked(m, "over TLS");
	trigger("file_open", key);
	trigger("file_open", acl);
	expect_nothing(m);
}

/* ---- ways to ask ---- */

static void by_unix_socket(const void *arg)
{
	const char *path = str("%s/server.sock", odd_dir());
	struct server *s = server_of(str("tls-port 0\nunixsocket %s", path));
	struct monitor *m;
	struct trigger t;

	unlink(STATE);
	m = monitor_with_policy(
		str("instances:\n  - name: all\n    ask: {%s, socket: %s}\n", as_watcher(), path));
	asked(m, "through its UNIX socket");
	t = trigger("file_open", s->config);
	expect(m, {.rule = "rest-file", .detail = "configuration", .server = s, .by = &t});
	no_password(m);
}

/* Its configuration, beside its data, names it. */
static void by_known_socket(const void *arg)
{
	struct server *s = server_prepare(
		&(struct server_opts){.plain = true, .extra = "tls-port 0\nrequirepass " PASSWORD});
	struct monitor *m;

	append(s, str("unixsocket %s/server.sock\n", s->dir));
	s->tls_port = 0;
	start(s);
	m = asking(s, str("password-file: %s", password));
	asked(m, "through its UNIX socket");
	expect_nothing(m);
	no_password(m);
}

/* A plaintext port and nothing else. What others send there is a finding, what the monitor sent is none. */
static void in_plaintext(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){.plain = true});
	struct monitor *m;
	struct client *c;

	append(s, "tls-port 0\nrequirepass " PASSWORD "\n");
	s->tls_port = 0;
	start(s);
	m = asking(s, str("password-file: %s", password));
	asked(m, "in plaintext on this host");
	sleep_ms(1200); /* counts arrive once a second */
	expect_nothing(m);
	c = client_open(s, "127.0.0.1", false);
	client_do(c, "PING");
	client_close(c);
	expect(m,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = s,
		.command = "PING",
		.verdict = "observed"},
	       {.rule = "tls-listener", .wire = true, .server = s});
	no_password(m);
}

static void never_in_plaintext(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){.plain = true});
	struct monitor *m;

	append(s, "tls-port 0\nrequirepass " PASSWORD "\n");
	s->tls_port = 0;
	start(s);
	m = asking(s, str("password-file: %s, over: tls", password));
	blind(m, s, str("port %d: no answer within a second", s->plain_port));
}

/* What the monitor sends would be dropped, too. */
static void plaintext_prevented(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){.plain = true});
	struct monitor *m;

	append(s, "tls-port 0\nrequirepass " PASSWORD "\n");
	s->tls_port = 0;
	start(s);
	unlink(STATE);
	m = monitor_start("--enforce-tls", "--policy",
			  policy_file(policy_for(s, str("password-file: %s", password))), NULL);
	blind(m, s, "there is only plaintext, which the policy prevents");
}

/* A server that has TLS is never asked in plaintext, whatever fails. */
static void client_certificate(const void *arg)
{
	struct server *s = server_prepare(
		&(struct server_opts){.plain = true, .extra = "tls-auth-clients yes"});
	struct monitor *m;

	append(s, "requirepass " PASSWORD "\n");
	start(s);
	m = asking(s, arg ? str("password-file: %s, cert: %s, key: %s", password, cert_path(),
				key_path())
			  : str("password-file: %s", password));
	if (arg) {
		asked(m, "over TLS");
		expect_nothing(m);
	} else {
		blind(m, s, "AUTH: tlsv13 alert certificate required");
	}
	no_password(m);
}

/* ---- what fails is said ---- */

static void wrong_password(const void *arg)
{
	struct server *s = server_of("");

	blind(asking(s, str("user: watcher, password-file: %s", wrong)), s,
	      "AUTH refused: WRONGPASS, the name or the password is wrong");
}

static void no_password_given(const void *arg)
{
	struct server *s = server_of("");

	blind(asking(s, "over: any"), s, "CONFIG GET refused: NOAUTH, it wants a password");
}

static void renamed_command(const void *arg)
{
	struct server *s = server_of("rename-command CONFIG \"\"");

	blind(asking(s, as_watcher()), s,
	      "CONFIG GET refused: no such command, it was renamed or disabled");
}

/* Then SIGHUP, once it is corrected. */
static void readable_password(const void *arg)
{
	struct server *s = server_of("");
	const char *path = secret_file("ask.open", PASSWORD "\n");
	struct monitor *m;

	if (arg)
		require(!chown(path, NOBODY, NOBODY), "chown: %s", strerror(errno));
	else
		require(!chmod(path, 0640), "chmod: %s", strerror(errno));
	m = asking(s, str("user: watcher, password-file: %s", path));
	require(file_wait(m->err,
			  arg ? str("%s: owned by uid %d; expected root or the user running "
				    "cachewarden",
				    path, NOBODY)
			      : str("%s: mode 0640 lets others than its owner use it; expected "
				    "0600 or stricter",
				    path),
			  8000),
		"it is not refused: %s", file_read(m->err));
	require(!chown(path, 0, 0) && !chmod(path, 0600), "chmod: %s", strerror(errno));
	kill(m->pid, SIGHUP);
	asked(m, "over TLS");
	no_password(m);
}

/* The monitor waits for nobody: what happens meanwhile is told in time. */
static void silent_server(const void *arg)
{
	struct server *s = server_of(""), *other = server_start(&(struct server_opts){});
	struct monitor *m;
	struct trigger t;

	kill(s->pid, SIGSTOP);
	m = asking(s, as_watcher());
	for (int i = 0; i < 4; i++) {
		monitors_mark();
		t = trigger("vm_readv", pid_of(other));
		expect(m, {.rule = "mem-read", .server = other, .by = &t});
	}
	blind(m, s, str("port %d: the connection was not accepted within a second", s->tls_port));
	kill(s->pid, SIGCONT);
}

static const struct test tests[] = {
	TEST("files moved by CONFIG SET before the monitor are not known", unknown_without),
	TEST("a server that is asked names its key, data, ACL file and configuration",
	     known_when_asked),
	TEST("the same files of nobody's are nobody's", others_files),
	TEST("through a UNIX socket that the policy names", by_unix_socket),
	TEST("through the UNIX socket of its configuration rather than in plaintext",
	     by_known_socket),
	TEST("in plaintext where there is nothing else, and that is no finding", in_plaintext),
	TEST("not in plaintext if the policy wants TLS", never_in_plaintext),
	TEST("not in plaintext if that is prevented", plaintext_prevented),
	TEST("with a client certificate", client_certificate, .arg = "with"),
	TEST("a server that wants one is not asked in plaintext instead", client_certificate),
	TEST("a wrong password is said", wrong_password),
	TEST("a missing password is said", no_password_given),
	TEST("a renamed CONFIG is said", renamed_command),
	TEST("a password file that others can read is refused until SIGHUP", readable_password),
	TEST("a password file of another user is refused until SIGHUP", readable_password,
	     .arg = "owner"),
	TEST("a server that never answers holds nothing up, and is said", silent_server),
	{},
};

const struct suite ask_suite = {"ask", setup, NULL, tests};
