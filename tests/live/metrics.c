/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.c - `cachewarden run --metrics`: that the page is one that Prometheus takes, that it counts what happened, and that it
 * comes whole while the monitor does other things.
 */
#include "harness.h"
#include "steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROMTOOL "/usr/bin/promtool"
#define PAGE_MAX 262144
#define SCRAPES 60

static struct server *a;
static int port;

static void setup(void)
{
	a = server_start(&(struct server_opts){.plain = true});
	port = port_free();
}

static const char *address(void)
{
	return str("127.0.0.1:%d", port);
}

static int dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval limit = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	close(fd);
	return -1;
}

/* The answer to GET /metrics without its head, valid until the next call; NULL unless it is 200 and of the length it says. */
static const char *scrape(void)
{
	static const char get[] = "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n";
	static char got[PAGE_MAX];
	const char *body, *length;
	size_t len = 0;
	ssize_t n;
	int fd = dial();

	if (fd < 0)
		return NULL;
	send(fd, get, sizeof(get) - 1, MSG_NOSIGNAL);
	while ((n = recv(fd, got + len, sizeof(got) - 1 - len, 0)) > 0)
		len += (size_t)n;
	close(fd);
	got[len] = '\0';
	body = strstr(got, "\r\n\r\n");
	length = strstr(got, "Content-Length: ");
	if (!body || !length || strncmp(got, "HTTP/1.1 200 ", 13) ||
	    strtoul(length + 16, NULL, 10) != strlen(body + 4))
		return NULL;
	return body + 4;
}

/* The page once it is there: it is made once a second. */
static const char *page(void)
{
	const char *text = NULL;

	for (int i = 0; i < 50 * patience && !text; i++) {
		text = scrape();
		if (!text)
			sleep_ms(100);
	}
	require(text, "no page at %s", address());
	return text;
}

/* The value of the sample of that name, with its labels; -1 if there is none. */
static double value(const char *text, const char *sample)
{
	const char *at = text;
	size_t len = strlen(sample);

	while (at && (strncmp(at, sample, len) || at[len] != ' ')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? strtod(at + len, NULL) : -1;
}

static void is_valid(const char *text)
{
	const char *file = str("%s/metrics.page", scratch);
	struct run r;

	if (access(PROMTOOL, X_OK))
		return;
	file_write(file, text);
	r = run_command(20000, "/bin/sh", "-c", str("exec " PROMTOOL " check metrics <%s", file));
	require(r.status == 0 && !r.out[0] && !r.err[0], "promtool: %d %s%s", r.status, r.out,
		r.err);
}

static void counts(const void *arg)
{
	struct monitor *m = monitor_start("--metrics", address(), "--evidence",
					  str("%s/metrics.evidence", scratch), NULL);
	struct client *tls = client_open(a, "127.0.0.1", true), *plain;
	const char *name = str("redis-server:%d", a->plain_port), *text;

	client_do(tls, "PING");
	plain = client_open(a, "127.0.0.1", false);
	client_do(plain, "PING");
	trigger("vm_readv", pid_of(a));
	monitor_sync(m);
	sleep_ms(2500);
	text = page();
	is_valid(text);
	require(value(text, "cachewarden_events_total{rule=\"mem-read\",verdict=\"alert\"}") == 1,
		"mem-read: %s", text);
	require(value(text, "cachewarden_events_total{rule=\"mem-write\",verdict=\"alert\"}") == 0,
		"mem-write: %s", text);
	require(value(text, str("cachewarden_connections{instance=\"%s\",tls_version=\"TLSv1.3\"}",
				name)) == 1,
		"connections: %s", text);
	require(value(text, str("cachewarden_plaintext_bytes_total{instance=\"%s\"}", name)) > 0,
		"plaintext: %s", text);
	require(value(text, "cachewarden_sensor_attached{sensor=\"wire\",tier=\"packets\"}") == 1,
		"sensors: %s", text);
	require(value(text, "cachewarden_evidence_tree_size") > 0 &&
			value(text, "cachewarden_last_checkpoint_timestamp_seconds") > 1.7e9,
		"evidence: %s", text);
	require(value(text, "process_resident_memory_bytes") > 1e6 &&
			value(text, "process_start_time_seconds") > 1.7e9,
		"process: %s", text);
	client_close(tls);
	client_close(plain);
}

/* Every page is whole and valid; the policy is read again all the time, which starts the guard anew, too. */
static void during_reloads(const void *arg)
{
	struct monitor *m = monitor_with_policy(str("metrics:\n  listen: %s\n", address()));
	struct trigger t;
	int served = 0;

	page();
	for (int i = 0; i < SCRAPES; i++) {
		const char *text;

		kill(m->pid, SIGHUP);
		text = scrape();
		require(text, "no answer to scrape %d", i);
		if (i % 20 == 0)
			is_valid(text);
		served += value(text, "cachewarden_problems") >= 0;
		sleep_ms(10);
	}
	require(served == SCRAPES, "%d of %d", served, SCRAPES);
	require(file_has(m->err, "policy reloaded"), "it was not reloaded: %s", file_read(m->err));
	monitors_mark();
	t = trigger("vm_readv", pid_of(a));
	expect(m, {.rule = "mem-read", .server = a, .by = &t});
}

/* A monitor that is killed takes its port with it; the next one serves there again, soon. */
static void after_a_kill(const void *arg)
{
	struct monitor *m = monitor_start("--metrics", address(), NULL);
	const char *text;

	page();
	kill(m->pid, SIGKILL);
	child_wait(m->pid, 5000);
	require(!scrape(), "somebody still serves");
	m = monitor_start("--metrics", address(), NULL);
	text = page();
	require(value(text, "cachewarden_instances") >= 1, "page: %s", text);
}

static void not_after_its_end(const void *arg)
{
	struct monitor *m = monitor_start("--metrics", address(), NULL);

	page();
	monitor_stop(m, SIGTERM);
	require(!scrape(), "somebody serves");
}

static void refused(const void *arg)
{
	static const char *const wrong[] = {"0.0.0.0:9850", "192.0.2.1:9850", "[::]:9850",
					    "9850",	    "unix:metrics",   "localhost:9850"};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct run r = run_command(5000, MONITOR, "run", "--metrics", wrong[i]);

		require(r.status == 2 && strstr(r.err, "--metrics must be"), "%s: %d %s", wrong[i],
			r.status, r.err);
	}
}

/* The port is another's: the monitor works, says so, and serves once it is free. */
static void taken(const void *arg)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct monitor *m;
	struct run r;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	require(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1), "port %d: %s",
		port, strerror(errno));
	m = monitor_start("--metrics", address(), NULL);
	require(file_wait(m->err, "metrics cannot be served at ", 5000), "says: %s",
		file_read(m->err));
	r = run_command(8000, MONITOR, "status", "--pid", str("%d", m->pid));
	require(r.status == 1 && strstr(r.out, "! metrics are not served at "), "%d: %s", r.status,
		r.out);
	close(fd);
	sleep_ms(5000);
	is_valid(page());
}

static const struct test tests[] = {
	TEST("the page counts what happened, and promtool finds nothing wrong with it", counts),
	TEST("every scrape during policy reloads is answered, with a whole page", during_reloads),
	TEST("the port of a killed monitor is free for the next", after_a_kill),
	TEST("a monitor that has ended serves nothing", not_after_its_end),
	TEST("an address that other hosts can reach is refused", refused),
	TEST("a port that is taken is tried again", taken),
	{},
};

const struct suite metrics_suite = {"metrics", setup, NULL, tests};
