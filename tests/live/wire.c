/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.c - anything but TLS on an instance's sockets is reported, once per connection and with no more than the
 * command's name; TLS in any shape is not reported.
 *
 * This file has the suite's table, and tests plaintext from the first byte of a connection. The other tests are in
 * wire_servers.c, wire_inject.c, wire_fake.c, wire_tls.c and wire_attach.c.
 */
#include "wire.h"

#include <signal.h>
#include <unistd.h>

struct server *wire_mixed, *wire_tls_only;
struct monitor *wire_mon;

static void setup(void)
{
	wire_mixed = server_start(
		&(struct server_opts){.plain = true,
				      .bind = "127.0.0.1 -::1",
				      .extra = "io-threads 2\nio-threads-do-reads yes"});
	wire_tls_only = server_start(&(struct server_opts){.bind = "127.0.0.1 -::1"});
	wire_mon = monitor_start(NULL);
}

static void teardown(void)
{
	monitor_stop(wire_mon, SIGTERM);
}

static void plain_get(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port), "-c",
				   "GET " SECRET_KEY);

	require(trigger_int(&t, "received") == 5, "no reply came");
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_mixed,
			  .vector = "ingress",
			  .family = "ipv4",
			  .opened = "inbound",
			  .direction = "ingress",
			  .command = "GET",
			  .saw = "resp-command",
			  .local_port = wire_mixed->plain_port,
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
		t = trigger("plain_client", host, port(wire_mixed->plain_port));
		expect(wire_mon, {.rule = "tls-plaintext",
				  .wire = true,
				  .server = wire_mixed,
				  .remote_port = trigger_int(&t, "port")});
		alert = alert_find(wire_mon, "tls-plaintext", t.pid);
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
		struct trigger t =
			trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port), "-c",
				commands[i % 4], "-k", i < 4 ? "resp" : "inline");

		wants[n++] = (struct want){.rule = "tls-plaintext",
					   .wire = true,
					   .server = wire_mixed,
					   .remote_port = trigger_int(&t, "port"),
					   .command = i % 4 == 0   ? "AUTH"
						      : i % 4 == 1 ? "SET"
						      : i % 4 == 2 ? "GET"
								   : ""};
	}
	expect_alerts(wire_mon, wants, n);
	for (size_t i = 0; i < 3; i++)
		require(!monitor_said(wire_mon, secrets[i]), "the monitor printed \"%s\"",
			secrets[i]);
}

static void plain_each_connection(const void *arg)
{
	struct trigger first = trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port));
	struct trigger second =
		trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port), "-n", "5");

	expect(wire_mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = wire_mixed,
		.command = "PING",
		.remote_port = trigger_int(&first, "port")},
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = wire_mixed,
		.command = "PING",
		.remote_port = trigger_int(&second, "port"),
		.bytes = trigger_int(&second, "sent") + trigger_int(&second, "received")});
}

struct sending {
	const char *kind, *saw, *command, *text;
};

#define KIND(...) &((const struct sending){__VA_ARGS__})

static void plain_kind(const void *arg)
{
	const struct sending *s = arg;
	struct trigger t = trigger("plain_client", "127.0.0.1", port(wire_tls_only->tls_port), "-k",
				   s->kind, "-c", s->text ?: "PING");

	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_tls_only,
			  .opened = "inbound",
			  .direction = "ingress",
			  .saw = s->saw,
			  .command = s->command,
			  .local_port = wire_tls_only->tls_port,
			  .remote_port = trigger_int(&t, "port"),
			  .has_offset = true});
}

static void plain_redis_cli(const void *arg)
{
	struct run r = run_command(5000, "redis-cli", "-p", port(wire_tls_only->tls_port), "PING");

	require(r.status >= 0, "redis-cli did not end");
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_tls_only,
			  .opened = "inbound",
			  .direction = "ingress",
			  .saw = "resp-command",
			  .command = "PING"});
}

