/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.c - anything but TLS on an instance's sockets is reported, once per connection and with no more than the
 * command's name; TLS in any shape is not reported.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Must not occur anywhere in the monitor's output. */
#define SECRET_KEY "marble-staircase"
#define SECRET_VALUE "hazel-lighthouse"
#define SECRET_PASSWORD "copper-umbrella"

static struct server *a, *b; /* a also serves plaintext, b speaks TLS only */
static struct monitor *mon;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true,
					       .bind = "127.0.0.1 -::1",
					       .extra = "io-threads 2\nio-threads-do-reads yes"});
	b = server_start(&(struct server_opts){.bind = "127.0.0.1 -::1"});
	mon = monitor_start(NULL);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

static const char *port(int nr)
{
	return str("%d", nr);
}

/* ---- plaintext ---------------------------------------------------------------------------------- */

static void plain_get(const void *arg)
{
	struct trigger t =
		trigger("plain_client", "127.0.0.1", port(a->plain_port), "-c", "GET " SECRET_KEY);

	require(trigger_int(&t, "received") == 5, "no reply came");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = a,
		     .vector = "ingress",
		     .family = "ipv4",
		     .opened = "inbound",
		     .direction = "ingress",
		     .command = "GET",
		     .saw = "resp-command",
		     .local_port = a->plain_port,
		     .remote_port = trigger_int(&t, "port"),
		     .has_offset = true,
		     .offset = 0,
		     .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
}

/*
 * Over loopback a segment arrives in its sender's context, except for the few that a busy CPU defers: the actor of at
 * least one in five must be known.
 */
static void plain_named(const void *arg)
{
	const char *host = arg;
	json_t *alert = NULL;

	if (strchr(host, ':') && access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	for (int i = 0; i < 5 && !alert; i++) {
		struct trigger t;

		monitors_mark();
		t = trigger("plain_client", host, port(a->plain_port));
		expect(mon, {.rule = "tls-plaintext",
			     .wire = true,
			     .server = a,
			     .remote_port = trigger_int(&t, "port")});
		alert = alert_find(mon, "tls-plaintext", t.pid);
		require(!alert || !strcmp(alert_str(alert, "actor.exe"), t.exe), "exe %s, not %s",
			alert_str(alert, "actor.exe"), t.exe);
	}
	require(alert, "none of five clients was named");
}

static void plain_secrets(const void *arg)
{
	static const char *const secrets[] = {SECRET_KEY, SECRET_VALUE, SECRET_PASSWORD};
	static const char *const commands[] = {"AUTH " SECRET_PASSWORD,
					       "SET " SECRET_KEY " " SECRET_VALUE,
					       "GET " SECRET_KEY, SECRET_KEY " " SECRET_VALUE};
	struct want wants[8] = {};
	size_t n = 0;

	for (size_t i = 0; i < 8; i++) {
		struct trigger t = trigger("plain_client", "127.0.0.1", port(a->plain_port), "-c",
					   commands[i % 4], "-k", i < 4 ? "resp" : "inline");

		wants[n++] = (struct want){.rule = "tls-plaintext",
					   .wire = true,
					   .server = a,
					   .remote_port = trigger_int(&t, "port"),
					   .command = i % 4 == 0   ? "AUTH"
						      : i % 4 == 1 ? "SET"
						      : i % 4 == 2 ? "GET"
								   : ""};
	}
	expect_alerts(mon, wants, n);
	for (size_t i = 0; i < 3; i++)
		require(!monitor_said(mon, secrets[i]), "the monitor printed \"%s\"", secrets[i]);
}

static void plain_each_connection(const void *arg)
{
	struct trigger first = trigger("plain_client", "127.0.0.1", port(a->plain_port));
	struct trigger second =
		trigger("plain_client", "127.0.0.1", port(a->plain_port), "-n", "5");

	expect(mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = a,
		.command = "PING",
		.remote_port = trigger_int(&first, "port")},
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = a,
		.command = "PING",
		.remote_port = trigger_int(&second, "port"),
		.bytes = trigger_int(&second, "sent") + trigger_int(&second, "received")});
}

struct sending {
	const char *kind, *saw, *command, *text;
};

static void plain_kind(const void *arg)
{
	const struct sending *s = arg;
	struct trigger t = trigger("plain_client", "127.0.0.1", port(b->tls_port), "-k", s->kind,
				   "-c", s->text ?: "PING");

	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = b,
		     .opened = "inbound",
		     .direction = "ingress",
		     .saw = s->saw,
		     .command = s->command,
		     .local_port = b->tls_port,
		     .remote_port = trigger_int(&t, "port"),
		     .has_offset = true});
}

