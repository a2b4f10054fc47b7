/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ktls_netem.c - below TLS: records that the kernel makes (kTLS), and networks that lose, reorder and duplicate
 * (netem). No false alerts; a foreign writer is reported; bytes that could not be read are counted.
 *
 * The soak suite sends ten thousand real connections through such a network: `make soak`.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
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

/* ---- records made by the kernel ------------------------------------------------------------------ */

#define KTLS_BYTES 2000000

struct kernel_tls {
	const char *version, *name;
	bool recv; /* OpenSSL 3.0 does not offload receiving in TLS 1.3 */
};

/* An instance whose sockets have the tls ULP. Its output is in ktls.out. */
static struct server ktls_server(void)
{
	const char *exe = str("%s/ktls/redis-server", scratch), *out = str("%s/ktls.out", scratch),
		   *key = str("%s/ktls.key", scratch);
	struct server s = {.tls_port = port_free(), .name = "redis-server"};
	const char *const argv[] = {exe, "serve", str("%d", s.tls_port), cert_path(), key, NULL};

	if (!file_has("/proc/sys/net/ipv4/tcp_available_ulp", "tls"))
		test_skip("no tls module here");
	key_copy(key);
	file_copy(trigger_path("ktls"), exe);
	s.pid = child_start(argv, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	wait_listening(s.tls_port);
	return s;
}

/* With and without the tls ULP at the peer. */
static void ktls(const void *arg)
{
	const struct kernel_tls *k = arg;
	const char *out = str("%s/ktls.out", scratch), *cert = cert_path();
	int port = ktls_server().tls_port;
	struct trigger t;

	for (int i = 0; i < 2; i++) {
		json_t *said, *conn;
		char *text, *line;

		monitors_mark();
		t = i ? trigger_stay("ktls", "connect", "127.0.0.1", str("%d", port), cert, "-u",
				     "-m", k->version, "-v", str("%d", KTLS_BYTES))
		      : trigger_stay("ktls", "connect", "127.0.0.1", str("%d", port), cert, "-m",
				     k->version, "-v", str("%d", KTLS_BYTES));
		require(trigger_int(&t, "bytes") == KTLS_BYTES, "not all came back");
		require(trigger_true(&t, "send") == !i &&
				trigger_true(&t, "recv") == (!i && k->recv),
			"kTLS at the client is not as expected: %s", json_dumps(t.said, 0));
		text = file_read(out);
		line = text;
		for (int skip = i; skip && line; skip--)
			line = strchr(line, '\n') + 1;
		said = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		require(said, "the server says %s", text);
		require(json_is_true(json_object_get(said, "send")) &&
				json_is_true(json_object_get(said, "recv")) == k->recv,
			"kTLS at the server is not as expected: %s", line);
		conn = conn_of(mon, (int)trigger_int(&t, "port"));
		require(conn, "the connection is not listed");
		require(!strcmp(text_at(conn, "tls", "version"), k->name), "version %s",
			text_at(conn, "tls", "version"));
		for (int d = 0; d < 2; d++) {
			json_t *side = json_object_get(conn, d ? "out" : "in");

			require(!strcmp(text_at(conn, d ? "out" : "in", "sync"), "synced"),
				"%s is not synced", d ? "out" : "in");
			require(json_integer_value(json_object_get(side, "bytes")) > KTLS_BYTES &&
					json_integer_value(json_object_get(side, "records")) >=
						KTLS_BYTES / 16384,
				"%lld bytes in %lld records",
				(long long)json_integer_value(json_object_get(side, "bytes")),
				(long long)json_integer_value(json_object_get(side, "records")));
		}
		expect_nothing(mon);
		child_stop(t.pid, SIGKILL, 2000);
		json_decref(said);
		free(text);
	}
	/* the server is monitored, so the lack of alerts above means something */
	monitors_mark();
	t = trigger("plain_client", "127.0.0.1", str("%d", port));
	expect(mon, {.rule = "tls-plaintext",
		     .wire = true,
		     .direction = "ingress",
		     .remote_port = (int)trigger_int(&t, "port"),
		     .local_port = port});
}

/*
 * The kernel frames and encrypts bytes that a foreign process writes to such a socket, so the wire looks correct. A
 * process that only holds the socket while its owner writes is not reported as a writer.
 */
static void ktls_stolen(const void *arg)
{
	const struct kernel_tls *k = arg;
	const char *out = strdup(str("%s/ktls.out", scratch));
	struct server s = ktls_server();
	struct trigger peer, thief;
	json_t *said, *conn;
	const char *fd;

	peer = trigger_stay("ktls", "connect", "127.0.0.1", str("%d", s.tls_port), cert_path(),
			    "-g", "-m", k->version);
	said = json_loads(file_read(out), JSON_DISABLE_EOF_CHECK, NULL);
	require(said && json_is_true(json_object_get(said, "send")),
		"the server's kernel does not encrypt: %s", file_read(out));
	fd = strdup(str("%lld", (long long)json_integer_value(json_object_get(said, "fd"))));
	monitors_mark();
	thief = trigger("pidfd_getfd", pid_of(&s), fd, "-h", "500");
	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = &s, .by = &thief});
	monitors_mark();
	thief = trigger("pidfd_getfd", pid_of(&s), fd, "-w", "plain");
	require(trigger_int(&thief, "written") > 0, "nothing was written");
	expect(mon, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = &s, .by = &thief},
	       {.rule = "tls-writer",
		.wire = true,
		.server = &s,
		.by = &thief,
		.vector = "egress",
		.direction = "egress",
		.local_port = s.tls_port,
		.remote_port = (int)trigger_int(&peer, "port")});
	/* the peer decrypted a record that the server never sent */
	require(child_wait(peer.pid, 3000) > 0, "the peer did not fail on the injected record");
	conn = conn_of(mon, (int)trigger_int(&peer, "port"));
	require(!conn || !strcmp(text_at(conn, "out", "sync"), "synced"), "not synced");
	json_decref(said);
}

