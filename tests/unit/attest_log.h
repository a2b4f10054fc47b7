/* SPDX-License-Identifier: BSD-2-Clause */
/* attest_log.h - evidence logs that say something: entries with times that are passed in. */
#ifndef CACHEWARDEN_TEST_ATTEST_LOG_H
#define CACHEWARDEN_TEST_ATTEST_LOG_H

#include "evidence_log.h"

#include "attest/account.h"
#include "attest/periodic.h"

#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#define SECOND 1000ll
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY0 1793318400000ll /* 2026-10-30 00:00 UTC */
#define AT(h, m, s) (DAY0 + (h)*HOUR + (m)*MINUTE + (s)*SECOND)

/* A log that is being written, with its own statements. */
struct book {
	struct store *store;
	struct periodic *periodic;
	const struct writer_statements *hooks;
	int64_t now;
	bool drop; /* the next statement is lost */
	bool kill; /* the writer is killed behind the next part of a statement */
};

static int book_append(void *ctx, const char *entry, size_t len)
{
	struct book *b = ctx;
	uint64_t index = store_next(b->store);
	int err = store_append(b->store, entry, len);

	if (!err)
		b->hooks->entry(b->hooks->ctx, index, entry, len);
	return err;
}

static inline void book_open(struct book *b)
{
	struct recovery found;

	*b = (struct book){.store = log_open(&found), .periodic = periodic_new()};
	assert_non_null(b->periodic);
	b->hooks = periodic_hooks(b->periodic);
	b->hooks->open(b->hooks->ctx, store_dir(b->store), store_next(b->store));
}

static inline void book_close(struct book *b)
{
	assert_int_equal(store_commit(b->store), 0);
	store_close(b->store);
	periodic_free(b->periodic);
}

__attribute__((format(printf, 4, 5))) static inline void say(struct book *b, const char *kind,
							     int64_t time, const char *record, ...)
{
	char *text;
	va_list args;

	va_start(args, record);
	assert_true(vasprintf(&text, record, args) > 0);
	va_end(args);
	b->now = time;
	if (entry_make(kind, time, text, strlen(text), book_append, b))
		fail_msg("no entry: %s %s", kind, text);
	free(text);
}

static int book_statement(void *ctx, const char *record)
{
	struct book *b = ctx;

	if (b->drop)
		return 0;
	b->drop = b->kill;
	return entry_make("statement", b->now, record, strlen(record), book_append, b);
}

/* As the writer does it. */
static inline void book_state(struct book *b)
{
	assert_int_equal(store_commit(b->store), 0);
	assert_int_equal(b->hooks->make(b->hooks->ctx, b->store, book_statement, b), 0);
	assert_int_equal(store_commit(b->store), 0);
}

/* A monitor starts, finds a server, and watches from that time on. from: what it says it took over from; empty: nothing. */
static inline void monitor_starts_from(struct book *b, int64_t time, const char *from)
{
	say(b, "start", time - 600,
	    "{\"version\":\"1\",\"sha256\":\"%064d\",\"host\":\"h\",%s\"boot_id\":\"b\"}", 7, from);
	say(b, "policy", time - 500,
	    "{\"change\":\"loaded\",\"files\":[{\"path\":\"/p\",\"sha256\":\"%064d\"}]}", 9);
	say(b, "instance", time - 400,
	    "{\"change\":\"found\",\"name\":\"redis-server:6379\",\"uid\":\"redis-server:6379@host/b\","
	    "\"id\":1,\"pid\":100,\"exe\":\"/usr/bin/redis-server\",\"sha256\":\"%064d\"}",
	    5);
	say(b, "sensors", time,
	    "{\"programs\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"name\":\"a\",\"attached\":true},"
	    "{\"sensor\":\"wire\",\"tier\":\"packets\",\"name\":\"b\",\"attached\":true}]}");
}

static inline void monitor_starts(struct book *b, int64_t time)
{
	monitor_starts_from(b, time, "");
}

/* Another monitor took over at that time; this one ended later. */
static inline void monitor_hands_over(struct book *b, int64_t at, int64_t time)
{
	say(b, "handover", time, "{\"to_pid\":7,\"at\":%lld,\"exe\":\"/m\"}", (long long)at);
	say(b, "totals", time + 1, "{\"events\":0,\"incidents\":0,\"lost\":0}");
	say(b, "stop", time + 3, "{}");
}

