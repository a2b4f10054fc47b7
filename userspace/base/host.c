// SPDX-License-Identifier: BSD-2-Clause
/* host.c - see host.h. */
#include "base/host.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static void read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	if (fgets(buf, (int)size, f))
		buf[strcspn(buf, "\n")] = '\0';
	fclose(f);
}

const struct host *host_get(void)
{
	static struct host host;
	static bool known;
	struct utsname u;

	if (known)
		return &host;
	known = true;
	snprintf(host.name, sizeof(host.name), "unknown");
	if (!uname(&u)) {
		if (u.nodename[0])
			snprintf(host.name, sizeof(host.name), "%s", u.nodename);
		snprintf(host.kernel, sizeof(host.kernel), "%s", u.release);
	}
	read_line("/etc/machine-id", host.machine_id, sizeof(host.machine_id));
	read_line("/proc/sys/kernel/random/boot_id", host.boot_id, sizeof(host.boot_id));
	return &host;
}

void host_process_uid(uint32_t pid, uint64_t start_ns, char buf[HOST_PROCESS_LEN])
{
	snprintf(buf, HOST_PROCESS_LEN, "%.8s-%" PRIu32 "-%" PRIu64, host_get()->boot_id, pid,
		 start_ns);
}