/* ---- a bad network ------------------------------------------------------------------------------- */

struct network {
	const char *netem;
	const char *counter; /* of /proc/net/netstat: proves that the impairment took place */
};

static long netstat(const struct child_opts *in, const char *name)
{
	return netns_counted(in->netns, "netstat", "TcpExt", name);
}

/* Two namespaces, 10.78.0.1 and .2, with that network between them: netem, or our impaired_link. Returns which. */
static const char *network_start(struct child_opts *here, struct child_opts *there,
				 const char *netem)
{
	struct child_opts *const both[] = {here, there};
	bool kernels;
	struct run r;

	for (int i = 0; i < 2; i++)
		*both[i] = (struct child_opts){.netns = netns_start()};
	/* try on lo, where it does no harm, whether netem exists */
	kernels = !run_with(here, 3000, "sh", "-c",
			    str("tc qdisc add dev lo root netem %s && tc qdisc del dev lo root",
				netem))
			   .status;
	if (kernels) {
		r = run_with(here, 3000, "ip", "link", "add", "cw0", "type", "veth", "peer", "name",
			     "cw1", "netns", str("%d", there->netns));
		if (r.status)
			test_skip("no veth here: %s", strtok(r.err, "\n"));
	} else {
		if (access("/dev/net/tun", R_OK | W_OK))
			test_skip("neither netem nor tun devices here");
		trigger_stay("impaired_link", str("%d", here->netns), str("%d", there->netns),
			     netem);
	}
	for (int i = 0; i < 2; i++) {
		const char *dev = i ? "cw1" : "cw0";

		run_with(both[i], 3000, "ip", "addr", "add", str("10.78.0.%d/24", i + 1), "dev",
			 dev);
		run_with(both[i], 3000, "ip", "link", "set", dev, "up");
		if (!kernels)
			continue;
		r = run_with(both[i], 3000, "sh", "-c",
			     str("tc qdisc add dev %s root netem %s", dev, netem));
		require(!r.status, "netem: %s", r.err);
	}
	return kernels ? "netem" : "our own network";
}

