/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disguise: executes another trigger in the same process so that little can be found out about it later.
 *
 *     memfd     from a memfd: there never was a file
 *     deleted   from a copy that is deleted before it is executed
 *     title     with the argv[0] of a server
 *
 * Prints nothing itself.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "trigger.h"

/* Returns a descriptor of an executable copy. */
static int copy_file(const char *path, int in_memory)
{
	char name[] = "/tmp/cachewarden-disguise.XXXXXX", link[64];
	int from = open(path, O_RDONLY | O_CLOEXEC), to, read_only;
	struct stat st;

	to = in_memory ? memfd_create("disguise", MFD_CLOEXEC) : mkostemp(name, O_CLOEXEC);
	if (from < 0 || to < 0 || fstat(from, &st) ||
	    sendfile(to, from, NULL, st.st_size) != st.st_size || fchmod(to, 0700))
		trigger_die("copy of %s", path);
	if (in_memory)
		return to;
	/* a file open for writing cannot be executed (ETXTBSY) */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", to);
	read_only = open(link, O_RDONLY | O_CLOEXEC);
	unlink(name);
	close(to);
	return read_only;
}

int main(int argc, char **argv)
{
	const char *path;

	if (argc < 3)
		trigger_usage("memfd|deleted|title TRIGGER ARGUMENT...");
	path = argv[2];
	if (!strcmp(argv[1], "title")) {
		argv[2] = (char *)"redis-server";
		execv(path, argv + 2);
	} else {
		fexecve(copy_file(path, !strcmp(argv[1], "memfd")), argv + 2, environ);
	}
	trigger_die("%s", path);
}
