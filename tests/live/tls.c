/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls.c - negotiated versions and suites, compared with what OpenSSL reports. Old versions, weak suites, plaintext
 * listeners and credentials in plaintext are reported; with --enforce-tls no plaintext leaves.
 */
#include "harness.h"
#include "steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECRET_PASSWORD "copper-umbrella"

static struct server *any_version, *plain;
static struct monitor *mon;

static void setup(void)
{
	any_version = server_start(&(struct server_opts){.extra = EVERYTHING});
	plain = server_start(&(struct server_opts){.plain = true});
	mon = monitor_start(NULL);
}

static void setup_enforcing(void)
{
	plain = server_start(&(struct server_opts){.plain = true});
	mon = monitor_start("--enforce-tls", NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

/* ---- a client of OpenSSL's, that stays ------------------------------------------------------------ */

struct s_client {
	pid_t pid;
	int port;
	char out[300];
};

static struct s_client s_client_open(const struct server *s, const char *version,
				     const char *cipher)
{
	static int nr;
	struct s_client c = {.port = port_free()};
	const char *cipher_option = strcmp(version, "-tls1_3") ? "-cipher" : "-ciphersuites";
	const char *const argv[] = {"openssl",	     "s_client",
				    "-connect",	     str("127.0.0.1:%d", s->tls_port),
				    "-bind",	     str("127.0.0.1:%d", c.port),
				    version,	     cipher_option,
				    cipher,	     "-servername",
				    "cache.example", NULL};

	snprintf(c.out, sizeof(c.out), "%s/s_client.%d", scratch, ++nr);
	c.pid = child_start(argv, &(struct child_opts){.keep_stdin = true, .out = c.out});
	return c;
}

/*
 * A line of its session: "Protocol  " or "Cipher    ". In TLS 1.3 s_client prints no session before a ticket comes,
 * but the suite implies the version.
 */
static const char *s_client_value(const struct s_client *c, const char *label)
{
	char *text = file_read(c->out), *at = strstr(text, "New, TLSv1.3, Cipher is ");
	const char *said = "";

	if (at && !strcmp(label, "Protocol  ")) {
		said = "TLSv1.3";
	} else if (at) {
		at += strlen("New, TLSv1.3, Cipher is ");
		said = str("%.*s", (int)strcspn(at, "\n"), at);
	} else if ((at = strstr(text, label)) && (at = strstr(at, ": "))) {
		at += 2;
		said = str("%.*s", (int)strcspn(at, "\n"), at);
	}
	free(text);
	return said;
}

/* Whether the handshake succeeded. Waits for what s_client prints last, or for its end. */
static bool s_client_ready(const struct s_client *c)
{
	long long end = now_ms() + 8000 * patience;
	char *text;
	bool fine;

	while (!file_has(c->out, "Verify return code") && !child_ended(c->pid) && now_ms() < end)
		sleep_ms(10);
	if (!file_has(c->out, "Verify return code"))
		return false;
	text = file_read(c->out);
	fine = !strstr(text, "Cipher is (NONE)");
	free(text);
	return fine;
}

/* ---- versions and suites ------------------------------------------------------------------------- */

struct negotiation {
	const char *option, *cipher; /* the client's arguments */
	const char *version, *suite; /* what must be negotiated */
	const char *rule;	     /* the rule it breaks; NULL: none */
};

static void negotiated(const void *arg)
{
	const struct negotiation *w = arg;
	struct s_client c = s_client_open(any_version, w->option, w->cipher);
	json_t *conn, *alert;

	require(s_client_ready(&c), "no handshake: %s", file_read(c.out));
	require(!strcmp(s_client_value(&c, "Protocol  "), w->version), "OpenSSL negotiated %s",
		s_client_value(&c, "Protocol  "));
	if (w->rule)
		expect(mon, {.rule = w->rule,
			     .wire = true,
			     .server = any_version,
			     .opened = "inbound",
			     .family = "ipv4",
			     .local_port = any_version->tls_port,
			     .remote_port = c.port});
	else
		expect_nothing(mon);
	conn = conn_of(mon, c.port);
	require(conn, "the connection is not listed");
	require(!strcmp(text_at(conn, "tls", "version"), w->version), "version %s",
		text_at(conn, "tls", "version"));
	require(!strcmp(text_at(conn, "tls", "cipher"), w->suite), "cipher %s",
		text_at(conn, "tls", "cipher"));
	require(!strcmp(text_at(conn, "tls", "sni"), "cache.example"), "sni %s",
		text_at(conn, "tls", "sni"));
	require(!strcmp(text_at(conn, "out", "sync"), "synced"), "not synced");
	require(!number_at(conn, "in", "unsynced_ms") && !number_at(conn, "out", "unsynced_ms") &&
			!number_at(conn, "in", "unsynced_bytes") &&
			!number_at(conn, "out", "unsynced_bytes"),
		"out of sync in between");
	if (strcmp(w->version, "TLSv1.3"))
		require(json_object_get(json_object_get(conn, "tls"), "certificate") ||
				strstr(w->suite, "anon"),
			"no certificate");
	alert = w->rule ? alert_find(mon, w->rule, 0) : NULL;
	require(!alert || !strcmp(alert_str(alert, "conn.tls.version"), w->version),
		"the alert says %s", alert_str(alert, "conn.tls.version"));
	child_stop(c.pid, SIGTERM, 2000);
}

/* Whether the IANA name and OpenSSL's name mean the same suite. */
static bool suite_is(const char *openssl_name, const char *iana)
{
	char *save = NULL;
	struct run r;

	if (!strncmp(openssl_name, "TLS_", 4))
		return !strcmp(openssl_name, iana);
	r = run_command(3000, "openssl", "ciphers", "-stdname",
			str("%s:@SECLEVEL=0", openssl_name));
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, str(" - %s ", openssl_name)))
			return !strncmp(line, str("%s ", iana), strlen(iana) + 1);
	}
	return false;
}