static void netem(const void *arg)
{
	const struct network *net = arg;
	struct child_opts in_here, in_there;
	struct monitor *m;
	struct server *s;
	const char *network;
	struct trigger t;

	network = network_start(&in_here, &in_there, net->netem);
	s = server_start(&(struct server_opts){.plain = true,
					       .bind = "10.78.0.1",
					       .child = in_here,
					       .extra = "protected-mode no"});
	m = monitor_start(NULL);
	monitors_mark();
	t = trigger_in(&in_there, "tls_client", "10.78.0.1", str("%d", s->tls_port), cert_path(),
		       "-v", "1000000", "-n", "4");
	require(trigger_int(&t, "bytes") == 4 * 1111111, "not all values came back");
	require(netstat(&in_here, net->counter) > 0, "the network was not impaired: no %s",
		net->counter);
	expect(m, {.rule = "self-blind", .detail = UNSYNCED, .optional = true});
	monitors_mark();
	t = trigger_in(&in_there, "plain_client", "10.78.0.1", str("%d", s->plain_port));
	expect(m,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = s,
		.opened = "inbound",
		.remote_port = (int)trigger_int(&t, "port")},
	       {.rule = "self-blind", .detail = UNSYNCED, .optional = true});
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	printf("# %s, %s: %s %ld, %ld bytes unsynced of some 9 million\n", network, net->netem,
	       net->counter, netstat(&in_here, net->counter), monitor_summary(m, "bytes unsynced"));
	require(monitor_summary(m, "bytes unsynced") == blind_count(m, UNSYNCED),
		"%ld bytes unsynced, %ld were reported", monitor_summary(m, "bytes unsynced"),
		blind_count(m, UNSYNCED));
}

/* ---- ten thousand connections -------------------------------------------------------------------- */

#define CLIENTS 40
#define EACH 250 /* 10 in emulation */
#define SOAK_MS 600000

/* One client: short connections and values of many segments; some resume the previous session. */
static pid_t soak_client(int i, int each, const struct child_opts *there, const struct server *s)
{
	static const char *const values[] = {"1", "100", "1000", "100000"};
	const char *out = str("%s/soak.%d", scratch, i);
	struct child_opts o = *there;
	const char *argv[] = {trigger_path("tls_client"),
			      "10.78.0.1",
			      str("%d", s->tls_port),
			      cert_path(),
			      "-n",
			      str("%d", each),
			      "-v",
			      values[i % 4],
			      "-m",
			      i / 4 % 2 ? "1.2" : "1.3",
			      i / 8 % 2 ? "-r" : NULL,
			      NULL};

	o.out = out;
	o.err = str("%s.err", out);
	/* every fifth client is an instance by its name, so that the client side is read too */
	if (i % 5 == 4)
		argv[0] = str("%s/client/redis-server", scratch);
	return child_start(argv, &o);
}

/* Like child_wait(), but keeps reading the monitor's output. */
static int soak_wait(struct monitor *m, pid_t pid)
{
	long long end = now_ms() + SOAK_MS;
	int status;

	do {
		monitor_poll(m);
		status = child_wait(pid, 1000);
	} while (status == -1 && now_ms() < end);
	return status;
}

static long said_number(json_t *said, const char *key)
{
	return (long)json_integer_value(json_object_get(said, key));
}

/* The number before these words in the monitor's summary. */
static long summary_number(const struct monitor *m, const char *words)
{
	char *err = file_read(m->err), *at = strstr(err, words);
	long number = -1;

	while (at && at > err && at[-1] != ' ')
		at--;
	if (at)
		number = atol(at);
	free(err);
	return number;
}

