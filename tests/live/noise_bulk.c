/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * noise_bulk.c - what there can be a hundred thousand of, or what comes and goes as often: connections that come to nothing,
 * cgroups, servers of one user. Each test has a short form; the long one is run by make soak.
 */
#include "noise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD_MAX "110000" /* connections a server may have, or requests for one */
#define STRANGE                                                                                    \
	"10.179" /* addresses that nobody has, though packets to them go out, over loopback */
#define USUAL "100"

/* --- connections that come to nothing --- */

/* A line of /proc/net/tcp for each of that port in that state. */
static long sockets_in(const struct server *s, int port, const char *state)
{
	char *all = file_read(str("/proc/%d/net/tcp", s->pid));
	const char *want = str(":%04X ", port);
	long n = 0;

	for (char *line = all; (line = strchr(line, '\n'));) {
		char local[40] = "", remote[40] = "", is[8] = "";

		line++;
		n += sscanf(line, "%*s %39s %39s %7s", local, remote, is) == 3 &&
		     strstr(str("%s ", local), want) && !strcmp(is, state);
	}
	free(all);
	return n;
}

#define TCP_ESTABLISHED_HEX "01"
#define TCP_SYN_RECV_HEX "03"

/* A weak handshake, plaintext and an attack by others are told, each by itself. */
static void others_told(struct monitor *m, const struct server *s, const struct child_opts *client,
			const char *host)
{
	struct trigger t;

	attempt_reported(m, s);
	monitors_mark();
	trigger_in(client, "old_hellos", host, str("%d", s->tls_port), "1");
	require(all_counted(m, s, "tls-version", 1) == 1, "in more than one alert");
	t = trigger_in(client, "plain_client", host, str("%d", s->tls_port));
	require(all_counted(m, s, "tls-plaintext", 1) == 1, "in more than one alert");
	for (size_t i = m->mark; i < m->count; i++)
		require(strcmp(alert_str(m->lines[i], "rule"), "tls-plaintext") ||
				alert_int(m->lines[i], "conn.remote.port") ==
					trigger_int(&t, "port"),
			"the alert is about another connection: %s", alert_text(m->lines[i]));
}

struct held {
	const char *how, *number; /* see half_open */
};