/*
 * Every suite of this OpenSSL for the server's kind of key, or for none, in every version: the monitor lists what the
 * client reports.
 */
static void every_suite(const void *arg)
{
	static const char *const versions[] = {"-tls1_2", "-tls1_1", "-tls1"};
	static struct s_client clients[200];
	struct run r =
		run_command(5000, "openssl", "ciphers", "-tls1_2",
			    "ECDHE+aECDSA:AECDH:COMPLEMENTOFALL:!aRSA:!PSK:!SRP:@SECLEVEL=0");
	size_t n = 0, same = 0, by_version[4] = {};
	char *save = NULL;
	json_t *all;

	require(!r.status, "openssl ciphers: %s", r.err);
	for (char *name = strtok_r(r.out, ":\n", &save); name;
	     name = strtok_r(NULL, ":\n", &save)) {
		/* suites without a hash of TLS 1.2 in their name also work in older versions */
		size_t last = strstr(name, "-SHA256") || strstr(name, "-SHA384") ||
					      strstr(name, "CCM") || strstr(name, "CHACHA")
				      ? 1
				      : 3;

		for (size_t v = 0; v < last && n < 190; v++)
			clients[n++] = s_client_open(any_version, versions[v],
						     str("%s:@SECLEVEL=0", name));
		if (n >= 8) /* a few at a time */
			s_client_ready(&clients[n - 8]);
	}
	clients[n++] = s_client_open(any_version, "-tls1_3", "TLS_AES_128_GCM_SHA256");
	clients[n++] = s_client_open(any_version, "-tls1_3", "TLS_AES_256_GCM_SHA384");
	clients[n++] = s_client_open(any_version, "-tls1_3", "TLS_CHACHA20_POLY1305_SHA256");
	for (size_t i = 0; i < n; i++)
		s_client_ready(&clients[i]);
	all = conns_of(mon);
	for (size_t i = 0; i < n; i++) {
		json_t *conn = conn_in(all, clients[i].port);
		const char *version, *cipher;

		if (!s_client_ready(&clients[i]))
			continue;
		require(conn, "a connection is not listed: %s", file_read(clients[i].out));
		version = s_client_value(&clients[i], "Protocol  ");
		cipher = s_client_value(&clients[i], "Cipher    ");
		require(!strcmp(text_at(conn, "tls", "version"), version), "%s, not %s",
			text_at(conn, "tls", "version"), version);
		require(suite_is(cipher, text_at(conn, "tls", "cipher")), "%s, not %s",
			text_at(conn, "tls", "cipher"), cipher);
		by_version[!strcmp(version, "TLSv1")	 ? 0
			   : !strcmp(version, "TLSv1.1") ? 1
			   : !strcmp(version, "TLSv1.2") ? 2
							 : 3]++;
		same++;
	}
	for (size_t i = 0; i < n; i++)
		child_stop(clients[i].pid, SIGKILL, 2000);
	printf("# of %zu handshakes %zu completed, and the monitor reports the same of each: 1.0 %zu, 1.1 %zu, "
	       "1.2 %zu, 1.3 %zu\n",
	       n, same, by_version[0], by_version[1], by_version[2], by_version[3]);
	require(by_version[0] && by_version[1] && by_version[2] && by_version[3] == 3,
		"a version is missing");
}

