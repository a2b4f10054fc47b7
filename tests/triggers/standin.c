/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * standin: a server that does to its own memory what no Redis can be asked for. Copied to a file that is named
 * redis-server it counts as one.
 *
 *     standin PORT WHAT [early]
 *
 * It listens, tells so, and does WHAT at SIGUSR1, or before it listens: wx (anonymous memory, written, then
 * made executable), rwx (mapped writable and executable), file FILE (maps it executable, as a library), memfd
 * (shares a mapping for writing), ksm (lets KSM merge), swap (asks for 16 MiB to be swapped out), grow (only
 * allocates: the benign twin).
 */
#include <netinet/in.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "trigger.h"

#define SIZE (16UL << 20)

static void *get(int prot, int flags, int fd, size_t size)
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
		get(PROT_READ | PROT_WRITE | PROT_EXEC, anon, -1, 4096);
	} else if (!strcmp(what, "file")) {
		get(PROT_READ | PROT_EXEC, MAP_PRIVATE, open(file, O_RDONLY | O_CLOEXEC), 4096);
	} else if (!strcmp(what, "memfd")) {
		fd = memfd_create("shared", MFD_CLOEXEC);
		err = ftruncate(fd, 4096);
		get(PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
	} else {
		at = get(PROT_READ | PROT_WRITE, anon, -1, SIZE);
		for (size_t i = 0; i < SIZE; i += 4096)
			at[i] = (char)i;
		if (!strcmp(what, "wx"))
			err = mprotect(at, 4096, PROT_READ | PROT_EXEC);
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
	struct sockaddr_in me = {.sin_family = AF_INET};
	const char *file = argc > 3 ? argv[3] : NULL;
	int early = argc > 3 && !strcmp(argv[argc - 1], "early"), fd, sig;
	sigset_t set;

	if (argc < 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (early)
		act(argv[2], file);
	me.sin_port = htons((uint16_t)atoi(argv[1]));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) || listen(fd, 1))
		trigger_die("port %s", argv[1]);
	trigger_report("\"tid\":%d,\"what\":\"%s\",\"listener\":%d", getpid(), argv[2], fd);
	sigwait(&set, &sig);
	if (!early)
		act(argv[2], file);
	trigger_report("\"tid\":%d,\"did\":\"%s\"", getpid(), argv[2]);
	while (1)
		pause();
}
