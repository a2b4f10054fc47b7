// SPDX-License-Identifier: BSD-2-Clause
/* mmflag.c - see mmflag.h. */
#include "sensor/mmflag.h"

#include "base/macros.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67 /* since Linux 6.4 */
#endif

static int uprobe_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -1;
	if (f)
		fclose(f);
	return type;
}

/* File offset of an address in this executable, 0 if it is mapped from no file. */
static uint64_t offset_in_exe(uintptr_t addr)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to, offset;
	uint64_t found = 0;

	while (f && fscanf(f, "%lx-%lx %*s %lx%*[^\n]", &from, &to, &offset) == 3) {
		if (addr >= from && addr < to)
			found = addr - from + offset;
	}
	if (f)
		fclose(f);
	return found;
}

static bool plant_uprobe(void)
{
	int type = uprobe_type();
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (uint32_t)type,
		.config1 = (uintptr_t) "/proc/self/exe",
		.config2 = offset_in_exe((uintptr_t)mm_flags_learn),
	};

	return type >= 0 && attr.config2 && syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0;
}

static bool mark_mergeable(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED && !madvise(at, page, MADV_MERGEABLE);
}

static bool merge_process(void)
{
	return !prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
}

static bool (*const steps[])(void) = {plant_uprobe, mark_mergeable, merge_process};

#define STEPS ARRAY_SIZE(steps)

/* The child: before each step, and after the last, wait until the parent has read the flags. */
static void run_steps(int fd)
{
	char ok = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; write(fd, &ok, 1) == 1 && read(fd, &ok, 1) == 1 && i < STEPS; i++)
		ok = (char)steps[i]();
	_exit(0);
}

int mm_flags_learn(uint64_t (*read_flags)(void *ctx, pid_t pid), void *ctx, struct mm_flags *ret)
{
	uint64_t before = 0, gained[STEPS] = {};
	int pair[2];
	pid_t pid;
	char ok;

	*ret = (struct mm_flags){};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (!pid) {
		close(pair[0]);
		run_steps(pair[1]);
	}
	close(pair[1]);
	for (size_t i = 0; i <= STEPS && read(pair[0], &ok, 1) == 1; i++) {
		uint64_t now = read_flags(ctx, pid);

		if (i && ok)
			gained[i - 1] = now & ~before;
		before = now;
		if (write(pair[0], &ok, 1) != 1)
			break;
	}
	close(pair[0]);
	waitpid(pid, NULL, 0);
	ret->uprobes = gained[0];
	ret->mergeable = gained[1] | gained[2];
	return 0;
}
