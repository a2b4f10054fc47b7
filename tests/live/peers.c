/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - other TLS stacks: the version and suite that the monitor lists are those that the stack itself reports.
 *
 * The suite `peers` is here. Its tests of NSS are in peers_nss.c, of scanners in peers_scan.c, of proxies and of
 * connections between servers in peers_servers.c.
 */
#include "peers.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct server *peers_ecdsa, *peers_rsa;
struct monitor *peers_mon;

static struct server *server_rsa(void)
{
	const char *cert = str("%s/rsa.pem", scratch), *key = str("%s/rsa.key", scratch),
		   *dh = str("%s/dh.pem", scratch);
	struct run r = run_command(8000, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
				   "-days", "2", "-subj", "/CN=cachewarden test", "-keyout", key,
				   "-out", cert);

	require(!r.status, "openssl req: %s", r.err);
	r = run_command(8000, "openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
			"group:ffdhe2048", "-out", dh);
	require(!r.status, "openssl genpkey: %s", r.err);
	return server_start(&(struct server_opts){
		.extra = str(EVERYTHING "tls-cert-file %s\ntls-key-file %s\ntls-dh-params-file %s",
			     cert, key, dh)});
}

void peers_setup(void)
{
	peers_ecdsa = server_start(&(struct server_opts){.extra = EVERYTHING, .plain = true});
	peers_rsa = server_rsa();
	peers_mon = monitor_start(NULL);
}

void peers_teardown(void)
{
	monitor_stop(peers_mon, SIGTERM);
}

bool peers_have(const char *program)
{
	return !run_command(5000, "sh", "-c", str("command -v %s", program)).status;
}

json_t *conn_by_sni(json_t *all, const char *name)
{
	json_t *j;
	size_t i;

	json_array_foreach (all, i, j)
		if (!strcmp(text_at(j, "tls", "sni"), name))
			return j;
	return NULL;
}

/* ---- what was negotiated ------------------------------------------------------------------------- */

const char *const peers_versions[VERSIONS] = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

static int version_index(const char *name)
{
	for (int i = 0; i < VERSIONS; i++)
		if (!strcmp(peers_versions[i], name))
			return i;
	test_fail("no version: %s", name);
}

/* Forbidden by RFCs, recognised by the parts of its name. */
static bool suite_is_weak(const char *suite)
{
	static const char *const parts[] = {"_NULL_", "_anon_", "_RC4_",   "_3DES_",
					    "_DES_",  "_IDEA_", "_EXPORT_"};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(suite, parts[i]))
			return true;
	return false;
}

void tally_add(struct tally *t, const char *version, const char *suite)
{
	t->of[version_index(version)]++;
	t->weak += suite_is_weak(suite);
	t->sum++;
}

long findings_of(struct monitor *m, const struct server *s, const char *rule, const char *version)
{
	long n = 0;

	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		n += !strcmp(alert_str(m->lines[i], "rule"), rule) &&
		     alert_int(m->lines[i], "instance.pid") == s->pid &&
		     (!version || !strcmp(alert_str(m->lines[i], "conn.tls.version"), version)) &&
		     json_integer_value(json_object_get(m->lines[i], "activity_id")) == 1;
	return n;
}

void tally_is_reported(struct monitor *m, const struct server *s, const struct tally *t)
{
	expect(m,
	       {.rule = "tls-version",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true,
		.optional = !t->of[SSL3] && !t->of[TLS10] && !t->of[TLS11]},
	       {.rule = "tls-cipher",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true,
		.optional = !t->weak});
	for (int v = 0; v < VERSIONS; v++)
		require(findings_of(m, s, "tls-version", peers_versions[v]) ==
				(v < TLS12 ? t->of[v] : 0),
			"%ld alerts for %ld handshakes of %s",
			findings_of(m, s, "tls-version", peers_versions[v]), t->of[v],
			peers_versions[v]);
	require(findings_of(m, s, "tls-cipher", NULL) == t->weak,
		"%ld alerts for %ld handshakes of weak suites",
		findings_of(m, s, "tls-cipher", NULL), t->weak);
}

/* Each version from oldest to newest must have occurred. */
void tally_print(const char *who, const struct tally *t, int oldest, int newest)
{
	printf("# %s: %ld handshakes, and the monitor reports the same of each: SSLv3 %ld, 1.0 %ld, 1.1 %ld, "
	       "1.2 %ld, 1.3 %ld; %ld with a weak suite\n",
	       who, t->sum, t->of[SSL3], t->of[TLS10], t->of[TLS11], t->of[TLS12], t->of[TLS13],
	       t->weak);
	for (int v = oldest; v <= newest; v++)
		require(t->of[v], "%s negotiated %s in no handshake", who, peers_versions[v]);
}

