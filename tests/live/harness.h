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
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#define MONITOR "build/cachewarden"
#define REDIS_SERVER "/usr/bin/redis-server"
#define ALERT_MS 3000 /* time limit for an alert */
#define SETTLE_MS 300 /* how long to wait for alerts that are not expected */
/* Of start times: the kernel's clock ticks of 10 ms, and two clocks are read one after the other. */
#define START_SLACK_MS 50
#define NOBODY 65534

/* ---- tests -------------------------------------------------------------------------------------- */

struct test {
	const char *name;
	void (*run)(const void *arg);
	const void *arg;
	const char *todo; /* a known blind spot: a failure is not counted */
	bool slow;	  /* takes long and seldom breaks: run by make soak */
};

struct suite {
	const char *name;
	void (*setup)(void);
	void (*teardown)(void);
	const struct test *tests; /* terminated by a test without a name */
	bool apart;		  /* takes minutes: run only by name */
	bool slow;		  /* all of its tests are slow */
};

#define TEST(text, function, ...)                                                                  \
	{                                                                                          \
		.name = text, .run = function, ##__VA_ARGS__                                       \
	}

extern const struct suite memory_suite, wire_suite, instances_suite, collector_suite, cli_suite,
	calls_suite, files_suite, files_search_suite, files_search_before_suite,
	files_search_excess_suite, files_learnt_suite, tls_suite, tls_enforced_suite, tools_suite,
	benign_suite, doctor_suite, sweep_suite, sweep_alone_suite, self_suite, unprevented_suite,
	prevent_suite, policy_suite, incident_suite, actors_suite, operate_suite, peers_suite,
	peers_kernel_suite, interplay_suite, net_suite, code_suite, soak_suite, ocsf_suite,
	plain_suite, namesake_suite, silence_suite, silence_alone_suite, noise_suite,
	noise_bulk_suite, ask_suite, ask_alone_suite, evidence_suite, evidence_actors_suite,
	evidence_faults_suite, evidence_witness_suite, validate_suite, validate_report_suite,
	validate_watch_suite, validate_drill_suite, sinks_suite, status_suite, metrics_suite,
	service_suite, quiet_suite, watch_suite, handover_suite;

/* Do other tests run at the same time? What concerns the host may then be their doing. */
bool part_beside_another(void);

__attribute__((noreturn, format(printf, 1, 2))) void test_fail(const char *fmt, ...);
__attribute__((noreturn, format(printf, 1, 2))) void test_skip(const char *fmt, ...);

#define require(cond, ...)                                                                         \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__VA_ARGS__);                                                    \
	} while (0)

/* ---- small things ------------------------------------------------------------------------------- */

extern int patience;   /* factor on every time limit */
extern char scratch[]; /* removed at the end; world-readable, as some triggers run as nobody */

long long now_ms(void); /* monotonic */
void sleep_ms(long ms);
/* A formatted string that stays valid until the test ends, or the suite if made in its setup. */
__attribute__((format(printf, 1, 2))) const char *str(const char *fmt, ...);
void strs_free(int scope); /* of that scope and of those within it */
/* A whole file, NUL-terminated, to be freed; an empty string if it does not exist. */
char *file_read(const char *path);
char *file_read_from(const char *path, long offset);
bool file_has(const char *path, const char *text);
bool file_wait(const char *path, const char *text, int timeout_ms);
void file_write(const char *path, const char *text);
/* Copies a file and makes it executable. Creates the directory. */
void file_copy(const char *from, const char *to);
int port_free(void);
/* Waits for a listener on that TCP port of any address. Connects to nothing: a proxy would pass the connection on. */
void wait_listening(int port);

/* ---- processes ---------------------------------------------------------------------------------- */

struct child_opts {
	const char *out; /* file names; NULL: /dev/null */
	const char *err;
	int out_fd;	     /* instead of out, if > 0 */
	pid_t netns;	     /* run in the network namespace of that process */
	bool pidns;	     /* as pid 1 of a new pid namespace */
	void (*setup)(void); /* in the child, before exec */
	bool keep_stdin;     /* stdin is an open pipe without data, else /dev/null */
};

/* Children end with the scope they were started in. */
enum { SUITE_SCOPE, TEST_SCOPE };
extern int child_scope;
/* Ends the children of that scope and of those within it. */
void children_end(int scope);
void children_kill(void); /* async-signal-safe */

pid_t child_start(const char *const *argv, const struct child_opts *opts);
/* Treats a process that we did not fork as a child of the current scope. */
void child_adopt(pid_t pid);
/* Whether we ever started or adopted a process with that pid. */
bool pid_ours(pid_t pid);
void pid_ours_add(pid_t pid);
/* Exit status as from waitpid(), or -1 if it did not end in time. */
int child_wait(pid_t pid, int timeout_ms);
/* Whether a child ended; it may still be waited for. */
bool child_ended(pid_t pid);
int child_stop(pid_t pid, int sig, int timeout_ms);