struct priority {
	const char *text,
		*name; /* GnuTLS' priority string; the SNI that identifies the connection */
};

/* GnuTLS prints "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)-(AES-256-GCM)"; the monitor lists the same. */
static void gnutls(const void *arg)
{
	const struct priority *p = arg;
	const char *out = str("%s/gnutls.%s", scratch, p->name);
	const char *const argv[] = {"gnutls-cli",
				    "--no-ca-verification",
				    "--priority",
				    p->text,
				    "--sni-hostname",
				    p->name,
				    "-p",
				    str("%d", any_version->tls_port),
				    "127.0.0.1",
				    NULL};
	char said[300] = "", *text, *at;
	const char *version = "", *cipher = "";
	json_t *all, *j;
	size_t i;

	if (run_command(3000, "gnutls-cli", "--version").status)
		test_skip("no gnutls-cli here");
	child_start(argv, &(struct child_opts){.keep_stdin = true, .out = out, .err = "/dev/null"});
	require(file_wait(out, "- Description: ", 5000), "no handshake: %s", file_read(out));
	text = file_read(out);
	at = strstr(text, "- Description: ");
	snprintf(said, sizeof(said), "%.*s", (int)strcspn(at, "\n"), at);
	free(text);
	all = conns_of(mon);
	json_array_foreach (all, i, j) {
		if (!strcmp(text_at(j, "tls", "sni"), p->name)) {
			version = text_at(j, "tls", "version");
			cipher = text_at(j, "tls", "cipher");
		}
	}
	require(version[0], "%s is not listed", p->name);
	require(strstr(said, str("(TLS%s-", strcmp(version, "TLSv1") ? version + 4 : "1.0")),
		"version %s, but GnuTLS says %s", version, said);
	for (char *c = said; *c; c++)
		*c = *c == '-' ? '_' : *c;
	for (at = strtok_r(said, "()", &text); at; at = strtok_r(NULL, "()", &text)) {
		if (!strncmp(at, "AES", 3) || !strncmp(at, "CHACHA", 6))
			require(strstr(cipher, at), "suite %s, but GnuTLS says %s", cipher, at);
	}
	if (strcmp(version, "TLSv1.2") < 0)
		expect(mon, {.rule = "tls-version", .wire = true, .server = any_version});
	else
		expect_nothing(mon);
}

static void version_refused(const void *arg)
{
	struct s_client c = s_client_open(plain, "-tls1", "ALL:@SECLEVEL=0");

	require(!s_client_ready(&c), "TLS 1.0 was accepted");
	expect_nothing(mon);
}

