/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - other people's TLS: what the monitor says was settled is what each stack says itself, scanners raise
 * what their hellos are and nothing else, a proxy's plaintext is what a policy can allow.
 */
#include "harness.h"

#include "event.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whatever this OpenSSL can do; SECLEVEL 0 also for the certificate. */
#define EVERYTHING                                                                                 \
	"tls-protocols \"TLSv1 TLSv1.1 TLSv1.2 TLSv1.3\"\n"                                        \
	"tls-ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0\n"

static struct server *ecdsa, *rsa; /* the same, with a key of that kind */
static struct monitor *mon;

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

static void setup(void)
{
	ecdsa = server_start(&(struct server_opts){.extra = EVERYTHING, .plain = true});
	rsa = server_rsa();
	mon = monitor_start(NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

static bool here(const char *program)
{
	return !run_command(5000, "sh", "-c", str("command -v %s", program)).status;
}

static json_t *conn_by_sni(json_t *all, const char *name)
{
	json_t *j;
	size_t i;

	json_array_foreach (all, i, j)
		if (!strcmp(text_at(j, "tls", "sni"), name))
			return j;
	return NULL;
}

static struct monitor *monitor_with(const char *policy)
{
	static unsigned int nr;
	const char *path = str("%s/peers.%u.yaml", scratch, ++nr);

	file_write(path, policy);
	return monitor_start("--policy", path, NULL);
}

/* ---- what was settled ---------------------------------------------------------------------------- */

enum { SSL3, TLS10, TLS11, TLS12, TLS13, VERSIONS };

static const char *const versions[VERSIONS] = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

static int version_index(const char *name)
{
	for (int i = 0; i < VERSIONS; i++)
		if (!strcmp(versions[i], name))
			return i;
	test_fail("no version: %s", name);
}

/* Handshakes by version, those with a suite that no policy should like, and their sum. */
struct tally {
	long of[VERSIONS], weak, sum;
};

/* What RFCs forbid, by the parts of its name. */
static bool suite_is_weak(const char *suite)
{
	static const char *const parts[] = {"_NULL_", "_anon_", "_RC4_",   "_3DES_",
					    "_DES_",  "_IDEA_", "_EXPORT_"};

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(suite, parts[i]))
			return true;
	return false;
}

static void tally_add(struct tally *t, const char *version, const char *suite)
{
	t->of[version_index(version)]++;
	t->weak += suite_is_weak(suite);
	t->sum++;
}

/* Findings of the test with that rule about that server; with a version, those of handshakes that settled on it. */
static long findings_of(struct monitor *m, const struct server *s, const char *rule,
			const char *version)
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

/* Old versions and weak suites are told, one alert for each handshake; nothing else is. */
static void tally_is_told(struct monitor *m, const struct server *s, const struct tally *t)
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
		require(findings_of(m, s, "tls-version", versions[v]) == (v < TLS12 ? t->of[v] : 0),
			"%ld alerts for %ld handshakes of %s",
			findings_of(m, s, "tls-version", versions[v]), t->of[v], versions[v]);
	require(findings_of(m, s, "tls-cipher", NULL) == t->weak,
		"%ld alerts for %ld handshakes of weak suites",
		findings_of(m, s, "tls-cipher", NULL), t->weak);
}

/* Of each of these versions, numbered as above, there was one. */
static void tally_print(const char *who, const struct tally *t, int oldest, int newest)
{
	printf("# %s: %ld handshakes, and the monitor says the same of each: SSLv3 %ld, 1.0 %ld, 1.1 %ld, "
	       "1.2 %ld, 1.3 %ld; %ld with a weak suite\n",
	       who, t->sum, t->of[SSL3], t->of[TLS10], t->of[TLS11], t->of[TLS12], t->of[TLS13],
	       t->weak);
	for (int v = oldest; v <= newest; v++)
		require(t->of[v], "%s settled on %s in no handshake", who, versions[v]);
}

/* Who is a word for the connection. */
static void conn_settled(json_t *conn, const char *who, const char *version, const char *suite)
{
	require(conn, "%s (%s %s) is not listed", who, version, suite);
	require(!strcmp(text_at(conn, "tls", "version"), version), "%s settled on %s, not %s", who,
		version, text_at(conn, "tls", "version"));
	require(!strcmp(text_at(conn, "tls", "cipher"), suite), "%s settled on %s, not %s", who,
		suite, text_at(conn, "tls", "cipher"));
	require(!strcmp(text_at(conn, "in", "sync"), "synced") &&
			!strcmp(text_at(conn, "out", "sync"), "synced"),
		"%s is not synced", who);
}

static void settled_is(json_t *all, const char *sni, const char *version, const char *suite)
{
	conn_settled(conn_by_sni(all, sni), sni, version, suite);
}

struct stack {
	const char *name, *program, *option, *script;
	int oldest, newest; /* of the versions above, what it has beside the server */
	long least;	    /* handshakes with either kind of key */
	const char *only;   /* a version it tries when told to */
};