struct run {
	pid_t pid;
	int status; /* exit code, 128 + signal, or -1: timed out and killed */
	char *out, *err;
};

struct run run_argv(int timeout_ms, const struct child_opts *opts, const char *const *argv);
#define run_command(timeout_ms, ...)                                                               \
	run_argv(timeout_ms, &(struct child_opts){}, (const char *const[]){__VA_ARGS__, NULL})
#define run_with(opts, timeout_ms, ...)                                                            \
	run_argv(timeout_ms, opts, (const char *const[]){__VA_ARGS__, NULL})

pid_t process_child(pid_t parent); /* any child, or 0 */
/* A network namespace with only lo, which is up. Ends with its scope. */
pid_t netns_start(void);
/* Runs a shell in it. False if the last command failed, with the first line of output in said. */
bool netns_sh(pid_t ns, const char **said, const char *script);
/* The same; fails the test on an error. */
void netns_must(pid_t ns, const char *script);
/* A veth pair between two, named cwNET at both ends: 10.NET.0.1 and fd79::NET:1 in one, .2 and :2 in the other. */
void netns_join(pid_t one, pid_t two, int net);
/* A counter of /proc/net/FILE (netstat, snmp), which has names in one line and values in the next. */
long netns_counted(pid_t ns, const char *file, const char *protocol, const char *name);

/* ---- triggers ----------------------------------------------------------------------------------- */

struct trigger {
	pid_t pid, tid;
	uid_t uid;
	long long start_ms;
	char name[64], exe[512];
	json_t *said; /* the ground truth: its last line */
};

const char *trigger_path(const char *name);
/* A copy that every user can execute. */
const char *trigger_for_all(const char *name);
struct trigger trigger_argv(const struct child_opts *opts, const char *const *argv);
#define trigger(...) trigger_argv(&(struct child_opts){}, (const char *const[]){__VA_ARGS__, NULL})
#define trigger_in(opts, ...) trigger_argv(opts, (const char *const[]){__VA_ARGS__, NULL})
/* For a trigger that prints its ground truth and then waits. It ends with its scope. */
struct trigger trigger_staying(const char *const *argv);
#define trigger_stay(...) trigger_staying((const char *const[]){__VA_ARGS__, NULL})
/* The same as user nobody, who has no access to servers of root. */
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
	bool plain;	   /* also listens for plaintext */
	bool daemonize;	   /* forks into the background */
	struct child_opts child;
};

struct server {
	pid_t pid;
	int tls_port, plain_port;
	const char *name; /* the name that the monitor should report, without the port */
	char dir[256], config[300], log[300], key[300];
};

struct server *server_start(const struct server_opts *opts);
/* Writes its directory and configuration without starting it. */
struct server *server_prepare(const struct server_opts *opts);
void server_ready(struct server *s);
/* Starts a server that was prepared, or one that was stopped again on its files, and waits until it is ready. */
void server_run(struct server *s);
/* The same, with a step in the child before exec. */
void server_run_with(struct server *s, void (*setup)(void));
void server_stop(struct server *s, int sig);
void server_save(const struct server *s); /* makes it write its RDB file */
void server_responds(const struct server *s);
const char *pid_of(const struct server *s);  /* as an argument */
pid_t server_thread(const struct server *s); /* a thread other than the main one */
const char *cert_path(void);
const char *key_path(void);
void key_copy(const char *to); /* a key of its own, so that no other server may open it */

struct client;
struct client *client_open(const struct server *s, const char *host, bool tls);
int client_port(const struct client *c); /* its local port */
/* Adds what crossed its socket so far, over TLS. */
void client_bytes(const struct client *c, uint64_t *sent, uint64_t *received);
/* Sends words separated by single spaces as a RESP array. The reply is valid until the next call. */
const char *client_do(struct client *c, const char *command);
/* The two halves of it for a long reply: send the request, then read and discard that many bytes. */
void client_ask(struct client *c, const char *command);
void client_skip(struct client *c, size_t bytes);
/* Waits until at least that many bytes can be read from the socket. */
void client_wait(struct client *c, int bytes);
void client_close(struct client *c);

/* ---- the monitor -------------------------------------------------------------------------------- */

struct monitor {
	pid_t pid;
	char out[300], err[300];
	json_t **lines;
	size_t count, mark;
	json_t **incidents; /* lines about incidents, which are not in lines */
	size_t incident_count, incident_mark;
	json_t *heartbeat; /* the last one */
	long heartbeats;
	long read;
	bool is_text; /* text output, not parsed */
};