/* who names the connection in failure messages. */
void conn_negotiated(json_t *conn, const char *who, const char *version, const char *suite)
{
	require(conn, "%s (%s %s) is not listed", who, version, suite);
	require(!strcmp(text_at(conn, "tls", "version"), version), "%s negotiated %s, not %s", who,
		version, text_at(conn, "tls", "version"));
	require(!strcmp(text_at(conn, "tls", "cipher"), suite), "%s negotiated %s, not %s", who,
		suite, text_at(conn, "tls", "cipher"));
	require(!strcmp(text_at(conn, "in", "sync"), "synced") &&
			!strcmp(text_at(conn, "out", "sync"), "synced"),
		"%s is not synced", who);
}

void negotiated_is(json_t *all, const char *sni, const char *version, const char *suite)
{
	conn_negotiated(conn_by_sni(all, sni), sni, version, suite);
}

struct stack {
	const char *name, *program, *option, *script;
	int oldest, newest; /* versions that it has in common with the server */
	long least;	    /* the fewest handshakes per kind of key */
	const char *only;   /* argument: the only version to try */
};

/* The program, from build/peers/ if tests/scripts/peers.sh builds it. */
static const char *stack_program(const struct stack *stack)
{
	if (!strchr(stack->program, '/')) {
		if (!peers_have(stack->program))
			test_skip("no %s here", stack->program);
		return stack->program;
	}
	if (access(stack->program, X_OK)) {
		const char *why = str("%s.why", stack->program);

		test_skip("%s", access(why, R_OK) ? str("no %s (make peers)", stack->program)
						  : strtok(file_read(why), "\n"));
	}
	return stack->program;
}

/* The program makes every handshake it can with that server, and prints "SNI VERSION SUITE" for each. */
static void stack_run(struct monitor *m, const struct stack *stack, const struct server *s,
		      const char *with)
{
	const char *program = stack_program(stack), *base = strrchr(program, '/');
	const char *argv[8] = {program};
	char domain[100], out[200]; /* str() would reuse theirs while lines are read */
	char sni[200], version[40], suite[100], *text, *save = NULL;
	struct tally tally = {};
	json_t *all;
	pid_t pid;
	int n = 1;

	snprintf(domain, sizeof(domain), "%s%d.example", base ? base + 1 : program, s->tls_port);
	snprintf(out, sizeof(out), "%s/%s", scratch, domain);
	if (stack->option)
		argv[n++] = stack->option;
	if (stack->script)
		argv[n++] = stack->script;
	argv[n++] = str("%d", s->tls_port);
	argv[n++] = domain;
	argv[n++] = stack->only;
	monitors_mark();
	pid = child_start(argv, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	require(file_wait(out, "done\n", 20000), "%s did not end: %s %s", stack->name,
		file_read(out), file_read(str("%s.err", out)));
	all = conns_of(m);
	text = file_read(out);
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (!strcmp(l, "done"))
			break;
		require(sscanf(l, "%199s %39s %99s", sni, version, suite) == 3, "%s says: %s",
			stack->name, l);
		negotiated_is(all, sni, version, suite);
		tally_add(&tally, version, suite);
	}
	free(text);
	json_decref(all);
	tally_is_reported(m, s, &tally);
	tally_print(str("%s with %s", stack->name, with), &tally, stack->oldest, stack->newest);
	require(tally.sum >= stack->least, "%ld handshakes only", tally.sum);
	child_stop(pid, SIGKILL, 2000);
}

static void stack(const void *arg)
{
	stack_run(peers_mon, arg, peers_ecdsa, "ECDSA");
	stack_run(peers_mon, arg, peers_rsa, "RSA");
}

/* Another server under Redis' name, for what no current Redis accepts. */
static struct server old_server(const char *const *head, const char *dh)
{
	const char *key = str("%s/old.key", scratch), *out = str("%s/old.out", scratch);
	struct server old = {.tls_port = port_free(), .name = "redis-server"};
	const char *argv[12];
	int n = 0;

	while (head[n]) {
		argv[n] = head[n];
		n++;
	}
	argv[n++] = str("%d", old.tls_port);
	if (dh)
		argv[n++] = dh;
	argv[n++] = cert_path();
	argv[n++] = key;
	argv[n++] = str("%s/rsa.pem", scratch);
	argv[n++] = str("%s/rsa.key", scratch);
	argv[n] = NULL;
	key_copy(key);
	old.pid = child_start(argv, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	wait_listening(old.tls_port);
	return old;
}

struct monitor *old_monitor(void)
{
	return monitor_with_policy(
		"instances:\n  - name: old\n    rules:\n      mem-inject: {mode: off}\n");
}

/* Both ends are OpenSSL 1.0, which still has RC4 and 3DES. */
static void openssl_old(const void *arg)
{
	const struct stack *stack = arg;
	const char *exe = str("%s/old/redis-server", scratch);
	struct monitor *m;
	struct server old;

	file_copy(stack_program(stack), exe);
	m = old_monitor();
	old = old_server((const char *const[]){exe, "tests/live/peers/serve.js", NULL},
			 str("%s/dh.pem", scratch));
	stack_run(m, stack, &old, "itself");
	child_stop(old.pid, SIGKILL, 2000);
}

/* JSSE as a server that accepts SSLv3. Java finds its libraries beside its executable. */
struct server jsse_server(void)
{
	const char *home = str("%s/jsse", scratch), *exe = str("%s/bin/redis-server", home);
	struct run r = run_command(5000, "readlink", "-f", "/usr/bin/java");
	char *at = strstr(r.out, "/bin/java");