static void soak(const void *arg)
{
	const struct network *net = arg;
	long connections = 0, bytes = 0, resumed = 0, both_ends = 0, false_alerts = 0;
	struct child_opts in_here, in_there;
	int each = getenv("CACHEWARDEN_LANE") ? 10 : EACH;
	const char *network;
	pid_t clients[CLIENTS];
	long long started;
	struct monitor *m;
	struct server *s;

	alarm(SOAK_MS / 1000 + 120);
	network = network_start(&in_here, &in_there, net->netem);
	file_copy(trigger_path("tls_client"), str("%s/client/redis-server", scratch));
	s = server_start(&(struct server_opts){
		.bind = "10.78.0.1", .child = in_here, .extra = "protected-mode no"});
	m = monitor_start(NULL);
	monitors_mark();
	started = now_ms();
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = soak_client(i, each, &in_there, s);
	for (int i = 0; i < CLIENTS; i++) {
		const char *out = str("%s/soak.%d", scratch, i);
		int status = soak_wait(m, clients[i]);
		json_t *said = json_loads(file_read(out), JSON_DISABLE_EOF_CHECK, NULL);

		require(!status && said, "client %d ended with %d: %s", i, status,
			file_read(str("%s.err", out)));
		connections += said_number(said, "result");
		bytes += said_number(said, "bytes");
		resumed += said_number(said, "resumed");
		both_ends += i % 5 == 4 ? said_number(said, "result") : 0;
		json_decref(said);
	}
	started = now_ms() - started;
	sleep_ms(3000); /* counts are reported within a second */
	require(connections == CLIENTS * each, "%ld connections", connections);
	require(netstat(&in_here, net->counter) > 0, "the network was not impaired: no %s",
		net->counter);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++) {
		const char *rule = alert_str(m->lines[i], "rule");

		if (!strncmp(rule, "tls-", 4)) {
			printf("# false: %s\n", json_dumps(m->lines[i], 0));
			false_alerts++;
		} else {
			printf("# %s: %s, %lld\n", rule, alert_str(m->lines[i], "detail"),
			       alert_int(m->lines[i], "count"));
		}
	}
	printf("# %s, %s: %ld connections in %lld s, %ld resumed, %ld of them read at both ends, %ld bytes of "
	       "values; %s %ld, %ld timeouts of TCP; the monitor counts %ld connections, %ld of them "
	       "not read whole, %ld bytes unsynced, %ld dropped\n",
	       network, net->netem, connections, started / 1000, resumed, both_ends, bytes,
	       net->counter, netstat(&in_here, net->counter), netstat(&in_here, "TCPTimeouts"),
	       summary_number(m, " connections, "), summary_number(m, " read in part"),
	       monitor_summary(m, "bytes unsynced"), monitor_summary(m, "dropped"));
	require(!false_alerts, "%ld alerts about TLS", false_alerts);
	require(monitor_summary(m, "dropped") == 0, "dropped");
	require(monitor_summary(m, "bytes unsynced") == blind_count(m, UNSYNCED),
		"%ld bytes unsynced, %ld were reported", monitor_summary(m, "bytes unsynced"),
		blind_count(m, UNSYNCED));
	require(summary_number(m, " connections, ") == connections + both_ends,
		"the monitor counts %ld connections, there were %ld and %ld read at both ends",
		summary_number(m, " connections, "), connections, both_ends);
}

#define NETWORK(...) &((const struct network){__VA_ARGS__})
#define KTLS(...) &((const struct kernel_tls){__VA_ARGS__})

static const struct test kernel_tests[] = {
	TEST("TLS 1.2 by the kernel (kTLS) is TLS", ktls, .arg = KTLS("1.2", "TLSv1.2", true)),
	TEST("TLS 1.3 by the kernel (kTLS) is TLS", ktls, .arg = KTLS("1.3", "TLSv1.3", false)),
	TEST("a stranger that writes to a socket with TLS 1.2 by the kernel is named, its owner is not",
	     ktls_stolen, .arg = KTLS("1.2", "TLSv1.2")),
	TEST("a stranger that writes to a socket with TLS 1.3 by the kernel is named, its owner is not",
	     ktls_stolen, .arg = KTLS("1.3", "TLSv1.3")),
	TEST("a network that loses raises nothing, what was not read is counted", netem,
	     .arg = NETWORK("delay 2ms loss 2%", "TCPOFOQueue"), .slow = true),
	TEST("a network that reorders raises nothing, what was not read is counted", netem,
	     .arg = NETWORK("delay 3ms reorder 75% 50%", "TCPOFOQueue"), .slow = true),
	TEST("a network that duplicates raises nothing, what was not read is counted", netem,
	     .arg = NETWORK("delay 2ms duplicate 10%", "TCPDSACKOldSent"), .slow = true),
	TEST("a network that does all of it raises nothing, what was not read is counted", netem,
	     .arg = NETWORK("delay 3ms 2ms loss 3% duplicate 5% reorder 50%", "TCPOFOQueue")),
	{},
};

const struct suite peers_kernel_suite = {"peers: kernel", setup, teardown, kernel_tests};

static void nothing(void)
{
}

static const struct test soak_tests[] = {
	TEST("connections through a network that does all of it raise nothing, each is counted",
	     soak, .arg = NETWORK("delay 3ms 2ms loss 3% duplicate 5% reorder 50%", "TCPOFOQueue")),
	{},
};

const struct suite soak_suite = {"soak", nothing, nothing, soak_tests, .slow = true};
