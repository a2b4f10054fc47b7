/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h - what tells this host, and this boot of it, from others. */
#ifndef CACHEWARDEN_HOST_H
#define CACHEWARDEN_HOST_H

struct host {
	char name[256];
	char machine_id[40]; /* /etc/machine-id, empty if there is none */
	char boot_id[40];
	char kernel[80]; /* release */
};

/* Read once. Never NULL; what could not be read is empty, the name then "unknown". */
const struct host *host_get(void);

#endif
