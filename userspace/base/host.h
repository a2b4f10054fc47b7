/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h - what identifies this host and its current boot. */
#ifndef CACHEWARDEN_HOST_H
#define CACHEWARDEN_HOST_H

#include <stdint.h>

struct host {
	char name[256];
	char machine_id[40]; /* /etc/machine-id, empty if there is none */
	char boot_id[40];
	char kernel[80]; /* release */
};

/* Read once, never NULL. What could not be read is empty; a name that could not is "unknown". */
const struct host *host_get(void);

/*
 * A name for one process of this host that no other one ever has: BOOT-PID-START, with the first eight digits of the boot's id, and
 * start_ns, its start in nanoseconds since the boot as the kernel has it.
 */
#define HOST_PROCESS_LEN 48
void host_process_uid(uint32_t pid, uint64_t start_ns, char buf[HOST_PROCESS_LEN]);

#endif