static void plain_redis_cli(const void *arg)
{
	struct run r = run_command(5000, "redis-cli", "-p", port(b->tls_port), "PING");

	require(r.status >= 0, "redis-cli did not end");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = b,
		     .opened = "inbound",
		     .direction = "ingress",
		     .saw = "resp-command",
		     .command = "PING"});
}

static void plain_bytewise(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(a->plain_port), "-s", "1",
				   "-c", "GET " SECRET_KEY);

	require(trigger_int(&t, "received") > 0, "the server did not answer");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = a,
		     .opened = "inbound",
		     .direction = "ingress",
		     .remote_port = trigger_int(&t, "port"),
		     .has_offset = true,
		     .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
}

static void plain_third_ack(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(b->tls_port), "-a");

	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = b,
		     .opened = "inbound",
		     .direction = "ingress",
		     .remote_port = trigger_int(&t, "port"),
		     .command = "PING",
		     .has_offset = true});
}

/* The server answers the plaintext: still one alert, with the bytes of both directions. */
static void plain_third_ack_answered(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(a->plain_port), "-a");

	require(trigger_int(&t, "received") > 0, "no reply came");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = a,
		     .opened = "inbound",
		     .direction = "ingress",
		     .remote_port = trigger_int(&t, "port"),
		     .command = "PING",
		     .has_offset = true,
		     .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
}

static void plain_third_ack_each(const void *arg)
{
	struct trigger first = trigger("plain_client", "127.0.0.1", port(b->tls_port), "-a");
	struct trigger second = trigger("plain_client", "127.0.0.1", port(b->tls_port), "-a");

	expect(mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = b,
		.remote_port = trigger_int(&first, "port")},
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = b,
		.remote_port = trigger_int(&second, "port")});
}

static void plain_ipv6(const void *arg)
{
	struct trigger t;

	if (access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	t = trigger("plain_client", "::1", port(a->plain_port), "-c", "GET " SECRET_KEY);
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = a,
		     .family = "ipv6",
		     .opened = "inbound",
		     .direction = "ingress",
		     .command = "GET",
		     .remote_port = trigger_int(&t, "port"),
		     .local_port = a->plain_port});
}

static void plain_unused(const void *arg)
{
	struct client *c = client_open(a, "127.0.0.1", false);

	sleep_ms(100);
	client_close(c);
	expect_nothing(mon);
}

/* ---- between servers ---------------------------------------------------------------------------- */

static void replica_plain(const void *arg)
{
	struct server *master = server_start(
		&(struct server_opts){.plain = true, .extra = "repl-diskless-sync-delay 0"});
	struct server *replica = server_start(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication no", master->plain_port)});

	require(file_wait(replica->log, "MASTER <-> REPLICA sync: Finished", 10000),
		"replication did not start: %s", file_read(replica->log));
	expect(mon, PLAIN_REPLICATION(master, replica));
}

static void replica_tls(const void *arg)
{
	struct server *master =
		server_start(&(struct server_opts){.extra = "repl-diskless-sync-delay 0"});
	struct server *replica = server_start(&(struct server_opts){
		.extra = str("replicaof 127.0.0.1 %d\ntls-replication yes", master->tls_port)});

	require(file_wait(replica->log, "MASTER <-> REPLICA sync: Finished", 10000),
		"replication did not start: %s", file_read(replica->log));
	sleep_ms(1200); /* a few REPLCONF ACKs */
	expect_nothing(mon);
}

static struct server *cluster_node(bool tls)
{
	return server_start(&(struct server_opts){
		.plain = !tls,
		.extra = str("cluster-enabled yes\ncluster-config-file nodes.conf\ntls-cluster %s",
			     tls ? "yes" : "no")});
}

static void cluster(const void *arg)
{
	bool tls = arg;
	struct server *one = cluster_node(tls), *two = cluster_node(tls);
	struct client *c = client_open(one, "127.0.0.1", true);
	int bus = (tls ? two->tls_port : two->plain_port) + 10000;
	long long end = now_ms() + 8000 * patience;

	client_do(c, str("CLUSTER MEET 127.0.0.1 %d", bus - 10000));
	while (!strstr(client_do(c, "CLUSTER INFO"), "cluster_known_nodes:2")) {
		require(now_ms() < end, "the nodes did not meet");
		sleep_ms(50);
	}
	sleep_ms(1500); /* the second node's own link, and some pings */
	client_close(c);
	if (tls)
		expect_nothing(mon);
	else
		expect(mon,
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = one,
			.many = true,
			.opened = "outbound",
			.remote_port = bus},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = two,
			.many = true,
			.opened = "inbound",
			.local_port = bus},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = two,
			.many = true,
			.opened = "outbound"},
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = one,
			.many = true,
			.opened = "inbound"});
}

