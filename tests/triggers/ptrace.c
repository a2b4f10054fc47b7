/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ptrace: does the requests named, in that order, and prints each one with its result.
 *
 *     ptrace PID|TID REQUEST...          attach seize interrupt peekdata pokedata getregs cont ...
 * detach
 *
 * Attaches first where the list does not, stops the victim where a request needs it stopped, and
 * detaches at the end: whatever it did on its own account is printed as well. Words are poked back
 * as peeked.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "trigger.h"

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

static pid_t victim;
static int attached, seized, stopped, said;
static char list[4096];
static struct user_regs_struct regs;
static long word;

static long request_do(const char *named)
{
	const struct request *r = requests;
	struct iovec iov = {&regs, sizeof(regs)};
	void *addr = NULL, *data = NULL;
	int status;
	long result;

	while (strcmp(r->word, named))
		if (++r == requests + sizeof(requests) / sizeof(requests[0]))
			trigger_die("unknown request %s", named);
	if (r->nr == PTRACE_GETREGS || r->nr == PTRACE_SETREGS)
		data = &regs;
	if (r->nr == PTRACE_GETREGSET)
		addr = (void *)1 /* NT_PRSTATUS */, data = &iov;
	if (r->nr >= PTRACE_PEEKTEXT && r->nr <= PTRACE_POKEDATA && r->nr != PTRACE_PEEKUSER)
		addr = trigger_address(victim, STAT_START_STACK);
	if (r->nr >= PTRACE_POKETEXT && r->nr <= PTRACE_POKEUSER)
		data = (void *)word;
	errno = 0;
	result = ptrace(r->nr, victim, addr, data);
	said += snprintf(list + said, sizeof(list) - said,
			 "%s{\"request\":\"%s\",\"failed\":%s,\"errno\":%d}", said ? "," : "",
			 r->name, errno ? "true" : "false", errno);
	if (errno)
		return -1;
	if (r->nr >= PTRACE_PEEKTEXT && r->nr <= PTRACE_PEEKUSER)
		word = result;
	attached |= r->nr == PTRACE_ATTACH || r->nr == PTRACE_SEIZE;
	seized |= r->nr == PTRACE_SEIZE;
	attached &= r->nr != PTRACE_DETACH;
	stopped &= r->nr != PTRACE_CONT;
	if (r->nr == PTRACE_ATTACH || r->nr == PTRACE_INTERRUPT || r->nr == PTRACE_SINGLESTEP ||
	    r->nr == PTRACE_SYSCALL)
		stopped = waitpid(victim, &status, __WALL) == victim;
	return 0;
}

static void stop(void)
{
	int status;

	if (seized) {
		request_do("interrupt");
	} else {
		syscall(SYS_tkill, victim, SIGSTOP);
		stopped = waitpid(victim, &status, __WALL) == victim;
	}
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	victim = atoi(argv[1]);
	for (int i = 2; i < argc; i++) {
		int starts = !strcmp(argv[i], "attach") || !strcmp(argv[i], "seize");

		if (!starts && !attached && request_do("attach"))
			break;
		if (!starts && !stopped && strcmp(argv[i], "interrupt"))
			stop();
		request_do(argv[i]);
	}
	if (attached && !stopped)
		stop();
	if (attached)
		request_do("detach");
	trigger_report("\"tid\":%d,\"requests\":[%s]", getpid(), list);
	return 0;
}
