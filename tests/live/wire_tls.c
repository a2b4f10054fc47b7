/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire_tls.c - TLS raises nothing: all sizes and versions, load, key updates, renegotiation, failed handshakes.
 */
#include "wire.h"

#include <sys/wait.h>
#include <unistd.h>

static struct server *server_version(const char *version)
{
	return version ? server_start(&(struct server_opts){
				 .extra = str("tls-protocols \"%s\"", version)})
		       : wire_tls_only;
}

void wire_tls_values(const void *arg)
{
	struct server *s = server_version(arg);
	struct trigger t = trigger("tls_client", "127.0.0.1", port(s->tls_port), cert_path(), "-v",
				   "10000000", "-n", "2");

	require(trigger_int(&t, "bytes") == 2 * 11111111, "not all values came back");
	expect_nothing(wire_mon);
}

#define EMULATED_MS 50000 /* takes 20 s in emulation */

/* Big records from several senders at once: segments arrive on both CPUs, and out of order. */
void wire_tls_values_at_once(const void *arg)
{
	const char *const argv[] = {trigger_path("tls_client"),
				    "127.0.0.1",
				    port(wire_tls_only->tls_port),
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
	expect_nothing(wire_mon);
}

void wire_tls_short(const void *arg)
{
	struct trigger t = trigger("tls_client", "127.0.0.1", port(wire_tls_only->tls_port),
				   cert_path(), "-n", "2000");

	require(trigger_int(&t, "result") == 2000, "not all connections worked");
	expect_nothing(wire_mon);
}

void wire_tls_ipv6(const void *arg)
{
	if (access("/proc/net/if_inet6", R_OK))
		test_skip("no IPv6 here");
	trigger("tls_client", "::1", port(wire_tls_only->tls_port), cert_path(), "-v", "1000000",
		"-n", "20");
	expect_nothing(wire_mon);
}

void wire_tls_benchmark(const void *arg)
{
	struct server *s = arg ? wire_mixed : wire_tls_only;
	struct run r = run_command(50000, "redis-benchmark", "--tls", "--cacert", cert_path(), "-p",
				   port(s->tls_port), "-t", "set,get,lrange_100", "-n", "6000",
				   "-r", "1000", "-P", "16", "-c", "20", "-d", "200", "-q");

	require(!r.status, "redis-benchmark: %s", r.err);
	expect_nothing(wire_mon);
}

void wire_tls_key_update(const void *arg)
{
	struct trigger t = trigger("tls_client", "127.0.0.1", port(wire_tls_only->tls_port),
				   cert_path(), "-m", "1.3", "-k", "-n", "5");

	require(trigger_true(&t, "rekeyed"), "the server did not take new keys");
	expect_nothing(wire_mon);
}

void wire_tls_refused_renegotiation(const void *arg)
{
	trigger("tls_client", "127.0.0.1", port(wire_tls_only->tls_port), cert_path(), "-m", "1.2",
		"-k");
	expect_nothing(wire_mon);
}

/* Redis refuses renegotiation; openssl s_server, started under Redis' name, does not. */
void wire_tls_renegotiation(const void *arg)
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
	require(trigger_true(&t, "rekeyed"), "the server did not renegotiate");
	expect_nothing(wire_mon);
	/* the server is monitored, so the lack of alerts above means something */
	t = trigger("plain_client", "127.0.0.1", port(nr));
	expect(wire_mon, {.rule = "tls-plaintext",
			  .wire = true,
			  .direction = "ingress",
			  .remote_port = trigger_int(&t, "port"),
			  .local_port = nr});
}

void wire_tls_failed_handshake(const void *arg)
{
	struct server *s =
		server_start(&(struct server_opts){.extra = "tls-protocols \"TLSv1.3\""});
	struct run r = run_command(5000, trigger_path("tls_client"), "127.0.0.1", port(s->tls_port),
				   cert_path(), "-m", "1.2");

	require(r.status == 1, "the handshake did not fail");
	expect_nothing(wire_mon);
}