/* Of tests/scripts/peers.sh's, where it has a folder. */
static const char *stack_program(const struct stack *stack)
{
	if (!strchr(stack->program, '/')) {
		if (!here(stack->program))
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

/* It makes every handshake it can with that server and writes "SNI VERSION SUITE" for each. */
static void stack_settles(struct monitor *m, const struct stack *stack, const struct server *s,
			  const char *with)
{
	const char *program = stack_program(stack), *base = strrchr(program, '/'),
		   *domain = str("%s%d.example", base ? base + 1 : program, s->tls_port),
		   *out = str("%s/%s", scratch, domain);
	const char *argv[8] = {program};
	char sni[200], version[40], suite[100], *text, *save = NULL;
	struct tally tally = {};
	json_t *all;
	pid_t pid;
	int n = 1;

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
		settled_is(all, sni, version, suite);
		tally_add(&tally, version, suite);
	}
	free(text);
	json_decref(all);
	tally_is_told(m, s, &tally);
	tally_print(str("%s with %s", stack->name, with), &tally, stack->oldest, stack->newest);
	require(tally.sum >= stack->least, "%ld handshakes only", tally.sum);
	child_stop(pid, SIGKILL, 2000);
}

static void stack(const void *arg)
{
	stack_settles(mon, arg, ecdsa, "ECDSA");
	stack_settles(mon, arg, rsa, "RSA");
}

/* A server that is no Redis but by the name of its file, as what no Redis of today takes needs one. */
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

/* The monitor for one: Node and Java write their code themselves. */
static struct monitor *old_monitor(void)
{
	return monitor_with(
		"instances:\n  - name: old\n    rules:\n      mem-inject: {mode: off}\n");
}

/* RC4 and 3DES among it: both ends are OpenSSL 1.0. */
static void openssl_of_old(const void *arg)
{
	const struct stack *stack = arg;
	const char *exe = str("%s/old/redis-server", scratch);
	struct monitor *m;
	struct server old;

	file_copy(stack_program(stack), exe);
	m = old_monitor();
	old = old_server((const char *const[]){exe, "tests/live/peers/serve.js", NULL},
			 str("%s/dh.pem", scratch));
	stack_settles(m, stack, &old, "itself");
	child_stop(old.pid, SIGKILL, 2000);
}

/* JSSE as a server that takes SSLv3. Java finds the rest of itself beside its file. */
static struct server jsse_server(void)
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
	/* its counters would be a file that it shares */
	return old_server((const char *const[]){exe, "-XX:-UsePerfData",
						"-Djava.net.preferIPv4Stack=true",
						"tests/live/peers/Serve.java", NULL},
			  NULL);
}

static void jsse_of_old(const void *arg)
{
	const struct stack *stack = arg;
	struct monitor *m = old_monitor();
	struct server old = jsse_server();

	stack_settles(m, stack, &old, "itself");
	child_stop(old.pid, SIGKILL, 2000);
}

/* ---- NSS ----------------------------------------------------------------------------------------- */

static const struct nss_suite {
	const char *number, *name, *says; /* how tstclnt describes it */
	bool rsa;			  /* the kind of key it needs */
} nss_suites[] = {
	{"C006", "TLS_ECDHE_ECDSA_WITH_NULL_SHA", "0-bit NULL with 160-bit SHA1"},
	{"C009", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "128-bit AES with 160-bit SHA1"},
	{"C00A", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "256-bit AES with 160-bit SHA1"},
	{"C023", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "128-bit AES with 256-bit SHA256"},
	{"C024", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "256-bit AES with 384-bit SHA384"},
	{"C02B", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "128-bit AES-GCM with 128-bit AEAD"},
	{"C02C", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "256-bit AES-GCM with 128-bit AEAD"},
	{"CCA9", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	 "256-bit CHACHA20POLY1305 with 128-bit AEAD"},
	{"1301", "TLS_AES_128_GCM_SHA256", "128-bit AES-GCM with 128-bit AEAD"},
	{"1302", "TLS_AES_256_GCM_SHA384", "256-bit AES-GCM with 128-bit AEAD"},
	{"1303", "TLS_CHACHA20_POLY1305_SHA256", "256-bit CHACHA20POLY1305 with 128-bit AEAD"},
	{"002F", "TLS_RSA_WITH_AES_128_CBC_SHA", "128-bit AES with 160-bit SHA1", true},
	{"0035", "TLS_RSA_WITH_AES_256_CBC_SHA", "256-bit AES with 160-bit SHA1", true},
	{"009C", "TLS_RSA_WITH_AES_128_GCM_SHA256", "128-bit AES-GCM with 128-bit AEAD", true},
	{"C014", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "256-bit AES with 160-bit SHA1", true},
	{"C02F", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "128-bit AES-GCM with 128-bit AEAD",
	 true},
	{"CCA8", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
	 "256-bit CHACHA20POLY1305 with 128-bit AEAD", true},
	{"1301", "TLS_AES_128_GCM_SHA256", "128-bit AES-GCM with 128-bit AEAD", true},
};

