/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - rare features of TCP and IP: data on the SYN, extension headers, fragments, segments longer than 64 KiB, urgent
 * data, closed windows, MPTCP. TLS is read in full, plaintext is reported.
 */
#include "harness.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static struct monitor *mon;

static void setup(void)
{
	mon = monitor_start(NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

/* ---- hosts --------------------------------------------------------------------------------------- */

static const char *number(long nr)
{
	return str("%ld", nr);
}

static struct server *server_in(pid_t ns, const char *extra)
{
	return server_start(&(struct server_opts){.plain = true,
						  .bind = "* -::*",
						  .child = {.netns = ns},
						  .extra = str("protected-mode no\n%s", extra)});
}

/* ---- a client that stays ------------------------------------------------------------------------- */

#define CLIENT_ARGS 12

static struct trigger client_in(pid_t ns, const char *host, int port, const char *const *more)
{
	static unsigned int nr;
	const char *out = str("%s/odd_client.%u", scratch, ++nr);
	const char *argv[CLIENT_ARGS + 5] = {trigger_path("odd_client"), host, number(port), "-s"};
	struct trigger t = {};
	char *said;

	for (int i = 0; i < CLIENT_ARGS && more[i]; i++)
		argv[4 + i] = more[i];
	t.pid = child_start(
		argv, &(struct child_opts){.netns = ns, .out = out, .err = str("%s.err", out)});
	require(file_wait(out, "\n", 20000), "odd_client printed nothing: %s",
		file_read(str("%s.err", out)));
	said = file_read(out);
	t.said = json_loads(said, JSON_DISABLE_EOF_CHECK, NULL);
	require(t.said, "odd_client printed no JSON: %s", said);
	free(said);
	return t;
}

#define client(ns, host, port, ...)                                                                \
	client_in(ns, host, port, (const char *const[]){__VA_ARGS__, NULL})

/* Requires that every byte was read from the first on, and that nothing was raised. */
static void read_in_full(const struct trigger *t)
{
	json_t *conn = conn_of(mon, (int)trigger_int(t, "port"));

	require(conn, "the connection is not listed");
	for (int d = 0; d < 2; d++) {
		const char *way = d ? "out" : "in";
		json_t *side = json_object_get(conn, way);
		long long bytes = json_integer_value(json_object_get(side, "bytes"));

		require(!strcmp(text_at(conn, way, "sync"), "synced") &&
				json_is_true(json_object_get(side, "from_start")),
			"%s is not synced: %s", way, json_dumps(conn, 0));
		require(bytes == trigger_int(t, d ? "received" : "sent"),
			"%lld bytes %s, the client says %s", bytes, way, json_dumps(t->said, 0));
	}
	json_decref(conn);
	expect_nothing(mon);
	child_stop(t->pid, SIGKILL, 2000);
}

/* Does not check the number of bytes: MPTCP sometimes sends a part twice. */
static void plaintext_reported(const struct trigger *t, const struct server *s, const char *family)
{
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .family = family,
		     .opened = "inbound",
		     .direction = "ingress",
		     .command = "PING",
		     .saw = "resp-command",
		     .local_port = s->plain_port,
		     .remote_port = (int)trigger_int(t, "port"),
		     .has_offset = true,
		     .bytes = trigger_true(t, "mptcp")
				      ? 0
				      : trigger_int(t, "sent") + trigger_int(t, "received")});
	child_stop(t->pid, SIGKILL, 2000);
}

/* ---- TCP ----------------------------------------------------------------------------------------- */

/* Bits of net.ipv4.tcp_fastopen: client, client data without a cookie, server, server without cookies, all listeners. */
#define FAST_OPEN 0x607
#define FAST_OPEN_CLIENT 0x5

/*
 * The first bytes are on the SYN, and are either accepted or sent again. Those on the SYN are attributed to the
 * listener, the rest to the connection.
 */