/* More handshakes than the monitor reads at once (HANDSHAKES_MAX) begin between the first byte of one and its rest. */
static void concurrent_handshakes(const void *arg)
{
	bool weak = !strcmp(arg, "1.0");
	struct trigger t =
		trigger("many_hellos", "127.0.0.1", str("%d", any_version->tls_port), arg, "400");

	require(!strcmp(json_string_value(json_object_get(t.said, "version")),
			weak ? "TLSv1" : "TLSv1.2"),
		"another version was negotiated");
	if (!weak) {
		expect_nothing(mon);
		return;
	}
	expect(mon, {.rule = "tls-version",
		     .wire = true,
		     .server = any_version,
		     .opened = "inbound",
		     .local_port = any_version->tls_port,
		     .remote_port = (int)trigger_int(&t, "port")});
}

/* ---- listeners and credentials ------------------------------------------------------------------- */

static void listener(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.plain = true});
	struct trigger t = trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
	json_t *alert;

	require(trigger_int(&t, "received") > 0, "no answer");
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .command = "PING"},
	       {.rule = "tls-listener",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.direction = "egress",
		.local_port = s->plain_port});
	alert = alert_find(mon, "tls-listener", 0);
	require(strstr(alert_str(alert, "detail"), str("%d", s->plain_port)), "detail %s",
		alert_str(alert, "detail"));
	monitors_mark();
	t = trigger("plain_client", "127.0.0.1", str("%d", s->plain_port));
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .command = "PING"});
	require(!alert_find(mon, "tls-listener", 0), "reported twice");
	/* unanswered plaintext says nothing about the listener */
	monitors_mark();
	trigger("plain_client", "127.0.0.1", str("%d", s->tls_port));
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .command = "PING"});
	require(!alert_find(mon, "tls-listener", 0), "the TLS port was taken for a plaintext one");
}

static void credential_sent(const void *arg)
{
	const char *command = arg;
	struct client *c = client_open(plain, "127.0.0.1", false);
	json_t *alert;

	client_do(c, "PING");
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = plain, .command = "PING"});
	monitors_mark();
	client_do(c, command);
	if (strncmp(command, "AUTH",
		    4)) { /* the benign twin: another command later in the connection is not reported again */
		expect_nothing(mon);
		client_close(c);
		return;
	}
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = plain,
		     .command = "AUTH",
		     .remote_port = client_port(c)});
	alert = alert_find(mon, "tls-plaintext", 0);
	require(!strcmp(alert_str(alert, "severity"), "critical"), "severity %s",
		alert_str(alert, "severity"));
	require(strstr(alert_str(alert, "detail"), "credential exposed"), "detail %s",
		alert_str(alert, "detail"));
	require(!monitor_said(mon, SECRET_PASSWORD), "the monitor printed the password");
	client_close(c);
}

/* Both ports open, TLS 1.0 allowed and used, and a plaintext replica on a host that is not watched. */
static void misconfigured(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){
		.plain = true, .extra = EVERYTHING "repl-diskless-sync-delay 0"});
	const char *elsewhere = str("%s/bin/another-host", scratch);
	struct s_client c;
	struct server *replica;

	file_copy(REDIS_SERVER, elsewhere);
	replica = server_prepare(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication no", s->plain_port)});
	replica->pid = child_start((const char *const[]){elsewhere, replica->config, NULL},
				   &(struct child_opts){});
	replica_ready(replica);
	c = s_client_open(s, "-tls1", "DEFAULT:@SECLEVEL=0");
	require(s_client_ready(&c), "no TLS 1.0: %s", file_read(c.out));
	expect(mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.local_port = s->plain_port,
		.command = "PING"},
	       {.rule = "tls-listener", .wire = true, .server = s, .local_port = s->plain_port},
	       {.rule = "tls-version", .wire = true, .server = s, .remote_port = c.port});
}

