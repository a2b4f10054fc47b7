/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * validate.c - `cachewarden validate` on servers that break one promise each, on servers that do not answer, and with a monitor and
 * drills. What the host itself makes of a check is left out: see of_the_host.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_UID 61234 /* nobody else's */
#define SERVER_UID_TEXT "61234"
#define PASSWORD "correct-horse-battery"
#define LIBSSL "/usr/lib/x86_64-linux-gnu/libssl.so.3"

/* A user who may say what validate asks; the default user may do nothing. */
#define USERS                                                                                      \
	"user default off\n"                                                                       \
	"user check on >" PASSWORD " +config|get +info +acl|dryrun\n"

static const char *const of_the_host[] = {
	"mem-ptrace", "mem-core",   "mem-swap",	    "mem-ksm",	      "mem-capable",
	"mem-bpf",    "mem-perf",   "mem-kptr",	    "host-kernel",    "host-reboot",
	"host-taint", "mem-hidden", "mem-lockdown", "rest-encrypted", NULL};

static void as_server(void)
{
	if (setgroups(0, NULL) || setresgid(SERVER_UID, SERVER_UID, SERVER_UID) ||
	    setresuid(SERVER_UID, SERVER_UID, SERVER_UID))
		_exit(125);
}

static void with_other_library(void)
{
	setenv("LD_LIBRARY_PATH", str("%s/lib", scratch), 1);
	as_server();
}

static void as_root_with_other_library(void)
{
	setenv("LD_LIBRARY_PATH", str("%s/lib", scratch), 1);
}

/* A certificate for localhost that is valid for 90 days, which is also the CA file. */
static const char *good_cert(void)
{
	const char *path = str("%s/good.pem", scratch), *key_file = str("%s/good.key", scratch);
	X509_EXTENSION *names;
	EVP_PKEY *key;
	X509 *x;
	FILE *f;

	if (!access(path, R_OK))
		return path;
	key = EVP_EC_gen("P-256");
	x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), -86400);
	X509_gmtime_adj(X509_getm_notAfter(x), 90 * 86400L);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	require(names && X509_add_ext(x, names, -1) && X509_sign(x, key, EVP_sha256()),
		"no certificate");
	f = fopen(key_file, "we");
	require(f && !fchmod(fileno(f), 0600) &&
			PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) && !fclose(f),
		"write %s", key_file);
	f = fopen(path, "we");
	require(f && PEM_write_X509(f, x) && !fclose(f), "write %s", path);
	X509_EXTENSION_free(names);
	X509_free(x);
	EVP_PKEY_free(key);
	return path;
}

/* Writes a server's files, all its own and for nobody else; more overrides what is configured. */
static struct server *prepare(bool plain, const char *more)
{
	const char *cert = good_cert();
	struct server *s = server_prepare(&(struct server_opts){
		.plain = plain,
		.extra = str("tls-cert-file %s\ntls-ca-cert-file %s\n%s", cert, cert, more)});

	file_write(s->key, file_read(str("%s/good.key", scratch)));
	require(!chmod(s->dir, 0700) && !chmod(s->config, 0600) && !chmod(s->key, 0600), "chmod");
	require(!chown(s->dir, SERVER_UID, SERVER_UID) && !chown(s->key, SERVER_UID, SERVER_UID) &&
			!chown(s->config, SERVER_UID, SERVER_UID),
		"chown: %s", strerror(errno));
	return s;
}

static const char *password_file(const char *password)
{
	const char *path = str("%s/password.%zu", scratch, strlen(password));

	file_write(path, password);
	require(!chmod(path, 0600), "chmod %s: %s", path, strerror(errno));
	return path;
}

/* Never with the password in any output. */
static struct run validate_argv(const char *const *more)
{
	const char *argv[24] = {MONITOR, "validate"};
	struct run r;

	for (size_t i = 0; more[i]; i++)
		argv[i + 2] = more[i];
	r = run_argv(20000 * patience, &(struct child_opts){}, argv);
	require(r.status >= 0 && r.status <= 3, "exit code %d: %s", r.status, r.err);
	require(!strstr(r.out, PASSWORD) && !strstr(r.err, PASSWORD), "the password is in: %s%s",
		r.out, r.err);
	return r;
}
#define validate(...) validate_argv((const char *const[]){__VA_ARGS__, NULL})
#define PORT_OF(s) "--port", str("%d", (s)->tls_port)
#define SERVER_USER "--server-user", SERVER_UID_TEXT
#define AS_CHECK "--user", "check", "--password-file", password_file(PASSWORD), SERVER_USER

