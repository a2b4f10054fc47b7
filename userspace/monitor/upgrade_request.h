/* SPDX-License-Identifier: BSD-2-Clause */
/* upgrade_request.h - answers the request for a handover to another monitor (handover.h). */
#ifndef CACHEWARDEN_UPGRADE_REQUEST_H
#define CACHEWARDEN_UPGRADE_REQUEST_H

/* One JSON object: "pid" of this monitor, and "next", that of the one it has started, or "error". ctx: the monitor. */
void upgrade_request(void *ctx, int fd);

#endif
