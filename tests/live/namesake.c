/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * namesake.c - a process that only has a server's name opens a server's files, and is reported like any other. Real
 * servers share what they may.
 */
#include "harness.h"
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEPS_MS 2500 /* at least two sweeps */

static struct server *a;    /* started after the monitor, for the whole suite */
static struct server *old;  /* started before the monitor */
static const char *fake;    /* a copy of the trigger that opens files, named like a server */
static struct trigger held; /* holds old's dump since before the monitor */
static struct monitor *mon;

static void setup(void)
{
	fake = strdup(str("%s/fake/redis-server", scratch));
	file_copy(trigger_path("file_open"), fake);
	old = server_start(&(struct server_opts){});
	server_save(old);
	held = trigger_stay("disguise", "title", trigger_path("file_open"),
			    str("%s/dump.rdb", old->dir), "-h");
	mon = monitor_start("--sweep", "1", NULL);
	a = server_start(&(struct server_opts){});
	server_save(a);
	sleep_ms(SWEEPS_MS);
}

static void teardown(void)
{
	monitor_stop(mon, SIGTERM);
}

/* ---- only the name ----------------------------------------------------------------------------------------- */

/* What `exec -a redis-server PROGRAM` and a copy of PROGRAM named redis-server do. */
static struct trigger open_by_title(const char *path)
{
	struct trigger t = trigger("disguise", "title", trigger_path("file_open"), path);

	snprintf(t.name, sizeof(t.name), "file_open");
	snprintf(t.exe, sizeof(t.exe), "%s", trigger_path("file_open"));
	return t;
}

static struct trigger open_by_copy(const char *path)
{
	return trigger(fake, path);
}

struct kind {
	const char *file, *rule, *detail;
	bool copy;
};

#define KIND(...) &((const struct kind){__VA_ARGS__})

static void opened(const void *arg)
{
	const struct kind *k = arg;
	const char *path = strdup(str("%s/%s", a->dir, k->file));
	struct trigger t = k->copy ? open_by_copy(path) : open_by_title(path);

	require(!trigger_int(&t, "errno"), "it was not opened: errno %lld",
		trigger_int(&t, "errno"));
	expect(mon,
	       {.rule = k->rule, .vector = "openat", .detail = k->detail, .server = a, .by = &t});
}

/* The first one must not become an owner whom the file then belongs to. */
static void opened_again(const void *arg)
{
	struct server *b = server_start(&(struct server_opts){});

	for (int i = 0; i < 3; i++) {
		struct trigger t = open_by_copy(b->key);

		expect(mon, {.rule = "tls-key", .vector = "openat", .server = b, .by = &t});
		monitors_mark();
	}
	server_stop(b, SIGTERM);
	server_run(b);
	expect_nothing(mon);
	struct trigger t = open_by_copy(b->key);
	expect(mon, {.rule = "tls-key", .vector = "openat", .server = b, .by = &t});
	server_stop(b, SIGTERM);
}

static void held_before(const void *arg)
{
	json_t *found = NULL;

	for (size_t i = 0; i < mon->count && !found; i++) {
		if (alert_int(mon->lines[i], "actor.pid") == held.pid)
			found = mon->lines[i];
	}
	require(found, "nothing came of the server's name that holds a dump");
	require(!strcmp(alert_str(found, "rule"), "rest-file") &&
			!strcmp(alert_str(found, "found_by"), "sweep"),
		"it is reported as %s", alert_text(found));
}

static void finds_key(const struct server *by)
{
	json_t *found = NULL;

	for (int i = 0; i < 100 * patience && !found; i++) {
		sleep_ms(50);
		monitor_poll(mon);
		found = alert_find(mon, "tls-key", by->pid);
	}
	require(found, "nothing came of the private key");
	require(alert_int(found, "instance.pid") == a->pid, "the server is %lld, not %d",
		alert_int(found, "instance.pid"), a->pid);
}

/* The real program prints a line of what it cannot parse. */
static void never_listens(const void *arg)
{
	struct server b = {};
	struct run r = run_command(5000, REDIS_SERVER, a->key);

	require(r.status == 1, "it took a key for a configuration: %d", r.status);
	b.pid = r.pid;
	finds_key(&b);
}