/* of SSLv3's time, and what NSS still has of it */
static const struct nss_suite nss_suites_old[] = {
	{"0001", "TLS_RSA_WITH_NULL_MD5", "0-bit NULL with 128-bit MD5"},
	{"0002", "TLS_RSA_WITH_NULL_SHA", "0-bit NULL with 160-bit SHA1"},
	{"0004", "TLS_RSA_WITH_RC4_128_MD5", "128-bit RC4 with 128-bit MD5"},
	{"0005", "TLS_RSA_WITH_RC4_128_SHA", "128-bit RC4 with 160-bit SHA1"},
	{"000A", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "112-bit 3DES with 160-bit SHA1"},
	{"002F", "TLS_RSA_WITH_AES_128_CBC_SHA", "128-bit AES with 160-bit SHA1"},
	{"0035", "TLS_RSA_WITH_AES_256_CBC_SHA", "256-bit AES with 160-bit SHA1"},
	{"0016", "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", "112-bit 3DES with 160-bit SHA1"},
	{"0033", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "128-bit AES with 160-bit SHA1"},
	{"0039", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "256-bit AES with 160-bit SHA1"},
};

/* tstclnt with that suite and version; it says in the second file what was settled, and stays. */
static pid_t nss_start(const struct server *s, const char *name, const char *version,
		       const struct nss_suite *suite)
{
	const char *const argv[] = {"tstclnt", "-D",
				    "-o",      "-v",
				    "-h",      "127.0.0.1",
				    "-p",      str("%d", s->tls_port),
				    "-a",      name,
				    "-V",      str("%1$s:%1$s", version),
				    "-c",      str(":%s", suite->number),
				    NULL};

	return child_start(argv, &(struct child_opts){.keep_stdin = true,
						      .out = str("%s/%s.out", scratch, name),
						      .err = str("%s/%s", scratch, name)});
}

/*
 * NSS numbers versions as the wire does (3.1 is TLS 1.0), and names a suite's parts only: offered is one suite.
 * Returns the version's index, -1: it did not settle.
 */
static int nss_version(const char *name, const struct nss_suite *suite)
{
	char *said = file_read(str("%s/%s", scratch, name)), *at = strstr(said, "SSL version 3.");
	int version = at ? atoi(at + strlen("SSL version 3.")) : -1;

	if (at) {
		require(version >= 0 && version < VERSIONS, "NSS says %.60s", at);
		require(strstr(at, suite->says), "NSS says %.80s, not %s", at, suite->says);
	}
	free(said);
	return version;
}

static const char *nss_name(size_t nr, bool with_rsa)
{
	return str("nss%zu.%s.example", nr, with_rsa ? "rsa" : "ecdsa");
}

/* Waits until it says what was settled, or ends. */
static void nss_wait(pid_t pid, const char *name)
{
	const char *said = str("%s/%s", scratch, name);
	long long end = now_ms() + 8000 * patience;

	while (!file_has(said, "SSL version 3.") && !child_ended(pid) && now_ms() < end)
		sleep_ms(10);
}

static void nss(const void *arg)
{
	static const char *const options[VERSIONS] = {"ssl3", "tls1.0", "tls1.1", "tls1.2",
						      "tls1.3"};
	bool with_rsa = arg;
	const struct server *s = with_rsa ? rsa : ecdsa;
	size_t suites = ARRAY_SIZE(nss_suites);
	pid_t pids[ARRAY_SIZE(nss_suites) * VERSIONS] = {};
	struct tally tally = {};
	json_t *all;

	if (!here("tstclnt"))
		test_skip("no tstclnt here");
	for (size_t i = 0; i < suites * VERSIONS; i++)
		if (nss_suites[i / VERSIONS].rsa == with_rsa && i % VERSIONS != SSL3)
			pids[i] = nss_start(s, nss_name(i, with_rsa), options[i % VERSIONS],
					    &nss_suites[i / VERSIONS]);
	for (size_t i = 0; i < suites * VERSIONS; i++)
		if (pids[i])
			nss_wait(pids[i], nss_name(i, with_rsa));
	all = conns_of(mon);
	for (size_t i = 0; i < suites * VERSIONS; i++) {
		const struct nss_suite *suite = &nss_suites[i / VERSIONS];
		const char *name = nss_name(i, with_rsa);
		int version = nss_version(name, suite);

		if (version < 0)
			continue;
		settled_is(all, name, versions[version], suite->name);
		tally_add(&tally, versions[version], suite->name);
	}
	json_decref(all);
	tally_is_told(mon, s, &tally);
	tally_print(with_rsa ? "NSS with RSA" : "NSS with ECDSA", &tally, TLS10, TLS13);
}

