/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.h - what the live tests share: TAP output, child processes, Redis servers, the monitor under test, and
 * the comparison of its alerts with the ground truth that a trigger prints.
 *
 * Processes are stopped by pid only. A process that a test starts ends with the test; one that a suite's setup starts
 * ends with the suite.
 */
#ifndef LIVE_HARNESS_H
#define LIVE_HARNESS_H

#include "base/macros.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define MONITOR "build/cachewarden"
#define REDIS_SERVER "/usr/bin/redis-server"
#define ALERT_MS 3000 /* an alert has to come within */
#define SETTLE_MS 300 /* how long nothing more may come after the last expected alert */
#define START_SLACK_MS                                                                             \
	50 /* start times: the kernel's clock ticks of 10 ms, and reading two clocks */
#define NOBODY 65534

/* ---- tests -------------------------------------------------------------------------------------- */

struct test {
	const char *name;
	void (*run)(const void *arg);
	const void *arg;
	const char *todo; /* a known blind spot: reported, but no failure */
	bool slow;	  /* seldom breaks and takes long: run by make soak */
};

struct suite {
	const char *name;
	void (*setup)(void);
	void (*teardown)(void);
	const struct test *tests; /* ends with one without a name */
	bool apart;		  /* takes minutes: only when it is asked for by name */
	bool slow;		  /* as in each of its tests */
};

#define TEST(text, function, ...)                                                                  \
	{                                                                                          \
		.name = text, .run = function, ##__VA_ARGS__                                       \
	}

extern const struct suite memory_suite, wire_suite, instances_suite, collector_suite, cli_suite,
	calls_suite, files_suite, tls_suite, tls_enforced_suite, tools_suite, benign_suite,
	doctor_suite, sweep_suite, self_suite, unprevented_suite, prevent_suite, policy_suite,
	incident_suite, peers_suite, peers_kernel_suite, interplay_suite, net_suite, soak_suite;

__attribute__((noreturn, format(printf, 1, 2))) void test_fail(const char *fmt, ...);
__attribute__((noreturn, format(printf, 1, 2))) void test_skip(const char *fmt, ...);

#define require(cond, ...)                                                                         \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__VA_ARGS__);                                                    \
	} while (0)

/* ---- small things ------------------------------------------------------------------------------- */

extern int patience;   /* factor on every time limit */
extern char scratch[]; /* removed at the end; readable by everybody, for what runs as nobody */

long long now_ms(void); /* monotonic */
void sleep_ms(long ms);
/* A string that lives for some dozens of calls. */
__attribute__((format(printf, 1, 2))) const char *str(const char *fmt, ...);
/* A whole file, NUL-ended, to be freed; an empty string if there is none. */
char *file_read(const char *path);
char *file_read_from(const char *path, long offset);
bool file_has(const char *path, const char *text);
bool file_wait(const char *path, const char *text, int timeout_ms);
void file_write(const char *path, const char *text);
/* An executable copy, in a directory made for it. */
void file_copy(const char *from, const char *to);
int port_free(void);
/* Waits for a listener on that TCP port of any address. Connects to nothing: a proxy would pass the connection on. */
void wait_listening(int port);

/* ---- processes ---------------------------------------------------------------------------------- */

struct child_opts {
	const char *out; /* files; NULL: /dev/null */
	const char *err;
	int out_fd;	     /* instead of out, if > 0 */
	pid_t netns;	     /* holder of the network namespace to run in */
	bool pidns;	     /* first process of a pid namespace of its own */
	void (*setup)(void); /* in the child, before exec */
	bool keep_stdin;     /* stdin: an open pipe nobody writes to */
};

/* Children end with the scope they were started in. */
enum { SUITE_SCOPE, TEST_SCOPE };
extern int child_scope;
/* Ends the children of that scope and of those within it. */
void children_end(int scope);
void children_kill(void); /* async-signal-safe */

pid_t child_start(const char *const *argv, const struct child_opts *opts);
/* A process that is ours by inheritance (its parent ended) or by somebody's word. */
void child_adopt(pid_t pid);
/* Whether we ever started or adopted a process of that number. */
bool pid_ours(pid_t pid);
void pid_ours_add(pid_t pid);
/* Exit status as waitpid gives it, or -1 if it did not end in time. */
int child_wait(pid_t pid, int timeout_ms);
/* Whether a child ended; it may still be waited for. */
bool child_ended(pid_t pid);
int child_stop(pid_t pid, int sig, int timeout_ms);

struct run {
	pid_t pid;
	int status; /* exit code, 128 + signal, or -1: too late and killed */
	char *out, *err;
};

struct run run_argv(int timeout_ms, const struct child_opts *opts, const char *const *argv);
#define run_command(timeout_ms, ...)                                                               \
	run_argv(timeout_ms, &(struct child_opts){}, (const char *const[]){__VA_ARGS__, NULL})