static inline void monitor_lives(struct book *b, int64_t from, int64_t to)
{
	for (int64_t t = from + MINUTE; t <= to; t += MINUTE)
		say(b, "alive", t, "{}");
}

static inline void monitor_tallies(struct book *b, int64_t from, int64_t to, const char *counts)
{
	say(b, "tally", to,
	    "{\"from\":%lld,\"to\":%lld,\"id\":1,\"pid\":100,\"name\":\"redis-server:6379\","
	    "\"uid\":\"redis-server:6379@host/b\",\"alive\":true,\"counts\":%s}",
	    (long long)from, (long long)to, counts);
	say(b, "tally", to,
	    "{\"from\":%lld,\"to\":%lld,\"every_s\":900,\"host\":\"h\",\"sha256\":\"%064d\","
	    "\"files\":[{\"path\":\"/p\",\"sha256\":\"%064d\"}],\"sensors_lost\":false,"
	    "\"sensors\":[{\"sensor\":\"memory\",\"tier\":\"access\",\"programs\":1,\"attached\":1},"
	    "{\"sensor\":\"wire\",\"tier\":\"packets\",\"programs\":1,\"attached\":1}],\"unseen\":[],"
	    "\"counts\":{\"accesses\":{},\"lost\":{\"attempts\":0},"
	    "\"sweeps\":{\"count\":180,\"failed\":0,\"longest_gap_ms\":5100}}}",
	    (long long)from, (long long)to, 7, 9);
}

static inline void monitor_stops(struct book *b, int64_t time)
{
	say(b, "totals", time, "{\"events\":0,\"incidents\":0,\"lost\":0}");
	say(b, "stop", time + 3, "{}");
}

/* 200 more servers: their statement needs several parts. */
static inline void many_servers(struct book *b)
{
	for (int i = 2; i < 202; i++)
		say(b, "instance", AT(10, 0, 1),
		    "{\"change\":\"found\",\"name\":\"redis-server:%d\",\"uid\":\"redis-server:%d@host/b\","
		    "\"id\":%d,\"pid\":%d,\"exe\":\"/usr/bin/redis-server\",\"sha256\":\"%064d\"}",
		    i, i, i, i, i);
}

static inline void account_of(struct account *a, int64_t from, int64_t to, const char *instance)
{
	*a = (struct account){.from = from, .to = to, .instance = instance};
	if (account_make(a, log_dir))
		fail_msg("no account: %s", a->reader.error);
}

static inline int64_t number(json_t *v, const char *a, const char *b)
{
	v = json_object_get(v, a);
	v = b ? json_object_get(v, b) : v;
	if (!json_is_integer(v))
		fail_msg("no number %s.%s", a, b ?: "");
	return json_integer_value(v);
}

/* Run a command in the scratch directory. Returns its exit code; what it printed is in scratch/out. */
__attribute__((format(printf, 1, 2))) static inline int shell(const char *fmt, ...)
{
	char *command, *whole;
	va_list args;
	int status;

	va_start(args, fmt);
	assert_true(vasprintf(&command, fmt, args) > 0);
	va_end(args);
	assert_true(asprintf(&whole, "cd %s && { %s\n} >out 2>&1", scratch, command) > 0);
	status = system(whole); /* NOLINT(cert-env33-c): a test's own commands */
	free(whole);
	free(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline char *scratch_read(const char *name)
{
	char path[160], *text = NULL;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	assert_int_equal(disk_read(AT_FDCWD, path, 64 << 20, &text, &len), 0);
	return text;
}

/* Run a command of the program with its output in a file of the scratch directory. Returns its exit code. */
static inline int command(int (*verb)(int, char **), const char *out, const char *errors, ...)
{
	char *argv[16] = {(char *)"evidence"};
	char path[2][160];
	int argc = 1, status;
	va_list args;
	pid_t pid;

	va_start(args, errors);
	while ((argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	snprintf(path[0], sizeof(path[0]), "%s/%s", scratch, out);
	snprintf(path[1], sizeof(path[1]), "%s/%s", scratch, errors);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (!freopen(path[0], "w", stdout) || !freopen(path[1], "w", stderr))
			_exit(99);
		status = verb(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
