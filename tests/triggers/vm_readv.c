/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_readv: reads the victim's text by process_vm_readv.
 *
 *     vm_readv PID|TID [-d] [-n BYTES] [-t] [-b] [-r TIMES] [-p MS]
 *
 * -d puts an empty iovec before the real one, -t does it in a second thread, -b asks for an address
 * that is not mapped, -r does it again and again, -p with that pause between.
 */
#include <pthread.h>
#include <sys/uio.h>

#include "trigger.h"

static struct job {
	long victim, bytes, times, pause_ms;
	int decoy, thread, bad, tid, err;
	long result, succeeded;
} job = {.bytes = 4096, .times = 1};

static void *job_do(void *unused)
{
	char *buf = malloc(job.bytes);
	char *at = job.bad ? (char *)0x1000 : trigger_address(job.victim, STAT_START_CODE);
	struct iovec local[2] = {{buf, 0}, {buf, job.bytes}};
	struct iovec remote[2] = {{at, 0}, {at, job.bytes}};
	int first = !job.decoy;

	job.tid = syscall(SYS_gettid);
	for (long i = 0; i < job.times; i++) {
		if (i && job.pause_ms)
			usleep(job.pause_ms * 1000);
		errno = 0;
		job.result = process_vm_readv(job.victim, local + first, 2 - first, remote + first,
					      2 - first, 0);
		job.err = errno;
		job.succeeded += job.result >= 0;
	}
	free(buf);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int opt;

	while ((opt = getopt(argc, argv, "dn:tbr:p:")) != -1) {
		switch (opt) {
		case 'd':
			job.decoy = 1;
			break;
		case 'n':
			job.bytes = atol(optarg);
			break;
		case 't':
			job.thread = 1;
			break;
		case 'b':
			job.bad = 1;
			break;
		case 'r':
			job.times = atol(optarg);
			break;
		case 'p':
			job.pause_ms = atol(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind >= argc)
		return 2;
	job.victim = atol(argv[optind]);
	if (!job.thread)
		job_do(NULL);
	else if (pthread_create(&thread, NULL, job_do, NULL) || pthread_join(thread, NULL))
		trigger_die("thread");
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d,\"times\":%ld,\"succeeded\":%ld",
		       job.tid, job.result, job.err, job.times, job.succeeded);
	return 0;
}