static void fast_open(const void *arg)
{
	bool taken = arg;
	pid_t ns = netns_start();
	struct server *s;
	struct trigger t;

	netns_must(ns, str("echo %d >/proc/sys/net/ipv4/tcp_fastopen",
			   taken ? FAST_OPEN : FAST_OPEN_CLIENT));
	s = server_in(ns, "");
	t = client(ns, "127.0.0.1", s->tls_port, "-f", "-t", cert_path());
	require(trigger_true(&t, "syn_data") == taken, "the server did %stake data on the SYN",
		taken ? "not " : "");
	read_in_full(&t);
	monitors_mark();
	t = client(ns, "127.0.0.1", s->plain_port, "-f");
	require(trigger_true(&t, "syn_data") == taken, "the server did %stake data on the SYN",
		taken ? "not " : "");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .opened = "inbound",
		     .local_port = s->plain_port,
		     .remote_port = (int)trigger_int(&t, "port"),
		     .has_offset = true,
		     .offset = 0,
		     .many = true});
	require(alert_find(mon, "tls-plaintext", 0) &&
			!strcmp(alert_str(alert_find(mon, "tls-plaintext", 0), "conn.command"),
				"PING"),
		"the command on the SYN was not named");
	child_stop(t.pid, SIGKILL, 2000);
}

/* The last byte is urgent. A server that does not ask for it never sees it, but it is on the wire. */
static void urgent(const void *arg)
{
	pid_t ns = netns_start();
	struct server *s = server_in(ns, "");
	struct trigger t = client(ns, "127.0.0.1", s->plain_port, "-o");

	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .direction = "ingress",
		     .command = "PING",
		     .remote_port = (int)trigger_int(&t, "port"),
		     .has_offset = true,
		     .bytes = trigger_int(&t, "sent")});
	monitors_mark();
	t = client(ns, "127.0.0.1", s->tls_port, "-o", "-t", cert_path());
	expect(mon, {.rule = "tls-midstream",
		     .wire = true,
		     .server = s,
		     .direction = "ingress",
		     .remote_port = (int)trigger_int(&t, "port"),
		     .has_offset = true,
		     .offset = trigger_int(&t, "offset"),
		     .bytes = 1});
}

/* The server's reply does not fit into a window that stays closed; both sides send keepalives. */
static void window(const void *arg)
{
	pid_t ns = netns_start();
	struct server *s = server_in(ns, "tcp-keepalive 1");
	struct trigger t;

	t = client(ns, "127.0.0.1", s->tls_port, "-v", "3000000", "-w", "700", "-i", "1500", "-t",
		   cert_path());
	require(netns_counted(ns, "netstat", "TcpExt", "TCPToZeroWindowAdv") > 0 &&
			netns_counted(ns, "netstat", "TcpExt", "TCPWinProbe") > 0,
		"no window was shut and probed");
	require(netns_counted(ns, "netstat", "TcpExt", "TCPKeepAlive") > 0,
		"no keepalive was sent");
	read_in_full(&t);
	monitors_mark();
	t = client(ns, "127.0.0.1", s->plain_port, "-v", "3000000", "-w", "700");
	plaintext_reported(&t, s, "ipv4");
}

/* ---- hand-made segments ------------------------------------------------------------------------- */

#define STEPS_MAX 12

static struct trigger tcp_script(pid_t ns, int port, const char *const *steps)
{
	/* The server keeps the connections of an earlier host for a while. */
	static int from = 40000;
	const char *argv[STEPS_MAX + 5] = {"tcp_script", number(port), cert_path(), number(from++)};
	const struct child_opts there = {.netns = ns};

	if (access("/dev/net/tun", R_OK | W_OK))
		test_skip("no tun device here");
	for (int i = 0; i < STEPS_MAX && steps[i]; i++)
		argv[4 + i] = steps[i];
	return trigger_argv(&there, argv);
}

/* Scripts of the tcp_script trigger. The server answers both; TLS is read to its last byte, plaintext is one alert. */
struct script_pair {
	const char *tls[STEPS_MAX], *plain[STEPS_MAX];
	long bytes; /* TLS bytes to be read; 0: the ClientHello's */
	bool hole;  /* expected to stay out of sync */
};

