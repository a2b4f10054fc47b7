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

static const char *odd_dir(void)
{
	static unsigned int nr;
	const char *dir = str("%s/odd.%u", scratch, ++nr);

	require(!mkdir(dir, 0700), "mkdir %s: %s", dir, strerror(errno));
	return dir;
}

/* What the last monitor learnt: these tests are about what is asked. */
static void forget_files(void)
{
	unlink(run_path("files"));
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

static int port_of(const struct server *s)
{
	return s->plain_port ?: s->tls_port;
}

static const char *policy_for(const struct server *s, const char *ask)
{
	return str("  - name: port%d\n    match: {port: %d}\n    ask: {%s}\n", port_of(s),
		   port_of(s), ask);
}

static const char *as_watcher(void)
{
	return str("user: watcher, uid: 0, password-file: %s", password);
}

static const char *by_password(const char *more)
{
	return str("uid: 0, password-file: %s%s", password, more);
}

static struct monitor *asking(const struct server *s, const char *ask)
{
	forget_files();
	return monitor_with_policy(str("instances:\n%s", policy_for(s, ask)));
}

static void asked(struct monitor *m, const char *name, const char *how)
{
	require(file_wait(m->err, str("instance %s was asked for its files %s", name, how), 12000),
		"it was not asked: %s", file_read(m->err));
}

static const char *name_of(const struct server *s)
{
	return str("redis-server:%d", port_of(s));
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
	const char *note = str("%s" UNASKED "%s", name_of(s), reason);

	for (int i = 0; i < 120 && !blind_count(m, note); i++)
		sleep_ms(100);
	require(blind_count(m, note) > 0, "not \"%s\": %s", note, file_read(m->err));
}

/* ---- servers of which a monitor asks each in another way -------------------------------------- */

static struct moved v;
static struct server *by_path, *by_config, *plain, *tls_wanted, *certified, *uncertified, *mistaken,
	*bare, *renamed;
static struct monitor *mon;
static struct server **const failing[] = {&tls_wanted, &uncertified, &mistaken, &bare, &renamed};

/* Debian's server with a password for all, and nothing else unusual. */
static struct server *server_with(const char *lines, bool with_plain, bool with_tls)
{
	struct server *s = server_prepare(&(struct server_opts){.plain = with_plain});

	append(s, str("requirepass " PASSWORD "\n%s", lines));
	/* with both, the TLS port has the number that the bus of a cluster would have */
	s->tls_port = with_tls ? s->plain_port + 10000 : 0;
	append(s, str("tls-port %d\n", s->tls_port));
	start(s);
	return s;
}

static void setup(void)
{
	const char *path = str("%s/server.sock", odd_dir()), *policy;

	password = secret_file("ask.password", PASSWORD "\nnot this line\n");
	wrong = secret_file("ask.wrong", "hunter2\n");
	v = moved_server();
	by_path = server_of(str("tls-port 0\nunixsocket %s", path));
	by_config = server_with(str("unixsocket %s.config\n", path), true, false);
	plain = server_with("", true, false);
	tls_wanted = server_with("", true, false);
	certified = server_with("tls-auth-clients yes\n", true, true);
	uncertified = server_with("tls-auth-clients yes\n", true, true);
	mistaken = server_of("");
	bare = server_of("");
	renamed = server_of("rename-command CONFIG \"\"");
	policy = str("instances:\n%s%s%s%s%s%s%s%s%s"
		     "  - name: others\n    ask: {%s, socket: %s}\n",
		     policy_for(v.s, as_watcher()), policy_for(by_config, by_password("")),
		     policy_for(plain, by_password("")),
		     policy_for(tls_wanted, by_password(", over: tls")),
		     policy_for(certified,
				by_password(str(", cert: %s, key: %s", cert_path(), key_path()))),
		     policy_for(uncertified, by_password("")),
		     policy_for(mistaken, str("user: watcher, uid: 0, password-file: %s", wrong)),
		     policy_for(bare, "over: any"), policy_for(renamed, as_watcher()), as_watcher(),
		     path);
	forget_files();
	mon = monitor_with_policy(policy);
	for (size_t i = 0; i < ARRAY_SIZE(failing); i++)
		require(file_wait(mon->err, str("instance %s" UNASKED, name_of(*failing[i])),
				  12000),
			"%s was asked: %s", name_of(*failing[i]), file_read(mon->err));
}

/* Its own connections are none, in plaintext neither. */
static void no_finding(const void *arg)
{
	asked(mon, name_of(v.s), "over TLS");
	asked(mon, "redis-server", "through its UNIX socket");
	asked(mon, name_of(by_config), "through its UNIX socket");
	asked(mon, name_of(plain), "in plaintext on this host");
	asked(mon, name_of(certified), "over TLS");
	sleep_ms(1200); /* counts arrive once a second */
	expect(mon, {.rule = "self-blind", .optional = true, .many = true});
	no_password(mon);
}

static void known_when_asked(const void *arg)
{
	struct trigger key = trigger("file_open", v.key), data = trigger("file_open", v.data),
		       acl = trigger("file_open", v.acl),
		       config = trigger("file_open", v.s->config);

	expect(mon, {.rule = "tls-key", .detail = "private key", .server = v.s, .by = &key},
	       {.rule = "rest-file", .detail = "data file", .server = v.s, .by = &data},
	       {.rule = "rest-file", .detail = "ACL file", .server = v.s, .by = &acl},
	       {.rule = "rest-file", .detail = "configuration", .server = v.s, .by = &config});
}

/* The benign twin: files of the same kinds that no server names. */
static void others_files(const void *arg)
{
	const char *dir = odd_dir(), *key = str("%s/secret", dir), *acl = str("%s/people", dir);

	key_copy(key);
	file_write(acl, USERS);
	trigger("file_open", key);
	trigger("file_open", acl);
	expect_nothing(mon);
}

static void known_by_socket(const void *arg)
{
	struct trigger t = trigger("file_open", by_path->config);

	expect(mon, {.rule = "rest-file", .detail = "configuration", .server = by_path, .by = &t});
}

/* What others send in plaintext is a finding, although the monitor was answered before. */
static void others_plaintext(const void *arg)
{
	struct client *c = client_open(plain, "127.0.0.1", false);

	client_do(c, "PING");
	client_close(c);
	expect(mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = plain,
		.command = "PING",
		.verdict = "observed"},
	       {.rule = "tls-listener", .wire = true, .server = plain});
}

