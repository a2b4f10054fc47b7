// SPDX-License-Identifier: BSD-2-Clause
/* witnessing.c - see witnessing.h. */
#include "monitor/witnessing.h"

#include "base/clock.h"
#include "evidence/witness_client.h"
#include "monitor/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVERY_NS (60 * NS_PER_SEC)
#define RETRY_NS (5 * NS_PER_SEC) /* after the first failure; twice that after the next */
#define RETRY_MAX_NS (300 * NS_PER_SEC)
#define HUNG_NS (90 * NS_PER_SEC) /* longer than it waits for the network */
#define WITNESS_TEXT_LEN 256	  /* longer than a value of a policy */
#define REFUSED 1		  /* exit status */
#define DAMAGED 2
#define OUT_FD 3
#define FAILING_SAID 2 /* attempts in a row: a witness may be started again */

static const char unreached[] =
	"evidence log: the witness does not cosign it; cut off meanwhile, it may go unnoticed";
static const char damaged[] =
	"evidence log: it is damaged and cannot be cosigned: see 'cachewarden evidence verify'";
static const char refuses[] =
	"evidence log: the witness refuses it: it has seen another log of this name, or a longer one";

/* --- one attempt --- */

/* Without what the monitor holds: its BPF objects, the lock of the log, the reader's pipe. *out becomes another descriptor. */
static void leave_monitor(int *out)
{
	pid_t monitor = getppid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != monitor)
		_exit(3);
	for (int i = 0; i < OUT_FD; i++)
		dup2(null, i);
	dup2(*out, OUT_FD);
	close_range(OUT_FD + 1, ~0u, 0);
	*out = OUT_FD;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0);
	alarm(HUNG_NS / NS_PER_SEC);
}

/* In the process that asks: says how many entries were cosigned, or why none were. */
__attribute__((noreturn)) static void ask(const char *url, const char *key_text, const char *dir,
					  int out)
{
	char error[WITNESS_CLIENT_ERROR_LEN] = "its key is that of no witness: NAME+ID+BASE64";
	struct witnessed cosigned = {};
	struct note_key key;
	int err;

	leave_monitor(&out);
	err = note_vkey_parse_as(&key, NOTE_COSIGNATURE, key_text, strlen(key_text));
	err = err ?: witness_submit(dir, url, &key, &cosigned, error);
	if (err)
		dprintf(out, "%s", error);
	else
		dprintf(out, "%" PRIu64, cosigned.size);
	_exit(!err ? 0 : err != -EBADMSG ? 3 : cosigned.damaged ? DAMAGED : REFUSED);
}

static void note_failure(struct witnessing *w, uint64_t now)
{
	uint64_t wait = RETRY_NS << (w->failing < 6 ? w->failing : 6);

	w->failing++;
	w->next_ns = now + (wait < RETRY_MAX_NS ? wait : RETRY_MAX_NS);
}

/* A fork that executes nothing: a program that this process starts would be one that somebody put into it. */
static void begin(struct witnessing *w, const struct evidence *e, const char *witness, uint64_t now)
{
	const char *key = strchr(witness, ' ') + 1;
	char url[WITNESS_TEXT_LEN];
	int ends[2], err = pipe2(ends, O_CLOEXEC | O_NONBLOCK) ? errno : 0;

	snprintf(url, sizeof(url), "%.*s", (int)(key - 1 - witness), witness);
	w->pid = err ? -1 : fork();
	if (!w->pid)
		ask(url, key, e->dir, ends[1]);
	if (w->pid > 0) {
		close(ends[1]);
		w->out = ends[0];
		w->began_ns = now;
		return;
	}
	snprintf(w->error, sizeof(w->error), "cannot start a process: %s", strerror(err ?: errno));
	if (!err) {
		close(ends[0]);
		close(ends[1]);
	}
	w->pid = 0;
	w->failed++;
	note_failure(w, now);
}

static void take(struct witnessing *w, int status, uint64_t now)
{
	char said[WITNESSING_ERROR_LEN] = "";
	ssize_t n = read(w->out, said, sizeof(said) - 1);

	said[n > 0 ? n : 0] = '\0';
	close(w->out);
	w->pid = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		w->size = strtoull(said, NULL, 10);
		w->time_ms = clock_epoch_ms(now);
		w->error[0] = '\0';
		w->failing = 0;
		w->next_ns = now + EVERY_NS;
		return;
	}
	snprintf(w->error, sizeof(w->error), "%s", said[0] ? said : "it ended without a word");
	if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
		w->refused++;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == DAMAGED)
		w->damaged++;
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
static bool check(struct witnessing *w, uint64_t now)
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
	take(w, status, now);
	return false;
}

void witnessing_tick(struct witnessing *w, const struct evidence *e, const char *witness)
{
	uint64_t now = clock_boot_ns();

	if (!check(w, now) && is_due(w, e, witness, now))
		begin(w, e, witness, now);
}

void witnessing_end(struct witnessing *w, const struct evidence *e, const char *witness)
{
	uint64_t until = clock_boot_ns() + WITNESSING_END_MS * NS_PER_MS;

	if (!witness || !e->dir[0] || e->error[0])
		return;
	while (check(w, clock_boot_ns()) && clock_boot_ns() < until)
		usleep(10000);
	if (!w->pid && !w->failing)
		begin(w, e, witness, clock_boot_ns());
	while (check(w, clock_boot_ns()) && clock_boot_ns() < until)
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
	fn(ctx, damaged, w->damaged);
	if (w->failing >= FAILING_SAID && w->failed)
		fn(ctx, unreached, w->failed);
}
