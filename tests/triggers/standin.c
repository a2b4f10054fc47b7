/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standin: a server that does to its own memory what no Redis can be made to do. Run from a copy named
 * redis-server, it is monitored as one. It listens, reports, and acts on SIGUSR1; with `early` it acts
 * before it listens.
 *
 *     wx          anonymous memory, written, then made executable
 *     rwx         anonymous memory mapped writable and executable
 *     file FILE   maps FILE executable, as a library
 *     memfd       a shared writable mapping
 *     ksm         memory that KSM may merge
 *     swap        asks for 16 MiB to be swapped out
 *     packet      opens a packet socket
 *     grow        only allocates memory: the benign twin
 *
 * Ground truth: "what" and "listener" (a descriptor) once it listens, "acted" once it has acted.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "net.h"

#define PAGE 4096
#define SIZE (16UL << 20)

static void *map(int prot, int flags, int fd, size_t size)
{
	void *at = mmap(NULL, size, prot, flags, fd, 0);

	if (at == MAP_FAILED)
		trigger_die("mmap");
	return at;
}

static void act(const char *what, const char *file)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS, err = 0, fd;
	char *at;

	if (!strcmp(what, "rwx")) {
		map(PROT_READ | PROT_WRITE | PROT_EXEC, anon, -1, PAGE);
	} else if (!strcmp(what, "file")) {
		map(PROT_READ | PROT_EXEC, MAP_PRIVATE, open(file, O_RDONLY | O_CLOEXEC), PAGE);
	} else if (!strcmp(what, "packet")) {
		err = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0;
	} else if (!strcmp(what, "memfd")) {
		fd = memfd_create("shared", MFD_CLOEXEC);
		err = ftruncate(fd, PAGE);
		map(PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
	} else {
		at = map(PROT_READ | PROT_WRITE, anon, -1, SIZE);
		for (size_t i = 0; i < SIZE; i += PAGE)
			at[i] = (char)i;
		if (!strcmp(what, "wx"))
			err = mprotect(at, PAGE, PROT_READ | PROT_EXEC);
		else if (!strcmp(what, "ksm"))
			err = madvise(at, SIZE, MADV_MERGEABLE);
		else if (!strcmp(what, "swap"))
			err = madvise(at, SIZE, MADV_PAGEOUT);
	}
	if (err)
		trigger_die("%s", what);
}

int main(int argc, char **argv)
{
	const char *file = argc > 3 ? argv[3] : NULL;
	int early = argc > 3 && !strcmp(argv[argc - 1], "early"), listener, sig;
	sigset_t set;

	if (argc < 3)
		trigger_usage("PORT wx|rwx|file FILE|memfd|ksm|swap|grow [early]");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (early)
		act(argv[2], file);
	listener = net_listen(atoi(argv[1]), SOCK_CLOEXEC);
	trigger_report("\"what\":\"%s\",\"listener\":%d", argv[2], listener);
	sigwait(&set, &sig);
	if (!early)
		act(argv[2], file);
	trigger_report("\"acted\":\"%s\"", argv[2]);
	trigger_stay();
}
