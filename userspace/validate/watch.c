// SPDX-License-Identifier: BSD-2-Clause
/* watch.c - see watch.h. */
#include "validate/watch.h"

#include "attest/account.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "model/rule.h"
#include "model/tls_suite.h"
#include "validate/check.h"
#include "validate/look.h"
#include "validate/watcher.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNCOUNTED_MS 1000 /* numbers are written a moment after what they count */
#define COMMAND_END_NS (5 * NS_PER_SEC)
#define TICK_NS (100 * NS_PER_MS) /* how soon the end of a command is seen */

/* --- how long --- */

static volatile sig_atomic_t stopped;
static const int ending[] = {SIGINT, SIGTERM, SIGHUP};

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
	setpgid(0, 0);			    /* ended as a whole */
	dup2(STDERR_FILENO, STDOUT_FILENO); /* the report is on standard output */
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		signal(ending[i], SIG_DFL);
	unsetenv(PASSWORD_VARIABLE);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* With all that it started, which gets some time to end. */
static void end_command(pid_t pid)
{
	uint64_t until = clock_boot_ns() + COMMAND_END_NS;

	kill(-pid, SIGTERM);
	while (!waitpid(pid, NULL, WNOHANG) && clock_boot_ns() < until)
		usleep(10000);
	kill(-pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Reads the monitor's lines, or it would wait for room in the pipe. Returns why nothing can be judged, NULL if all is well. */
static const char *watch_until(struct watcher *w, uint64_t until_ns, pid_t command)
{
	bool ended = false, runs = true;
	int status = 0;

	if (command < 0)
		return "the command of --while cannot be started";
	while (!stopped && !ended && runs && clock_boot_ns() < until_ns) {
		json_decref(watcher_next(w, clock_boot_ns() + TICK_NS, &ended));
		runs = !command || !waitpid(command, &status, WNOHANG);
	}
	if (command > 0 && runs)
		end_command(command);
	if (ended)
		return "the monitor ended meanwhile";
	if (command > 0 && runs)
		return "the command of --while did not end in time";
	return status ? "the command of --while failed" : NULL;
}

static void take_signals(struct sigaction before[ARRAY_SIZE(ending)])
{
	struct sigaction sa = {.sa_handler = stop};

	stopped = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &sa, &before[i]);
}

static void give_signals_back(const struct sigaction before[ARRAY_SIZE(ending)])
{
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &before[i], NULL);
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
	if (number(coverage, "clock_set_back_ms"))
		doubt(w, "the clock was set back");
	if (number(coverage, "watched_ms") - number(json_object_get(predicate, "counted"), "ms") >=
	    UNCOUNTED_MS)
		doubt(w, "the log has no numbers for a part of the time");
	if (!json_array_size(json_object_get(predicate, "sensors")))
		doubt(w, "no sensor was attached");
	json_array_foreach (json_object_get(predicate, "sensors"), i, row) {
		if (number(row, "attached") <= 0 ||
		    number(row, "attached") < number(row, "programs"))
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

/* text: "TLSv1.3 TLS_AES_256_GCM_SHA384" */
static void add_session(struct facts_watch *w, const char *text, uint64_t count)
{
	struct facts_session *s = &w->session[w->sessions];
	char version[16] = "", suite[64] = "";
	const struct tls_suite *known;

	w->handshakes += count;
	if (w->sessions == FACTS_SESSIONS) {
		w->sessions_cut = true;
		return;
	}
	sscanf(text, "%15s %63s", version, suite);
	snprintf(s->text, sizeof(s->text), "%s", text);
	known = tls_suite_by_name(suite);
	s->version = tls_version_by_name(version);
	s->suite = known ? known->number : 0;
	s->count = count;
	w->sessions++;
}

/* Alerts, and what would have been one had it not been prevented. */
static void add_accesses(struct facts_watch *w, json_t *accesses)
{
	const char *rule;
	json_t *by;

	json_object_foreach (accesses, rule, by) {
		unsigned int i = rule_find(rule);

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

/* Has the process behind that pidfd ended? Without one nobody knows. */
static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return pidfd < 0 || poll(&p, 1, 0) != 0;
}

void watch(struct facts *f, uint32_t seconds, const char *command)
{
	struct facts_watch *fw = &f->watch;
	struct sigaction before[ARRAY_SIZE(ending)];
	int server = (int)syscall(SYS_pidfd_open, f->pid, 0);
	struct watcher w;
	const char *why;
	uint64_t from;

	fw->asked = true;
	take_signals(before);
	if (watcher_start(&w, f->pid, fw->why, sizeof(fw->why))) {
		from = clock_boot_ns();
		announce(f, seconds, command);
		why = watch_until(&w, from + seconds * NS_PER_SEC, start_command(command));
		if (has_ended(server))
			doubt(fw, "the server ended meanwhile");
		if (why)
			snprintf(fw->why, sizeof(fw->why), "%s", why);
		else if (watcher_end(&w, fw->why, sizeof(fw->why)))
			read_statement(f, w.evidence, clock_epoch_ms(from));
	}
	watcher_free(&w);
	if (server >= 0)
		close(server);
	give_signals_back(before);
}