/* ---- mid-stream --------------------------------------------------------------------------------- */

struct injection {
	const char *version, *piece;
};

static void midstream(const void *arg)
{
	const struct injection *i = arg;
	struct trigger t = trigger("tls_inject", "127.0.0.1", port(b->tls_port), cert_path(), "-m",
				   i->version, "-s", i->piece);

	expect(mon, {.rule = "tls-midstream",
		     .wire = true,
		     .server = b,
		     .opened = "inbound",
		     .direction = "ingress",
		     .family = "ipv4",
		     .local_port = b->tls_port,
		     .remote_port = trigger_int(&t, "port"),
		     .has_offset = true,
		     .offset = trigger_int(&t, "offset")});
}

static int client_fd(struct client *c)
{
	const char *at = strstr(client_do(c, "CLIENT INFO"), " fd=");

	require(at, "CLIENT INFO names no fd");
	return atoi(at + 4);
}

static void stolen(const void *arg)
{
	const char *what = arg;
	struct client *c = client_open(b, "127.0.0.1", true);
	int mine = client_port(c);
	struct trigger t = trigger("pidfd_getfd", port(b->pid), port(client_fd(c)), "-w", what);
	json_t *alert;

	require(trigger_int(&t, "written") > 0, "the trigger wrote nothing");
	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = b, .by = &t},
	       {.rule = "tls-writer",
		.wire = true,
		.server = b,
		.by = &t,
		.vector = "egress",
		.direction = "egress",
		.remote_port = mine},
	       {.rule = "tls-midstream",
		.wire = true,
		.server = b,
		.direction = "egress",
		.remote_port = mine,
		.optional = !strcmp(what, "record")});
	alert = alert_find(mon, "tls-midstream", 0);
	require(!alert || strcmp(what, "record"), "framed as a record, yet called no TLS");
	client_close(c);
}

/* ---- TLS ---------------------------------------------------------------------------------------- */

static struct server *server_version(const char *version)
{
	return version ? server_start(&(struct server_opts){
				 .extra = str("tls-protocols \"%s\"", version)})
		       : b;
}

static void tls_values(const void *arg)
{
	struct server *s = server_version(arg);
	struct trigger t = trigger("tls_client", "127.0.0.1", port(s->tls_port), cert_path(), "-v",
				   "10000000", "-n", "2");

	require(trigger_int(&t, "bytes") == 2 * 11111111, "not all values came back");
	expect_nothing(mon);
}

#define EMULATED_MS 50000 /* takes 20 s in emulation */

/* Big records from several senders at once: segments arrive on both CPUs, and out of order. */
static void tls_values_at_once(const void *arg)
{
	const char *const argv[] = {trigger_path("tls_client"),
				    "127.0.0.1",
				    port(b->tls_port),
				    cert_path(),
				    "-v",
				    "10000000",
				    "-n",
				    "3",
				    NULL};
	pid_t pids[4];

	for (int i = 0; i < 4; i++)
		pids[i] = child_start(argv, &(struct child_opts){});
	for (int i = 0; i < 4; i++)
		require(child_wait(pids[i], EMULATED_MS) == 0, "client %d failed", i);
	expect_nothing(mon);
}

static void tls_short(const void *arg)
{
	struct trigger t =
		trigger("tls_client", "127.0.0.1", port(b->tls_port), cert_path(), "-n", "2000");

	require(trigger_int(&t, "result") == 2000, "not all connections worked");
	expect_nothing(mon);
}

