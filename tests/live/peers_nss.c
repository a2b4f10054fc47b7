/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers_nss.c - NSS: every version and suite, against OpenSSL and against JSSE.
 */
#include "peers.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct nss_suite {
	const char *number, *name, *says; /* number and text of tstclnt, IANA name */
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

/* SSLv3 suites that NSS still has */
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

/* tstclnt with that suite and version. It writes what was negotiated to its second file, and stays connected. */
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
 * NSS prints versions as on the wire (3.1 is TLS 1.0), and only parts of a suite's name; the client offers a single
 * suite. Returns the version's index, or -1 if the handshake failed.
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

/* Waits until the client prints what was negotiated, or ends. */
static void nss_wait(pid_t pid, const char *name)
{
	const char *said = str("%s/%s", scratch, name);
	long long end = now_ms() + 8000 * patience;

	while (!file_has(said, "SSL version 3.") && !child_ended(pid) && now_ms() < end)
		sleep_ms(10);
}

void peers_nss(const void *arg)
{
	static const char *const options[VERSIONS] = {"ssl3", "tls1.0", "tls1.1", "tls1.2",
						      "tls1.3"};
	bool with_rsa = arg;
	const struct server *s = with_rsa ? peers_rsa : peers_ecdsa;
	size_t suites = ARRAY_SIZE(nss_suites);
	pid_t pids[ARRAY_SIZE(nss_suites) * VERSIONS] = {};
	struct tally tally = {};
	json_t *all;

	if (!peers_have("tstclnt"))
		test_skip("no tstclnt here");
	for (size_t i = 0; i < suites * VERSIONS; i++)
		if (nss_suites[i / VERSIONS].rsa == with_rsa && i % VERSIONS != SSL3)
			pids[i] = nss_start(s, nss_name(i, with_rsa), options[i % VERSIONS],
					    &nss_suites[i / VERSIONS]);
	for (size_t i = 0; i < suites * VERSIONS; i++)
		if (pids[i])
			nss_wait(pids[i], nss_name(i, with_rsa));
	all = conns_of(peers_mon);
	for (size_t i = 0; i < suites * VERSIONS; i++) {
		const struct nss_suite *suite = &nss_suites[i / VERSIONS];
		const char *name = nss_name(i, with_rsa);
		int version = nss_version(name, suite);

		if (version < 0)
			continue;
		negotiated_is(all, name, peers_versions[version], suite->name);
		tally_add(&tally, peers_versions[version], suite->name);
	}
	json_decref(all);
	tally_is_reported(peers_mon, s, &tally);
	tally_print(with_rsa ? "NSS with RSA" : "NSS with ECDSA", &tally, TLS10, TLS13);
}

/* The local port of the process's connection to the server, found by its descriptors. */
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

/* Two independent stacks. An SSLv3 hello has no SNI, so ports identify the connections. */
void peers_nss_old(const void *arg)
{
	enum { SUITES = ARRAY_SIZE(nss_suites_old) };
	struct tally tally = {};
	pid_t pids[SUITES];
	struct monitor *m;
	struct server old;
	json_t *all;

	if (!peers_have("tstclnt"))
		test_skip("no tstclnt here");
	m = old_monitor();
	old = jsse_server();
	monitors_mark();
	for (int i = 0; i < SUITES; i++)
		pids[i] = nss_start(&old, str("nss%d.old.example", i), "ssl3", &nss_suites_old[i]);
	for (int i = 0; i < SUITES; i++) {
		const char *out = str("%s/nss%d.old.example", scratch, i);

		require(file_wait(out, nss_suites_old[i].says, 5000), "no handshake with %s: %s",
			nss_suites_old[i].name, file_read(out));
	}
	all = conns_of(m);
	for (int i = 0; i < SUITES; i++) {
		const struct nss_suite *suite = &nss_suites_old[i];
		const char *name = str("nss%d.old.example", i);

		require(nss_version(name, suite) == SSL3, "not on SSLv3");
		conn_negotiated(conn_in(all, port_from(pids[i], &old)), suite->name,
				peers_versions[SSL3], suite->name);
		tally_add(&tally, peers_versions[SSL3], suite->name);
	}
	json_decref(all);
	tally_is_reported(m, &old, &tally);
	tally_print("NSS with JSSE", &tally, SSL3, SSL3);
	child_stop(old.pid, SIGKILL, 2000);
}