/* The port from which that process is connected to the server, by its own descriptors. */
static int port_from(pid_t pid, const struct server *to)
{
	char *tcp = file_read("/proc/net/tcp"), *save = NULL, link[64];
	unsigned int local = 0;

	for (char *l = strtok_r(tcp, "\n", &save); l && !local; l = strtok_r(NULL, "\n", &save)) {
		unsigned int from, port;
		unsigned long inode;

		if (sscanf(l, " %*d: %*8X:%4X %*8X:%4X %*s %*s %*s %*s %*s %*s %lu", &from, &port,
			   &inode) != 3 ||
		    (int)port != to->tls_port)
			continue;
		for (int fd = 3; fd < 16 && !local; fd++) {
			ssize_t n = readlink(str("/proc/%d/fd/%d", pid, fd), link, sizeof(link));

			if (n > 0 && !strncmp(link, str("socket:[%lu]", inode), n))
				local = from;
		}
	}
	free(tcp);
	require(local, "process %d is not connected", pid);
	return (int)local;
}

/* Two stacks that know nothing of each other. A hello of SSLv3 names no server, so ports tell which is which. */
static void nss_of_old(const void *arg)
{
	enum { SUITES = ARRAY_SIZE(nss_suites_old) };
	struct tally tally = {};
	pid_t pids[SUITES];
	struct monitor *m;
	struct server old;
	json_t *all;

	if (!here("tstclnt"))
		test_skip("no tstclnt here");
	m = old_monitor();
	old = jsse_server();
	monitors_mark();
	for (int i = 0; i < SUITES; i++)
		pids[i] = nss_start(&old, str("nss%d.old.example", i), "ssl3", &nss_suites_old[i]);
	for (int i = 0; i < SUITES; i++) {
		const char *out = str("%s/nss%d.old.example", scratch, i);

		require(file_wait(out, nss_suites_old[i].says, 5000), "%s did not settle: %s",
			nss_suites_old[i].name, file_read(out));
	}
	all = conns_of(m);
	for (int i = 0; i < SUITES; i++) {
		const struct nss_suite *suite = &nss_suites_old[i];
		const char *name = str("nss%d.old.example", i);

		require(nss_version(name, suite) == SSL3, "not on SSLv3");
		conn_settled(conn_in(all, port_from(pids[i], &old)), suite->name, versions[SSL3],
			     suite->name);
		tally_add(&tally, versions[SSL3], suite->name);
	}
	json_decref(all);
	tally_is_told(m, &old, &tally);
	tally_print("NSS with JSSE", &tally, SSL3, SSL3);
	child_stop(old.pid, SIGKILL, 2000);
}

/* ---- scanners ------------------------------------------------------------------------------------ */

/* No suite fits, so each handshake that settles on one is told, with version and suite. */
static struct monitor *monitor_of_handshakes(void)
{
	return monitor_with("tls:\n  ciphers:\n    - TLS_NOTHING_FITS\n");
}

/* "VERSION SUITE" of every handshake with that server that the monitor told of since the test began. */
static json_t *settled_in(struct monitor *m, const struct server *s)
{
	json_t *set = json_object();

	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		if (!strcmp(alert_str(m->lines[i], "rule"), "tls-cipher") &&
		    alert_int(m->lines[i], "instance.pid") == s->pid)
			json_object_set_new(set,
					    str("%s %s", alert_str(m->lines[i], "conn.tls.version"),
						alert_str(m->lines[i], "conn.tls.cipher")),
					    json_true());
	return set;
}

static bool settled_on(json_t *set, const char *version)
{
	const char *key;
	json_t *value;

	json_object_foreach (set, key, value)
		if (!strncmp(key, str("%s ", version), strlen(version) + 1))
			return true;
	return false;
}

