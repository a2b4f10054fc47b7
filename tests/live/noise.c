/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise.c - what a user without privileges does, however much of it, hides nothing that others do, and no server.
 */
#include "noise.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LEVELS "7" /* and the initial namespaces */
#define THREADS "9000"
#define SERVERS "1100"
#define ALIVE "800"
#define LEAVING "400"
#define FILES "20000"	/* more than the table of files holds */
#define ATTEMPTS "4000" /* twice what the ring buffer holds */
#define MAPPED "70000"	/* more than the table of code holds */
#define PIPES "9000"	/* the same of pipes */
#define HOLDERS "40"
#define HELD "16"	   /* servers */
#define CONNECTIONS "4000" /* the same */
#define HANDSHAKES "1500"  /* three times what is told one by one */
#define PERIOD_MS 9000	   /* of a share */
#define CHAIN "300"	   /* of up to 16 ancestors each: more than a table of 4,096 holds */
#define FIRST_USER "50000"
#define USERS "36"  /* of 500 reports each: more than the table holds */
#define USUAL "100" /* what anybody may do */

#define TOO_MANY_ATTEMPTS "uid 65534 makes too many attempts to tell them apart: counted together"
#define TOO_MANY_SERVERS "uid 65534 starts and ends too many servers at once: followed late"
#define TOO_MUCH_CODE "uid 65534 has servers that execute too many files: told as new each time"
#define TOO_MANY_PIPES "uid 65534 has servers with too many pipes: access to them goes unseen"
#define TOO_MANY_FILES "uid 65534 has servers that open too many files at once: not protected"

