/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_once: reads 64 bytes of the target with process_vm_readv and exits: as short a life as an actor can
 * have. Arguments: PID ADDRESS. Run by `shortlived` and `flood`, which report for it.
 *
 * Ground truth: the exit status is 0 or the errno of the call; 255 for wrong arguments.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char buf[64];
	struct iovec local = {buf, sizeof(buf)}, remote = {NULL, sizeof(buf)};

	if (argc < 3)
		_exit(255);
	remote.iov_base = (void *)strtoul(argv[2], NULL, 0);
	_exit(process_vm_readv(atoi(argv[1]), &local, 1, &remote, 1, 0) < 0 ? errno : 0);
}