/* The IANA names of all suites this machine's OpenSSL has, by its own names for them. */
static json_t *openssl_names(void)
{
	struct run r = run_command(5000, "openssl", "ciphers", "-stdname",
				   "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
	json_t *names = json_object();
	char iana[100], name[100], *save = NULL;

	for (char *l = strtok_r(r.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (sscanf(l, "%99s - %99s", iana, name) == 2)
			json_object_set_new(names, name, json_string(iana));
	require(json_object_size(names) > 10, "openssl ciphers: %s", r.err);
	return names;
}

static const char *attribute(const char *element, const char *name)
{
	const char *at = strstr(element, str(" %s=\"", name));

	if (!at)
		return "";
	at += strlen(name) + 3;
	return str("%.*s", (int)strcspn(at, "\""), at);
}

/* What a scan may raise: old versions, suites, and an SSLv2 hello is no TLS record. Nothing else, so no false alarm. */
static void expect_scan(struct monitor *m, const struct server *s)
{
	expect(m,
	       {.rule = "tls-cipher",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true},
	       {.rule = "tls-version",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true,
		.optional = true},
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.direction = "ingress",
		.local_port = s->tls_port,
		.saw = "sslv2-hello",
		.command = "",
		.many = true});
}

static void sslscan(const void *arg)
{
	const struct server *s = arg ? rsa : ecdsa;
	json_t *names, *seen, *reported = json_object(), *value;
	struct monitor *m;
	const char *key;
	char *save = NULL;
	struct run r;

	if (!here("sslscan"))
		test_skip("no sslscan here");
	names = openssl_names();
	m = monitor_of_handshakes();
	monitors_mark();
	r = run_command(30000, "sslscan", "--no-colour", "--xml=-",
			str("127.0.0.1:%d", s->tls_port));
	require(!r.status && strstr(r.out, "</document>"), "sslscan: %s %s", r.out, r.err);
	expect_scan(m, s);
	seen = settled_in(m, s);
	for (char *l = strtok_r(r.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		const char *version = attribute(l, "version"), *name = attribute(l, "cipher");

		if (strstr(l, "<protocol type=\"tls\"")) {
			version = strcmp(version, "1.0") ? str("TLSv%s", version) : "TLSv1";
			require(settled_on(seen, version) == (attribute(l, "enabled")[0] == '1'),
				"sslscan says of %s: %s", version, l);
		}
		if (!strstr(l, "<cipher "))
			continue;
		version = attribute(l, "sslversion");
		if (!strcmp(version, "TLSv1.0"))
			version = "TLSv1";
		name = json_string_value(json_object_get(names, name)) ?: name;
		json_object_set_new(reported, str("%s %s", version, name), json_true());
	}
	json_object_foreach (reported, key, value)
		require(json_object_get(seen, key), "sslscan reports %s, no handshake was told",
			key);
	json_object_foreach (seen, key, value)
		require(json_object_get(reported, key),
			"a handshake on %s, not in sslscan's report", key);
	printf("# sslscan reports %zu pairs of version and suite, and the monitor saw these\n",
	       json_object_size(reported));
	json_decref(names);
	json_decref(seen);
	json_decref(reported);
}

/* The scanner's findings of that server; it is let live that long. */
static json_t *testssl_of(const struct server *s, const char *what, int timeout_ms)
{
	const char *out = str("%s/testssl.json", scratch);
	struct run r;
	json_t *all;

	/* it calls ps, which reads everybody's environment: let it see only its own processes */
	r = run_command(timeout_ms, "env", "HEADER_MAXSLEEP=1", "unshare", "--pid", "--fork",
			"--mount-proc", "testssl", what, "--quiet", "--color", "0", "--warnings",
			"off", "--nodns", "none", "--openssl", "/usr/bin/openssl", "--mapping",
			"iana", "--jsonfile", out, str("127.0.0.1:%d", s->tls_port));
	all = json_load_file(out, 0, NULL);
	require(r.status >= 0 && all, "testssl: %s %s", r.out, r.err);
	unlink(out);
	return all;
}

static const struct {
	const char *id, *version;
} testssl_ids[VERSIONS] = {{"SSLv3", "SSLv3"},
			   {"TLS1", "TLSv1"},
			   {"TLS1_1", "TLSv1.1"},
			   {"TLS1_2", "TLSv1.2"},
			   {"TLS1_3", "TLSv1.3"}};

static const char *finding_of(json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key)) ?: "";
}

/* A version is offered, says the scanner: there were handshakes that settled on it, and none else. */
static void offered_is_settled(json_t *all, json_t *seen)
{
	size_t found = 0, i;
	json_t *j;

	json_array_foreach (all, i, j)
		for (size_t k = 0; k < VERSIONS; k++) {
			if (strcmp(testssl_ids[k].id, finding_of(j, "id")))
				continue;
			found++;
			require(settled_on(seen, testssl_ids[k].version) ==
					!strncmp(finding_of(j, "finding"), "offered", 7),
				"testssl says of %s: %s", testssl_ids[k].id,
				finding_of(j, "finding"));
		}
	require(found == VERSIONS, "testssl reports %zu versions", found);
}

static void testssl(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = "tls-protocols \"TLSv1.2 TLSv1.3\""});
	json_t *all, *seen;
	struct monitor *m;

	if (!here("testssl"))
		test_skip("no testssl.sh here");
	m = monitor_of_handshakes();
	monitors_mark();
	all = testssl_of(s, "--protocols", 40000);
	expect_scan(m, s);
	seen = settled_in(m, s);
	offered_is_settled(all, seen);
	json_decref(all);
	json_decref(seen);
}

