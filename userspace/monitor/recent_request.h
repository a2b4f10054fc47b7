/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recent_request.h - answers `cachewarden incidents`, and the drills of `validate`: one JSON object with what was reported last
 * (recent.h). The names of its members are stable. Nothing is read for it but memory.
 */
#ifndef CACHEWARDEN_RECENT_REQUEST_H
#define CACHEWARDEN_RECENT_REQUEST_H

#include <stdint.h>

/* Those with a higher sequence number than after. ctx is the monitor. */
void recent_request_incidents(void *ctx, int fd, uint64_t after);
void recent_request_events(void *ctx, int fd, uint64_t after);

#endif
