/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stalled_call: system calls that stall in the middle, because userfaultfd(2) handles a page of their arguments.
 *
 *     read   process_vm_readv of two pages of the target's code. The first page arrives; the second has no
 *            page to go to, so the call never returns. Stays.
 *     open   opens /proc/PID/mem. The path appears when the kernel faults on it, and is another one as soon
 *            as the kernel has copied it. Tried with growing delays until the right file was opened.
 *
 * Ground truth: for read "arrived", whether bytes arrived; for open "result", "errno" and "tries".
 */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "trigger.h"

#define PAGE 4096L
#define PATTERN 0xa5
#define TRIES 2000
#define FAULT_MS 5000

static const char decoy[] = "/etc/hostname";
static long target, result;
static char *faulting; /* a page not present until the fault is handled */
static char present[PAGE];
static volatile int tid, error;

/* Maps `faulting`. Returns the descriptor that reports its faults. */
static int map_faulting(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK) /* poll(2) needs it */;

	faulting = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)faulting;
	reg.range.len = PAGE;
	if (fd < 0 || faulting == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		trigger_die("userfaultfd");
	return fd;
}

static void wait_for_fault(int fd)
{
	struct pollfd fault = {.fd = fd, .events = POLLIN};

	if (poll(&fault, 1, FAULT_MS) != 1 || !(fault.revents & POLLIN))
		trigger_die("the call did not fault");
}

static void *read_two_pages(void *arg)
{
	struct iovec local[2] = {{present, PAGE}, {faulting, PAGE}};
	struct iovec remote = {trigger_address(target, STAT_START_CODE), 2 * PAGE};

	tid = gettid();
	result = process_vm_readv(target, local, 2, &remote, 1, 0);
	error = errno;
	return arg;
}

static void *open_path(void *arg)
{
	tid = gettid();
	result = open(faulting, O_RDONLY | O_CLOEXEC);
	error = result < 0 ? errno : 0;
	return arg;
}

/* Busy: a sleep is longer than the kernel takes to copy a path. */
static void spin(long wait_ns)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < wait_ns);
}

/* Replaces the path by the decoy after that long. Returns whether the file at path was opened. */
static int open_and_replace(const char *path, long wait_ns)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {.src = (unsigned long)page, .len = PAGE};
	char link[64], opened[64] = "";
	pthread_t thread;
	int fd = map_faulting();

	strcpy(page, path);
	copy.dst = (unsigned long)faulting;
	pthread_create(&thread, NULL, open_path, NULL);
	wait_for_fault(fd);
	if (ioctl(fd, UFFDIO_COPY, &copy))
		trigger_die("UFFDIO_COPY");
	spin(wait_ns);
	memcpy(faulting, decoy, sizeof(decoy));
	pthread_join(thread, NULL);
	close(fd);
	if (result >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%ld", result);
		if (readlink(link, opened, sizeof(opened) - 1) < 0)
			trigger_die("readlink");
		close(result);
	}
	return !strcmp(opened, path);
}

__attribute__((noreturn)) static void read_forever(void)
{
	int fd = map_faulting(), arrived = 0;
	pthread_t thread;

	memset(present, PATTERN, PAGE);
	pthread_create(&thread, NULL, read_two_pages, NULL);
	wait_for_fault(fd);
	for (int i = 0; i < PAGE; i++)
		arrived |= (unsigned char)present[i] != PATTERN;
	trigger_report_by(tid, "\"arrived\":%s", trigger_bool(arrived));
	trigger_stay();
}

int main(int argc, char **argv)
{
	char path[64];
	int tries = 0;

	if (argc < 3)
		trigger_usage("PID read|open");
	target = atol(argv[1]);
	if (!strcmp(argv[2], "read"))
		read_forever();
	snprintf(path, sizeof(path), "/proc/%ld/mem", target);
	while (!open_and_replace(path, tries * 1000L)) {
		if (++tries == TRIES)
			trigger_die("the decoy always came too early");
	}
	trigger_report_by(tid, "\"result\":%ld,\"errno\":%d,\"tries\":%d", result, error, tries);
	return 0;
}
