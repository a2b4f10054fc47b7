/* SPDX-License-Identifier: BSD-2-Clause */
/* host.h - what identifies this host and its current boot. */
#ifndef CACHEWARDEN_HOST_H
#define CACHEWARDEN_HOST_H

struct host {
	char name[256];
	char machine_id[40]; /* /etc/machine-id, empty if there is none */
	char boot_id[40];
	char kernel[80]; /* release */
};

/* Read once, never NULL. What could not be read is empty; a name that could not is "unknown". */
const struct host *host_get(void);

#endif
