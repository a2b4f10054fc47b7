/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uprobe: plants a breakpoint on a function of a library, and keeps it until it is killed.
 *
 *     uprobe [-p PID]      SSL_read of the libssl this program uses, in all processes or in one
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <openssl/ssl.h>

#include "trigger.h"

/* The file an address of ours belongs to, and where it lies in there. */
static uint64_t place(uintptr_t addr, char *path)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to, offset;
	char file[256];

	while (f && fscanf(f, "%lx-%lx %*s %lx %*s %*s%255[^\n]", &from, &to, &offset, file) > 2) {
		if (addr < from || addr >= to)
			continue;
		fclose(f);
		strcpy(path, strchr(file, '/'));
		return addr - from + offset;
	}
	trigger_die("no place for %lx", addr);
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = (unsigned int)trigger_uprobe_type()};
	int pid = argc > 2 ? atoi(argv[2]) : -1;
	char path[256];
	long fd;

	attr.config2 = place((uintptr_t)SSL_read, path);
	attr.config1 = (uintptr_t)path;
	fd = syscall(SYS_perf_event_open, &attr, pid, pid < 0 ? 0 : -1, -1, 0);
	if (fd < 0)
		trigger_die("perf_event_open on %s", path);
	trigger_report("\"tid\":%d,\"file\":\"%s\"", getpid(), path);
	while (1)
		pause();
}
