/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring_open: opens /proc/PID/FILE through io_uring.
 *
 *     uring_open PID FILE [async|sqpoll]
 */
#include <fcntl.h>

#include "uring.h"

int main(int argc, char **argv)
{
	char path[64];
	int r;

	if (argc < 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/%s", argv[1], argv[2]);
	r = uring_open(path, O_RDONLY, argc > 3 ? argv[3] : NULL);
	trigger_report("\"tid\":%d,\"missing\":%s,\"result\":%d,\"errno\":%d", getpid(),
		       r == -ENOSYS ? "true" : "false", r, r < 0 ? -r : 0);
	return 0;
}
