/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stretched: system calls that are held up in the middle, by arguments in memory that userfaultfd(2) minds.
 *
 *     stretched PID read   process_vm_readv of two pages of its code. The first one comes; the second has nowhere to go,
 *                          and the call never ends. Stays.
 *     stretched PID open   opens /proc/PID/mem. The name appears when the kernel asks for it, and is another
 *                          one as soon as it has been copied.
 *
 * The pages stay here.
 */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "trigger.h"

#define PAGE 4096L
#define FILL 0xa5
#define TRIES 2000

static const char decoy[] = "/etc/hostname";
static long victim, result;
static char *minded; /* a page nobody has touched */
static char here[PAGE];
static volatile int tid, error;

static int mind(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK) /* else poll(2) fails */;

	minded = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)minded;
	reg.range.len = PAGE;
	if (fd < 0 || minded == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		trigger_die("userfaultfd");
	return fd;
}

static void *read_two(void *arg)
{
	struct iovec local[2] = {{here, PAGE}, {minded, PAGE}};
	struct iovec remote = {trigger_address(victim, STAT_START_CODE), 2 * PAGE};

	tid = gettid();
	result = process_vm_readv(victim, local, 2, &remote, 1, 0);
	error = errno;
	return arg;
}

static void *open_it(void *arg)
{
	tid = gettid();
	result = open(minded, O_RDONLY | O_CLOEXEC);
	error = result < 0 ? errno : 0;
	return arg;
}

/* The name for the kernel, the decoy as soon as it has it: so long after is a matter of tries. */
static int open_behind(const char *name, long wait_ns)
{
	static char page[PAGE] __attribute__((aligned(4096)));
	struct uffdio_copy copy = {.src = (unsigned long)page, .len = PAGE};
	char link[64], to[64] = "";
	pthread_t thread;
	struct pollfd fault = {.events = POLLIN};
	struct timespec from, now;

	strcpy(page, name);
	fault.fd = mind();
	copy.dst = (unsigned long)minded;
	pthread_create(&thread, NULL, open_it, NULL);
	if (poll(&fault, 1, 5000) != 1 || !(fault.revents & POLLIN) ||
	    ioctl(fault.fd, UFFDIO_COPY, &copy))
		trigger_die("nothing was held up");
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < wait_ns);
	memcpy(minded, decoy, sizeof(decoy));
	pthread_join(thread, NULL);
	close(fault.fd);
	if (result >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%ld", result);
		if (readlink(link, to, sizeof(to) - 1) < 0)
			trigger_die("readlink");
		close(result);
	}
	return !strcmp(to, name);
}

static void read_behind(void)
{
	struct pollfd fault = {.fd = mind(), .events = POLLIN};
	pthread_t thread;
	int taken = 0;

	memset(here, FILL, PAGE);
	pthread_create(&thread, NULL, read_two, NULL);
	if (poll(&fault, 1, 5000) != 1 || !(fault.revents & POLLIN))
		trigger_die("nothing was held up");
	for (int i = 0; i < PAGE; i++)
		taken |= (unsigned char)here[i] != FILL;
	trigger_report("\"tid\":%d,\"taken\":%s", tid, taken ? "true" : "false");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	char name[64];
	int tries = 0;

	if (argc < 3)
		return 2;
	victim = atol(argv[1]);
	if (!strcmp(argv[2], "read"))
		read_behind();
	snprintf(name, sizeof(name), "/proc/%ld/mem", victim);
	while (!open_behind(name, tries * 1000L)) {
		if (++tries == TRIES)
			trigger_die("the decoy always came too early");
	}
	trigger_report("\"tid\":%d,\"result\":%ld,\"errno\":%d,\"tries\":%d", tid, result, error,
		       tries);
	return 0;
}