static json_t *report_of(struct run r)
{
	json_error_t error;
	json_t *report = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);

	require(report, "no report (%s): %s%s", error.text, r.out, r.err);
	return report;
}

static json_t *check_of(json_t *report, const char *id)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		if (!strcmp(json_string_value(json_object_get(one, "id")), id))
			return one;
	}
	test_fail("no check %s", id);
}

static const char *of(json_t *check, const char *key)
{
	return json_string_value(json_object_get(check, key));
}

static bool listed(const char *const *list, const char *word)
{
	for (; *list; list++) {
		if (!strcmp(*list, word))
			return true;
	}
	return false;
}

#define CHECKS_LEAST 40 /* of the profile azure-cache */

/* Exactly these checks fail, each is made once, and all others pass. */
static void expect_failures(json_t *report, const char *const *broken)
{
	size_t i, made[32] = {};
	json_t *one;

	json_array_foreach (json_object_get(report, "checks"), i, one) {
		const char *id = of(one, "id"), *want = listed(broken, id) ? "fail" : "pass";

		for (size_t k = 0; broken[k]; k++)
			made[k] += !strcmp(broken[k], id);
		if (!listed(of_the_host, id))
			require(!strcmp(of(one, "verdict"), want), "%s: %s, not %s: %s", id,
				of(one, "verdict"), want, of(one, "seen"));
	}
	require(i >= CHECKS_LEAST, "only %zu checks were made", i);
	for (size_t k = 0; broken[k]; k++)
		require(made[k] == 1, "%s was made %zu times", broken[k], made[k]);
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
	json_t *report;
	struct run r;

	if (c->open_files)
		expose_files(s);
	if (c->setup == with_other_library || c->setup == as_root_with_other_library)
		other_library();
	server_run_with(s, c->setup ?: as_server);
	/* "everything wrong" has no user to authenticate as, and needs none */
	r = c->as_root ? validate("--format", "json", PORT_OF(s))
		       : validate("--format", "json", PORT_OF(s), AS_CHECK);
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

/* --- reports --- */

static void reports(const void *arg)
{
	static const char *const formats[] = {"junit", "sarif", "json", "html", "text"};
	struct server *s = prepare(true, USERS);
	char *file[5];

	server_run_with(s, as_server);
	for (size_t i = 0; i < 5; i++) {
		struct run r;

		file[i] = strdup(str("%s/report.%s", scratch, formats[i]));
		r = validate("--format", formats[i], "--out", file[i], PORT_OF(s), AS_CHECK);
		require(r.status == 1 && !r.out[0], "exit code %d: %s%s", r.status, r.out, r.err);
		require(strstr(file_read(file[i]), "tls-plain-port"), "%s lacks a check",
			formats[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		struct run r = run_command(10000 * patience, "python3", "tests/scripts/reports.py",
					   formats[i], file[i]);

		if (strstr(r.err, "No such file"))
			test_skip("no python3 here");
		require(r.status == 0, "%s: %s%s", formats[i], r.out, r.err);
	}
}

/* A device of its own: a mistake must not cost the host its /dev/null. */
static void to_a_device(const void *arg)
{
	struct server *s = prepare(true, USERS);
	const char *device = str("%s/null", scratch);
	struct stat st;
	struct run r;

	require(!mknod(device, S_IFCHR | 0600, makedev(1, 3)), "mknod: %s", strerror(errno));
	server_run_with(s, as_server);
	r = validate("--out", device, PORT_OF(s), AS_CHECK);
	require(r.status == 1 && !r.out[0], "exit code %d: %s%s", r.status, r.out, r.err);
	require(!lstat(device, &st) && S_ISCHR(st.st_mode), "the device was replaced");
	require(!symlink(s->config, str("%s/link", scratch)), "symlink: %s", strerror(errno));
	r = validate("--out", str("%s/link", scratch), PORT_OF(s), AS_CHECK);
	require(r.status == 2 && strstr(r.err, "not a regular file"), "exit code %d: %s", r.status,
		r.err);
	require(strstr(file_read(s->config), "tls-port"), "the file behind a link was replaced");
}

static void baseline(const void *arg)
{
	struct server *s = prepare(false, USERS);
	const char *before = str("%s/before.json", scratch);
	struct run r;

	server_run_with(s, as_server);
	validate("--format", "json", "--out", before, PORT_OF(s), AS_CHECK);
	require(!chmod(s->key, 0644), "chmod");
	r = validate("--baseline", before, PORT_OF(s), AS_CHECK);
	require(r.status == 1 && strstr(r.out, "FAIL  rest-key: ") &&
			strstr(r.out, "(before: pass)"),
		"exit code %d: %s", r.status, r.out);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

/* The same versions and, where each suite belongs to one version, the same number of suites. */
static void like_sslscan(const void *arg)
{
	static const char *const names[][2] = {{"SSLv3 ", "SSLv3"},
					       {"TLSv1.0 ", "TLSv1 "},
					       {"TLSv1.1 ", "TLSv1.1"},
					       {"TLSv1.2 ", "TLSv1.2"},
					       {"TLSv1.3 ", "TLSv1.3"}};
	const bool weak = arg;
	struct server *s = prepare(false, weak ? USERS EVERYTHING : USERS);
	char ours[2048];
	const char *seen;
	json_t *report;
	struct run r;

	if (access("/usr/bin/sslscan", X_OK))
		test_skip("no sslscan here");
	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", "--profile", arg ? "strict" : "azure-cache",
				    PORT_OF(s), AS_CHECK));
	r = run_command(30000 * patience, "sslscan", "--no-colour", "--no-heartbleed",
			str("127.0.0.1:%d", s->tls_port));
	seen = of(check_of(report, "tls-versions"), "seen");
	snprintf(ours, sizeof(ours), "%s ", seen);
	for (char *c = ours; *c; c++)
		*c = *c == ',' || *c == ':' ? ' ' : *c;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool theirs = strstr(r.out, str("%s  enabled", names[i][0]));

		/* by strict, 1.3 is not among those that are named for being bad */
		if (i < 4 || !weak)
			require(theirs == !!strstr(ours, names[i][1]), "%s: sslscan %d, here: %s",
				names[i][0], theirs, seen);
	}
	if (weak)
		return;
	seen = of(check_of(report, "tls-ciphers"), "seen");
	require((size_t)atoi(seen) == count(r.out, "Accepted  ") + count(r.out, "Preferred "),
		"sslscan has another number of suites than %s: %s", seen, r.out);
}

/* Another tool, which brings an OpenSSL of its own for what is no longer spoken. */
static void like_testssl(const void *arg)
{
	static const char *const names[][2] = {{"SSLv3 ", "SSLv3"},
					       {"TLS 1 ", "TLSv1 "},
					       {"TLS 1.1 ", "TLSv1.1"},
					       {"TLS 1.2 ", "TLSv1.2"},
					       {"TLS 1.3 ", "TLSv1.3"}};
	struct server *s = prepare(false, arg);
	const char *line, *end, *seen;
	char ours[1024];
	struct run r;

	if (access("/usr/bin/testssl", X_OK))
		test_skip("no testssl here");
	server_run_with(s, as_server);
	seen = of(check_of(report_of(validate("--format", "json", PORT_OF(s), AS_CHECK)),
			   "tls-versions"),
		  "seen");
	snprintf(ours, sizeof(ours), "%s ", seen);
	for (char *c = ours; *c; c++)
		*c = *c == ',' || *c == ':' ? ' ' : *c;
	r = run_command(120000 * patience, "testssl", "--protocols", "--quiet", "--color", "0",
			"--warnings", "off", str("127.0.0.1:%d", s->tls_port));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		line = strstr(r.out, str("\n %s", names[i][0]));
		require(line, "no %sin: %s%s", names[i][0], r.out, r.err);
		end = strchr(line + 1, '\n');
		line = str("%.*s", (int)(end - line), line);
		/* ours names the bad ones alone where there are some */
		if (!strstr(ours, "accepted") || i < 3)
			require(!strstr(line, "not offered") == !!strstr(ours, names[i][1]),
				"testssl: %s; here: %s", line, seen);
	}
}

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

