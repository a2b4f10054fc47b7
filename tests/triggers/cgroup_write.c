/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup_write: opens a control file of a cgroup and writes TEXT to it; without TEXT it reads the file.
 *
 * Ground truth: "result" and "errno" of the write or read.
 */
#include "trigger.h"

int main(int argc, char **argv)
{
	char buf[64];
	ssize_t n;
	int fd;

	if (argc < 2)
		trigger_usage("FILE [TEXT]");
	fd = open(argv[1], (argc > 2 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		trigger_die("%s", argv[1]);
	n = argc > 2 ? write(fd, argv[2], strlen(argv[2])) : read(fd, buf, sizeof(buf));
	trigger_report_result(n, errno);
	return 0;
}
