/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers_servers.c - TLS between servers: Sentinel, MIGRATE, the cluster bus, and a proxy in front that ends TLS and
 * passes plaintext on, which a policy can allow.
 */
#include "peers.h"

#include "event.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a proxy in front ---------------------------------------------------------------------------- */

#define FORGOTTEN_MS 13000 /* IDLE_NS of userspace/monitor/counters.c, and a tick */

/* Entries of tls-listener for a port in the tables of attempts of all monitors, according to bpftool. */
static size_t listeners_counted(int port)
{
	struct run r = run_command(10000, "bpftool", "-j", "map", "dump", "name", "attempts");
	json_t *tables = json_loads(r.out, 0, NULL), *table, *j;
	size_t n = 0, i, k;

	if (r.status < 0)
		test_skip("no bpftool here");
	require(json_is_array(json_object_get(json_array_get(tables, 0), "elements")),
		"not what bpftool says of several tables: %s%s", r.out, r.err);
	json_array_foreach (tables, i, table)
		json_array_foreach (json_object_get(table, "elements"), k, j)
			n += number_at(json_object_get(j, "formatted"), "key", "rule") ==
				     RULE_TLS_LISTENER &&
			     number_at(json_object_get(j, "formatted"), "key", "actor") == port;
	json_decref(tables);
	return n;
}

struct proxy {
	const char *name, *exe, *config,
		*option; /* config is a format: certificate with key, its port, Redis' port */
};

void peers_proxied(const void *arg)
{
	const struct proxy *p = arg;
	struct server front = {.tls_port = port_free()};
	const char *pem = str("%s/%s.pem", scratch, p->name),
		   *config = strdup(str("%s/%s.conf", scratch, p->name)), *cert = cert_path();
	const char *const argv[] = {p->exe, p->option ? p->option : config,
				    p->option ? config : NULL, NULL};
	struct monitor *m;
	struct client *c;
	json_t *listener, *again;
	struct run r;

	if (access(p->exe, X_OK))
		test_skip("no %s here", p->name);
	snprintf(front.dir, sizeof(front.dir), "%s", p->name);
	file_write(pem, str("%s%s", file_read(cert), file_read(key_path())));
	file_write(config, str(p->config, pem, front.tls_port, peers_ecdsa->plain_port));
	m = monitor_with_policy(str("tls:\n"
				    "  plaintext:\n"
				    "    - peer: 127.0.0.0/8\n"
				    "      owner: %s\n",
				    p->exe));
	child_start(argv, &(struct child_opts){.err = str("%s.err", config)});
	wait_listening(front.tls_port);
	monitors_mark();
	c = client_open(&front, "127.0.0.1", true);
	require(strstr(client_do(c, "PING"), "PONG"), "no answer through %s", p->name);
	for (int i = 0; i < 2; i++)
		expect(i ? m : peers_mon, {.rule = "tls-plaintext",
					   .wire = true,
					   .server = peers_ecdsa,
					   .opened = "inbound",
					   .direction = "ingress",
					   .family = "ipv4",
					   .local_port = peers_ecdsa->plain_port,
					   .command = "PING",
					   .verdict = i ? "allowed" : "alert"});
	client_close(c);
	listener = alert_find(m, "tls-listener", 0);
	require(listener, "no tls-listener for the plaintext port");
	require(!strcmp(alert_str(listener, "verdict"), "allowed") &&
			!strcmp(alert_str(listener, "conn.opener"), p->exe),
		"tls-listener is %s, opener %s", alert_str(listener, "verdict"),
		alert_str(listener, "conn.opener"));
	/* still allowed when the attempt of the first connection was forgotten */
	sleep_ms(FORGOTTEN_MS);
	require(!listeners_counted(peers_ecdsa->plain_port),
		"an old attempt is still in the kernel's table");
	c = client_open(&front, "127.0.0.1", true);
	require(strstr(client_do(c, "PING"), "PONG"), "no second answer through %s", p->name);
	client_close(c);
	sleep_ms(2500); /* counts are reported within a second */
	monitor_poll(m);
	again = alert_last(m, listener);
	require(alert_int(again, "count") == 2 && !strcmp(alert_str(again, "verdict"), "allowed"),
		"tls-listener, %lld times, is %s", alert_int(again, "count"),
		alert_str(again, "verdict"));
	monitors_mark();
	r = run_command(5000, "redis-cli", "-p", str("%d", peers_ecdsa->plain_port), "PING");
	require(strstr(r.out, "PONG"), "no answer: %s", r.err);
	expect(m, {.rule = "tls-plaintext",
		   .wire = true,
		   .server = peers_ecdsa,
		   .opened = "inbound",
		   .local_port = peers_ecdsa->plain_port,
		   .command = "PING",
		   .verdict = "alert"});
}

/* ---- between servers ----------------------------------------------------------------------------- */

struct pin {
	const char *version, *suite, *config;
};

static struct server *pinned(const struct pin *p, const char *more)
{
	return server_start(&(struct server_opts){.extra = str("%s\n%s", p->config, more)});
}

