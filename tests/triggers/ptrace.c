/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace: makes ptrace requests on the target in the given order. It attaches first unless the list begins
 * with attach or seize, stops the target where a request needs it stopped, and detaches at the end. Words
 * are poked back as they were peeked.
 *
 * Ground truth: "requests", every request made, its own included, each with "request", "failed" and
 * "errno".
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "trigger.h"

#define NT_PRSTATUS_REGSET ((void *)1)

#define REQUEST(word, name)                                                                        \
	{                                                                                          \
		word, #name, name                                                                  \
	}
static const struct request {
	const char *word, *name;
	int nr;
} requests[] = {
	REQUEST("attach", PTRACE_ATTACH),
	REQUEST("seize", PTRACE_SEIZE),
	REQUEST("detach", PTRACE_DETACH),
	REQUEST("interrupt", PTRACE_INTERRUPT),
	REQUEST("peektext", PTRACE_PEEKTEXT),
	REQUEST("peekdata", PTRACE_PEEKDATA),
	{"peekuser", "PTRACE_PEEKUSR", PTRACE_PEEKUSER},
	REQUEST("poketext", PTRACE_POKETEXT),
	REQUEST("pokedata", PTRACE_POKEDATA),
	{"pokeuser", "PTRACE_POKEUSR", PTRACE_POKEUSER},
	REQUEST("getregs", PTRACE_GETREGS),
	REQUEST("setregs", PTRACE_SETREGS),
	REQUEST("getregset", PTRACE_GETREGSET),
	REQUEST("setoptions", PTRACE_SETOPTIONS),
	REQUEST("cont", PTRACE_CONT),
	REQUEST("syscall", PTRACE_SYSCALL),
	REQUEST("singlestep", PTRACE_SINGLESTEP),
};

static pid_t target;
static int attached, seized, stopped;
static char report[4096]; /* JSON, requests separated by commas */
static int report_len;
static struct user_regs_struct regs;
static long word; /* the last one peeked */

static const struct request *find(const char *name)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (!strcmp(requests[i].word, name))
			return &requests[i];
	trigger_die("unknown request %s", name);
}

/* Sets the result of a peek as the word to poke. Returns 0 or an errno. */
static int call(int nr)
{
	struct iovec iov = {&regs, sizeof(regs)};
	void *addr = NULL, *data = NULL;
	long result;

	if (nr == PTRACE_GETREGS || nr == PTRACE_SETREGS)
		data = &regs;
	if (nr == PTRACE_GETREGSET)
		addr = NT_PRSTATUS_REGSET, data = &iov;
	if (nr >= PTRACE_PEEKTEXT && nr <= PTRACE_POKEDATA && nr != PTRACE_PEEKUSER)
		addr = trigger_address(target, STAT_START_STACK);
	if (nr >= PTRACE_POKETEXT && nr <= PTRACE_POKEUSER)
		data = (void *)word;
	errno = 0;
	result = ptrace(nr, target, addr, data);
	if (!errno && nr >= PTRACE_PEEKTEXT && nr <= PTRACE_PEEKUSER)
		word = result;
	return errno;
}

/* Returns 0, or -1 if the request failed. */
static int perform(const char *name)
{
	const struct request *r = find(name);
	int status, err = call(r->nr);

	report_len += snprintf(report + report_len, sizeof(report) - report_len,
			       "%s{\"request\":\"%s\",\"failed\":%s,\"errno\":%d}",
			       report_len ? "," : "", r->name, trigger_bool(err), err);
	if (err)
		return -1;
	attached |= r->nr == PTRACE_ATTACH || r->nr == PTRACE_SEIZE;
	seized |= r->nr == PTRACE_SEIZE;
	attached &= r->nr != PTRACE_DETACH;
	stopped &= r->nr != PTRACE_CONT;
	if (r->nr == PTRACE_ATTACH || r->nr == PTRACE_INTERRUPT || r->nr == PTRACE_SINGLESTEP ||
	    r->nr == PTRACE_SYSCALL)
		stopped = waitpid(target, &status, __WALL) == target;
	return 0;
}

static void stop(void)
{
	int status;

	if (seized) {
		perform("interrupt");
	} else {
		syscall(SYS_tkill, target, SIGSTOP);
		stopped = waitpid(target, &status, __WALL) == target;
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		trigger_usage(
			"PID|TID attach|seize|interrupt|peekdata|pokedata|getregs|cont|detach...");
	target = atoi(argv[1]);
	for (int i = 2; i < argc; i++) {
		int starts = !strcmp(argv[i], "attach") || !strcmp(argv[i], "seize");

		if (!starts && !attached && perform("attach"))
			break;
		if (!starts && !stopped && strcmp(argv[i], "interrupt"))
			stop();
		perform(argv[i]);
	}
	if (attached && !stopped)
		stop();
	if (attached)
		perform("detach");
	trigger_report("\"requests\":[%s]", report);
	return 0;
}
