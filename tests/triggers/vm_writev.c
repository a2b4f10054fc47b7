/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_writev: reads the 64 bytes at the target's argc with process_vm_readv and writes the same bytes back
 * with process_vm_writev. Nothing changes in the target.
 *
 *     -d   pass an empty iovec before the real one
 *     -w   only try to write, at an address that is not mapped
 *
 * Ground truth: "read_result" and "read_errno" of the read, "result" and "errno" of the write.
 */
#include <sys/uio.h>

#include "trigger.h"

static const char synopsis[] = "PID|TID [-d] [-w]";

int main(int argc, char **argv)
{
	char buf[64] = "";
	struct iovec local[2] = {{buf, 0}, {buf, sizeof(buf)}};
	struct iovec remote[2];
	int opt, first = 1, write_only = 0, read_err = 0, err;
	long read = -1, result, target;
	void *at;

	while ((opt = getopt(argc, argv, "dw")) != -1) {
		if (opt == 'd')
			first = 0;
		else if (opt == 'w')
			write_only = 1;
		else
			trigger_usage(synopsis);
	}
	if (optind >= argc)
		trigger_usage(synopsis);
	target = atol(argv[optind]);
	at = write_only ? (void *)0x1000 : trigger_address(target, STAT_START_STACK);
	remote[0] = (struct iovec){at, 0};
	remote[1] = (struct iovec){at, sizeof(buf)};
	if (!write_only) {
		errno = 0;
		read = process_vm_readv(target, local + 1, 1, remote + 1, 1, 0);
		read_err = errno;
		if (read != sizeof(buf))
			trigger_die("read before writing back");
	}
	errno = 0;
	result = process_vm_writev(target, local + first, 2 - first, remote + first, 2 - first, 0);
	err = errno;
	trigger_report("\"read_result\":%ld,\"read_errno\":%d,\"result\":%ld,\"errno\":%d", read,
		       read_err, result, err);
	return 0;
}