#define run_with(opts, timeout_ms, ...)                                                            \
	run_argv(timeout_ms, opts, (const char *const[]){__VA_ARGS__, NULL})

pid_t process_child(pid_t parent); /* any one, 0 where there is none */
/* A network namespace with nothing but lo, up; ends with its scope. */
pid_t netns_start(void);
/* A shell in one: false, and what it said first, where its last command failed. */
bool netns_sh(pid_t ns, const char **said, const char *script);
/* The same for what has to work. */
void netns_must(pid_t ns, const char *script);
/* A cable between two, cwNET at both ends: 10.NET.0.1 and fd79::NET:1 in the one, .2 and :2 in the other. */
void netns_join(pid_t one, pid_t two, int net);
/* What the kernel counted there, by /proc/net/FILE (netstat, snmp): its names stand in one line, its values in the next. */
long netns_counted(pid_t ns, const char *file, const char *protocol, const char *name);

/* ---- triggers ----------------------------------------------------------------------------------- */

struct trigger {
	pid_t pid, tid;
	uid_t uid;
	long long start_ms;
	char name[64], exe[512];
	json_t *said; /* its last line */
};

const char *trigger_path(const char *name);
/* A copy of it where everybody can execute it. */
const char *trigger_for_all(const char *name);
struct trigger trigger_argv(const struct child_opts *opts, const char *const *argv);
#define trigger(...) trigger_argv(&(struct child_opts){}, (const char *const[]){__VA_ARGS__, NULL})
#define trigger_in(opts, ...) trigger_argv(opts, (const char *const[]){__VA_ARGS__, NULL})
/* One that says what it did and then waits: its first line. It ends with its scope. */
struct trigger trigger_staying(const char *const *argv);
#define trigger_stay(...) trigger_staying((const char *const[]){__VA_ARGS__, NULL})
/* The same by nobody, who may do nothing to anybody. */
#define trigger_nobody(name, ...)                                                                  \
	trigger_as_nobody(name, (const char *const[]){"as_uid", str("%d", NOBODY),                 \
						      trigger_for_all(name), __VA_ARGS__, NULL})
struct trigger trigger_as_nobody(const char *name, const char *const *argv);
long long trigger_int(const struct trigger *t, const char *key);
bool trigger_true(const struct trigger *t, const char *key);

/* ---- Redis -------------------------------------------------------------------------------------- */

struct server_opts {
	const char *exe;   /* default: Debian's redis-server */
	const char *extra; /* more configuration lines */
	const char *bind;  /* default: 127.0.0.1 */
	int tls_port;	   /* 0: a free one */
	bool plain;	   /* also listens where plaintext is served */
	bool daemonize;	   /* it goes into the background by itself */
	struct child_opts child;
};

struct server {
	pid_t pid;
	int tls_port, plain_port;
	const char *name; /* as the monitor should call it, without the port */
	char dir[256], config[300], log[300], key[300];
};

struct server *server_start(const struct server_opts *opts);
/* Writes its directory and configuration, starts nothing. */
struct server *server_prepare(const struct server_opts *opts);
void server_ready(struct server *s);
void server_stop(struct server *s, int sig);
const char *pid_of(const struct server *s);  /* as an argument */
pid_t server_thread(const struct server *s); /* a thread that is not the main one */
const char *cert_path(void);
const char *key_path(void);
void key_copy(const char *to); /* a server's own: whoever else opens it is a stranger */

struct client;
struct client *client_open(const struct server *s, const char *host, bool tls);
int client_port(const struct client *c); /* its own */
/* Words separated by single spaces, sent as a RESP array; the reply, until the next call. */
const char *client_do(struct client *c, const char *command);
/* The two halves, for a long reply: ask, then read that many bytes and look at none. */
void client_ask(struct client *c, const char *command);
void client_skip(struct client *c, size_t bytes);
/* Waits until at least that many bytes lie unread in the socket. */
void client_wait(struct client *c, int bytes);
void client_close(struct client *c);

/* ---- the monitor -------------------------------------------------------------------------------- */

struct monitor {
	pid_t pid;
	char out[300], err[300];
	json_t **lines;
	size_t count, mark;
	json_t **incidents; /* lines about incidents, apart from the events they are made of */
	size_t incident_count, incident_mark;
	long read;
	bool is_text; /* not to be parsed */
};

struct monitor *monitor_start(const char *more,
			      ...); /* arguments after `run --output json --events`, NULL */