static void tls_ipv6(const void *arg)
{
	if (access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	trigger("tls_client", "::1", port(b->tls_port), cert_path(), "-v", "1000000", "-n", "20");
	expect_nothing(mon);
}

static void tls_benchmark(const void *arg)
{
	struct server *s = arg ? a : b;
	struct run r = run_command(50000, "redis-benchmark", "--tls", "--cacert", cert_path(), "-p",
				   port(s->tls_port), "-t", "set,get,lrange_100", "-n", "6000",
				   "-r", "1000", "-P", "16", "-c", "20", "-d", "200", "-q");

	require(!r.status, "redis-benchmark: %s", r.err);
	expect_nothing(mon);
}

static void tls_key_update(const void *arg)
{
	struct trigger t = trigger("tls_client", "127.0.0.1", port(b->tls_port), cert_path(), "-m",
				   "1.3", "-k", "-n", "5");

	require(trigger_true(&t, "renewed"), "the server did not take new keys");
	expect_nothing(mon);
}

static void tls_refused_renegotiation(const void *arg)
{
	trigger("tls_client", "127.0.0.1", port(b->tls_port), cert_path(), "-m", "1.2", "-k");
	expect_nothing(mon);
}

/* Redis refuses renegotiation; openssl s_server, started under Redis' name, does not. */
static void tls_renegotiation(const void *arg)
{
	const char *exe = str("%s/bin/redis-server", scratch);
	const char *key = strdup(str("%s/renegotiation.pem", scratch));
	int nr = port_free();
	const char *const argv[] = {exe,
				    "s_server",
				    "-accept",
				    port(nr),
				    "-cert",
				    cert_path(),
				    "-key",
				    key,
				    "-rev",
				    "-tls1_2",
				    "-client_renegotiation",
				    NULL};
	struct trigger t;

	key_copy(key);
	file_copy("/usr/bin/openssl", exe);
	child_start(argv, &(struct child_opts){.keep_stdin = true});
	wait_listening(nr);
	t = trigger("tls_client", "127.0.0.1", port(nr), cert_path(), "-m", "1.2", "-k");
	require(trigger_true(&t, "renewed"), "the server did not renegotiate");
	expect_nothing(mon);
	/* the server is watched: the silence before was not a blind spot */
	t = trigger("plain_client", "127.0.0.1", port(nr));
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .direction = "ingress",
		     .remote_port = trigger_int(&t, "port"),
		     .local_port = nr});
}

static void tls_failed_handshake(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = "tls-protocols \"TLSv1.3\""});
	struct run r = run_command(5000, trigger_path("tls_client"), "127.0.0.1", port(s->tls_port),
				   cert_path(), "-m", "1.2");

	require(r.status == 1, "the handshake did not fail");
	expect_nothing(mon);
}

/* ---- before the monitor ------------------------------------------------------------------------- */

static void attach_to_load(const void *arg)
{
	const char *const load[] = {"redis-benchmark",
				    "--tls",
				    "--cacert",
				    cert_path(),
				    "-p",
				    port(b->tls_port),
				    "-t",
				    "set,get",
				    "-n",
				    "1000000",
				    "-r",
				    "1000",
				    "-P",
				    "8",
				    "-c",
				    "20",
				    "-d",
				    "3000",
				    "-q",
				    NULL};
	pid_t pid = child_start(load, &(struct child_opts){});
	struct monitor *m;

	sleep_ms(700);
	m = monitor_start(NULL);
	sleep_ms(2500);
	require(!kill(pid, 0), "the load ended too early");
	expect_nothing(m);
	child_stop(pid, SIGTERM, 2000);
	expect_nothing(m);
	require(monitor_stop(m, SIGTERM) == 0, "the monitor did not end well");
}

#define BIG "10000000"

/* A long reply waits in the server's send queue: its segments begin anywhere within a record. */
static void attach_within_record(const void *arg)
{
	struct client *c = client_open(b, "127.0.0.1", true);
	struct monitor *m;
	json_t *conn;
	long long ms;

	client_do(c, "SETRANGE unsynced " BIG " x");
	client_ask(c, "GET unsynced");
	client_wait(c, atol(BIG) / 100);
	m = monitor_start(NULL);
	client_skip(c, sizeof("$" BIG "\r\n") - 1 + atol(BIG) + 1 + 2);
	conn = conn_of(m, client_port(c));
	require(conn, "the connection is not listed");
	printf("# %lld bytes unread, %lld ms\n", number_at(conn, "out", "unsynced_bytes"),
	       number_at(conn, "out", "unsynced_ms"));
	require(number_at(conn, "out", "unsynced_bytes") > 0, "no bytes unread");
	require(number_at(conn, "out", "unsynced_ms") > 0, "not a millisecond");

	client_do(c, "PING"); /* in each direction a segment that begins with a record */
	conn = conn_of(m, client_port(c));
	ms = number_at(conn, "out", "unsynced_ms");
	require(!strcmp(text_at(conn, "out", "sync"), "synced"), "out of the server: %s",
		text_at(conn, "out", "sync"));
	require(!number_at(conn, "in", "unsynced_ms") && !number_at(conn, "in", "unsynced_bytes"),
		"into the server: out of sync");
	sleep_ms(50);
	require(number_at(conn_of(m, client_port(c)), "out", "unsynced_ms") == ms,
		"the time runs on");
	client_close(c);
	expect(m, {.rule = "self-blind", .detail = UNSYNCED});
	monitor_stop(m, SIGTERM);
}