/* All it has, for minutes: every suite of every version, old attacks, the hellos of others' clients. */
static void testssl_full(const void *arg)
{
	json_t *all, *j, *seen, *value, *reported = json_object();
	size_t simulated = 0, i;
	struct monitor *m;
	const char *key;

	if (!here("testssl"))
		test_skip("no testssl.sh here");
	alarm(900);
	m = monitor_of_handshakes();
	monitors_mark();
	all = testssl_of(rsa, "--full", 800000);
	expect_scan(m, rsa);
	seen = settled_in(m, rsa);
	offered_is_settled(all, seen);
	json_array_foreach (all, i, j) {
		const char *id = finding_of(j, "id");
		char version[40], suite[100], number[40];

		if (!strncmp(id, "clientsimulation-", 17) &&
		    sscanf(finding_of(j, "finding"), "TLSv%39[0-9.] %99s", version, suite) == 2) {
			const char *pair =
				str("TLSv%s %s", strcmp(version, "1.0") ? version : "1", suite);

			simulated++;
			require(json_object_get(seen, pair), "%s: no handshake on %s was told", id,
				pair);
		}
		/* "TLS 1.2   xc030   TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384   ..." */
		if (!strncmp(id, "cipher-tls1", 11) &&
		    sscanf(finding_of(j, "finding"), "TLS %39s %39s %99s", version, number,
			   suite) == 3)
			json_object_set_new(reported, str("TLSv%s %s", version, suite),
					    json_true());
	}
	json_object_foreach (reported, key, value)
		require(json_object_get(seen, key), "testssl reports %s, no handshake was told",
			key);
	json_object_foreach (seen, key, value)
		require(json_object_get(reported, key),
			"a handshake on %s, not in testssl's report", key);
	require(json_object_size(reported) > 80 && simulated > 20, "%zu pairs, %zu simulated",
		json_object_size(reported), simulated);
	printf("# testssl.sh reports %zu pairs of version and suite and %zu clients simulated, and the "
	       "monitor saw these: %ld handshakes settled, %ld below TLS 1.2, %ld hellos of SSLv2\n",
	       json_object_size(reported), simulated, findings_of(m, rsa, "tls-cipher", NULL),
	       findings_of(m, rsa, "tls-version", NULL),
	       findings_of(m, rsa, "tls-plaintext", NULL));
	json_decref(all);
	json_decref(seen);
	json_decref(reported);
}

/* ---- a proxy in front ---------------------------------------------------------------------------- */

#define FORGOTTEN_MS 13000 /* IDLE_NS of userspace/monitor_counters.c, and a tick */

/* What the kernel's tables of all monitors here hold of a rule, by bpftool's word. */
static size_t attempts_counted(unsigned int rule)
{
	struct run r = run_command(10000, "bpftool", "-j", "map", "dump", "name", "attempts");
	json_t *tables = json_loads(r.out, 0, NULL), *table, *j;
	size_t n = 0, i, k;

	if (r.status < 0)
		test_skip("no bpftool here");
	require(json_is_array(json_object_get(json_array_get(tables, 0), "elements")),
		"not what bpftool says of several tables: %s%s", r.out, r.err);
	json_array_foreach (tables, i, table)
		json_array_foreach (json_object_get(table, "elements"), k, j)
			n += number_at(json_object_get(j, "formatted"), "key", "rule") == rule;
	json_decref(tables);
	return n;
}

struct proxy {
	const char *name, *exe, *config,
		*option; /* config: certificate with key, its port, Redis' port */
};

static void proxied(const void *arg)
{
	const struct proxy *p = arg;
	struct server front = {.tls_port = port_free()};
	const char *pem = str("%s/%s.pem", scratch, p->name),
		   *config = strdup(str("%s/%s.conf", scratch, p->name)), *cert = cert_path();
	const char *const argv[] = {p->exe, p->option ? p->option : config,
				    p->option ? config : NULL, NULL};
	struct monitor *m;
	struct client *c;
	json_t *listener, *again;
	struct run r;

	if (access(p->exe, X_OK))
		test_skip("no %s here", p->name);
	snprintf(front.dir, sizeof(front.dir), "%s", p->name);
	file_write(pem, str("%s%s", file_read(cert), file_read(key_path())));
	file_write(config, str(p->config, pem, front.tls_port, ecdsa->plain_port));
	m = monitor_with(str("tls:\n"
			     "  plaintext:\n"
			     "    - peer: 127.0.0.0/8\n"
			     "      owner: %s\n",
			     p->exe));
	child_start(argv, &(struct child_opts){.err = str("%s.err", config)});
	wait_listening(front.tls_port);
	monitors_mark();
	c = client_open(&front, "127.0.0.1", true);
	require(strstr(client_do(c, "PING"), "PONG"), "no answer through %s", p->name);
	for (int i = 0; i < 2; i++)
		expect(i ? m : mon, {.rule = "tls-plaintext",
				     .wire = true,
				     .server = ecdsa,
				     .opened = "inbound",
				     .direction = "ingress",
				     .family = "ipv4",
				     .local_port = ecdsa->plain_port,
				     .command = "PING",
				     .verdict = i ? "allowed" : "alert"});
	client_close(c);
	listener = alert_find(m, "tls-listener", 0);
	require(listener, "that plaintext is served there is not recorded");
	require(!strcmp(alert_str(listener, "verdict"), "allowed") &&
			!strcmp(alert_str(listener, "conn.opener"), p->exe),
		"tls-listener is %s, opener %s", alert_str(listener, "verdict"),
		alert_str(listener, "conn.opener"));
	/* and stays allowed when the first connection is long forgotten */
	sleep_ms(FORGOTTEN_MS);
	require(!attempts_counted(RULE_TLS_LISTENER),
		"an attempt long over is still in the kernel's table");
	c = client_open(&front, "127.0.0.1", true);
	require(strstr(client_do(c, "PING"), "PONG"), "no second answer through %s", p->name);
	client_close(c);
	sleep_ms(2500); /* a count is told at most a second later */
	monitor_poll(m);
	again = alert_last(m, listener);
	require(alert_int(again, "count") == 2 && !strcmp(alert_str(again, "verdict"), "allowed"),
		"tls-listener, %lld times, is %s", alert_int(again, "count"),
		alert_str(again, "verdict"));
	monitors_mark();
	r = run_command(5000, "redis-cli", "-p", str("%d", ecdsa->plain_port), "PING");
	require(strstr(r.out, "PONG"), "no answer: %s", r.err);
	expect(m, {.rule = "tls-plaintext",
		   .wire = true,
		   .server = ecdsa,
		   .opened = "inbound",
		   .local_port = ecdsa->plain_port,
		   .command = "PING",
		   .verdict = "alert"});
}