/* With these arguments after `run --output json --events`; the last is NULL. */
struct monitor *monitor_start(const char *more, ...);
struct monitor *monitor_start_with(const struct child_opts *opts, const char *const *argv);
/* Waits until the monitor reports that it watches. */
void monitor_ready(struct monitor *m);
void monitor_poll(struct monitor *m);
/* The same, after the monitor has written all that the kernel reported so far. */
void monitor_sync(struct monitor *m);
/* Frees all monitors but the first ones. They ended with their scope. */
void monitors_forget(int keep);
int monitors_known(void);
/* Excludes all alerts so far from what the tests look at. */
void monitors_mark(void);
/* Exit status as from waitpid(). */
int monitor_stop(struct monitor *m, int sig);
/* The number before a word in the summary line, or -1. */
long monitor_summary(const struct monitor *m, const char *word);
/* A file in the directory where monitors of this run keep their control sockets and state. */
const char *run_path(const char *name);
/* The file of all JSON lines that monitors printed in this run. */
const char *lines_path(void);
bool monitor_said(const struct monitor *m, const char *text);
/* Whether that is the pid of another monitor than m. */
bool monitor_other(const struct monitor *m, pid_t pid);

struct want {
	const char *rule, *vector, *detail; /* detail NULL: any */
	const struct server *server;
	const struct trigger *by; /* pid, tid, uid, comm, exe, start time, and us as its parent */
	int err;
	const char *outcome;	      /* default: by err */
	const char *found_by;	      /* default: hook */
	const char *verdict;	      /* default: alert */
	pid_t target_pid, target_tid; /* default: the server's */
	long count;		      /* final count; 0: not checked */
	const char *result;	      /* what came of it, in words; NULL: any */
	long moved;    /* bytes of the instance that were read or written; 0: not checked */
	bool optional; /* may be missing */
	bool many;     /* may come more than once */
	bool young;    /* the instance does not listen yet, its port may be unknown */
	/* the wire */
	bool wire;
	const char *family, *opened, *direction, *command, *saw;
	int local_port, remote_port;
	bool has_offset;
	long offset;
	long bytes; /* final bytes; 0: not checked */
};

/*
 * Requires exactly these alerts since the mark: each within ALERT_MS (times patience) and with every field given, and
 * no other within SETTLE_MS after the last.
 */
void expect_alerts(struct monitor *m, const struct want *wants, size_t n);
#define expect(m, ...)                                                                             \
	expect_alerts(m, (const struct want[]){__VA_ARGS__},                                       \
		      sizeof((const struct want[]){__VA_ARGS__}) / sizeof(struct want))
void expect_nothing(struct monitor *m);
/* The alerts of a replica that connects to its master without TLS, one at each end. */
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

/* The count of the self-blind finding with that detail, so far. */
long blind_count(struct monitor *m, const char *note);
/* The same, after waiting until it is larger: it is counted once a second. */
long blind_count_wait(struct monitor *m, const char *note, long more_than);
/* Begins the finding that the monitor is late; not an alert of a test unless it asks. */
#define LAG "the monitor was up to "
#define UNSYNCED "bytes passed while a TLS stream was out of sync"

/* First alert of the test with that rule, or NULL. */
json_t *alert_find(struct monitor *m, const char *rule, pid_t actor);
/* The last line about the same finding. */
json_t *alert_last(struct monitor *m, json_t *first);
/* Sum of the final counts of all findings from that line on with that rule and that number under that key. */
long alerts_sum(struct monitor *m, size_t from, const char *rule, const char *key, long value);
/* The same of the test's findings about that instance. */
long alerts_total(struct monitor *m, const char *rule, const struct server *s);

/* The same, after waiting for wanted attempts (at most ALERT_MS times patience) and for those that are too many. */
long alerts_total_wait(struct monitor *m, const char *rule, const struct server *s, long wanted);
long findings_count(struct monitor *m); /* about servers of the tests, or about none */
long findings_all(struct monitor *m);	/* about all servers */

/* The connections that `cachewarden conns` lists, and the one with that remote port or NULL. */
json_t *conns_of(const struct monitor *m);
json_t *conn_in(json_t *all, int port);
json_t *conn_of(const struct monitor *m, int port);
const char *text_at(json_t *j, const char *object, const char *key); /* or "" */

long long number_at(json_t *j, const char *object, const char *key); /* or -1 */

/*
 * The first line of the test about an incident on that server, and the number of such lines.
 * activity: 1 opened, 2 updated, 3 closed.
 */
json_t *incident_find(struct monitor *m, const struct server *s, int activity, size_t *count);
/* Waits until there are that many. */
json_t *incident_wait(struct monitor *m, const struct server *s, int activity, size_t want);

const char *alert_uid(json_t *alert);
int alert_activity(json_t *alert); /* OCSF: 1 created, 2 updated, 3 closed */
/* The fields that tests compare, in one line, for failure reports. */
const char *alert_text(json_t *alert);
/* What is wrong with it as an OCSF 1.8.0 Detection Finding, or NULL. */
const char *alert_malformed(json_t *alert);
/* Prints what an attack was caught as, for tests/scripts/corpus.sh. */
void alert_caught(json_t *a);
/* A member by its path below unmapped.cachewarden, as "actor.comm"; "" or -1 if there is none. */
const char *alert_str(json_t *alert, const char *path);
long long alert_int(json_t *alert, const char *path);
bool alert_true(json_t *alert, const char *path);

#endif