static void replica_negotiates(const void *arg)
{
	struct server *master = server_start(&(struct server_opts){
		.extra = "tls-protocols \"TLSv1.2\"\nrepl-diskless-sync-delay 0"});
	struct server *replica = server_start(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication yes", master->tls_port)});
	json_t *conn;

	replica_ready(replica);
	conn = conn_of(mon, master->tls_port); /* the replica opened the connection */
	require(conn, "the replica's connection is not listed");
	require(!strcmp(json_string_value(json_object_get(conn, "opened")), "outbound"),
		"opened %s", json_string_value(json_object_get(conn, "opened")));
	require(!strcmp(text_at(conn, "tls", "version"), "TLSv1.2"), "version %s",
		text_at(conn, "tls", "version"));
	expect_nothing(mon);
}

static void conns_text(const void *arg)
{
	struct client *c = client_open(any_version, "127.0.0.1", true);
	struct run r;

	client_do(c, "PING");
	r = run_command(8000, "build/cachewarden", "conns", "--pid", str("%d", mon->pid));
	require(!r.status && strstr(r.out, str("127.0.0.1:%d -> ", client_port(c))) &&
			strstr(r.out, "TLSv1.3 TLS_"),
		"conns says: %s %s", r.out, r.err);
	client_close(c);
	sleep_ms(200);
	r = run_command(8000, "build/cachewarden", "conns", "--pid", str("%d", mon->pid));
	require(!r.status && !strstr(r.out, str("127.0.0.1:%d -> ", client_port(c))),
		"a closed connection is listed: %s", r.out);
	r = run_command(3000, "build/cachewarden", "conns", "--pid", "1");
	require(r.status == 3 && strstr(r.err, "pid 1"), "status %d: %s", r.status, r.err);
}

/* ---- enforcement --------------------------------------------------------------------------------- */

static int capture_open(void)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)),
	    room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	require(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)), "capture: %s",
		strerror(errno));
	return fd;
}

/* TCP payload bytes sent from that port of 127.0.0.1 since the capture began. */
static long captured_from(int fd, int port)
{
	unsigned char p[65536];
	long sum = 0;
	ssize_t n;

	while ((n = recv(fd, p, sizeof(p), 0)) > 0) {
		int tcp = (p[0] & 15) * 4;
		long len = (p[2] << 8 | p[3]) - tcp - (p[tcp + 12] >> 4) * 4;

		if (n >= 40 && p[0] >> 4 == 4 && p[9] == IPPROTO_TCP &&
		    (p[tcp] << 8 | p[tcp + 1]) == port && len > 0)
			sum += len;
	}
	close(fd);
	return sum;
}

static void enforced(const void *arg)
{
	int fd = capture_open();
	struct client *c = client_open(plain, "127.0.0.1", true);
	long long began;
	struct run r;

	require(strstr(client_do(c, "PING"), "PONG"), "TLS does not work");
	began = now_ms();
	r = run_command(20000, "redis-cli", "-p", str("%d", plain->plain_port), "PING");
	require(r.status, "redis-cli got an answer: %s", r.out);
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = plain,
		     .verdict = "prevented",
		     .outcome = "dropped",
		     .local_port = plain->plain_port});
	require(!captured_from(fd, plain->plain_port), "plaintext left");
	if (file_has(mon->err, "cannot reset a connection"))
		printf("# this kernel resets no connection for us: the client waited %lld ms\n",
		       now_ms() - began);
	else
		require(strstr(r.err, "reset") || strstr(r.out, "reset") || now_ms() - began < 5000,
			"the client waited: %s %s", r.out, r.err);
	require(strstr(client_do(c, "PING"), "PONG"), "TLS does not work any more");
	client_close(c);
}

/* The first data arrives before the connection has its own socket, and is dropped there. */
static void enforced_third_ack(const void *arg)
{
	int fd = capture_open();
	struct trigger t = trigger("plain_client", "127.0.0.1", str("%d", plain->plain_port), "-a",
				   "-n", "60");

	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = plain,
		     .verdict = "prevented",
		     .outcome = "dropped",
		     .remote_port = (int)trigger_int(&t, "port")});
	require(!trigger_int(&t, "received"), "it was answered");
	require(!captured_from(fd, plain->plain_port), "plaintext left");
	if (!file_has(mon->err, "cannot reset a connection"))
		require(trigger_int(&t, "errno"), "the client still waits");
}