/* ---- between servers ----------------------------------------------------------------------------- */

struct pin {
	const char *version, *suite, *config;
};

static struct server *pinned(const struct pin *p, const char *more)
{
	return server_start(&(struct server_opts){.extra = str("%s\n%s", p->config, more)});
}

static json_t *conn_between(json_t *all, const struct server *who, const char *opened,
			    const char *end, long port)
{
	json_t *j;
	size_t i;

	json_array_foreach (all, i, j)
		if (json_integer_value(json_object_get(j, "pid")) == who->pid &&
		    !strcmp(json_string_value(json_object_get(j, "opened")) ?: "", opened) &&
		    json_integer_value(json_object_get(json_object_get(j, end), "port")) == port &&
		    text_at(j, "tls", "version")[0])
			return j;
	return NULL;
}

/* One dialled the other's port, and each one's own side of that connection says what they may settle on. */
static void both_ends(const struct pin *p, const struct server *dialler,
		      const struct server *listener, int port)
{
	long long end = now_ms() + 8000L * patience;
	json_t *all = NULL, *out = NULL, *in = NULL;

	while (!out || !in) {
		require(now_ms() < end, "no connection to port %d is listed at %s: %s", port,
			out ? "its listener" : "its dialler", json_dumps(all, JSON_INDENT(1)));
		json_decref(all);
		sleep_ms(100);
		all = conns_of(mon);
		out = conn_between(all, dialler, "outbound", "remote", port);
		in = out ? conn_between(all, listener, "inbound", "remote",
					json_integer_value(json_object_get(
						json_object_get(out, "local"), "port")))
			 : NULL;
	}
	for (int i = 0; i < 2; i++) {
		json_t *j = i ? in : out;

		require(!strcmp(text_at(j, "tls", "version"), p->version) &&
				!strcmp(text_at(j, "tls", "cipher"), p->suite),
			"%s says %s %s, not %s %s", i ? "the listener" : "the dialler",
			text_at(j, "tls", "version"), text_at(j, "tls", "cipher"), p->version,
			p->suite);
		require(!strcmp(text_at(j, "in", "sync"), "synced") &&
				!strcmp(text_at(j, "out", "sync"), "synced"),
			"not synced");
	}
	json_decref(all);
}

static void sentinel(const void *arg)
{
	const struct pin *p = arg;
	struct server *master = pinned(p, "");
	struct server *s = server_prepare(&(struct server_opts){});

	file_write(s->config, str("port 0\ntls-port %d\nbind 127.0.0.1\ndir %s\nlogfile %s\n"
				  "tls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n"
				  "tls-auth-clients no\ntls-replication yes\n"
				  "sentinel monitor cache 127.0.0.1 %d 1\n",
				  s->tls_port, s->dir, s->log, cert_path(), s->key, cert_path(),
				  master->tls_port));
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, "--sentinel", NULL},
			     &(struct child_opts){});
	require(file_wait(s->log, "+monitor master cache", 8000), "no sentinel: %s",
		file_read(s->log));
	both_ends(p, s, master, master->tls_port);
	expect_nothing(mon);
}

static void migrate(const void *arg)
{
	const struct pin *p = arg;
	struct server *from = pinned(p, "tls-cluster yes"), *to = pinned(p, "tls-cluster yes");
	struct client *c = client_open(from, "127.0.0.1", true);
	const char *said;

	client_do(c, "SET lantern 1");
	said = client_do(c, str("MIGRATE 127.0.0.1 %d lantern 0 5000", to->tls_port));
	require(strstr(said, "+OK"), "MIGRATE says %s", said);
	both_ends(p, from, to, to->tls_port);
	expect_nothing(mon);
	client_close(c);
}

