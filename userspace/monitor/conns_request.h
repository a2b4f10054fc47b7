/* SPDX-License-Identifier: BSD-2-Clause */
/* conns_request.h - answers `cachewarden conns`: all connections of all instances, as they are now. */
#ifndef CACHEWARDEN_CONNS_REQUEST_H
#define CACHEWARDEN_CONNS_REQUEST_H

/* The request is the letter of a format, any other gets no reply; ctx is the monitor. */
void conns_request(void *ctx, int fd, char request);

#endif
