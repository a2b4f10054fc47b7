/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - other people's TLS: what the monitor says was settled is what each stack says itself, scanners raise
 * what their hellos are and nothing else, a proxy's plaintext is what a policy can allow.
 */
#include "harness.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
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

/* ---- what was settled ---------------------------------------------------------------------------- */

#define VERSIONS 4

static const char *const versions[VERSIONS] = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

static int version_index(const char *name)
{
	for (int i = 0; i < VERSIONS; i++)
		if (!strcmp(versions[i], name))
			return i;
	test_fail("no version: %s", name);
}

/* Handshakes by version, and their sum. */
struct tally {
	long of[VERSIONS], sum;
};

static void tally_add(struct tally *t, const char *version)
{
	t->of[version_index(version)]++;
	t->sum++;
}

/* Findings of the test with that rule; with a version, those of handshakes that settled on it. */
static long findings_of(struct monitor *m, const char *rule, const char *version)
{
	long n = 0;

	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		n += !strcmp(alert_str(m->lines[i], "rule"), rule) &&
		     (!version || !strcmp(alert_str(m->lines[i], "conn.tls.version"), version)) &&
		     json_integer_value(json_object_get(m->lines[i], "activity_id")) == 1;
	return n;
}

/* Old versions and weak suites are told, one alert for each handshake; nothing else is. */
static void tally_is_told(const struct server *s, const struct tally *t)
{
	expect(mon,
	       {.rule = "tls-version",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true,
		.optional = !t->of[0] && !t->of[1]},
	       {.rule = "tls-cipher",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->tls_port,
		.many = true,
		.optional = true});
	for (int v = 0; v < VERSIONS; v++)
		require(findings_of(mon, "tls-version", versions[v]) == (v < 2 ? t->of[v] : 0),
			"%ld alerts for %ld handshakes of %s",
			findings_of(mon, "tls-version", versions[v]), t->of[v], versions[v]);
}

static void tally_print(const char *who, const struct tally *t)
{
	printf("# %s: %ld handshakes, and the monitor says the same of each: 1.0 %ld, 1.1 %ld, 1.2 %ld, "
	       "1.3 %ld\n",
	       who, t->sum, t->of[0], t->of[1], t->of[2], t->of[3]);
	for (int v = 0; v < VERSIONS; v++)
		require(t->of[v], "%s settled on %s in no handshake", who, versions[v]);
}

static void settled_is(json_t *all, const char *sni, const char *version, const char *suite)
{
	json_t *conn = conn_by_sni(all, sni);

	require(conn, "%s (%s %s) is not listed", sni, version, suite);
	require(!strcmp(text_at(conn, "tls", "version"), version), "%s settled on %s, not %s", sni,
		version, text_at(conn, "tls", "version"));
	require(!strcmp(text_at(conn, "tls", "cipher"), suite), "%s settled on %s, not %s", sni,
		suite, text_at(conn, "tls", "cipher"));
	require(!strcmp(text_at(conn, "in", "sync"), "synced") &&
			!strcmp(text_at(conn, "out", "sync"), "synced"),
		"%s is not synced", sni);
}

struct stack {
	const char *name, *program, *option, *script;
};

