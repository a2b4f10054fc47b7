/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uprobe: plants a uprobe on SSL_read of the libssl this program uses, in all processes or with -p in one,
 * and keeps it until killed. Arguments: [-p PID].
 *
 * Ground truth: "file", the library.
 */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <openssl/ssl.h>

#include "trigger.h"

/* Sets path to the file mapped at addr and returns the offset in it. */
static uint64_t file_offset(uintptr_t addr, char *path)
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
	trigger_die("nothing is mapped at %lx", addr);
}

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = (unsigned int)trigger_uprobe_type()};
	int pid = argc > 2 ? atoi(argv[2]) : -1;
	char path[256];
	long fd;

	attr.config2 = file_offset((uintptr_t)SSL_read, path);
	attr.config1 = (uintptr_t)path;
	fd = syscall(SYS_perf_event_open, &attr, pid, pid < 0 ? 0 : -1, -1, 0);
	if (fd < 0)
		trigger_die("perf_event_open on %s", path);
	trigger_report("\"file\":\"%s\"", path);
	trigger_stay();
}
