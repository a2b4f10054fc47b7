/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_once: one process_vm_readv of 64 bytes, then the end. As short a life as a process can have;
 * it says what came by its exit code (errno, 0 on success) and prints nothing: `shortlived` and
 * `flood` do.
 *
 *     vm_once PID ADDRESS
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
