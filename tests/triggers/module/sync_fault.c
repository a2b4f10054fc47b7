/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync_fault: preloaded into a program, makes fsync() and fdatasync() do what the first line of the file SYNC_FAULT says, as long as
 * it is there: "fail" with EIO; "slow MS": wait so long first; "hang": wait until the file is gone or says something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TEXT_LEN 32

static void read_fault(char text[TEXT_LEN])
{
	const char *path = getenv("SYNC_FAULT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT_LEN - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int faulty(long number, int fd)
{
	char text[TEXT_LEN];

	read_fault(text);
	while (!strncmp(text, "hang", 4)) {
		sleep_ms(10);
		read_fault(text);
	}
	if (!strncmp(text, "slow ", 5))
		sleep_ms(strtol(text + 5, NULL, 10));
	if (strncmp(text, "fail", 4) != 0)
		return (int)syscall(number, fd);
	errno = EIO;
	return -1;
}

int fsync(int fd)
{
	return faulty(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return faulty(SYS_fdatasync, fd);
}