static json_t *conn_between(json_t *all, const struct server *who, const char *opened,
			    const char *end, long port)
{
	json_t *j;
	size_t i;

	json_array_foreach (all, i, j)
		if (json_integer_value(json_object_get(j, "pid")) == who->pid &&
		    !strcmp(json_string_value(json_object_get(j, "opened")) ?: "", opened) &&
		    json_integer_value(json_object_get(json_object_get(j, end), "port")) == port &&
		    text_at(j, "tls", "version")[0])
			return j;
	return NULL;
}

/* One server connected to the other's port; both ends of the connection are listed with the pinned version and suite. */
static void both_ends(const struct pin *p, const struct server *connector,
		      const struct server *listener, int port)
{
	long long end = now_ms() + 8000L * patience;
	json_t *all = NULL, *out = NULL, *in = NULL;

	while (!out || !in) {
		require(now_ms() < end, "no connection to port %d is listed at %s: %s", port,
			out ? "its listener" : "its connecting server",
			json_dumps(all, JSON_INDENT(1)));
		json_decref(all);
		sleep_ms(100);
		all = conns_of(peers_mon);
		out = conn_between(all, connector, "outbound", "remote", port);
		in = out ? conn_between(all, listener, "inbound", "remote",
					json_integer_value(json_object_get(
						json_object_get(out, "local"), "port")))
			 : NULL;
	}
	for (int i = 0; i < 2; i++) {
		json_t *j = i ? in : out;

		require(!strcmp(text_at(j, "tls", "version"), p->version) &&
				!strcmp(text_at(j, "tls", "cipher"), p->suite),
			"%s says %s %s, not %s %s", i ? "the listener" : "the connecting server",
			text_at(j, "tls", "version"), text_at(j, "tls", "cipher"), p->version,
			p->suite);
		require(!strcmp(text_at(j, "in", "sync"), "synced") &&
				!strcmp(text_at(j, "out", "sync"), "synced"),
			"not synced");
	}
	json_decref(all);
}

void peers_sentinel(const void *arg)
{
	const struct pin *p = arg;
	struct server *master = pinned(p, "");
	struct server *s = server_prepare(&(struct server_opts){});

	file_write(s->config, str("port 0\ntls-port %d\nbind 127.0.0.1\ndir %s\nlogfile %s\n"
				  "tls-cert-file %s\ntls-key-file %s\ntls-ca-cert-file %s\n"
				  "tls-auth-clients no\ntls-replication yes\n"
				  "sentinel monitor cache 127.0.0.1 %d 1\n",
				  s->tls_port, s->dir, s->log, cert_path(), s->key, cert_path(),
				  master->tls_port));
	s->pid = child_start((const char *const[]){REDIS_SERVER, s->config, "--sentinel", NULL},
			     &(struct child_opts){});
	require(file_wait(s->log, "+monitor master cache", 8000), "no sentinel: %s",
		file_read(s->log));
	both_ends(p, s, master, master->tls_port);
	expect_nothing(peers_mon);
}

void peers_migrate(const void *arg)
{
	const struct pin *p = arg;
	struct server *from = pinned(p, "tls-cluster yes"), *to = pinned(p, "tls-cluster yes");
	struct client *c = client_open(from, "127.0.0.1", true);
	const char *said;

	client_do(c, "SET lantern 1");
	said = client_do(c, str("MIGRATE 127.0.0.1 %d lantern 0 5000", to->tls_port));
	require(strstr(said, "+OK"), "MIGRATE says %s", said);
	both_ends(p, from, to, to->tls_port);
	expect_nothing(peers_mon);
	client_close(c);
}

void peers_cluster(const void *arg)
{
	static const char config[] = "cluster-enabled yes\ncluster-config-file nodes.conf\n"
				     "tls-cluster yes";
	const struct pin *p = arg;
	struct server *one = pinned(p, config), *two = pinned(p, config);
	struct client *c = client_open(one, "127.0.0.1", true);

	client_do(c, str("CLUSTER MEET 127.0.0.1 %d", two->tls_port));
	both_ends(p, one, two, two->tls_port + 10000);
	both_ends(p, two, one, one->tls_port + 10000);
	expect_nothing(peers_mon);
	client_close(c);
}

const struct proxy proxy_stunnel = {.name = "stunnel",
				    .exe = "/usr/bin/stunnel4",
				    .config = "foreground = yes\npid =\nsyslog = no\n[redis]\n"
					      "cert = %s\naccept = 127.0.0.1:%d\n"
					      "connect = 127.0.0.1:%d\n"};
const struct proxy proxy_haproxy = {.name = "haproxy",
				    .exe = "/usr/sbin/haproxy",
				    .option = "-f",
				    .config = "defaults\n  mode tcp\n  timeout connect 5s\n"
					      "  timeout client 20s\n  timeout server 20s\n"
					      "frontend tls\n  default_backend redis\n"
					      "  bind 127.0.0.1:%2$d ssl crt %1$s\n"
					      "backend redis\n  server one 127.0.0.1:%3$d\n"};
const struct pin pin_tls12 = {"TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
			      "tls-protocols \"TLSv1.2\"\n"
			      "tls-ciphers ECDHE-ECDSA-AES256-GCM-SHA384"};
const struct pin pin_tls13 = {"TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256",
			      "tls-protocols \"TLSv1.3\"\n"
			      "tls-ciphersuites TLS_CHACHA20_POLY1305_SHA256"};