static void attach_to_plain(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.plain = true});
	struct client *quiet = client_open(s, "127.0.0.1", false);
	struct client *tls = client_open(s, "127.0.0.1", true);
	struct monitor *m;

	client_do(quiet, "PING");
	client_do(tls, "PING");
	m = monitor_start(NULL);
	client_do(tls, "PING");
	expect_nothing(m);
	client_do(quiet, "GET " SECRET_KEY);
	expect(m, {.rule = "tls-plaintext",
		   .wire = true,
		   .server = s,
		   .direction = "ingress",
		   .command = "GET",
		   .remote_port = client_port(quiet)});
	client_do(tls, "PING");
	client_close(quiet);
	client_close(tls);
	require(!monitor_said(m, SECRET_KEY), "the monitor printed the key");
	monitor_stop(m, SIGTERM);
}

static void attach_to_tls_then_inject(const void *arg)
{
	struct client *c = client_open(b, "127.0.0.1", true);
	struct monitor *m;
	struct trigger t;

	client_do(c, "PING");
	m = monitor_start(NULL);
	for (int i = 0; i < 20; i++)
		client_do(c, "PING");
	t = trigger("pidfd_getfd", port(b->pid), port(client_fd(c)), "-w", "plain");
	expect(m, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = b, .by = &t},
	       {.rule = "tls-writer", .wire = true, .server = b, .by = &t, .direction = "egress"},
	       {.rule = "tls-midstream", .wire = true, .server = b, .direction = "egress"});
	client_close(c);
	monitor_stop(m, SIGTERM);
}

/* ---- another host, as far as one machine has one ------------------------------------------------ */

static void two_hosts(const void *arg)
{
	pid_t here = netns_start(), there = netns_start();
	struct child_opts in_here = {.netns = here}, in_there = {.netns = there};
	struct server *s;
	struct trigger t;

	netns_join(here, there, 77);
	s = server_start(&(struct server_opts){.plain = true,
					       .bind = "10.77.0.1",
					       .child = in_here,
					       .extra = "protected-mode no"});
	t = trigger_in(&in_there, "tls_client", "10.77.0.1", port(s->tls_port), cert_path(), "-v",
		       "10000000", "-n", "3");
	require(trigger_int(&t, "bytes") == 3 * 11111111, "not all values came back");
	expect_nothing(mon);
	t = trigger_in(&in_there, "plain_client", "10.77.0.1", port(s->plain_port), "-c",
		       "GET " SECRET_KEY);
	require(trigger_int(&t, "received") == 5, "no reply came");
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .server = s,
		     .family = "ipv4",
		     .opened = "inbound",
		     .direction = "ingress",
		     .command = "GET",
		     .saw = "resp-command",
		     .local_port = s->plain_port,
		     .remote_port = trigger_int(&t, "port"),
		     .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
	require(!strcmp(alert_str(alert_find(mon, "tls-plaintext", 0), "conn.remote.ip"),
			"10.77.0.2"),
		"remote is not 10.77.0.2");
}

static void never_said(const void *arg)
{
	static const char *const secrets[] = {SECRET_KEY, SECRET_VALUE, SECRET_PASSWORD, "STOLEN"};

	monitor_poll(mon);
	for (size_t i = 0; i < 4; i++)
		require(!monitor_said(mon, secrets[i]), "the monitor printed \"%s\"", secrets[i]);
}

#define KIND(...) &((const struct sending){__VA_ARGS__})
#define INJECT(v, p) &((const struct injection){v, p})

