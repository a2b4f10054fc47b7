/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status_request.h - answers `cachewarden status`: one JSON object about the monitor and all that it watches, as it is now. The
 * names of its members are stable. Nothing is read for it but memory.
 */
#ifndef CACHEWARDEN_STATUS_REQUEST_H
#define CACHEWARDEN_STATUS_REQUEST_H

/* ctx is the monitor. */
void status_request(void *ctx, int fd);

#endif
