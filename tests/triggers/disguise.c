/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disguise: becomes another trigger, in the same process, so that little of it can be found afterwards.
 *
 *     disguise WAY TRIGGER ARGUMENT...
 *
 * Ways: memfd (executed from memory, never a file), deleted (from a copy that has no name any more), title (under
 * the name of a server).
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "trigger.h"

static int copy_of(const char *path, const char *way)
{
	char name[] = "/tmp/cachewarden-disguise.XXXXXX", again[64];
	int from = open(path, O_RDONLY | O_CLOEXEC), to, only_read;
	struct stat st;

	to = !strcmp(way, "memfd") ? memfd_create("disguise", MFD_CLOEXEC)
				   : mkostemp(name, O_CLOEXEC);
	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size || fchmod(to, 0700))
		trigger_die("a copy of %s", path);
	if (!strcmp(way, "memfd"))
		return to;
	/* what is open for writing is not executed */
	snprintf(again, sizeof(again), "/proc/self/fd/%d", to);
	only_read = open(again, O_RDONLY | O_CLOEXEC);
	unlink(name);
	close(to);
	return only_read;
}

int main(int argc, char **argv)
{
	const char *path;

	if (argc < 3)
		return 2;
	path = argv[2];
	if (!strcmp(argv[1], "title")) {
		argv[2] = (char *)"redis-server";
		execv(path, argv + 2);
	} else {
		fexecve(copy_of(path, argv[1]), argv + 2, environ);
	}
	trigger_die("%s", path);
}
