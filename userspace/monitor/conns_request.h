/* SPDX-License-Identifier: BSD-2-Clause */
/* conns_request.h - answers `cachewarden conns`: the connections of all instances, as they are now. */
#ifndef CACHEWARDEN_CONNS_REQUEST_H
#define CACHEWARDEN_CONNS_REQUEST_H

#include "monitor/control.h"

/*
 * The request is the letter of a format, any other gets no reply. Its number: only connections since then, epoch milliseconds; its
 * name: only those of that instance. ctx is the monitor.
 */
void conns_request(void *ctx, int fd, const struct control_request *request);

#endif