/* --- with a monitor --- */

static const char *working_directory(void)
{
	static char path[PATH_MAX];

	require(getcwd(path, sizeof(path)), "getcwd: %s", strerror(errno));
	return path;
}

static void expect_verdict(json_t *report, const char *id, const char *want, const char *seen)
{
	json_t *check = check_of(report, id);

	require(!strcmp(of(check, "verdict"), want) && strstr(of(check, "seen"), seen),
		"%s: %s, not %s: %s", id, of(check, "verdict"), want, of(check, "seen"));
}

/* Nothing of a decoy, or of the monitor that was run, is left. */
static void expect_nothing_left(void)
{
	static const char *const patterns[] = {
		"/run/cachewarden-decoy.*", "/var/tmp/cachewarden-decoy.*",
		"/tmp/cachewarden-decoy.*", "/run/cachewarden-validate.*"};
	glob_t found;

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		int none = glob(patterns[i], 0, NULL, &found);

		require(none == GLOB_NOMATCH, "%s is left", none ? patterns[i] : found.gl_pathv[0]);
	}
}

static void drills(const void *arg)
{
	struct server *s = prepare(false, USERS);
	size_t i, made = 0;
	json_t *report, *one;

	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", "--drill", PORT_OF(s), AS_CHECK));
	json_array_foreach (json_object_get(report, "checks"), i, one) {
		if (strncmp(of(one, "id"), "drill-", 6))
			continue;
		made++;
		/* a kernel without modules and kexec has no way to load code */
		if (strcmp(of(one, "id"), "drill-mem-kernel") || strcmp(of(one, "verdict"), "skip"))
			expect_verdict(report, of(one, "id"), "pass", "after ");
		else
			expect_verdict(report, of(one, "id"), "skip", "Function not implemented");
	}
	require(made == 16, "%zu drills", made);
	expect_nothing_left();
	require(!child_ended(s->pid), "the server ended");
}