/* Connections of nobody's that stay. They say nothing, or a part of the first record header. */
static void held(const void *arg)
{
	const struct held *how = arg;
	struct server *s = server_start(&(struct server_opts){
		.extra = EVERYTHING "maxclients " HELD_MAX "\ntcp-backlog 4096"});
	struct monitor *m = monitor_start(NULL);
	long wanted = atol(how->number);
	const char *out = str("%s/%s.%s", scratch, how->how, how->number);
	const char *const argv[] = {trigger_path("as_uid"),
				    str("%d", NOBODY),
				    trigger_for_all("half_open"),
				    how->how,
				    "127.0.0.1",
				    str("%d", s->tls_port),
				    how->number,
				    NULL};
	long long began = now_ms();

	sleep_ms(SETTLE_MS);
	child_start(argv, &(struct child_opts){.out = out});
	for (int i = 0; !file_has(out, "\n") && i < 200 * patience; i++) {
		monitors_mark();
		attempt_reported(m, s);
		sleep_ms(500);
	}
	require(file_has(out, str("\"made\":%ld,", wanted)), "not all were made: %s",
		file_read(out));
	require(sockets_in(s, s->tls_port, TCP_ESTABLISHED_HEX) >= wanted, "%ld are held",
		sockets_in(s, s->tls_port, TCP_ESTABLISHED_HEX));
	printf("# after %lld ms\n", now_ms() - began);
	others_told(m, s, &(struct child_opts){}, "127.0.0.1");
	server_watched(m);
	no_noise_told(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* SYNs from addresses whose answers are lost: the server has as many half-open connections as were sent. */
static void syns(const void *arg)
{
	const char *number = arg;
	const struct child_opts in = {.netns = netns_start()};
	struct server *s;
	struct monitor *m;
	struct trigger t;
	long half;

	netns_must(in.netns, "echo " HELD_MAX " >/proc/sys/net/core/somaxconn && "
			     "echo " HELD_MAX " >/proc/sys/net/ipv4/tcp_max_syn_backlog && "
			     "ip route add " STRANGE ".0.0/16 dev lo");
	s = server_start(
		&(struct server_opts){.extra = EVERYTHING "tcp-backlog " HELD_MAX, .child = in});
	m = monitor_start(NULL);
	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger_in(&in, "half_open", "syn", STRANGE, "127.0.0.1", str("%d", s->tls_port),
		       number);
	require(trigger_int(&t, "made") == atol(number), "%lld were sent: %s",
		trigger_int(&t, "made"), strerror(trigger_int(&t, "errno")));
	half = sockets_in(s, s->tls_port, TCP_SYN_RECV_HEX);
	require(half >= atol(number) * 9 / 10, "%ld are half open", half);
	printf("# %ld are half open\n", half);
	others_told(m, s, &in, "127.0.0.1");
	server_watched(m);
	no_noise_told(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
}

/* Nothing is told of them, nor of who leaves. */
static void silent_is_no_finding(const void *arg)
{
	struct server *s = server_start(&(struct server_opts){});
	struct monitor *m = monitor_start(NULL);
	struct trigger t;

	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger_stay("half_open", "silent", "127.0.0.1", str("%d", s->tls_port), USUAL);
	require(trigger_int(&t, "made") == atol(USUAL), "%lld of " USUAL, trigger_int(&t, "made"));
	child_stop(t.pid, SIGKILL, 5000);
	expect_nothing(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

/* --- cgroups --- */

/* A directory of cgroups that nobody may use as he likes, as a container manager delegates one; kept for setups of children. */
static char delegated[300];

static void delegated_remove(void)
{
	for (int tries = 0; delegated[0] && rmdir(delegated) && tries < 100; tries++)
		sleep_ms(20); /* who is in it is being ended */
	delegated[0] = '\0';
}

static void delegate(void)
{
	static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

	delegated_remove(); /* of a test that failed */
	for (size_t r = 0; r < ARRAY_SIZE(roots) && !delegated[0]; r++) {
		snprintf(delegated, sizeof(delegated), "%s/cachewarden-churn.%d", roots[r],
			 getpid());
		if (access(str("%s/cgroup.procs", roots[r]), W_OK) || mkdir(delegated, 0755))
			delegated[0] = '\0';
	}
	if (!delegated[0])
		test_skip("no cgroup can be made here: %s", strerror(errno));
	require(!chown(delegated, NOBODY, NOBODY) &&
			!chown(str("%s/cgroup.procs", delegated), NOBODY, NOBODY),
		"chown %s: %s", delegated, strerror(errno));
}

static void enter_delegated(void)
{
	file_write(str("%s/cgroup.procs", delegated), "0");
}

static void enter_as_nobody(void)
{
	enter_delegated();
	become_nobody();
}

/* The name by which an attack on it is told. */
static const char *uid_of_attacked(struct monitor *m, const struct server *s)
{
	attempt_reported(m, s);
	return str("%s", alert_str(alert_find(m, "mem-read", 0), "instance.uid"));
}

/*
 * Nobody moves a server of root's, and himself, through cgroups that come and go. Meanwhile others attack it, one of them
 * from there; and a server is started there.
 */
static void churn(const void *arg)
{
	const char *number = arg, *out = str("%s/churn.%s", scratch, number), *uid;
	struct server *s, *later;
	struct monitor *m;
	pid_t pid;

	delegate();
	s = server_start(&(struct server_opts){.child = {.setup = enter_delegated}});
	m = monitor_start("--sweep", "1", NULL);
	sleep_ms(SETTLE_MS);
	monitors_mark();
	uid = uid_of_attacked(m, s);
	pid = child_start((const char *const[]){trigger_for_all("cgroup_churn"), delegated, number,
						pid_of(s), NULL},
			  &(struct child_opts){.out = out, .setup = enter_as_nobody});
	for (int i = 0; !file_has(out, "\n") && i < 200 * patience; i++) {
		struct trigger t = trigger_in(&(struct child_opts){.setup = enter_delegated},
					      "plain_client", "127.0.0.1", str("%d", s->tls_port));

		sleep_ms(SETTLE_MS);
		client_reported(m, s, t.pid);
		monitors_mark();
		require(!strcmp(uid_of_attacked(m, s), uid), "%s became %s", uid,
			uid_of_attacked(m, s));
	}
	require(!child_wait(pid, 5000 * patience), "it failed: %s", file_read(out));
	require(file_has(out, str("\"made\":%s,\"moved\":%s,", number, number)),
		"not all were made: %s", file_read(out));
	later = server_start(&(struct server_opts){.child = {.setup = enter_delegated}});
	sleep_ms(1500); /* its name follows its port */
	monitors_mark();
	attempt_reported(m, later);
	no_noise_told(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	require(!monitor_summary(m, "dropped"), "something was dropped");
	server_stop(s, SIGTERM);
	server_stop(later, SIGTERM);
	delegated_remove();
}

/* The benign twin: who comes and goes there without a server in it raises nothing. */
static void churn_is_no_finding(const void *arg)
{
	struct monitor *m = monitor_start(NULL);
	struct trigger t;

	delegate();
	sleep_ms(SETTLE_MS);
	monitors_mark();
	t = trigger_in(&(struct child_opts){.setup = enter_as_nobody},
		       trigger_for_all("cgroup_churn"), delegated, USUAL);
	require(trigger_int(&t, "made") == atol(USUAL), "%lld of " USUAL ": %s",
		trigger_int(&t, "made"), strerror(trigger_int(&t, "errno")));
	expect_nothing(m);
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
	delegated_remove();
}

/* --- servers of one user --- */

/* Plaintext by clients that cannot be named, to more servers of root's than have a share together. */
static void servers_of_one_user(const void *arg)
{
	struct server *many[5], *victim = server_prepare(&(struct server_opts){.plain = true});
	struct monitor *m;
	json_t *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = server_start(&(struct server_opts){.plain = true});
	require(!run_command(3000, "chown", "-R", str("%d", NOBODY), victim->dir).status, "chown");
	server_run_with(victim, become_nobody);
	m = monitor_start(NULL);
	sleep_ms(SETTLE_MS);
	monitors_mark();
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		trigger("crowd", "leave", str("%d", many[i]->plain_port), SHARES);
	trigger("crowd", "leave", str("%d", victim->plain_port), "1");
	require(all_counted(m, victim, "tls-plaintext", 1) == 1, "in more than one alert");
	for (size_t i = m->mark; i < m->count; i++) {
		json_t *l = m->lines[i];

		if (alert_int(l, "instance.pid") == victim->pid &&
		    !strcmp(alert_str(l, "rule"), "tls-plaintext"))
			found = l;
	}
	require(found && !alert_true(found, "crowd"), "it is counted with others");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		all_counted(m, many[i], "tls-plaintext", atol(SHARES));
	require(monitor_stop(m, SIGTERM) == 0, "exit code");
}

static const struct test tests[] = {
	TEST("3000 connections that say nothing: others are told", held,
	     &(struct held){"silent", "3000"}),
	TEST("3000 connections in the middle of a record header: others are told", held,
	     &(struct held){"begun", "3000"}),
	TEST("100000 connections that say nothing: others are told", held,
	     &(struct held){"silent", "100000"}, .slow = true),
	TEST("100000 connections in the middle of a record header: others are told", held,
	     &(struct held){"begun", "100000"}, .slow = true),
	TEST("5000 half-open connections: others are told", syns, "5000"),
	TEST("100000 half-open connections: others are told", syns, "100000", .slow = true),
	TEST("100 connections that say nothing are no finding", silent_is_no_finding),
	TEST("a server moved through 300 cgroups that come and go: nothing is lost", churn, "300"),
	TEST("a server moved through 5000 cgroups that come and go: nothing is lost", churn, "5000",
	     .slow = true),
	TEST("100 cgroups that come and go are no finding", churn_is_no_finding),
	TEST("plaintext to five servers of one user: that to another's is told by itself",
	     servers_of_one_user),
	{},
};

const struct suite noise_bulk_suite = {"noise: bulk", NULL, NULL, tests};
