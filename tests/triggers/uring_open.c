/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uring_open: opens /proc/PID/FILE through io_uring: by the submitting thread, a kernel worker (async) or
 * a polling kernel thread (sqpoll).
 *
 * Ground truth: "missing", whether io_uring is not available; "result" and "errno" of the open.
 */
#include "uring.h"

int main(int argc, char **argv)
{
	char path[64];
	int r;

	if (argc < 3)
		trigger_usage("PID FILE [async|sqpoll]");
	snprintf(path, sizeof(path), "/proc/%s/%s", argv[1], argv[2]);
	r = uring_open(path, O_RDONLY, argc > 3 ? argv[3] : NULL);
	trigger_report("\"missing\":%s,\"result\":%d,\"errno\":%d", trigger_bool(r == -ENOSYS), r,
		       r < 0 ? -r : 0);
	return 0;
}