static const struct test tests[] = {
	TEST("a GET in plaintext and its reply are one alert with command and bytes", plain_get),
	TEST("a plaintext client on the same host is named", plain_named, .arg = "127.0.0.1"),
	TEST("a plaintext client on the same host is named over IPv6", plain_named, .arg = "::1"),
	TEST("commands are named, keys, values and passwords are nowhere in the output",
	     plain_secrets),
	TEST("each connection is an alert of its own, however often it sends",
	     plain_each_connection),
	TEST("a connection that sends nothing raises nothing", plain_unused),
	TEST("redis-cli without TLS at the TLS port", plain_redis_cli),
	TEST("a RESP command at the TLS port", plain_kind,
	     .arg = KIND(.kind = "resp", .saw = "resp-command", .command = "PING")),
	TEST("an inline command at the TLS port", plain_kind,
	     .arg = KIND(.kind = "inline", .saw = "inline", .command = "PING")),
	TEST("an HTTP request at the TLS port", plain_kind,
	     .arg = KIND(.kind = "http", .saw = "http", .command = "")),
	TEST("an SSLv2 hello at the TLS port", plain_kind,
	     .arg = KIND(.kind = "sslv2", .saw = "sslv2-hello", .command = "")),
	TEST("printable text at the TLS port", plain_kind,
	     .arg = KIND(.kind = "printable", .saw = "printable", .command = "")),
	TEST("random bytes at the TLS port", plain_kind,
	     .arg = KIND(.kind = "random", .saw = "other", .command = "")),
	TEST("a command in lower case is named in upper case", plain_kind,
	     .arg = KIND(.kind = "resp", .saw = "resp-command", .command = "GET",
			 .text = "get " SECRET_KEY)),
	TEST("plaintext in segments of one byte", plain_bytewise),
	TEST("plaintext that rides on the handshake's third ACK", plain_third_ack),
	TEST("the same where plaintext is answered is one alert", plain_third_ack_answered),
	TEST("the same again is an alert of its own", plain_third_ack_each),
	TEST("plaintext over IPv6", plain_ipv6),
	TEST("a replica that dials its master without TLS, seen at both ends", replica_plain),
	TEST("a replica that dials its master with TLS raises nothing", replica_tls),
	TEST("a cluster bus without TLS, seen at both ends", cluster),
	TEST("a cluster bus with TLS raises nothing", cluster, .arg = "tls"),
	TEST("plaintext injected into TLS 1.3 names the exact offset", midstream,
	     .arg = INJECT("1.3", "100")),
	TEST("plaintext injected into TLS 1.2 names the exact offset", midstream,
	     .arg = INJECT("1.2", "100")),
	TEST("plaintext injected byte by byte names the exact offset", midstream,
	     .arg = INJECT("1.3", "1")),
	TEST("a stranger that writes plaintext to a stolen socket is named", stolen,
	     .arg = "plain"),
	TEST("a stranger that writes what looks like TLS to a stolen socket is named", stolen,
	     .arg = "record"),
	TEST("values of 1 B to 10 MB over TLS raise nothing", tls_values),
	TEST("the same with a server that speaks TLS 1.2 only", tls_values, .arg = "TLSv1.2"),
	TEST("the same with a server that speaks TLS 1.3 only", tls_values, .arg = "TLSv1.3"),
	TEST("the same from four clients at once raises nothing", tls_values_at_once),
	TEST("pipelined load over TLS raises nothing", tls_benchmark),
	TEST("pipelined load over TLS on a server with I/O threads raises nothing", tls_benchmark,
	     .arg = "a"),
	TEST("2000 short TLS connections raise nothing", tls_short),
	TEST("TLS over IPv6 raises nothing", tls_ipv6),
	TEST("a TLS 1.3 key update raises nothing", tls_key_update),
	TEST("a refused renegotiation raises nothing", tls_refused_renegotiation),
	TEST("a TLS 1.2 renegotiation raises nothing", tls_renegotiation),
	TEST("a handshake that fails raises nothing", tls_failed_handshake),
	TEST("attaching to TLS connections under load raises nothing", attach_to_load),
	TEST("a stream attached to within a record tells how long it was out of sync",
	     attach_within_record),
	TEST("a plaintext connection older than the monitor is reported when it speaks",
	     attach_to_plain),
	TEST("plaintext into a TLS connection older than the monitor is reported",
	     attach_to_tls_then_inject),
	TEST("plaintext and TLS between two network namespaces", two_hosts),
	TEST("in all of this no key, value, password or stolen byte was printed", never_said),
	{},
};

const struct suite wire_suite = {"wire", setup, teardown, tests};