/* Without --enforce-tls the same bytes are captured: the capture works. */
static void not_enforced(const void *arg)
{
	int fd = capture_open();
	struct run r = run_command(5000, "redis-cli", "-p", str("%d", plain->plain_port), "PING");

	require(!r.status && strstr(r.out, "PONG"), "no answer: %s", r.err);
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = plain, .many = true});
	require(captured_from(fd, plain->plain_port) > 0, "the capture saw nothing");
}

#define GNUTLS(...) &((const struct priority){__VA_ARGS__})
#define NEGOTIATION(...) &((const struct negotiation){__VA_ARGS__})

static const struct test tests[] = {
	TEST("TLS 1.0 is told", negotiated,
	     .arg = NEGOTIATION("-tls1", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0", "TLSv1",
				"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "tls-version")),
	TEST("TLS 1.1 is told", negotiated,
	     .arg = NEGOTIATION("-tls1_1", "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0", "TLSv1.1",
				"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "tls-version")),
	TEST("TLS 1.2 raises nothing", negotiated,
	     .arg = NEGOTIATION("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256", "TLSv1.2",
				"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", NULL)),
	TEST("TLS 1.3 raises nothing", negotiated,
	     .arg = NEGOTIATION("-tls1_3", "TLS_CHACHA20_POLY1305_SHA256", "TLSv1.3",
				"TLS_CHACHA20_POLY1305_SHA256", NULL)),
	TEST("a suite without encryption is told", negotiated,
	     .arg = NEGOTIATION("-tls1_2", "ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0", "TLSv1.2",
				"TLS_ECDHE_ECDSA_WITH_NULL_SHA", "tls-cipher")),
	TEST("an anonymous suite is told", negotiated,
	     .arg = NEGOTIATION("-tls1_2", "AECDH-AES128-SHA:@SECLEVEL=0", "TLSv1.2",
				"TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "tls-cipher")),
	TEST("GnuTLS by its own word: 1.3", gnutls, .arg = GNUTLS("NORMAL", "g13.example")),
	TEST("GnuTLS by its own word: 1.2", gnutls,
	     .arg = GNUTLS("NORMAL:-VERS-ALL:+VERS-TLS1.2", "g12.example")),
	TEST("GnuTLS by its own word: 1.1", gnutls,
	     .arg = GNUTLS("NORMAL:-VERS-ALL:+VERS-TLS1.1", "g11.example")),
	TEST("an old version that is refused raises nothing", version_refused),
	TEST("TLS 1.0 in a crowd of half-begun handshakes is told", concurrent_handshakes, "1.0"),
	TEST("TLS 1.2 in such a crowd raises nothing", concurrent_handshakes, "1.2"),
	TEST("every suite in every version is what the client says", every_suite),
	TEST("a replica as TLS client: its own side is read", replica_negotiates),
	TEST("a listener that serves plaintext is told, once, and a TLS port is not", listener),
	TEST("AUTH later in a plaintext connection is told", credential_sent,
	     .arg = "AUTH " SECRET_PASSWORD),
	TEST("another command later in a plaintext connection is not", credential_sent,
	     .arg = "ECHO " SECRET_PASSWORD),
	TEST("both ports open, TLS 1.0 used, one plaintext replica: three alerts", misconfigured),
	TEST("conns lists what is open, and says when a monitor does not answer", conns_text),
	TEST("without --enforce-tls plaintext leaves, and is captured", not_enforced),
	{},
};

static const struct test enforced_tests[] = {
	TEST("no plaintext leaves, TLS does", enforced),
	TEST("nor in answer to what rides on the handshake's third ACK", enforced_third_ack),
	{},
};

const struct suite tls_suite = {"tls", setup, teardown, tests};
const struct suite tls_enforced_suite = {"tls: enforced", setup_enforcing, teardown,
					 enforced_tests};
