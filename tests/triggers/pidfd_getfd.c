/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pidfd_getfd: takes a copy of the victim's descriptor; may write into it.
 *
 *     pidfd_getfd PID FD [-w plain|record] [-h MS]
 *
 * -w plain writes a RESP reply into it, -w record bytes that are framed as a TLS record; -h holds
 * the descriptor that long before the end.
 */
#include "trigger.h"

int main(int argc, char **argv)
{
	static const char plain[] = "+STOLEN\r\n", record[] = "\x17\x03\x03\x00\x05stole";
	const char *writes = NULL;
	long pidfd, fd, written = 0, hold = 0;
	int opt, err;

	while ((opt = getopt(argc, argv, "w:h:")) != -1) {
		if (opt == 'w')
			writes = optarg;
		else if (opt == 'h')
			hold = atol(optarg);
		else
			return 2;
	}
	if (optind + 2 > argc)
		return 2;
	pidfd = syscall(SYS_pidfd_open, atoi(argv[optind]), 0);
	if (pidfd < 0)
		trigger_die("pidfd_open");
	errno = 0;
	fd = syscall(SYS_pidfd_getfd, pidfd, atoi(argv[optind + 1]), 0);
	err = fd < 0 ? errno : 0;
	if (fd >= 0 && writes && !strcmp(writes, "record"))
		written = write(fd, record, sizeof(record) - 1);
	else if (fd >= 0 && writes)
		written = write(fd, plain, sizeof(plain) - 1);
	if (hold)
		usleep(hold * 1000);
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d,\"written\":%ld", getpid(), fd, err,
		       written);
	return 0;
}
