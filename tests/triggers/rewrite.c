/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite: writes into a file in place.
 *
 *     -a same      reads the last byte and writes it back
 *     -a last      writes another last byte
 *     -a map       the same as last, through a shared mapping
 *     -a truncate  truncate(2) by path, to the size it has
 *     -a shrink    truncate(2) by path, without its last byte
 *     -a punch     punches a hole where its last byte is
 *     -a replace   writes a copy beside it and renames that over it
 *     -w           once the file is open, wait until PATH.go exists before writing, then stay
 *
 * Ground truth: "action", and "errno" of the last call; with -w printed once the file is open.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include "trigger.h"

static const char synopsis[] = "PATH -a same|last|map|truncate|shrink|punch|replace [-w]";

static int write_last(int fd, off_t at, char change)
{
	char byte;

	if (pread(fd, &byte, 1, at) != 1)
		return -1;
	byte = (char)(byte + change);
	return pwrite(fd, &byte, 1, at) == 1 ? 0 : -1;
}

static int map_last(int fd, off_t size)
{
	char *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -1;
	at[size - 1]++;
	return munmap(at, (size_t)size);
}

static int replace(int fd, const char *path, const struct stat *st)
{
	char next[512];
	off_t from = 0;
	int to;

	snprintf(next, sizeof(next), "%s.next", path);
	to = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 07777);
	while (from < st->st_size) {
		if (copy_file_range(fd, &from, to, NULL, (size_t)(st->st_size - from), 0) <= 0)
			return -1;
	}
	close(to);
	return rename(next, path);
}

static int act(const char *action, const char *path, int fd)
{
	struct stat st;

	if (stat(path, &st) || st.st_size < 2)
		trigger_die("%s", path);
	if (!strcmp(action, "same") || !strcmp(action, "last"))
		return write_last(fd, st.st_size - 1, action[0] == 'l');
	if (!strcmp(action, "map"))
		return map_last(fd, st.st_size);
	if (!strcmp(action, "truncate"))
		return truncate(path, st.st_size);
	if (!strcmp(action, "shrink"))
		return truncate(path, st.st_size - 1);
	if (!strcmp(action, "punch"))
		return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, st.st_size - 1, 1);
	if (!strcmp(action, "replace"))
		return replace(fd, path, &st);
	trigger_usage(synopsis);
}

int main(int argc, char **argv)
{
	const char *action = "";
	int opt, wait = 0, fd = -1, mode, result;
	char go[512];

	while ((opt = getopt(argc, argv, "a:w")) != -1) {
		if (opt == 'a')
			action = optarg;
		else if (opt == 'w')
			wait = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind >= argc)
		trigger_usage(synopsis);
	mode = !strcmp(action, "replace") ? O_RDONLY : O_RDWR;
	if (strcmp(action, "truncate") && strcmp(action, "shrink")) {
		fd = open(argv[optind], mode | O_CLOEXEC);
		if (fd < 0)
			trigger_die("%s", argv[optind]);
	}
	if (wait) {
		trigger_report("\"action\":\"%s\",\"errno\":0", action);
		snprintf(go, sizeof(go), "%s.go", argv[optind]);
		while (access(go, F_OK))
			usleep(20000);
	}
	result = act(action, argv[optind], fd);
	if (wait)
		trigger_stay();
	trigger_report("\"action\":\"%s\",\"errno\":%d", action, result ? errno : 0);
	return 0;
}
