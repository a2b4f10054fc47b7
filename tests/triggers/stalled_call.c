/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stalled_call: system calls that stall in the middle, because userfaultfd(2) handles a page of their arguments.
 *
 *     read   process_vm_readv of two pages of the target's code. The first page arrives; the second has no
 *            page to go to, so the call never returns. Stays.
 *     open   opens /proc/PID/mem. The path lies across two pages. The kernel has copied the end of the first when it
 *            faults on the second; that end is replaced meanwhile, so memory holds another path when the call ends.
 *
 * Ground truth: for read "arrived", whether bytes arrived; for open "result" and "errno".
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
#define FAULT_MS 5000

/* a word, since the kernel copies by words */
static const char copied[] = "/proc/./", replaced[] = "/tmp////";
static long target, result;
/* a page not present until the fault is handled; the one before it is */
static char *faulting;
static char present[PAGE];
static volatile int tid, error;

/* Maps `faulting` and a page before it. Returns the descriptor that reports the faults of the former. */
static int map_faulting(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	char *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK) /* poll(2) needs it */;

	if (pages == MAP_FAILED)
		trigger_die("mmap");
	faulting = pages + PAGE;
	reg.range.start = (unsigned long)faulting;
	reg.range.len = PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
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

static void *open_path(void *path)
{
	tid = gettid();
	result = open(path, O_RDONLY | O_CLOEXEC);
	error = result < 0 ? errno : 0;
	return path;
}

/* Dies if another file than /proc/PID/mem was opened. */
static void open_replaced(void)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {.src = (unsigned long)page, .len = PAGE};
	char link[64], path[64], opened[64] = "", *end;
	pthread_t thread;
	int fd = map_faulting();

	snprintf(page, sizeof(page), "%ld/mem", target);
	copy.dst = (unsigned long)faulting;
	end = faulting - strlen(copied);
	memcpy(end, copied, strlen(copied));
	pthread_create(&thread, NULL, open_path, end);
	wait_for_fault(fd);
	memcpy(end, replaced, strlen(copied));
	if (ioctl(fd, UFFDIO_COPY, &copy))
		trigger_die("UFFDIO_COPY");
	pthread_join(thread, NULL);
	if (result < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", result);
	snprintf(path, sizeof(path), "/proc/%ld/mem", target);
	if (readlink(link, opened, sizeof(opened) - 1) < 0 || strcmp(opened, path))
		trigger_die("another file was opened");
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
	if (argc < 3)
		trigger_usage("PID read|open");
	target = atol(argv[1]);
	if (!strcmp(argv[2], "read"))
		read_forever();
	open_replaced();
	trigger_report_by(tid, "\"result\":%ld,\"errno\":%d", result, error);
	return 0;
}