static void plain_bytewise(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port), "-s",
				   "1", "-c", "GET " SECRET_KEY);

	require(trigger_int(&t, "received") > 0, "the server did not answer");
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_mixed,
			  .opened = "inbound",
			  .direction = "ingress",
			  .remote_port = trigger_int(&t, "port"),
			  .has_offset = true,
			  .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
}

static void plain_third_ack(const void *arg)
{
	struct trigger t =
		trigger("plain_client", "127.0.0.1", port(wire_tls_only->tls_port), "-a");

	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_tls_only,
			  .opened = "inbound",
			  .direction = "ingress",
			  .remote_port = trigger_int(&t, "port"),
			  .command = "PING",
			  .has_offset = true});
}

/* The server answers the plaintext: still one alert, with the bytes of both directions. */
static void plain_third_ack_answered(const void *arg)
{
	struct trigger t = trigger("plain_client", "127.0.0.1", port(wire_mixed->plain_port), "-a");

	require(trigger_int(&t, "received") > 0, "no reply came");
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_mixed,
			  .opened = "inbound",
			  .direction = "ingress",
			  .remote_port = trigger_int(&t, "port"),
			  .command = "PING",
			  .has_offset = true,
			  .bytes = trigger_int(&t, "sent") + trigger_int(&t, "received")});
}

static void plain_third_ack_each(const void *arg)
{
	struct trigger first =
		trigger("plain_client", "127.0.0.1", port(wire_tls_only->tls_port), "-a");
	struct trigger second =
		trigger("plain_client", "127.0.0.1", port(wire_tls_only->tls_port), "-a");

	expect(wire_mon,
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = wire_tls_only,
		.remote_port = trigger_int(&first, "port")},
	       {.rule = "tls-plaintext",
		.wire = true,
		.server = wire_tls_only,
		.remote_port = trigger_int(&second, "port")});
}

static void plain_ipv6(const void *arg)
{
	struct trigger t;

	if (access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	t = trigger("plain_client", "::1", port(wire_mixed->plain_port), "-c", "GET " SECRET_KEY);
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .server = wire_mixed,
			  .family = "ipv6",
			  .opened = "inbound",
			  .direction = "ingress",
			  .command = "GET",
			  .remote_port = trigger_int(&t, "port"),
			  .local_port = wire_mixed->plain_port});
}

static void plain_unused(const void *arg)
{
	struct client *c = client_open(wire_mixed, "127.0.0.1", false);

	sleep_ms(100);
	client_close(c);
	expect_nothing(wire_mon);
}