static void threads(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger crowd = trigger_stay(trigger_for_all("crowd"), "threads", LEVELS, THREADS,
					    str("%d", NOBODY));

	if (trigger_int(&crowd, "made") < atol(THREADS))
		test_skip("only %lld threads: %s", trigger_int(&crowd, "made"),
			  strerror(trigger_int(&crowd, "errno")));
	server_watched(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* More than the monitor remembers. Meanwhile somebody else attacks a server. */
static void servers(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start(NULL);
	const char *out;
	pid_t pid;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	pid = crowd_start("servers", SERVERS, &out);
	sleep_ms(2000);
	attempt_reported(m, s);
	require(!child_wait(pid, 120000), "the crowd failed");
	require(file_has(out, "\"made\":" SERVERS), "not all were made: %s", file_read(out));
	attempt_reported(m, s);
	noise_told(m, TOO_MANY_SERVERS, "exe");
	server_watched(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* Those whose start was not told are found by a sweep. */
static void alive(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t = {};
	const char *out;

	crowd_start("alive", ALIVE, &out);
	require(file_wait(out, "\n", 30000 * patience), "the crowd failed");
	t.said = json_load_file(out, 0, NULL);
	require(trigger_int(&t, "made") == atol(ALIVE), "%lld of " ALIVE, trigger_int(&t, "made"));
	if (!blind_count_wait(m, TOO_MANY_SERVERS, 0))
		test_skip("this machine starts fewer than 512 of them in ten seconds");
	require(file_wait(m->err, str("started: pid %lld,", trigger_int(&t, "last")),
			  30000 * patience),
		"the last one has no name");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* One that executes another program, when the share of its user's is used up, has ended all the same. */
static void leaver(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	const char *out;
	pid_t pid = crowd_start("leaver", LEAVING, &out);

	require(file_wait(out, "\n", 30000 * patience), "the crowd failed");
	require(file_has(out, "\"made\":" LEAVING), "not all were made: %s", file_read(out));
	require(file_wait(m->err, str("ended: pid %d", pid), 5000 * patience),
		"it has not ended: %s", file_read(m->err));
	require(!kill(pid, 0), "the process has ended");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* A server that nobody runs opens files as fast as it can. */
static void files(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){}), *later;
	struct monitor *m = monitor_start(NULL);
	struct trigger t;

	sleep_ms(SETTLE_MS);
	trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "files", FILES);
	monitors_mark();
	for (int i = 0; i < 6; i++) { /* with a sweep or two */
		sleep_ms(1000);
		attempt_reported(m, s);
	}
	noise_told(m, TOO_MANY_FILES, "exe");
	later = server_start(&(struct server_opts){});
	sleep_ms(1500);
	t = trigger("file_open", later->key);
	for (long long end = now_ms() + ALERT_MS * patience;
	     !alert_find(m, "tls-key", t.pid) && now_ms() < end;)
		sleep_ms(10);
	require(alert_find(m, "tls-key", t.pid), "the key of a later server is unprotected");
	attempt_reported(m, later);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* Refused attempts of nobody, each by a process of its own, while the monitor reads nothing; then one by somebody else. */
static void attempts(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start("--no-guard", NULL); /* it would report the stop */
	struct trigger t, u;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	kill(m->pid, SIGSTOP);
	t = trigger_nobody("flood", pid_of(s), "actors", ATTEMPTS);
	u = trigger("vm_readv", pid_of(s));
	kill(m->pid, SIGCONT);
	require(trigger_int(&t, "failed") == atol(ATTEMPTS), "%lld of " ATTEMPTS " were refused",
		trigger_int(&t, "failed"));
	noise_told(m, TOO_MANY_ATTEMPTS, "flood");
	require(alert_find(m, "mem-read", u.pid), "the flood hides another user");
	require(alerts_total_wait(m, "mem-read", s, atol(ATTEMPTS) + 1) == atol(ATTEMPTS) + 1,
		"%ld of %ld are counted", alerts_total(m, "mem-read", s), atol(ATTEMPTS) + 1);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* --- connections --- */

struct flood {
	const char *how; /* see crowd */
	bool plain;	 /* to a port without TLS: the server answers */
	bool no_tls;	 /* it has no other port */
};

/*
 * Connections of nobody while the monitor reads nothing: twice what the ring buffer holds. Then somebody else speaks
 * plaintext to the same server and to another one, and attacks that.
 */
static void flooded(const void *arg)
{
	const struct flood *how = arg;
	struct server_opts opts = {.plain = how->plain, .extra = how->no_tls ? "tls-port 0" : NULL};
	struct server *s = server_start(&opts), *other = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start("--no-guard", NULL); /* it would report the stop */
	int port = how->plain ? s->plain_port : s->tls_port;
	bool named = !strcmp(how->how, "plain");
	pid_t here, there;
	struct trigger t, u;
	const char *note, *name;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	kill(m->pid, SIGSTOP);
	t = trigger_nobody("crowd", how->how, str("%d", port), CONNECTIONS);
	here = client_pings(port);
	there = client_pings(other->tls_port);
	u = trigger("vm_readv", pid_of(other));
	kill(m->pid, SIGCONT);
	require(trigger_int(&t, "made") == atol(CONNECTIONS), "%lld connections: %s",
		trigger_int(&t, "made"), strerror(trigger_int(&t, "errno")));
	all_counted(m, s, "tls-plaintext", atol(CONNECTIONS) + 1);
	name = client_reported(m, s, here);
	client_reported(m, other, there);
	require(alert_find(m, "mem-read", u.pid), "the flood hides an attack on another server");
	note = str("%s: too many connections to %s that are not TLS: counted together",
		   named ? "uid 65534" : "unnamed clients", name);
	if (how->no_tls) /* they are what its clients do */
		no_noise_told(m);
	else if (named)
		noise_told(m, note, "crowd");
	else
		require(blind_count_wait(m, note, 0) > 0, "\"%s\" is not told", note);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

#define UNREAD "TLS handshakes read in part: version and cipher not evaluated"

/*
 * Weak handshakes, more than are told one by one. Another server's is, all the same. A monitor that is starved of CPU time
 * does not read all handshakes, and says how many.
 */
static void handshakes(const void *arg)
{
	const char *number = arg ? arg : HANDSHAKES, *note;
	struct server *s = server_start(&(struct server_opts){.extra = EVERYTHING}),
		      *other = server_start(&(struct server_opts){.extra = EVERYTHING});
	struct monitor *m = monitor_start(NULL);
	long long began;
	struct trigger t;
	size_t alerts;
	long told, unread;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	began = now_ms();
	t = trigger("old_hellos", "127.0.0.1", str("%d", s->tls_port), number);
	require(trigger_int(&t, "made") == atol(number), "%lld handshakes",
		trigger_int(&t, "made"));
	if (now_ms() - began > PERIOD_MS)
		test_skip("this machine makes fewer than " HANDSHAKES " of them in ten seconds");
	sleep_ms(2 * SETTLE_MS);
	trigger("old_hellos", "127.0.0.1", str("%d", other->tls_port), "1");
	all_counted(m, other, "tls-version", 1);
	note = str("unnamed clients: too many connections to redis-server:%d with weak handshakes: "
		   "counted together",
		   s->tls_port);
	require(arg ? !blind_count(m, note) : blind_count_wait(m, note, 0) > 0, "\"%s\"", note);
	sleep_ms(2500); /* counts are told once a second */
	told = connections(m, s, "tls-version", &alerts);
	unread = blind_count(m, UNREAD);
	printf("# %ld in %zu alerts, %ld unread\n", told, alerts, unread);
	require(told <= atol(number) && told + (unread > 0 ? unread : 0) >= atol(number),
		"%ld are told, %ld unread", told, unread);
	require((long)alerts <= (arg ? atol(arg) : atol(SHARES)), "in %zu alerts", alerts);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static void usual_connections(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){.plain = true});
	struct monitor *m = monitor_start(NULL);

	sleep_ms(SETTLE_MS);
	monitors_mark();
	for (int i = 0; i < 2; i++)
		trigger_nobody("crowd", i ? "leave" : "plain", str("%d", s->plain_port), USUAL);
	all_counted(m, s, "tls-plaintext", 2 * atol(USUAL));
	no_noise_told(m);
	for (size_t i = m->mark; i < m->count; i++)
		require(!alert_true(m->lines[i], "crowd"), "they are counted together");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* --- what is kept of servers --- */

static bool blamed(struct monitor *m, const struct server *s, const char *rule)
{
	monitor_poll(m);
	for (size_t i = m->mark; i < m->count; i++)
		if (!strcmp(alert_str(m->lines[i], "rule"), rule) &&
		    alert_int(m->lines[i], "instance.pid") == s->pid)
			return true;
	return false;
}

/* A server of nobody executes more files than all servers may. What another one executed before is not new. */
static void code(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	char exe[PATH_MAX];
	struct trigger t;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "code", MAPPED);
	require(trigger_int(&t, "made") == atol(MAPPED), "%lld of " MAPPED,
		trigger_int(&t, "made"));
	sleep_ms(3000); /* two sweeps */
	require(!blamed(m, s, "mem-inject"), "code of another server is taken for new");
	noise_told(m, TOO_MUCH_CODE, "exe");
	t = trigger("perf", "uprobe", realpath(REDIS_SERVER, exe) ? exe : REDIS_SERVER, "-1");
	require(!trigger_int(&t, "errno"), "the probe was not placed");
	sleep_ms(SETTLE_MS);
	require(blamed(m, s, "mem-probe"), "a probe in the code of another server is unseen");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* A descriptor of the server that is a pipe, 0 if it has none. */
static int pipe_of(const struct server *s)
{
	char to[32];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		n = readlink(str("/proc/%d/fd/%d", s->pid, fd), to, sizeof(to) - 1);
		to[n < 0 ? 0 : n] = '\0';
		if (!strncmp(to, "pipe:", 5))
			return fd;
	}
	return 0;
}

static void pipes(const void *arg)
{
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	struct server *s = server_start(&(struct server_opts){});
	struct trigger t, u;
	int fd = pipe_of(s);

	if (!fd)
		test_skip("the server has no pipe");
	sleep_ms(2500); /* with a sweep */
	t = trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "pipes",
			 arg ? arg : PIPES);
	require(trigger_int(&t, "made") == atol(arg ? arg : PIPES), "%lld pipes",
		trigger_int(&t, "made"));
	monitors_mark();
	u = trigger("file_open", str("/proc/%d/fd/%d", s->pid, fd), "-w", "away");
	require(alert_find(m, "mem-fd", u.pid) || (sleep_ms(1500), alert_find(m, "mem-fd", u.pid)),
		"a pipe that was opened is unseen");
	if (arg)
		no_noise_told(m);
	else
		noise_told(m, TOO_MANY_PIPES, "exe");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* More states of nobody's than are remembered from one sweep to the next. That of somebody else is told all the same. */
static void states(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	struct trigger crowd, t;
	json_t *found = NULL;

	sleep_ms(SETTLE_MS);
	crowd = trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "states",
			     HOLDERS, HELD);
	require(trigger_int(&crowd, "made") > 5000, "%lld states", trigger_int(&crowd, "made"));
	sleep_ms(3000); /* with two sweeps */
	monitors_mark();
	t = trigger_stay("hold", pid_of(s), "mem", "scm");
	for (long long end = now_ms() + 6000 * patience; !found && now_ms() < end; sleep_ms(50))
		found = alert_find(m, "mem-read", t.pid);
	require(found && alert_int(found, "instance.pid") == s->pid, "it is not told");
	printf("# of %lld states\n", trigger_int(&crowd, "made"));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* Ancestors of servers of nobody's, by the thousand. The supervisor of another server may keep its listening socket all the same. */
static void ancestors(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger_stay("supervisor", REDIS_SERVER, s->config);
	struct monitor *m;

	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	m = monitor_start("--sweep", "1", NULL);
	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger_stay("as_uid", str("%d", NOBODY), trigger_for_all("crowd"), "chain", CHAIN);
	require(trigger_int(&t, "made") == atol(CHAIN), "%lld of " CHAIN, trigger_int(&t, "made"));
	sleep_ms(5000); /* some sweeps */
	require(!blamed(m, s, "mem-fd"), "its supervisor is a stranger");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* An ancestor is known by its place, not by its number: whoever gets that later is a stranger. */
static void ancestor_number(const void *arg)
{
	struct server *s = server_prepare(&(struct server_opts){});
	struct trigger t = trigger_stay("supervisor", REDIS_SERVER, s->config, "replaced");
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	pid_t parent = trigger_int(&t, "parent");
	json_t *found = NULL;

	s->pid = trigger_int(&t, "server_pid");
	child_adopt(s->pid);
	server_ready(s);
	sleep_ms(3000); /* with two sweeps */
	require(!blamed(m, s, "mem-fd"), "a supervisor is a stranger");
	require(!kill(parent, SIGKILL), "the supervisor is gone");
	for (long long end = now_ms() + 6000 * patience; !found && now_ms() < end; sleep_ms(50))
		found = alert_find(m, "mem-fd", parent);
	require(found, "it is not told");
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* More reports of many users' than are remembered: what somebody else was seen to do is not told twice. */
static void reports(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start("--sweep", "1", NULL);
	struct trigger crowd, t;

	sleep_ms(SETTLE_MS);
	t = trigger_stay("hold", pid_of(s), "mem");
	sleep_ms(2500); /* with a sweep */
	require(alert_find(m, "mem-read", t.pid), "it is not told");
	monitors_mark();
	crowd = trigger_stay("crowd", "reported", FIRST_USER, USERS);
	require(trigger_int(&crowd, "made") > 16500, "%lld reports", trigger_int(&crowd, "made"));
	sleep_ms(3000); /* with two sweeps */
	require(!alert_find(m, "mem-read", t.pid), "it is told again");
	printf("# of %lld reports\n", trigger_int(&crowd, "made"));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* A busy user: a hundred attempts and a hundred servers. */
static void usual(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start(NULL);
	struct trigger t;

	sleep_ms(SETTLE_MS);
	trigger_nobody("flood", pid_of(s), "actors", USUAL);
	t = trigger_nobody("crowd", "servers", USUAL);
	require(trigger_int(&t, "made") == atol(USUAL), "%lld of " USUAL, trigger_int(&t, "made"));
	attempt_reported(m, s);
	no_noise_told(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(monitor_summary(m, "instance") >= atol(USUAL), "%ld instances",
		monitor_summary(m, "instance"));
}

static const struct test tests[] = {
	TEST("9000 threads in nested pid namespaces: a server that starts later is watched",
	     threads),
	TEST("1100 processes with a server's title: who did it is named, a later server watched",
	     servers),
	TEST("800 servers of nobody at once: all of them are told in the end", alive, .slow = true),
	TEST("a server that executes another program when its user's share is used up has ended",
	     leaver),
	TEST("a server of nobody opens files without end: he is named, others are protected",
	     files),
	TEST("4000 attempts by nobody: all are counted, he is named, and another user is seen",
	     attempts),
	TEST("4000 plaintext connections to a plain port: all are counted, who makes them is named",
	     flooded, &(struct flood){"plain", .plain = true}),
	TEST("the same to a TLS port", flooded, &(struct flood){"plain"}),
	TEST("the same to a TLS port by clients that cannot be named", flooded,
	     &(struct flood){"leave"}),
	TEST("the same to a server without TLS: all are counted, nobody is blamed", flooded,
	     &(struct flood){"plain", .plain = true, .no_tls = true}),
	TEST("200 plaintext connections are no noise", usual_connections),
	TEST("1500 connections with TLS 1.0: all are counted, that of another server is told",
	     handshakes),
	TEST("200 connections with TLS 1.0 are no noise", handshakes, "200"),
	TEST("a server of nobody executes 70000 files: he is named, the code of others is known",
	     code, .slow = true),
	TEST("a server of nobody makes 9000 pipes: he is named, those of others are known", pipes,
	     .slow = true),
	TEST("a server that makes 400 pipes is no noise", pipes, "400"),
	TEST("nobody keeps 5000 descriptors of his servers: one of somebody else's is told", states,
	     .slow = true),
	TEST("300 servers of nobody, each the child of another: supervisors of others are known",
	     ancestors),
	TEST("a process that gets the number of a supervisor is a stranger", ancestor_number),
	TEST("17000 reports of 34 users: what others do is not told twice", reports, .slow = true),
	TEST("100 attempts and 100 servers by nobody are no noise", usual),
	{},
};

const struct suite noise_suite = {"noise", NULL, NULL, tests};