/* What validate says while meanwhile() is done to the server; it is ended by SIGTERM long before its time. */
static json_t *watched(struct server *s, void (*meanwhile)(struct server *s))
{
	const char *out = str("%s/watched.json", scratch), *err = str("%s/watched.err", scratch);
	const char *const argv[] = {MONITOR, "validate", "--format", "json", "--duration",
				    "600",   PORT_OF(s), AS_CHECK,   NULL};
	int status;
	pid_t pid;

	file_write(err, "");
	pid = child_start(argv, &(struct child_opts){.out = out, .err = err});
	for (int i = 0; !strstr(file_read(err), "watching"); i++) {
		require(i < 600 && !child_ended(pid), "it did not begin to watch: %s",
			file_read(err));
		usleep(100000);
	}
	meanwhile(s);
	status = child_stop(pid, SIGTERM, 30000 * patience);
	require(WIFEXITED(status), "it ended with status %d", status);
	expect_nothing_left();
	return report_of(
		(struct run){.out = (char *)file_read(out), .err = (char *)file_read(err)});
}

static void ask_something(struct server *s)
{
	struct client *c = client_open(s, "127.0.0.1", true);

	client_do(c, "PING");
	client_close(c);
}

static void attack(struct server *s)
{
	ask_something(s);
	trigger("vm_readv", pid_of(s));
	trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
}

