// SPDX-License-Identifier: BSD-2-Clause
/* witnessing.c - see witnessing.h. */
#include "monitor/witnessing.h"

#include "base/clock.h"
#include "monitor/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_NS (60 * NS_PER_SEC)
#define RETRY_NS (5 * NS_PER_SEC) /* after the first failure; twice that after the next */
#define RETRY_MAX_NS (300 * NS_PER_SEC)
#define HUNG_NS (90 * NS_PER_SEC) /* longer than it waits for the network */
#define WITNESS_TEXT_LEN 256	  /* longer than a value of a policy */
#define SAID_LEN 2048
#define FAILING_SAID 2 /* attempts in a row: a witness may be started again */

static const char unreached[] =
	"evidence log: the witness does not cosign it; cut off meanwhile, it may go unnoticed";
static const char refuses[] =
	"evidence log: the witness refuses it: it has seen another log of this name, or a longer one";

/* --- one attempt --- */

/* Returns the pid, or a negative errno. *ret_out is the end of its pipe to read. */
static pid_t spawn(char *const argv[], int *ret_out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int ends[2], err;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, ends[1], STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn(&pid, "/proc/self/exe", &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	close(ends[1]);
	if (err) {
		close(ends[0]);
		return -err;
	}
	*ret_out = ends[0];
	return pid;
}

static void note_failure(struct witnessing *w, uint64_t now)
{
	uint64_t wait = RETRY_NS << (w->failing < 6 ? w->failing : 6);

	w->failing++;
	w->next_ns = now + (wait < RETRY_MAX_NS ? wait : RETRY_MAX_NS);
}

static void begin(struct witnessing *w, const struct evidence *e, const char *witness, uint64_t now)
{
	const char *key = strchr(witness, ' ') + 1;
	char url[WITNESS_TEXT_LEN], key_text[WITNESS_TEXT_LEN];
	char *const argv[] = {"cachewarden", "evidence", "witness",	 "--url", url,
			      "--witness",   key_text,	 (char *)e->dir, NULL};
	pid_t pid;

	snprintf(url, sizeof(url), "%.*s", (int)(key - 1 - witness), witness);
	snprintf(key_text, sizeof(key_text), "%s", key);
	pid = spawn(argv, &w->out);
	if (pid > 0) {
		w->pid = pid;
		w->began_ns = now;
		return;
	}
	snprintf(w->error, sizeof(w->error), "cannot start a process: %s", strerror(-pid));
	w->failed++;
	note_failure(w, now);
}

/* "DIR: WITNESS cosigned N entries at TIME" */
static uint64_t cosigned_size(const char *said)
{
	static const char verb[] = " cosigned ";
	const char *last = NULL;

	for (const char *at = said; (at = strstr(at, verb)); at += sizeof(verb) - 1)
		last = at + sizeof(verb) - 1;
	return last ? strtoull(last, NULL, 10) : 0;
}

/* Why it failed, without who says so and of which log. */
static void take_error(struct witnessing *w, char *said, const char *dir)
{
	char *of = strstr(said, dir), *at = of ? of + strlen(dir) : said;

	at += strspn(at, ": ");
	at[strcspn(at, "\n")] = '\0';
	snprintf(w->error, sizeof(w->error), "%s", *at ? at : "it ended without a word");
}

static void take(struct witnessing *w, const char *dir, int status, uint64_t now)
{
	char said[SAID_LEN] = "";
	ssize_t n = read(w->out, said, sizeof(said) - 1);

	said[n > 0 ? n : 0] = '\0';
	close(w->out);
	w->pid = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		w->size = cosigned_size(said);
		w->time_ms = clock_epoch_ms(now);
		w->error[0] = '\0';
		w->failing = 0;
		w->next_ns = now + EVERY_NS;
		return;
	}
	take_error(w, said, dir);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		w->refused++;
	else
		w->failed++;
	note_failure(w, now);
}

/* --- for the main loop --- */

static bool is_due(const struct witnessing *w, const struct evidence *e, const char *witness,
		   uint64_t now)
{
	struct writer_status s;

	if (!witness || !e->writer || now < w->next_ns)
		return false;
	writer_status(e->writer, &s);
	return s.entries && s.entries != w->size;
}

/* Returns true while a process asks. */
static bool check(struct witnessing *w, const char *dir, uint64_t now)
{
	int status = -1; /* not known: it was reaped by others */
	pid_t ended;

	if (!w->pid)
		return false;
	if (now > w->began_ns + HUNG_NS)
		kill(w->pid, SIGKILL);
	ended = waitpid(w->pid, &status, WNOHANG);
	if (!ended)
		return true;
	take(w, dir, status, now);
	return false;
}

void witnessing_tick(struct witnessing *w, const struct evidence *e, const char *witness)
{
	uint64_t now = clock_boot_ns();

	if (!check(w, e->dir, now) && is_due(w, e, witness, now))
		begin(w, e, witness, now);
}

void witnessing_end(struct witnessing *w, const struct evidence *e, const char *witness)
{
	uint64_t until = clock_boot_ns() + WITNESSING_END_MS * NS_PER_MS;

	if (!witness || !e->dir[0] || e->error[0])
		return;
	while (check(w, e->dir, clock_boot_ns()) && clock_boot_ns() < until)
		usleep(10000);
	if (!w->pid && !w->failing)
		begin(w, e, witness, clock_boot_ns());
	while (check(w, e->dir, clock_boot_ns()) && clock_boot_ns() < until)
		usleep(10000);
	if (!w->pid)
		return;
	kill(w->pid, SIGKILL);
	waitpid(w->pid, NULL, 0);
	close(w->out);
	w->pid = 0;
}

void witnessing_blind_spots(const struct witnessing *w,
			    void (*fn)(void *ctx, const char *note, uint64_t n), void *ctx)
{
	fn(ctx, refuses, w->refused);
	if (w->failing >= FAILING_SAID && w->failed)
		fn(ctx, unreached, w->failed);
}
