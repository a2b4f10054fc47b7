/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pidfd_getfd: copies descriptor FD of the target with pidfd_getfd(2).
 *
 *     -w plain    write a RESP reply to it
 *     -w record   write bytes framed as a TLS record to it
 *     -h MS       hold it for that long
 *
 * Ground truth: "result" and "errno" of the copy; "written", the number of bytes.
 */
#include "trigger.h"

static const char synopsis[] = "PID FD [-w plain|record] [-h MS]";

int main(int argc, char **argv)
{
	static const char plain[] = "+STOLEN\r\n", record[] = "\x17\x03\x03\x00\x05stole";
	const char *payload = NULL;
	long pidfd, fd, written = 0, hold_ms = 0;
	int opt, err;

	while ((opt = getopt(argc, argv, "w:h:")) != -1) {
		if (opt == 'w')
			payload = optarg;
		else if (opt == 'h')
			hold_ms = atol(optarg);
		else
			trigger_usage(synopsis);
	}
	if (optind + 2 > argc)
		trigger_usage(synopsis);
	pidfd = syscall(SYS_pidfd_open, atoi(argv[optind]), 0);
	if (pidfd < 0)
		trigger_die("pidfd_open");
	errno = 0;
	fd = syscall(SYS_pidfd_getfd, pidfd, atoi(argv[optind + 1]), 0);
	err = fd < 0 ? errno : 0;
	if (fd >= 0 && payload && !strcmp(payload, "record"))
		written = write(fd, record, sizeof(record) - 1);
	else if (fd >= 0 && payload)
		written = write(fd, plain, sizeof(plain) - 1);
	if (hold_ms)
		usleep(hold_ms * 1000);
	trigger_report("\"result\":%ld,\"errno\":%d,\"written\":%ld", fd, err, written);
	return 0;
}