/* The shell of a CI file of docs/ci, run as it stands there. */
static void ci_file(const void *name)
{
	static const char *const reports[] = {"cachewarden.xml", "cachewarden.sarif"};
	struct server *s = prepare(true, USERS);
	const char *dir = str("%s/ci", scratch), *steps = str("%s/steps", dir);
	const char *checker = str("%s/tests/scripts/reports.py", working_directory());
	struct run r;

	server_run(s); /* as root: whoever knows the password may send it to that one */
	require(!mkdir(dir, 0700) || errno == EEXIST, "mkdir: %s", strerror(errno));
	r = run_command(10000 * patience, "python3", "tests/scripts/ci_steps.py",
			str("docs/ci/%s", (const char *)name));
	if (strstr(r.err, "No such file") || strstr(r.err, "No module named"))
		test_skip("no python3 with yaml here");
	require(r.status == 0, "%s%s", r.out, r.err);
	file_write(steps, r.out);
	r = run_command(60000 * patience, "env", "-C", dir,
			str("PATH=%s/build:/usr/bin:/bin", working_directory()),
			str("CACHE_PORT=%d", s->tls_port),
			"INTEGRATION_TESTS=env; echo the tests ran",
			str("CHECK_PASSWORD_FILE=%s", password_file(PASSWORD)),
			"CACHEWARDEN_PASSWORD=" PASSWORD, "sh", "-e", steps);
	require(!strstr(r.err, PASSWORD), "the tests are told the password: %s", r.err);
	require(r.status == 1 && strstr(r.err, "the tests ran"), "exit code %d: %s%s", r.status,
		r.out, r.err);
	for (size_t i = 0; i < 2; i++) {
		const char *file = str("%s/%s", dir, reports[i]);

		if (access(file, R_OK))
			continue;
		r = run_command(10000 * patience, "python3", checker, i ? "sarif" : "junit", file);
		require(r.status == 0, "%s%s", r.out, r.err);
		require(strstr(file_read(file), "drill-mem-read"), "%s lacks a drill", file);
		require(!strstr(file_read(file), PASSWORD), "the password is in %s", file);
		require(!unlink(file), "unlink %s", file);
		return;
	}
	test_fail("no report: %s%s", r.out, r.err);
}

static void failing_tests(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = report_of(validate("--format", "json", "--while", "exit 7", PORT_OF(s), AS_CHECK));
	expect_verdict(report, "watch-covered", "skip", "the command of --while failed");
	expect_verdict(report, "watch-memory", "skip", "the command of --while failed");
	expect_nothing_left();
}

static void quiet_time(const void *arg)
{
	struct server *s = prepare(false, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, ask_something);
	expect_verdict(report, "watch-covered", "pass", "without a gap");
	expect_verdict(report, "watch-wire", "pass", "");
	expect_verdict(report, "watch-versions", "pass", "1 handshake");
	expect_verdict(report, "watch-ciphers", "pass", "");
	expect_verdict(report, "watch-memory", "pass", "");
	expect_verdict(report, "watch-files", "pass", "");
}

static void attacked_meanwhile(const void *arg)
{
	struct server *s = prepare(true, USERS);
	json_t *report;

	server_run_with(s, as_server);
	report = watched(s, attack);
	expect_verdict(report, "watch-memory", "fail", "mem-read 1");
	expect_verdict(report, "watch-wire", "fail", "tls-plaintext");
	expect_verdict(report, "watch-covered", "pass", "without a gap");
	expect_verdict(report, "watch-files", "pass", "");
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
	TEST("a password file that others can read is refused", readable_password_file),
	TEST("a server that requires a client certificate", client_certificate),
	TEST("a server on IPv6 alone", ipv6_alone),
	TEST("a server on a UNIX socket alone", unix_socket_alone),
	TEST("nobody judges what he sees, and is told what he lacks", by_nobody),
	TEST("no server, and several", none_or_several),
	TEST("a monitor that runs reports the validation", seen_by_a_monitor, .slow = true),
	TEST("--drill: a monitor reports every attack on a decoy, in time", drills),
	TEST("--duration: clients with TLS break no promise", quiet_time),
	TEST("--duration: a read of its memory, and plaintext, are broken promises",
	     attacked_meanwhile),
	TEST("--while: tests that fail prove nothing", failing_tests),
	TEST("docs/ci: the shell of GitLab CI gives a report", ci_file, .arg = "gitlab-ci.yml"),
	TEST("docs/ci: the shell of GitHub Actions gives a report", ci_file,
	     .arg = "github-actions.yml", .slow = true),
	TEST("docs/ci: the shell of Jenkins gives a report", ci_file, .arg = "Jenkinsfile",
	     .slow = true),
	TEST("JUnit XML and SARIF are what CI servers read", reports),
	TEST("a report to a device leaves it one, and a link to a file is refused", to_a_device),
	TEST("a baseline shows what changed", baseline),
	TEST("sslscan finds the same versions and suites", like_sslscan),
	TEST("sslscan finds the same old versions", like_sslscan, .arg = USERS, .slow = true),
	TEST("testssl.sh finds the same versions", like_testssl, .arg = USERS, .slow = true),
	TEST("testssl.sh finds the same old versions", like_testssl, .arg = USERS EVERYTHING,
	     .slow = true),
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
