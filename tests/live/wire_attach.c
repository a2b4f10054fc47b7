/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_attach.c - connections that are older than the monitor: TLS raises nothing, plaintext is reported, and the time
 * until the stream is synced is measured.
 */
#include "wire.h"
#include "steps.h"

#include <signal.h>
#include <stdio.h>

void wire_attach_to_load(const void *arg)
{
	pid_t pid = benchmark_start(wire_tls_only, "-t", "set,get", "-n", "1000000", "-r", "1000",
				    "-P", "8", "-c", "20", "-d", "3000");
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
void wire_attach_within_record(const void *arg)
{
	struct client *c = client_open(wire_tls_only, "127.0.0.1", true);
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

void wire_attach_to_plain(const void *arg)
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

void wire_attach_to_tls_then_inject(const void *arg)
{
	struct client *c = client_open(wire_tls_only, "127.0.0.1", true);
	struct monitor *m;
	struct trigger t;

	client_do(c, "PING");
	m = monitor_start(NULL);
	for (int i = 0; i < 20; i++)
		client_do(c, "PING");
	t = trigger("pidfd_getfd", pid_of(wire_tls_only), str("%d", client_fd(c)), "-w", "plain");
	expect(m, {.rule = "mem-fd", .vector = "pidfd_getfd", .server = wire_tls_only, .by = &t},
	       {.rule = "tls-writer",
		.wire = true,
		.server = wire_tls_only,
		.by = &t,
		.direction = "egress"},
	       {.rule = "tls-midstream",
		.wire = true,
		.server = wire_tls_only,
		.direction = "egress"});
	client_close(c);
	monitor_stop(m, SIGTERM);
}
