// SPDX-License-Identifier: BSD-2-Clause
/* watch.c - see watch.h. */
#include "validate/watch.h"

#include "attest/account.h"
#include "base/clock.h"
#include "base/log.h"
#include "model/rule.h"
#include "model/tls_suite.h"
#include "validate/check.h"
#include "validate/look.h"
#include "validate/watcher.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_NS (100 * NS_PER_MS) /* how soon the end of a command is seen */

/* --- how long --- */

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = 1;
}

/* Returns its pid, 0 if there is none to run, -1 and errno. */
static pid_t start_command(const char *command)
{
	pid_t pid = command ? fork() : 0;

	if (!command || pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* the report is on standard output */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	unsetenv(PASSWORD_VARIABLE);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* Reads the monitor's lines, or it would wait for room in the pipe. Returns why nothing can be judged, NULL if all is well. */
static const char *watch_until(struct watcher *w, uint64_t until_ns, pid_t command)
{
	bool ended = false, runs = true;
	int status = 0;

	while (!stopped && !ended && runs && clock_boot_ns() < until_ns) {
		json_decref(watcher_next(w, clock_boot_ns() + TICK_NS, &ended));
		runs = command <= 0 || !waitpid(command, &status, WNOHANG);
	}
	if (command > 0 && runs) {
		kill(command, SIGTERM);
		waitpid(command, NULL, 0);
	}
	if (ended)
		return "the monitor ended meanwhile";
	if (command > 0 && runs)
		return "the command of --while did not end in time";
	return command < 0 || status ? "the command of --while failed" : NULL;
}

static void take_signals(struct sigaction before[2])
{
	struct sigaction sa = {.sa_handler = stop};

	stopped = 0;
	sigaction(SIGINT, &sa, &before[0]);
	sigaction(SIGTERM, &sa, &before[1]);
}

static void give_signals_back(const struct sigaction before[2])
{
	sigaction(SIGINT, &before[0], NULL);
	sigaction(SIGTERM, &before[1], NULL);
}

/* --- what the statement says --- */

__attribute__((format(printf, 2, 3))) static void doubt(struct facts_watch *w, const char *fmt, ...)
{
	char text[FACTS_WHY];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	check_list(w->doubts, sizeof(w->doubts), "%s", text);
}

static int64_t number(json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Numbers that must be zero: what was lost, and what crossed the wire unread. */
static void doubt_numbers(struct facts_watch *w, json_t *counts, const char *group)
{
	const char *key;
	json_t *value;

	json_object_foreach (json_object_get(counts, group), key, value) {
		/* a stream that was resynced was lost before, which is counted, too */
		if (json_integer_value(value) && strcmp(key, "streams_resynced"))
			doubt(w, "%s %s: %lld", group, key, (long long)json_integer_value(value));
	}
}

static void doubt_coverage(struct facts_watch *w, json_t *predicate)
{
	json_t *coverage = json_object_get(predicate, "coverage");
	json_t *counts = json_object_get(predicate, "counts"), *row;
	size_t i;

	json_array_foreach (json_object_get(coverage, "gaps"), i, row) {
		const char *reason = json_string_value(json_object_get(row, "reason")) ?: "?";

		/* its end, for which it was asked */
		if (strcmp(reason, "monitor-stopped"))
			doubt(w, "%lld ms unwatched (%s)", (long long)number(row, "ms"), reason);
	}
	if (number(coverage, "gaps_left_out"))
		doubt(w, "more gaps than are listed");
	json_array_foreach (json_object_get(predicate, "sensors"), i, row) {
		if (number(row, "attached") < number(row, "programs"))
			doubt(w, "sensor %s: %lld of %lld programs",
			      json_string_value(json_object_get(row, "sensor")) ?: "?",
			      (long long)number(row, "attached"),
			      (long long)number(row, "programs"));
	}
	json_array_foreach (json_object_get(predicate, "unseen"), i, row)
		doubt(w, "unseen: %s", json_string_value(row) ?: "?");
	doubt_numbers(w, counts, "lost");
	doubt_numbers(w, counts, "wire");
	doubt_numbers(w, counts, "blind");
	if (number(json_object_get(counts, "sweeps"), "failed"))
		doubt(w, "sweeps failed: %lld",
		      (long long)number(json_object_get(counts, "sweeps"), "failed"));
	if (number(predicate, "log_lost"))
		doubt(w, "records lost: %lld", (long long)number(predicate, "log_lost"));
	if (number(predicate, "tallies_missed"))
		doubt(w, "numbers of some servers are missing");
}

/* Number of what has such a name, which is what a log has; 0 if nothing has. */
static uint16_t version_of(const char *name)
{
	for (uint16_t v = 0x0300; v <= 0x0304; v++) {
		if (tls_version_name(v) && !strcmp(tls_version_name(v), name))
			return v;
	}
	return 0;
}

static uint16_t suite_of(const char *name)
{
	for (uint32_t n = 1; n <= UINT16_MAX; n++) {
		const struct tls_suite *s = tls_suite_find((uint16_t)n);

		if (s && !strcmp(s->name, name))
			return (uint16_t)n;
	}
	return 0;
}

/* text: "TLSv1.3 TLS_AES_256_GCM_SHA384" */
static void add_session(struct facts_watch *w, const char *text, uint64_t count)
{
	struct facts_session *s = &w->session[w->sessions];
	char version[16] = "", suite[64] = "";

	w->handshakes += count;
	if (w->sessions == FACTS_SESSIONS) {
		w->sessions_cut = true;
		return;
	}
	sscanf(text, "%15s %63s", version, suite);
	snprintf(s->text, sizeof(s->text), "%s", text);
	s->version = version_of(version);
	s->suite = suite_of(suite);
	s->count = count;
	w->sessions++;
}

static unsigned int rule_of(const char *name)
{
	for (unsigned int i = RULE_NONE + 1; i < RULE_MAX; i++) {
		if (!strcmp(rule_name(i), name))
			return i;
	}
	return RULE_NONE;
}

/* Alerts, and what would have been one had it not been prevented. */
static void add_accesses(struct facts_watch *w, json_t *accesses)
{
	const char *rule;
	json_t *by;

	json_object_foreach (accesses, rule, by) {
		unsigned int i = rule_of(rule);

		if (i != RULE_NONE)
			w->alerts[i] += (uint64_t)(number(by, "alert") + number(by, "prevented"));
	}
}

static void add_server(struct facts_watch *w, json_t *row)
{
	json_t *counts = json_object_get(row, "counts"), *value;
	const char *kind;

	w->watched_ms += number(row, "watched_ms");
	w->plaintext_bytes += (uint64_t)number(counts, "plaintext_bytes");
	json_object_foreach (json_object_get(counts, "handshakes"), kind, value)
		add_session(w, kind, (uint64_t)json_integer_value(value));
	add_accesses(w, json_object_get(counts, "accesses"));
}

void watch_read(struct facts_watch *w, json_t *predicate, const char *name)
{
	bool there = false;
	json_t *row;
	size_t i;

	json_array_foreach (json_object_get(predicate, "servers"), i, row) {
		const char *its = json_string_value(json_object_get(row, "name"));

		if (its && !strcmp(its, name)) {
			add_server(w, row);
			there = true;
		}
	}
	/* what was done to the whole machine is done to the server, too */
	add_accesses(w, json_object_get(json_object_get(predicate, "counts"), "accesses"));
	doubt_coverage(w, predicate);
	if (!there)
		snprintf(w->why, sizeof(w->why), "the monitor did not watch a server of this name");
}

/* From that time, in epoch milliseconds, to the end of the log: its last numbers are written when the monitor ends. */
static void read_statement(struct facts *f, const char *dir, int64_t from_ms)
{
	struct account a = {.from = from_ms, .to = LEDGER_OPEN};
	int err = account_make(&a, dir);
	json_t *statement = err ? NULL : account_statement(&a);

	if (statement)
		watch_read(&f->watch, json_object_get(statement, "predicate"), f->name);
	else
		snprintf(f->watch.why, sizeof(f->watch.why),
			 "the monitor's log is of no use: %.200s",
			 a.reader.error[0] ? a.reader.error : strerror(err ? -err : ENOMEM));
	json_decref(statement);
	account_free(&a);
}

/* Until when, for whoever waits for it to begin. */
static void announce(const struct facts *f, uint32_t seconds, const char *command)
{
	if (command)
		log_info("validate: watching %s while the command runs, for %u s at most", f->name,
			 seconds);
	else
		log_info("validate: watching %s for %u s, or until Ctrl-C or SIGTERM", f->name,
			 seconds);
}

void watch(struct facts *f, uint32_t seconds, const char *command)
{
	struct facts_watch *fw = &f->watch;
	struct sigaction before[2];
	struct watcher w;
	const char *why;
	uint64_t from;

	fw->asked = true;
	take_signals(before);
	if (watcher_start(&w, f->pid, fw->why, sizeof(fw->why))) {
		from = clock_boot_ns();
		announce(f, seconds, command);
		why = watch_until(&w, from + seconds * NS_PER_SEC, start_command(command));
		if (why)
			snprintf(fw->why, sizeof(fw->why), "%s", why);
		else if (watcher_end(&w, fw->why, sizeof(fw->why)))
			read_statement(f, w.evidence, clock_epoch_ms(from));
	}
	watcher_free(&w);
	give_signals_back(before);
}