/* A program that makes every handshake it can and writes "SNI VERSION SUITE" for each. */
static void stack(const void *arg)
{
	const struct stack *stack = arg;

	if (!here(stack->program))
		test_skip("no %s here", stack->program);
	for (int i = 0; i < 2; i++) {
		const struct server *s = i ? rsa : ecdsa;
		const char *domain = str("%s%d.example", stack->program, i),
			   *out = str("%s/%s.%d", scratch, stack->program, i);
		const char *const argv[] = {stack->program,
					    stack->option ?: stack->script,
					    stack->option ? stack->script : str("%d", s->tls_port),
					    stack->option ? str("%d", s->tls_port) : domain,
					    stack->option ? domain : NULL,
					    NULL};
		char sni[200], version[40], suite[100], *text, *save = NULL;
		struct tally tally = {};
		json_t *all;
		pid_t pid;

		monitors_mark();
		pid = child_start(argv,
				  &(struct child_opts){.out = out, .err = str("%s.err", out)});
		require(file_wait(out, "done\n", 20000), "%s did not end: %s %s", stack->name,
			file_read(out), file_read(str("%s.err", out)));
		all = conns_of(mon);
		text = file_read(out);
		for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
			if (!strcmp(l, "done"))
				break;
			require(sscanf(l, "%199s %39s %99s", sni, version, suite) == 3,
				"%s says: %s", stack->name, l);
			settled_is(all, sni, version, suite);
			tally_add(&tally, version);
		}
		free(text);
		json_decref(all);
		tally_is_told(s, &tally);
		tally_print(str("%s with %s", stack->name, i ? "RSA" : "ECDSA"), &tally);
		child_stop(pid, SIGKILL, 2000);
	}
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

/* NSS numbers versions as the wire does (3.1 is TLS 1.0), and names a suite's parts only: offered is one suite. */
static void nss(const void *arg)
{
	static const char *const options[VERSIONS] = {"tls1.0:tls1.0", "tls1.1:tls1.1",
						      "tls1.2:tls1.2", "tls1.3:tls1.3"};
	bool with_rsa = arg;
	const struct server *s = with_rsa ? rsa : ecdsa;
	size_t suites = sizeof(nss_suites) / sizeof(nss_suites[0]);
	struct tally tally = {};
	json_t *all;

	if (!here("tstclnt"))
		test_skip("no tstclnt here");
	for (size_t i = 0; i < suites * VERSIONS; i++) {
		const struct nss_suite *suite = &nss_suites[i / VERSIONS];
		const char *name = str("nss%zu.%s.example", i, with_rsa ? "rsa" : "ecdsa");
		const char *const argv[] = {"tstclnt", "-D",
					    "-o",      "-v",
					    "-h",      "127.0.0.1",
					    "-p",      str("%d", s->tls_port),
					    "-a",      name,
					    "-V",      options[i % VERSIONS],
					    "-c",      str(":%s", suite->number),
					    NULL};

		if (suite->rsa == with_rsa)
			child_start(argv,
				    &(struct child_opts){.keep_stdin = true,
							 .out = str("%s/%s.out", scratch, name),
							 .err = str("%s/%s", scratch, name)});
	}
	sleep_ms(1500L * patience);
	all = conns_of(mon);
	for (size_t i = 0; i < suites * VERSIONS; i++) {
		const struct nss_suite *suite = &nss_suites[i / VERSIONS];
		const char *name = str("nss%zu.%s.example", i, with_rsa ? "rsa" : "ecdsa");
		char *said = file_read(str("%s/%s", scratch, name)), *at;

		if (suite->rsa == with_rsa && (at = strstr(said, "SSL version 3."))) {
			int version = atoi(at + strlen("SSL version 3.")) - 1;

			require(version >= 0 && version < VERSIONS, "NSS says %.60s", at);
			require(strstr(at, suite->says), "NSS says %.80s, not %s", at, suite->says);
			settled_is(all, name, versions[version], suite->name);
			tally_add(&tally, versions[version]);
		}
		free(said);
	}
	json_decref(all);
	tally_is_told(s, &tally);
	tally_print(with_rsa ? "NSS with RSA" : "NSS with ECDSA", &tally);
}

#define STACK(...) &((const struct stack){__VA_ARGS__})

static const struct test tests[] = {
	TEST("NSS by its own word: every version and suite with an ECDSA key", nss),
	TEST("NSS by its own word: every version and suite with an RSA key", nss, .arg = "rsa"),
	TEST("Node by its own word: every version and suite", stack,
	     .arg = STACK("Node", "node", NULL, "tests/live/peers/settle.js")),
	TEST("Java by its own word: every version and suite", stack,
	     .arg = STACK("JSSE", "java", NULL, "tests/live/peers/Settle.java")),
	{},
};

const struct suite peers_suite = {"peers", setup, teardown, tests};
