/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.c - a server that speaks no TLS is one finding, whoever its clients are; plaintext to any other server is one for
 * each client.
 */
#include "harness.h"
#include "steps.h"

#include <stdio.h>
#include <unistd.h>

static struct monitor *mon;

static void setup(void)
{
	mon = monitor_start(NULL);
}

/* A server with a plaintext port and no TLS port. */
static struct server *plain_server(void)
{
	return server_start(&(struct server_opts){.plain = true, .extra = "tls-port 0"});
}

/* The configuration is on the command line, where the server itself overwrites it. */
static struct server *server_of_arguments(bool plain, bool tls)
{
	struct server *s = server_prepare(&(struct server_opts){.plain = plain});
	const char *port = str("%d", s->plain_port), *tls_port = str("%d", tls ? s->tls_port : 0);

	s->pid = child_start((const char *const[]){REDIS_SERVER, "--port", port, "--tls-port",
						   tls_port, "--dir", s->dir, "--logfile", s->log,
						   "--tls-cert-file", cert_path(), "--tls-key-file",
						   s->key, "--tls-ca-cert-file", cert_path(),
						   "--tls-auth-clients", "no", NULL},
			     &(struct child_opts){});
	server_ready(s);
	return s;
}

/* A client in a session of its own. */
static void client_pings(int port)
{
	struct run r = run_with(&(struct child_opts){.setup = own_session}, 5000,
				trigger_path("plain_client"), "127.0.0.1", str("%d", port));

	require(!r.status, "plain_client: %s", r.err);
}

static size_t incidents_opened(struct monitor *m, const struct server *s, const char **ret_title)
{
	size_t n = 0;

	monitor_poll(m);
	for (size_t i = 0; i < m->incident_count; i++) {
		const char *title = json_string_value(json_object_get(m->incidents[i], "message"));

		/* a monitor that was there before opens the files that the server writes */
		if (alert_int(m->incidents[i], "instance.pid") != s->pid ||
		    strstr(title, " by cachewarden("))
			continue;
		*ret_title = title;
		n += json_integer_value(json_object_get(m->incidents[i], "activity_id")) == 1;
	}
	return n;
}

static void one_incident(struct monitor *m, const struct server *s)
{
	const char *title = "";
	size_t n = incidents_opened(m, s, &title);

	require(n == 1, "%zu incidents", n);
	require(!strncmp(title, "The server serves plaintext", 27), "title \"%s\"", title);
}

static void one_finding(const void *arg)
{
	struct server *s = arg ? server_of_arguments(true, false) : plain_server();

	for (int i = 0; i < 3; i++) {
		monitors_mark();
		client_pings(s->plain_port);
		expect(mon,
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = s,
			.command = "PING",
			.verdict = "observed"},
		       {.rule = "tls-listener", .wire = true, .server = s, .optional = i > 0});
		require(!i || !alert_find(mon, "tls-listener", 0), "reported again");
	}
	one_incident(mon, s);
}

/* The benign and the evil twin of a server that was not yet heard to speak TLS: no answer in plaintext comes. */
static void at_a_tls_port(const void *arg)
{
	struct server *s = server_of_arguments(false, true);

	for (int i = 0; i < 2; i++) {
		monitors_mark();
		client_pings(s->tls_port);
		expect(mon, {.rule = "tls-plaintext",
			     .wire = true,
			     .server = s,
			     .opened = "inbound",
			     .command = "PING"});
	}
}

static void with_a_tls_port(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.plain = true});

	for (int i = 0; i < 2; i++) {
		monitors_mark();
		client_pings(s->plain_port);
		expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .command = "PING"},
		       {.rule = "tls-listener", .wire = true, .server = s, .optional = i > 0});
	}
}

/* Known only from a handshake: from then on each client is an alert. */
static void spoke_tls(const void *arg)
{
	struct server *s = server_of_arguments(true, true);
	struct client *c;

	client_pings(s->plain_port);
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .verdict = "observed"},
	       {.rule = "tls-listener", .wire = true, .server = s});
	c = client_open(s, "127.0.0.1", true);
	client_do(c, "PING");
	client_close(c);
	sleep_ms(SETTLE_MS);
	monitors_mark();
	client_pings(s->plain_port);
	expect(mon, {.rule = "tls-plaintext", .wire = true, .server = s, .verdict = "alert"});
}

static void credential(const void *arg)
{
	struct server *s = plain_server();
	struct client *c;
	const char *title = "";

	for (int i = 0; i < 3; i++) {
		monitors_mark();
		c = client_open(s, "127.0.0.1", false);
		client_do(c, "AUTH wrong");
		client_close(c);
		expect(mon,
		       {.rule = "tls-plaintext",
			.wire = true,
			.server = s,
			.command = "AUTH",
			.verdict = i ? "observed" : "alert"},
		       {.rule = "tls-listener", .wire = true, .server = s, .optional = i > 0});
	}
	sleep_ms(1200); /* an update */
	require(incidents_opened(mon, s, &title) == 1, "more than one incident");
	require(!strncmp(title, "Plaintext crosses", 17), "title \"%s\"", title);
}

/* Of these no first answer can be seen. */
static void from_before(const void *arg)
{
	struct server *s = plain_server();
	struct client *c[3];
	struct monitor *m;
	const char *title;

	for (int i = 0; i < 3; i++)
		c[i] = client_open(s, "127.0.0.1", false);
	m = monitor_start(NULL);
	for (int i = 0; i < 3; i++) {
		client_do(c[i], "PING");
		sleep_ms(SETTLE_MS);
	}
	sleep_ms(SETTLE_MS);
	require(incidents_opened(m, s, &title) == 1, "%zu incidents, the last: %s",
		incidents_opened(m, s, &title), title);
	for (int i = 0; i < 3; i++)
		client_close(c[i]);
}

static void policy_decides(const void *arg)
{
	struct server *s = plain_server();
	struct monitor *m = monitor_with_policy("instances:\n"
						"  - name: all\n"
						"    rules: {tls-plaintext: {mode: alert}}\n");

	for (int i = 0; i < 2; i++) {
		monitors_mark();
		client_pings(s->plain_port);
		expect(m, {.rule = "tls-plaintext", .wire = true, .server = s, .verdict = "alert"},
		       {.rule = "tls-listener", .wire = true, .server = s, .optional = i > 0});
	}
}

static const struct test tests[] = {
	TEST("a server without TLS is one finding, not one for each client", one_finding),
	TEST("the same where its configuration is not known", one_finding, .arg = "arguments"),
	TEST("plaintext at a TLS port that nobody has used is an alert each time", at_a_tls_port),
	TEST("plaintext to a server that has a TLS port too is one each time", with_a_tls_port),
	TEST("once it spoke TLS, each client's plaintext is an alert", spoke_tls),
	TEST("the first password that crosses is part of that finding, and critical", credential),
	TEST("clients from before the monitor are one incident", from_before),
	TEST("a policy makes each client an alert", policy_decides),
	{},
};

const struct suite plain_suite = {"plain", setup, NULL, tests};
