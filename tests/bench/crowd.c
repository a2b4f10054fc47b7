/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd: many processes with many open files, to measure a sweep over them.
 *
 *     crowd TASKS FILES        FILES per task; prints "ready", runs until its standard input ends
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int tasks = argc > 1 ? atoi(argv[1]) : 0, files = argc > 2 ? atoi(argv[2]) : 0;
	char byte;

	if (tasks < 1 || files < 3)
		return 2;
	for (int i = 3; i < files; i++) { /* 0 to 2 are open already */
		if (open("/dev/null", O_RDONLY) < 0)
			return 1;
	}
	for (int i = 1; i < tasks; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			return 1;
		}
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (1)
				pause();
		}
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