static void hand_made_segments(const void *arg)
{
	const struct script_pair *pair = arg;
	pid_t ns = netns_start();
	struct server *s = server_in(ns, "");
	struct trigger t = tcp_script(ns, s->tls_port, pair->tls);
	json_t *conn = conn_of(mon, (int)trigger_int(&t, "port")), *in;

	require(trigger_int(&t, "received") > 0, "the server did not answer in TLS");
	require(conn, "the connection is not listed");
	in = json_object_get(conn, "in");
	require(json_integer_value(json_object_get(in, "bytes")) ==
				(pair->bytes ?: trigger_int(&t, "hello")) &&
			!strcmp(text_at(conn, "in", "sync"), pair->hole ? "unsynced" : "synced"),
		"the ClientHello was not read: %s", json_dumps(conn, 0));
	json_decref(conn);
	expect_nothing(mon);
	monitors_mark();
	ns = netns_start();
	s = server_in(ns, "");
	t = tcp_script(ns, s->plain_port, pair->plain);
	require(trigger_int(&t, "received") > 0, "the server did not answer in plaintext");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .opened = "inbound",
		     .direction = "ingress",
		     .local_port = s->plain_port,
		     .remote_port = (int)trigger_int(&t, "port"),
		     .has_offset = true,
		     .offset = 0});
}

static const struct script_pair overtaken = {
	.tls = {"syn", "t100-", "t0-100", "wait"},
	.plain = {"syn", "p6-", "p0-6", "wait"},
};

/* The kernel drops the first copy, on the handshake's last ACK or after it; only the second one counts. */
static const struct script_pair first_dropped = {
	.tls = {"syn", "t0-100!", "t0-200", "t200-", "wait"},
	.plain = {"syn", "t0-100!", "p0-", "wait"},
};
static const struct script_pair dropped = {
	.tls = {"syn", "ack", "t0-100!", "t0-", "wait"},
	.plain = {"syn", "ack", "t0-100!", "p0-", "wait"},
};

static const struct script_pair dropped_half_open = {
	.tls = {"syn", "t0-100!", "ack", "t0-", "wait"},
	.plain = {"syn", "t0-100!", "ack", "p0-1", "p1-",
		  "wait"}, /* no segment begins with a command */
};

/* Of two dropped segments, the second leaves a gap after the first one's record. */
static const struct script_pair dropped_apart = {
	.tls = {"syn", "ack", "t0-100!", "t0-100@2000!", "t0-", "wait"},
	.plain = {"syn", "ack", "t0-100!", "t0-100@2000!", "p0-", "wait"},
	.bytes = 2100,
	.hole = true,
};

/* A keepalive's byte, and bytes that the kernel trims. */
static const struct script_pair before_first = {
	.tls = {"syn", "p0-1@-1", "t0-200", "t200-", "wait"},
	.plain = {"syn", "h0-@-5", "wait"},
};

static const struct script_pair beyond_window = {
	.tls = {"syn", "ack", "t0-100@1000000000", "t0-", "wait"},
	.plain = {"syn", "ack", "t0-100@1000000000", "p0-", "wait"},
};
/* The data looks like a record header at the first byte's place. */
static const struct script_pair second_syn = {
	.tls = {"syn", "ack", "syn2", "t0-", "wait"},
	.plain = {"syn", "ack", "syn2", "p0-1", "p1-", "wait"},
};

/* Segments that overtook it within the record were read; the late one looks like text, but is TLS payload. */
static const struct script_pair certificate = {
	.tls = {"syn", "ack", "x0-400", "x800-", "x400-800", "wait"},
	.plain = {"syn", "ack", "p6-", "p0-6", "wait"},
	.bytes = 1200,
};

/* The first connection ended before its socket had data; the second has the same addresses and sequence numbers. */
static const struct script_pair same_start = {
	.tls = {"syn", "t0-", "rst", "syn", "t0-200", "t200-", "wait"},
	.plain = {"syn", "t0-", "rst", "syn", "p0-", "wait"},
};

/* The network delays a segment until its connection is over: the listener gets it, and the kernel answers with a reset. */
static void late_segment(const void *arg)
{
	static const char *const steps[] = {"syn", "ack", "t0-", "wait", "rst", "t100-", NULL};
	pid_t ns = netns_start();
	struct server *s = server_in(ns, "");
	struct trigger t = tcp_script(ns, s->tls_port, steps);

	require(trigger_int(&t, "received") > 0, "the server did not answer in TLS");
	require(trigger_true(&t, "reset"), "no reset: the connection was not over");
	expect_nothing(mon);
}

