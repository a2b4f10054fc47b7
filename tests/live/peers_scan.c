/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers_scan.c - sslscan and testssl.sh: the versions and suites that they report are those that the monitor saw, and
 * their handshakes raise nothing else.
 */
#include "peers.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* No suite is allowed, so every completed negotiation is an alert with version and suite. */
static struct monitor *monitor_of_handshakes(void)
{
	return monitor_with_policy("tls:\n  ciphers:\n    - TLS_NOTHING_FITS\n");
}

/* "VERSION SUITE" of every handshake with that server that the monitor reported since the test began. */
static json_t *handshakes_of(struct monitor *m, const struct server *s)
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

static bool handshakes_have(json_t *set, const char *version)
{
	const char *key;
	json_t *value;

	json_object_foreach (set, key, value)
		if (!strncmp(key, str("%s ", version), strlen(version) + 1))
			return true;
	return false;
}

/* Maps OpenSSL's names of all its suites to their IANA names. */
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

/* A scan may raise old versions, suites, and plaintext (an SSLv2 hello is not a TLS record), and nothing else. */
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

/* The pairs of version and suite that the scanner reports are those of the handshakes that the monitor reported. */
static void same_handshakes(const char *scanner, json_t *reported, json_t *seen)
{
	const char *pair;
	json_t *value;

	json_object_foreach (reported, pair, value)
		require(json_object_get(seen, pair),
			"%s reports %s, but the monitor no such handshake", scanner, pair);
	json_object_foreach (seen, pair, value)
		require(json_object_get(reported, pair),
			"the monitor reports a handshake on %s, but not %s", pair, scanner);
}

void peers_sslscan(const void *arg)
{
	const struct server *s = arg ? peers_rsa : peers_ecdsa;
	json_t *names, *seen, *reported = json_object();
	struct monitor *m;
	char *save = NULL;
	struct run r;

	if (!peers_have("sslscan"))
		test_skip("no sslscan here");
	names = openssl_names();
	m = monitor_of_handshakes();
	monitors_mark();
	r = run_command(30000, "sslscan", "--no-colour", "--xml=-",
			str("127.0.0.1:%d", s->tls_port));
	require(!r.status && strstr(r.out, "</document>"), "sslscan: %s %s", r.out, r.err);
	expect_scan(m, s);
	seen = handshakes_of(m, s);
	for (char *l = strtok_r(r.out, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		const char *version = attribute(l, "version"), *name = attribute(l, "cipher");

		if (strstr(l, "<protocol type=\"tls\"")) {
			version = strcmp(version, "1.0") ? str("TLSv%s", version) : "TLSv1";
			require(handshakes_have(seen, version) ==
					(attribute(l, "enabled")[0] == '1'),
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
	same_handshakes("sslscan", reported, seen);
	printf("# sslscan reports %zu pairs of version and suite, and the monitor saw these\n",
	       json_object_size(reported));
	json_decref(names);
	json_decref(seen);
	json_decref(reported);
}

/* The scanner's findings about that server. */
static json_t *testssl_of(const struct server *s, const char *what, int timeout_ms)
{
	const char *out = str("%s/testssl.json", scratch);
	struct run r;
	json_t *all;

	/* it calls ps, which reads every environ: show it only its own processes */
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

/* The versions that the scanner reports as offered are those that handshakes negotiated. */
static void offered_is_negotiated(json_t *all, json_t *seen)
{
	size_t found = 0, i;
	json_t *j;

	json_array_foreach (all, i, j)
		for (size_t k = 0; k < VERSIONS; k++) {
			if (strcmp(testssl_ids[k].id, finding_of(j, "id")))
				continue;
			found++;
			require(handshakes_have(seen, testssl_ids[k].version) ==
					!strncmp(finding_of(j, "finding"), "offered", 7),
				"testssl says of %s: %s", testssl_ids[k].id,
				finding_of(j, "finding"));
		}
	require(found == VERSIONS, "testssl reports %zu versions", found);
}

void peers_testssl(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = "tls-protocols \"TLSv1.2 TLSv1.3\""});
	json_t *all, *seen;
	struct monitor *m;

	if (!peers_have("testssl"))
		test_skip("no testssl.sh here");
	m = monitor_of_handshakes();
	monitors_mark();
	all = testssl_of(s, "--protocols", 40000);
	expect_scan(m, s);
	seen = handshakes_of(m, s);
	offered_is_negotiated(all, seen);
	json_decref(all);
	json_decref(seen);
}

/* The full scan takes minutes: every suite of every version, old attacks, simulated clients. */
static void testssl_full(const void *arg)
{
	json_t *all, *j, *seen, *reported = json_object();
	size_t simulated = 0, i;
	struct monitor *m;

	if (!peers_have("testssl"))
		test_skip("no testssl.sh here");
	alarm(900);
	m = monitor_of_handshakes();
	monitors_mark();
	all = testssl_of(peers_rsa, "--full", 800000);
	expect_scan(m, peers_rsa);
	seen = handshakes_of(m, peers_rsa);
	offered_is_negotiated(all, seen);
	json_array_foreach (all, i, j) {
		const char *id = finding_of(j, "id");
		char version[40], suite[100], number[40];

		if (!strncmp(id, "clientsimulation-", 17) &&
		    sscanf(finding_of(j, "finding"), "TLSv%39[0-9.] %99s", version, suite) == 2) {
			const char *pair =
				str("TLSv%s %s", strcmp(version, "1.0") ? version : "1", suite);

			simulated++;
			require(json_object_get(seen, pair), "%s: no handshake on %s was reported",
				id, pair);
		}
		/* "TLS 1.2   xc030   TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384   ..." */
		if (!strncmp(id, "cipher-tls1", 11) &&
		    sscanf(finding_of(j, "finding"), "TLS %39s %39s %99s", version, number,
			   suite) == 3)
			json_object_set_new(reported, str("TLSv%s %s", version, suite),
					    json_true());
	}
	same_handshakes("testssl", reported, seen);
	require(json_object_size(reported) > 80 && simulated > 20, "%zu pairs, %zu simulated",
		json_object_size(reported), simulated);
	printf("# testssl.sh reports %zu pairs of version and suite and %zu clients simulated, and the "
	       "monitor saw these: %ld handshakes completed, %ld below TLS 1.2, %ld hellos of SSLv2\n",
	       json_object_size(reported), simulated, findings_of(m, peers_rsa, "tls-cipher", NULL),
	       findings_of(m, peers_rsa, "tls-version", NULL),
	       findings_of(m, peers_rsa, "tls-plaintext", NULL));
	json_decref(all);
	json_decref(seen);
	json_decref(reported);
}

static const struct test interplay_tests[] = {
	TEST("testssl.sh with all it has: its report is what was seen", testssl_full),
	{},
};

const struct suite interplay_suite = {"interplay", peers_setup, peers_teardown, interplay_tests,
				      .apart = true};