struct failure {
	struct server **s;
	const char *reason;
};

#define FAILURE(...) &((const struct failure){__VA_ARGS__})

static void said(const void *arg)
{
	const struct failure *f = arg;

	blind(mon, *f->s, f->reason);
	no_password(mon);
}

static void said_of_plain(const void *arg)
{
	blind(mon, tls_wanted, str("port %d: no answer in time", tls_wanted->plain_port));
}

static void said_of_certificate(const void *arg)
{
	const char *early = strdup(str("%s" UNASKED "port %d: tlsv13 alert certificate required",
				       name_of(uncertified), uncertified->tls_port));
	const char *late = strdup(
		str("%s" UNASKED "AUTH: tlsv13 alert certificate required", name_of(uncertified)));

	/* with TLS 1.3 the alert comes after the handshake: before or after the first command */
	for (int i = 0; i < 120 && !blind_count(mon, early) && !blind_count(mon, late); i++)
		sleep_ms(100);
	require(blind_count(mon, early) + blind_count(mon, late) == 1,
		"neither \"%s\" nor \"%s\": %s", early, late, file_read(mon->err));
}

/* ---- monitors of their own -------------------------------------------------------------------- */

static void unknown_without(const void *arg)
{
	struct moved u = moved_server();
	struct monitor *m;

	forget_files();
	m = monitor_start(NULL);
	trigger("file_open", u.key);
	trigger("file_open", u.data);
	trigger("file_open", u.acl);
	trigger("file_open", u.s->config);
	expect_nothing(m);
	require(file_has(m->err, "none known as: configuration, private key, ACL file, data file"),
		"it is not said: %s", file_read(m->err));
}

/* What the monitor sends would be dropped, too. */
static void plaintext_prevented(const void *arg)
{
	struct server *s = server_with("", true, false);
	struct monitor *m;

	forget_files();
	m = monitor_with_policy(str("instances:\n%s    rules: {tls-plaintext: {mode: prevent}}\n",
				    policy_for(s, by_password(""))));
	blind(m, s, "there is only plaintext, which the policy prevents");
}

/* Then SIGHUP, once it is corrected. */
static void refused_file(struct monitor *m, const char *text)
{
	require(file_wait(m->err, text, 8000), "it is not refused: %s", file_read(m->err));
}