static void cluster(const void *arg)
{
	static const char config[] = "cluster-enabled yes\ncluster-config-file nodes.conf\n"
				     "tls-cluster yes";
	const struct pin *p = arg;
	struct server *one = pinned(p, config), *two = pinned(p, config);
	struct client *c = client_open(one, "127.0.0.1", true);

	client_do(c, str("CLUSTER MEET 127.0.0.1 %d", two->tls_port));
	both_ends(p, one, two, two->tls_port + 10000);
	both_ends(p, two, one, one->tls_port + 10000);
	expect_nothing(mon);
	client_close(c);
}

static const struct proxy stunnel = {.name = "stunnel",
				     .exe = "/usr/bin/stunnel4",
				     .config = "foreground = yes\npid =\nsyslog = no\n[redis]\n"
					       "cert = %s\naccept = 127.0.0.1:%d\n"
					       "connect = 127.0.0.1:%d\n"};
static const struct proxy haproxy = {.name = "haproxy",
				     .exe = "/usr/sbin/haproxy",
				     .option = "-f",
				     .config = "defaults\n  mode tcp\n  timeout connect 5s\n"
					       "  timeout client 20s\n  timeout server 20s\n"
					       "frontend tls\n  default_backend redis\n"
					       "  bind 127.0.0.1:%2$d ssl crt %1$s\n"
					       "backend redis\n  server one 127.0.0.1:%3$d\n"};
static const struct pin tls12 = {"TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
				 "tls-protocols \"TLSv1.2\"\n"
				 "tls-ciphers ECDHE-ECDSA-AES256-GCM-SHA384"};
static const struct pin tls13 = {"TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256",
				 "tls-protocols \"TLSv1.3\"\n"
				 "tls-ciphersuites TLS_CHACHA20_POLY1305_SHA256"};

#define STACK(...) &((const struct stack){__VA_ARGS__})
#define OPENSSL10(least)                                                                           \
	STACK("OpenSSL 1.0", "build/peers/node8", NULL, "tests/live/peers/settle.js", TLS10,       \
	      TLS12, least)

static const struct test tests[] = {
	TEST("NSS by its own word: every version and suite with an ECDSA key", nss),
	TEST("NSS by its own word: every version and suite with an RSA key", nss, .arg = "rsa"),
	TEST("Node by its own word: every version and suite", stack,
	     .arg = STACK("Node", "node", NULL, "tests/live/peers/settle.js", TLS10, TLS13, 25)),
	TEST("Java by its own word: every version and suite", stack,
	     .arg = STACK("JSSE", "java", NULL, "tests/live/peers/Settle.java", TLS10, TLS13, 30),
	     .slow = true),
	TEST("rustls by its own word: every version and suite", stack,
	     .arg = STACK("rustls", "build/peers/rustls", NULL, NULL, TLS12, TLS13, 6)),
	TEST("OpenSSL 1.0 by its own word: every version and suite", stack, .arg = OPENSSL10(20)),
	TEST("OpenSSL 1.0 at both ends, with RC4, 3DES and nothing: every version and suite",
	     openssl_of_old, .arg = OPENSSL10(130)),
	TEST("Java at both ends, with SSLv3 and export suites: every suite", jsse_of_old,
	     .arg = STACK("JSSE", "java", NULL, "tests/live/peers/Settle.java", SSL3, SSL3, 40,
			  "SSLv3"),
	     .slow = true),
	TEST("NSS and Java, with SSLv3: every suite they share, by NSS' own word", nss_of_old,
	     .slow = true),
	TEST("sslscan of a server with an ECDSA key: its report is what was seen", sslscan),
	TEST("sslscan of a server with an RSA key: its report is what was seen", sslscan,
	     .arg = "rsa"),
	TEST("testssl.sh: its report is what was seen", testssl, .slow = true),
	TEST("stunnel in front: its plaintext is allowed by a policy, redis-cli's is not", proxied,
	     .arg = &stunnel),
	TEST("haproxy in front: its plaintext is allowed by a policy, redis-cli's is not", proxied,
	     .arg = &haproxy, .slow = true),
	TEST("sentinel over TLS 1.2: both ends say what was settled", sentinel, .arg = &tls12),
	TEST("sentinel over TLS 1.3: both ends say what was settled", sentinel, .arg = &tls13),
	TEST("MIGRATE over TLS 1.2: both ends say what was settled", migrate, .arg = &tls12),
	TEST("MIGRATE over TLS 1.3: both ends say what was settled", migrate, .arg = &tls13),
	TEST("the cluster bus over TLS 1.2: both ends say what was settled", cluster,
	     .arg = &tls12),
	TEST("the cluster bus over TLS 1.3: both ends say what was settled", cluster,
	     .arg = &tls13),
	{},
};

const struct suite peers_suite = {"peers", setup, teardown, tests};
static const struct test interplay_tests[] = {
	TEST("testssl.sh with all it has: its report is what was seen", testssl_full),
	{},
};

const struct suite interplay_suite = {"interplay", setup, teardown, interplay_tests, .apart = true};