/* The same program as another user is another tenant, even if it listens. */
static void other_user(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){});

	chown(b->dir, NOBODY, NOBODY);
	chown(b->config, NOBODY, NOBODY);
	chown(b->key, NOBODY, NOBODY);
	chmod(a->dir, 0711);
	chmod(a->key, 0644);
	file_write(b->config, str("%s\ntls-key-file %s\n", file_read(b->config), a->key));
	b->pid = child_start((const char *const[]){REDIS_SERVER, b->config, NULL},
			     &(struct child_opts){.setup = become_nobody});
	finds_key(b);
	server_stop(b, SIGTERM);
	chmod(a->key, 0600);
	chmod(a->dir, 0750);
}

/* ---- another executable ----------------------------------------------------------------------------------------- */

/* A server whose file was exchanged executes something else under its own name. */
static void executes_another(const void *arg)
{
	const char *exe = strdup(str("%s/own/redis-server", scratch));
	struct server *b;
	struct client *c;
	pid_t pid;

	file_copy(REDIS_SERVER, exe);
	b = server_start(&(struct server_opts){.exe = exe, .extra = "enable-debug-command yes"});
	sleep_ms(SWEEPS_MS);
	require(!rename(fake, exe), "rename: %s", strerror(errno));
	file_copy(trigger_path("file_open"), fake);
	monitors_mark();
	c = client_open(b, "127.0.0.1", true);
	pid = b->pid;
	client_ask(c, "DEBUG RESTART");
	expect(mon, {.rule = "mem-inject", .vector = "exec", .server = b},
	       {.rule = "rest-file", .detail = "configuration", .optional = true, .many = true},
	       {.rule = "mem-inject",
		.vector = "sweep",
		.found_by = "sweep",
		.outcome = "unknown",
		.optional = true,
		.many = true});
	require(alert_int(alert_find(mon, "mem-inject", pid), "actor.pid") == pid,
		"the actor is another one");
}

/* ---- raises nothing ------------------------------------------------------------------------------------- */

static void share_key(const void *arg)
{
	struct server *b = server_prepare(&(struct server_opts){}),
		      *c = server_prepare(&(struct server_opts){});

	file_write(c->config, str("%s\ntls-key-file %s\n", file_read(c->config), b->key));
	server_run(b);
	server_run(c);
	sleep_ms(SWEEPS_MS);
	expect_nothing(mon);
	server_stop(b, SIGTERM);
	sleep_ms(SETTLE_MS);
	struct trigger t = trigger("file_open", b->key);
	expect(mon, {.rule = "tls-key", .server = c, .by = &t});
	server_stop(c, SIGTERM);
}

/* The monitor may not know of the end of the first one when the next one opens its files. */
static void restarts_at_once(const void *arg)
{
	struct server *b = server_start(&(struct server_opts){.extra = "appendonly yes"});

	for (int i = 0; i < 5; i++) {
		server_stop(b, SIGTERM);
		server_run(b);
	}
	expect_nothing(mon);
	struct trigger t = trigger("file_open", b->key);
	expect(mon, {.rule = "tls-key", .vector = "openat", .server = b, .by = &t});
	server_stop(b, SIGTERM);
}

static const struct test tests[] = {
	TEST("from before: a dump held by a server's name", held_before),
	TEST("the private key by a server's name", opened,
	     KIND("key.pem", "tls-key", "private key")),
	TEST("the private key by a program named like a server", opened,
	     KIND("key.pem", "tls-key", "private key", true)),
	TEST("the configuration by a program named like a server", opened,
	     KIND("redis.conf", "rest-file", "configuration", true)),
	TEST("an RDB file by a program named like a server", opened,
	     KIND("dump.rdb", "rest-file", "data file", true)),
	TEST("whoever only has a server's name never owns its key", opened_again),
	TEST("the private key by a server that never listens", never_listens),
	TEST("the private key by a server of another user", other_user),
	TEST("a server that executes something else under its own name", executes_another),
	TEST("servers that share a private key raise nothing", share_key),
	TEST("a server restarted at once on its own files raises nothing", restarts_at_once),
	{},
};

const struct suite namesake_suite = {"namesake", setup, teardown, tests};
