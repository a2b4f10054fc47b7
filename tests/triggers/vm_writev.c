/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_writev: reads the 64 bytes where the victim's argc and argv pointers lie by process_vm_readv,
 * and writes the same bytes back by process_vm_writev. Nothing changes in the victim.
 *
 *     vm_writev PID|TID [-d] [-w]
 *
 * -d puts an empty iovec before the real one. -w only tries to write, at an address that is not
 * mapped.
 */
#include <sys/uio.h>

#include "trigger.h"

int main(int argc, char **argv)
{
	char buf[64] = "";
	struct iovec local[2] = {{buf, 0}, {buf, sizeof(buf)}};
	struct iovec remote[2];
	int opt, first = 1, blind = 0, read_err = 0, err;
	long read = -1, result, victim;
	void *at;

	while ((opt = getopt(argc, argv, "dw")) != -1) {
		if (opt == 'd')
			first = 0;
		else if (opt == 'w')
			blind = 1;
		else
			return 2;
	}
	if (optind >= argc)
		return 2;
	victim = atol(argv[optind]);
	at = blind ? (void *)0x1000 : trigger_address(victim, STAT_START_STACK);
	remote[0] = (struct iovec){at, 0};
	remote[1] = (struct iovec){at, sizeof(buf)};
	if (!blind) {
		errno = 0;
		read = process_vm_readv(victim, local + 1, 1, remote + 1, 1, 0);
		read_err = errno;
		if (read != sizeof(buf))
			trigger_die("read before writing back");
	}
	errno = 0;
	result = process_vm_writev(victim, local + first, 2 - first, remote + first, 2 - first, 0);
	err = errno;
	trigger_report(
		"\"tid\":%d,\"read_result\":%ld,\"read_errno\":%d,\"result\":%ld,\"errno\":%d",
		getpid(), read, read_err, result, err);
	return 0;
}