static void never_said(const void *arg)
{
	static const char *const secrets[] = {SECRET_KEY, SECRET_VALUE, SECRET_PASSWORD, "STOLEN"};

	monitor_poll(wire_mon);
	for (size_t i = 0; i < 4; i++)
		require(!monitor_said(wire_mon, secrets[i]), "the monitor printed \"%s\"",
			secrets[i]);
}

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
	TEST("a replica that dials its master without TLS, seen at both ends", wire_replica_plain),
	TEST("a replica that dials its master with TLS raises nothing", wire_replica_tls),
	TEST("a cluster bus without TLS, seen at both ends", wire_cluster),
	TEST("a cluster bus with TLS raises nothing", wire_cluster, .arg = "tls"),
	TEST("plaintext injected into TLS 1.3 names the exact offset", wire_injected,
	     .arg = INJECT("1.3", "100")),
	TEST("plaintext injected into TLS 1.2 names the exact offset", wire_injected,
	     .arg = INJECT("1.2", "100")),
	TEST("plaintext injected byte by byte names the exact offset", wire_injected,
	     .arg = INJECT("1.3", "1")),
	TEST("a stranger that writes plaintext to a stolen socket is named", wire_stolen_socket,
	     .arg = "plain"),
	TEST("a stranger that writes what looks like TLS to a stolen socket is named",
	     wire_stolen_socket, .arg = "record"),
	TEST("commands in records of application data, without a handshake", wire_fake,
	     .arg = FAKE("data", "tls-plaintext", DATA_RECORD, "GET")),
	TEST("commands in handshake records", wire_fake,
	     .arg = FAKE("handshake", "tls-plaintext", "a handshake record without a handshake")),
	TEST("application data after a ClientHello that offers no early data", wire_fake,
	     .arg = FAKE("early", "tls-midstream", DATA_RECORD)),
	TEST("application data after a ServerHello that is none", wire_fake,
	     .arg = FAKE("nohello", "tls-midstream", DATA_RECORD)),
	TEST("application data in TLS 1.2 before ChangeCipherSpec", wire_fake,
	     .arg = FAKE("nokeys", "tls-midstream", DATA_RECORD)),
	TEST("early data of TLS 1.3 raises nothing", wire_tls_begins,
	     .arg = BEGINNING("-tls1_3", "-tls1_3", "Early data was accepted", .early = true)),
	TEST("early data without middlebox compatibility raises nothing", wire_tls_begins,
	     .arg = BEGINNING("-tls1_3 -no_middlebox", "-tls1_3 -no_middlebox",
			      "Early data was accepted", .early = true)),
	TEST("early data that is refused with a HelloRetryRequest raises nothing", wire_tls_begins,
	     .arg = BEGINNING("-tls1_3 -groups P-384", "-tls1_3 -groups X25519:P-384",
			      "Early data was rejected", .early = true)),
	TEST("a HelloRetryRequest without middlebox compatibility raises nothing", wire_tls_begins,
	     .arg = BEGINNING("-tls1_3 -no_middlebox -groups P-384",
			      "-tls1_3 -no_middlebox -groups X25519:P-384", "TLSv1.3, Cipher")),
	TEST("a session resumed in TLS 1.2 raises nothing", wire_tls_begins,
	     .arg = BEGINNING("-tls1_2", "-tls1_2", "Reused, TLSv1.2")),
	TEST("the same without a ticket", wire_tls_begins,
	     .arg = BEGINNING("-tls1_2 -no_ticket", "-tls1_2 -no_ticket", "Reused, TLSv1.2")),
	TEST("values of 1 B to 10 MB over TLS raise nothing", wire_tls_values),
	TEST("the same with a server that speaks TLS 1.2 only", wire_tls_values, .arg = "TLSv1.2"),
	TEST("the same with a server that speaks TLS 1.3 only", wire_tls_values, .arg = "TLSv1.3"),
	TEST("the same from four clients at once raises nothing", wire_tls_values_at_once),
	TEST("pipelined load over TLS raises nothing", wire_tls_benchmark),
	TEST("pipelined load over TLS on a server with I/O threads raises nothing",
	     wire_tls_benchmark, .arg = "a"),
	TEST("2000 short TLS connections raise nothing", wire_tls_short),
	TEST("TLS over IPv6 raises nothing", wire_tls_ipv6),
	TEST("a TLS 1.3 key update raises nothing", wire_tls_key_update),
	TEST("a refused renegotiation raises nothing", wire_tls_refused_renegotiation),
	TEST("a TLS 1.2 renegotiation raises nothing", wire_tls_renegotiation),
	TEST("a handshake that fails raises nothing", wire_tls_failed_handshake),
	TEST("attaching to TLS connections under load raises nothing", wire_attach_to_load),
	TEST("a stream attached to within a record tells how long it was out of sync",
	     wire_attach_within_record),
	TEST("a plaintext connection older than the monitor is reported when it speaks",
	     wire_attach_to_plain),
	TEST("plaintext into a TLS connection older than the monitor is reported",
	     wire_attach_to_tls_then_inject),
	TEST("plaintext and TLS between two network namespaces", wire_two_hosts),
	TEST("in all of this no key, value, password or stolen byte was printed", never_said),
	{},
};

const struct suite wire_suite = {"wire", setup, teardown, tests};