static void readable_password(const void *arg)
{
	struct server *s = server_of(""), *t = server_of("");
	const char *open = secret_file("ask.open", PASSWORD "\n"),
		   *owned = secret_file("ask.owned", PASSWORD "\n");
	struct monitor *m;

	require(!chown(owned, NOBODY, NOBODY) && !chmod(open, 0640), "chown, chmod: %s",
		strerror(errno));
	forget_files();
	m = monitor_with_policy(
		str("instances:\n%s%s",
		    policy_for(s, str("user: watcher, uid: 0, password-file: %s", open)),
		    policy_for(t, str("user: watcher, uid: 0, password-file: %s", owned))));
	refused_file(m, str("%s: owned by uid %d; expected root or the user running cachewarden",
			    owned, NOBODY));
	refused_file(m, str("%s: mode 0640 lets others than its owner use it; expected 0600 or "
			    "stricter",
			    open));
	require(!chown(owned, 0, 0) && !chmod(open, 0600), "chown, chmod: %s", strerror(errno));
	kill(m->pid, SIGHUP);
	asked(m, name_of(s), "over TLS");
	asked(m, name_of(t), "over TLS");
	no_password(m);
}

/* Anybody can start a server that an entry matches. */
static void another_user(const void *arg)
{
	struct server *s = server_of("");
	struct monitor *m;

	password = password ?: secret_file("ask.password", PASSWORD "\n");
	m = asking(s, str("user: watcher, uid: %d, password-file: %s", NOBODY, password));
	blind(m, s, "it runs as another user than the policy says");
	require(!file_has(m->err, "was asked for its files"), "it was asked: %s",
		file_read(m->err));
	no_password(m);
}

/* The monitor waits for nobody: what happens meanwhile is told in time. */
static void silent_server(const void *arg)
{
	struct server *s = server_of(""), *other = server_start(&(struct server_opts){});
	struct monitor *m;
	struct trigger t;

	password = password ?: secret_file("ask.password", PASSWORD "\n");
	kill(s->pid, SIGSTOP);
	m = asking(s, as_watcher());
	for (int i = 0; i < 4; i++) {
		monitors_mark();
		t = trigger("vm_readv", pid_of(other));
		expect(m, {.rule = "mem-read", .server = other, .by = &t},
		       {.rule = "self-blind", .optional = true});
	}
	blind(m, s, str("port %d: the connection was not accepted in time", s->tls_port));
	kill(s->pid, SIGCONT);
}

static const struct test tests[] = {
	TEST("TLS, UNIX sockets, plaintext, a certificate: no connection of its own is a finding",
	     no_finding),
	TEST("key, data, ACL file and configuration are known where CONFIG SET moved them",
	     known_when_asked),
	TEST("the same files of nobody's are nobody's", others_files),
	TEST("what a server on a UNIX socket names is known", known_by_socket),
	TEST("plaintext of others to a server that was asked in plaintext is a finding",
	     others_plaintext),
	TEST("a plaintext server is not asked if the policy wants TLS", said_of_plain),
	TEST("a server that wants a certificate is not asked in plaintext instead",
	     said_of_certificate),
	TEST("a wrong password is said", said,
	     FAILURE(&mistaken, "AUTH refused: WRONGPASS, the name or the password is wrong")),
	TEST("a missing password is said", said,
	     FAILURE(&bare, "CONFIG GET refused: NOAUTH, it wants a password")),
	TEST("a renamed CONFIG is said", said,
	     FAILURE(&renamed, "CONFIG GET refused: no such command, it was renamed or disabled")),
	{},
};

static const struct test alone_tests[] = {
	TEST("files moved by CONFIG SET before the monitor are not known without asking",
	     unknown_without),
	TEST("not in plaintext if that is prevented", plaintext_prevented),
	TEST("password files of others, or that others can read, are refused until SIGHUP",
	     readable_password),
	TEST("a server of another user than the policy says is not asked, and is said",
	     another_user),
	TEST("a server that never answers holds nothing up, and is said", silent_server),
	{},
};

static void alone_setup(void)
{
	password = secret_file("ask.password", PASSWORD "\n");
}

const struct suite ask_suite = {"ask", setup, NULL, tests};
const struct suite ask_alone_suite = {"ask: alone", alone_setup, NULL, alone_tests};