/* ---- IP ------------------------------------------------------------------------------------------ */

static void headers(const void *arg)
{
	const char *chain = arg, *host = strcmp(chain, "options") ? "::1" : "127.0.0.1";
	pid_t ns = netns_start();
	struct server *s = server_in(ns, "");
	struct trigger t;

	if (host[0] == ':' && access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	t = client(ns, host, s->tls_port, "-x", chain, "-t", cert_path());
	read_in_full(&t);
	monitors_mark();
	t = client(ns, host, s->plain_port, "-x", chain);
	plaintext_reported(&t, s, host[0] == ':' ? "ipv6" : "ipv4");
}

/* A router between client and server cuts every long packet into three fragments, in both directions. */
static void fragments(const void *arg)
{
	pid_t here = netns_start(), router = netns_start(), there = netns_start();
	struct server *s;
	struct trigger t;

	netns_join(here, router, 81);
	netns_join(there, router, 82);
	netns_must(router, "echo 1 >/proc/sys/net/ipv4/ip_forward && "
			   "ip route replace 10.81.0.0/24 dev cw81 mtu lock 600 && "
			   "ip route replace 10.82.0.0/24 dev cw82 mtu lock 600");
	netns_must(
		here,
		"echo 1 >/proc/sys/net/ipv4/ip_no_pmtu_disc && ip route add default via 10.81.0.2");
	netns_must(
		there,
		"echo 1 >/proc/sys/net/ipv4/ip_no_pmtu_disc && ip route add default via 10.82.0.2");
	s = server_in(here, "");
	t = client(there, "10.81.0.1", s->tls_port, "-v", "300000", "-t", cert_path());
	require(netns_counted(here, "snmp", "Ip", "ReasmOKs") > 100 &&
			netns_counted(there, "snmp", "Ip", "ReasmOKs") > 100,
		"nothing was in fragments");
	read_in_full(&t);
	monitors_mark();
	t = client(there, "10.81.0.1", s->plain_port, "-v", "300000");
	plaintext_reported(&t, s, "ipv4");
}

/* ---- segments longer than 64 KiB ----------------------------------------------------------------- */

static void big_tcp(const void *arg)
{
	const char *host = arg ? "fd79::83:1" : "10.83.0.1", *why,
		   *out = str("%s/largest", scratch);
	const char *const argv[] = {trigger_path("largest_packet"), NULL};
	pid_t here = netns_start(), there = netns_start(), capture;
	struct server *s;
	struct trigger t;
	json_t *said;

	if (arg && access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	netns_join(here, there, 83);
	for (int i = 0; i < 2; i++)
		if (!netns_sh(i ? there : here, &why,
			      str("%s cw83 400000 %s", trigger_path("big_tcp"),
				  arg ? "ipv6" : "ipv4")))
			test_skip("no big TCP here: %s", why);
	for (int i = 0; i < 2; i++)
		netns_must(i ? there : here,
			   "echo 4096 4000000 16000000 >/proc/sys/net/ipv4/tcp_wmem && "
			   "echo 4096 4000000 16000000 >/proc/sys/net/ipv4/tcp_rmem");
	s = server_in(here, "");
	capture = child_start(argv, &(struct child_opts){.netns = here, .out = out});
	require(file_wait(out, "ready\n", 5000), "no capture");
	t = client(there, host, s->tls_port, "-v", "10000000", "-t", cert_path());
	child_stop(capture, SIGTERM, 2000);
	said = json_loads(strchr(file_read(out), '\n') + 1, JSON_DISABLE_EOF_CHECK, NULL);
	if (json_integer_value(json_object_get(said, "largest")) <=
	    65550) /* the kernel decides, depending on load */
		test_skip("no packet was longer than 64 KiB this time");
	printf("# the longest packet had %lld bytes\n",
	       (long long)json_integer_value(json_object_get(said, "largest")));
	read_in_full(&t);
	monitors_mark();
	t = client(there, host, s->plain_port, "-v", "10000000");
	plaintext_reported(&t, s, arg ? "ipv6" : "ipv4");
}

/* ---- MPTCP ----------------------------------------------------------------------------------------- */

#define SUBFLOWS "MPTCP sockets, outbound or older than the monitor: further subflows are unseen"

static void preload(void)
{
	setenv("LD_PRELOAD", "build/triggers/mptcp.so", 1);
}

/* A server whose sockets use MPTCP, as under mptcpize. The preloaded library is reported, which does not matter here. */
static struct server *server_mptcp(pid_t ns, const char *extra)
{
	struct server *s;

	if (access("/proc/sys/net/mptcp/enabled", R_OK))
		test_skip("no MPTCP here");
	s = server_start(&(struct server_opts){.plain = true,
					       .bind = "* -::*",
					       .child = {.netns = ns, .setup = preload},
					       .extra = str("protected-mode no\n%s", extra)});
	expect(mon, {.rule = "mem-inject",
		     .vector = "exec",
		     .detail = "LD_PRELOAD in its environment",
		     .server = s,
		     .young = true});
	monitors_mark();
	return s;
}

static void one_subflow(const void *arg)
{
	bool mptcp = arg;
	pid_t ns = netns_start();
	struct server *s = server_mptcp(ns, "");
	const char *option = mptcp ? "-p" : "-i0";
	struct trigger t;

	t = client(ns, "127.0.0.1", s->tls_port, "-t", cert_path(), option);
	require(trigger_true(&t, "mptcp") == mptcp, "MPTCP was %sspoken", mptcp ? "not " : "");
	read_in_full(&t);
	monitors_mark();
	t = client(ns, "127.0.0.1", s->plain_port, option);
	require(trigger_true(&t, "mptcp") == mptcp, "MPTCP was %sspoken", mptcp ? "not " : "");
	plaintext_reported(&t, s, "ipv4");
}

/* The bytes that the connections of that local address carried towards the client, as the kernel counts them. */
static long long bytes_sent_from(pid_t ns, const char *ip)
{
	struct run r =
		run_with(&((struct child_opts){.netns = ns}), 5000, "ss", "-tinHO", "src", ip);
	long long bytes = 0;

	for (const char *at = r.out; (at = strstr(at, "bytes_sent:"));)
		bytes += atoll(at += strlen("bytes_sent:"));
	return bytes;
}

/* A stream that no subflow carries whole raises no false alert, and unread bytes are reported. */
static void two_subflows(const void *arg)
{
	pid_t here = netns_start(), there = netns_start();
	struct server *s = server_mptcp(here, "");
	long before = blind_count(mon, UNSYNCED);
	struct trigger t;
	const char *why;

	netns_join(here, there, 84);
	netns_join(here, there, 85);
	if (!netns_sh(here, &why,
		      "ip mptcp limits set subflow 2 && ip mptcp endpoint add 10.85.0.1 signal") ||
	    !netns_sh(there, &why, "ip mptcp limits set subflow 2 add_addr_accepted 2"))
		test_skip("no subflows here: %s", why);
	for (int i = 0;; i++) {
		t = client(there, "10.84.0.1", s->tls_port, "-p", "-v", "10000000", "-t",
			   cert_path());
		require(trigger_int(&t, "subflows") == 1, "there are %lld more subflows",
			trigger_int(&t, "subflows"));
		if (bytes_sent_from(here, "10.84.0.1") > 5000 &&
		    bytes_sent_from(here, "10.85.0.1") > 5000)
			break;
		if (i == 5) /* the kernel chooses the subflow of a segment */
			test_skip("one subflow carried all, each time");
		child_stop(t.pid, SIGKILL, 2000);
	}
	require(blind_count_wait(mon, UNSYNCED, before) > before,
		"what was not read is not counted");
	expect(mon, {.rule = "self-blind", .detail = UNSYNCED, .optional = true});
	printf("# %lld and %lld bytes of the replies\n", bytes_sent_from(here, "10.84.0.1"),
	       bytes_sent_from(here, "10.85.0.1"));
	child_stop(t.pid, SIGKILL, 2000);
	monitors_mark();
	t = client(there, "10.84.0.1", s->plain_port, "-p");
	expect(mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.direction = "ingress",
		.command = "PING",
		.remote_port = (int)trigger_int(&t, "port")},
	       {.rule = "self-blind", .detail = UNSYNCED, .optional = true});
	child_stop(t.pid, SIGKILL, 2000);
}

/* The replica's sockets use MPTCP too; its master speaks MPTCP or TCP. */
static void replica_connects(const void *arg)
{
	bool mptcp = arg;
	pid_t ns = netns_start();
	struct server *replica = server_mptcp(ns, "tls-replication no"), *master;
	struct run r;

	if (mptcp)
		master = server_mptcp(ns, "repl-diskless-sync-delay 0");
	else
		master = server_in(ns, "repl-diskless-sync-delay 0");
	r = run_with(&((struct child_opts){.netns = ns}), 5000, "redis-cli", "--tls", "--cacert",
		     cert_path(), "-p", number(replica->tls_port), "REPLICAOF", "127.0.0.1",
		     number(master->plain_port));
	require(strstr(r.out, "OK"), "REPLICAOF: %s %s", r.out, r.err);
	replica_ready(replica);
	expect(mon, PLAIN_REPLICATION(master, replica),
	       {.rule = "self-blind", .detail = SUBFLOWS, .optional = !mptcp});
}

static const struct test tests[] = {
	TEST("data on the SYN (TCP Fast Open): TLS is read, plaintext is told", fast_open,
	     .arg = "taken"),
	TEST("the same where the server does not take it", fast_open),
	TEST("urgent data: plaintext is told, and a byte beside TLS", urgent),
	TEST("a window that stays shut, keepalives: TLS is read, plaintext is told", window),
	TEST("the second segment overtakes the handshake's last ACK", hand_made_segments,
	     .arg = &overtaken),
	TEST("TLS that the kernel drops hides no plaintext, with the handshake's last ACK",
	     hand_made_segments, .arg = &first_dropped),
	TEST("TLS that the kernel drops hides no plaintext", hand_made_segments, .arg = &dropped),
	TEST("TLS that the kernel drops before there is a connection hides no plaintext",
	     hand_made_segments, .arg = &dropped_half_open),
	TEST("TLS that the kernel drops hides no plaintext behind a hole", hand_made_segments,
	     .arg = &dropped_apart),
	TEST("bytes before the connection's first", hand_made_segments, .arg = &before_first),
	TEST("bytes beyond the window", hand_made_segments, .arg = &beyond_window),
	TEST("a second SYN with data", hand_made_segments, .arg = &second_syn),
	TEST("a certificate's text that comes late is no plaintext", hand_made_segments,
	     .arg = &certificate),
	TEST("a connection that begins as an earlier one did", hand_made_segments,
	     .arg = &same_start),
	TEST("a segment that comes when its connection is over raises nothing", late_segment),
	TEST("IP options", headers, .arg = "options"),
	TEST("IPv6 hop-by-hop, routing and destination headers", headers, .arg = "hop,route,dest"),
	TEST("seven IPv6 destination headers", headers,
	     .arg = "dest,dest,dest,dest,dest,dest,dest"),
	TEST("an IPv6 fragment header though nothing was cut", headers, .arg = "frag"),
	TEST("IP fragments: TLS is read, plaintext is told", fragments),
	TEST("IPv6 segments longer than 64 KiB: TLS is read, plaintext is told", big_tcp,
	     .arg = "v6"),
	TEST("IPv4 segments longer than 64 KiB: TLS is read, plaintext is told", big_tcp),
	TEST("MPTCP with one subflow: TLS is read, plaintext is told", one_subflow, .arg = "mptcp"),
	TEST("a TCP client at an MPTCP listener", one_subflow),
	TEST("MPTCP with two subflows: TLS raises nothing, what is not read is counted",
	     two_subflows),
	TEST("a replica that dials by MPTCP without TLS, seen at both ends", replica_connects,
	     .arg = "mptcp"),
	TEST("the same where the master speaks TCP", replica_connects),
	{},
};

const struct suite net_suite = {"net", setup, teardown, tests};
