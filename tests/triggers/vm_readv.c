/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vm_readv: reads the target's code with process_vm_readv.
 *
 *     -d   pass an empty iovec before the real one
 *     -n   so many bytes
 *     -t   in a second thread
 *     -b   from an address that is not mapped
 *     -r   so many times
 *     -p   with a pause between them
 *
 * Ground truth: "result" and "errno" of the last call, "times" and "succeeded" over all of them.
 */
#include <pthread.h>
#include <sys/uio.h>

#include "trigger.h"

static const char synopsis[] = "PID|TID [-d] [-n BYTES] [-t] [-b] [-r TIMES] [-p MS]";

static struct job {
	long target, bytes, times, pause_ms;
	int decoy, thread, unmapped, tid, err;
	long result, succeeded;
} job = {.bytes = 4096, .times = 1};

static void *run_job(void *unused)
{
	char *buf = malloc(job.bytes);
	char *at = job.unmapped ? (char *)0x1000 : trigger_address(job.target, STAT_START_CODE);
	struct iovec local[2] = {{buf, 0}, {buf, job.bytes}};
	struct iovec remote[2] = {{at, 0}, {at, job.bytes}};
	int first = !job.decoy;

	job.tid = syscall(SYS_gettid);
	for (long i = 0; i < job.times; i++) {
		if (i && job.pause_ms)
			usleep(job.pause_ms * 1000);
		errno = 0;
		job.result = process_vm_readv(job.target, local + first, 2 - first, remote + first,
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
			job.unmapped = 1;
			break;
		case 'r':
			job.times = atol(optarg);
			break;
		case 'p':
			job.pause_ms = atol(optarg);
			break;
		default:
			trigger_usage(synopsis);
		}
	}
	if (optind >= argc)
		trigger_usage(synopsis);
	job.target = atol(argv[optind]);
	if (!job.thread)
		run_job(NULL);
	else if (pthread_create(&thread, NULL, run_job, NULL) || pthread_join(thread, NULL))
		trigger_die("thread");
	trigger_report_by(job.tid, "\"result\":%ld,\"errno\":%d,\"times\":%ld,\"succeeded\":%ld",
			  job.result, job.err, job.times, job.succeeded);
	return 0;
}