	if (!at)
		test_skip("no java here");
	if (access(exe, X_OK)) {
		require(!mkdir(home, 0755) && !mkdir(str("%s/bin", home), 0755), "%s", home);
		file_copy(strtok(r.out, "\n"), exe);
		*at = 0;
		require(!symlink(str("%s/lib", r.out), str("%s/lib", home)), "%s", home);
	}
	/* its performance counters would be a shared file */
	return old_server((const char *const[]){exe, "-XX:-UsePerfData",
						"-Djava.net.preferIPv4Stack=true",
						"tests/live/peers/Serve.java", NULL},
			  NULL);
}

static void jsse_old(const void *arg)
{
	const struct stack *stack = arg;
	struct monitor *m = old_monitor();
	struct server old = jsse_server();

	stack_run(m, stack, &old, "itself");
	child_stop(old.pid, SIGKILL, 2000);
}

#define STACK(...) &((const struct stack){__VA_ARGS__})
#define OPENSSL10(least)                                                                           \
	STACK("OpenSSL 1.0", "build/peers/node8", NULL, "tests/live/peers/settle.js", TLS10,       \
	      TLS12, least)

static const struct test tests[] = {
	TEST("NSS by its own word: every version and suite with an ECDSA key", peers_nss),
	TEST("NSS by its own word: every version and suite with an RSA key", peers_nss,
	     .arg = "rsa"),
	TEST("Node by its own word: every version and suite", stack,
	     .arg = STACK("Node", "node", NULL, "tests/live/peers/settle.js", TLS10, TLS13, 25)),
	TEST("Java by its own word: every version and suite", stack,
	     .arg = STACK("JSSE", "java", NULL, "tests/live/peers/Settle.java", TLS10, TLS13, 30),
	     .slow = true),
	TEST("rustls by its own word: every version and suite", stack,
	     .arg = STACK("rustls", "build/peers/rustls", NULL, NULL, TLS12, TLS13, 6)),
	TEST("OpenSSL 1.0 by its own word: every version and suite", stack, .arg = OPENSSL10(20)),
	TEST("OpenSSL 1.0 at both ends, with RC4, 3DES and nothing: every version and suite",
	     openssl_old, .arg = OPENSSL10(130)),
	TEST("Java at both ends, with SSLv3 and export suites: every suite", jsse_old,
	     .arg = STACK("JSSE", "java", NULL, "tests/live/peers/Settle.java", SSL3, SSL3, 40,
			  "SSLv3"),
	     .slow = true),
	TEST("NSS and Java, with SSLv3: every suite they share, by NSS' own word", peers_nss_old,
	     .slow = true),
	TEST("sslscan of a server with an ECDSA key: its report is what was seen", peers_sslscan),
	TEST("sslscan of a server with an RSA key: its report is what was seen", peers_sslscan,
	     .arg = "rsa"),
	TEST("testssl.sh: its report is what was seen", peers_testssl, .slow = true),
	TEST("stunnel in front: its plaintext is allowed by a policy, redis-cli's is not",
	     peers_proxied, .arg = &proxy_stunnel),
	TEST("haproxy in front: its plaintext is allowed by a policy, redis-cli's is not",
	     peers_proxied, .arg = &proxy_haproxy, .slow = true),
	TEST("sentinel over TLS 1.2: both ends say what was settled", peers_sentinel,
	     .arg = &pin_tls12),
	TEST("sentinel over TLS 1.3: both ends say what was settled", peers_sentinel,
	     .arg = &pin_tls13),
	TEST("MIGRATE over TLS 1.2: both ends say what was settled", peers_migrate,
	     .arg = &pin_tls12),
	TEST("MIGRATE over TLS 1.3: both ends say what was settled", peers_migrate,
	     .arg = &pin_tls13),
	TEST("the cluster bus over TLS 1.2: both ends say what was settled", peers_cluster,
	     .arg = &pin_tls12),
	TEST("the cluster bus over TLS 1.3: both ends say what was settled", peers_cluster,
	     .arg = &pin_tls13),
	{},
};

const struct suite peers_suite = {"peers", peers_setup, peers_teardown, tests};