struct monitor *monitor_start_with(const struct child_opts *opts, const char *const *argv);
/* Waits until it says that it watches; pid and files are then in place. */
void monitor_ready(struct monitor *m);
void monitor_poll(struct monitor *m);
/* Frees what is known of all monitors but the first ones: they ended with their scope. */
void monitors_forget(int keep);
int monitors_known(void);
/* Every monitor's alerts so far are none of the test's that begins now. */
void monitors_mark(void);
/* Exit status as waitpid gives it. */
int monitor_stop(struct monitor *m, int sig);
/* The number before a word in the summary line, -1 where there is none. */
long monitor_summary(const struct monitor *m, const char *word);
bool monitor_said(const struct monitor *m, const char *text);
/* Whether that is the pid of another monitor than m. */
bool monitor_other(const struct monitor *m, pid_t pid);

struct want {
	const char *rule, *vector, *detail; /* detail NULL: whatever it says */
	const struct server *server;
	const struct trigger *by; /* pid, tid, uid, comm, exe, start time, and us as its parent */
	int err;
	const char *outcome;	      /* default: by err */
	const char *found_by;	      /* default: hook */
	const char *verdict;	      /* default: alert */
	pid_t target_pid, target_tid; /* default: the server's */
	long count;		      /* final count; 0: not looked at */
	bool optional;		      /* may be missing */
	bool many;		      /* may come more than once */
	bool young;		      /* the instance did not listen yet: no port is known */
	/* the wire */
	bool wire;
	const char *family, *opened, *direction, *command, *saw;
	int local_port, remote_port;
	bool has_offset;
	long offset;
	long bytes; /* final bytes, 0: not looked at */
};

/*
 * Exactly these alerts came since the test began: each within ALERT_MS, true in every field given, and
 * none else within SETTLE_MS after.
 */
void expect_alerts(struct monitor *m, const struct want *wants, size_t n);
#define expect(m, ...)                                                                             \
	expect_alerts(m, (const struct want[]){__VA_ARGS__},                                       \
		      sizeof((const struct want[]){__VA_ARGS__}) / sizeof(struct want))
void expect_nothing(struct monitor *m);
/* What a replica that dials its master without TLS is to both. */
#define PLAIN_REPLICATION(master_, replica_)                                                       \
	{.rule = "tls-plaintext",                                                                  \
	 .wire = true,                                                                             \
	 .server = (replica_),                                                                     \
	 .opened = "outbound",                                                                     \
	 .direction = "egress",                                                                    \
	 .remote_port = (master_)->plain_port,                                                     \
	 .command = "PING"},                                                                       \
	{                                                                                          \
		.rule = "tls-plaintext", .wire = true, .server = (master_), .opened = "inbound",   \
		.direction = "ingress", .local_port = (master_)->plain_port, .command = "PING"     \
	}

/* How often the monitor told so far that it could not see something; the note is the finding's detail. */
long blind_told(struct monitor *m, const char *note);
#define UNSYNCED "bytes passed while a TLS stream was out of sync"

/* First alert of the test with that rule, or NULL. */
json_t *alert_find(struct monitor *m, const char *rule, pid_t actor);
/* What the last line about the same finding says. */
json_t *alert_last(struct monitor *m, json_t *first);
/* Sum of the last counts of all findings with that rule about that instance, since the test began. */
long alerts_total(struct monitor *m, const char *rule, const struct server *s);
long findings_count(struct monitor *m); /* about our servers or about none */
long findings_all(struct monitor *m);	/* about other people's servers as well */

/* What `cachewarden conns` lists, as one array; the connection with that remote port, NULL if there is none. */
json_t *conns_of(const struct monitor *m);
json_t *conn_in(json_t *all, int port);
json_t *conn_of(const struct monitor *m, int port);
const char *text_at(json_t *j, const char *object, const char *key); /* "" where there is none */

long long number_at(json_t *j, const char *object, const char *key); /* -1 where there is none */

/* First line since the test began about an incident upon that server, 1 opened, 2 goes on, 3 over; how many there are. */
json_t *incident_find(struct monitor *m, const struct server *s, int activity, size_t *count);
/* The same, waiting until there are that many. */
json_t *incident_wait(struct monitor *m, const struct server *s, int activity, size_t want);

const char *alert_uid(json_t *alert);
int alert_activity(json_t *alert); /* OCSF: 1 created, 2 updated, 3 closed */
/* The fields that tests compare, in one line, for failure reports. */
const char *alert_text(json_t *alert);
/* What is wrong with it as an OCSF 1.8.0 Detection Finding, or NULL. */
const char *alert_malformed(json_t *alert);
/* For tests/scripts/corpus.sh: say what an attack is caught as, and by what. */
void alert_caught(json_t *a);
const char *alert_str(json_t *alert,
		      const char *path);	      /* "actor.comm" below unmapped.cachewarden */
long long alert_int(json_t *alert, const char *path); /* -1 where there is none */

#endif
