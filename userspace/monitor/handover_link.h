/* SPDX-License-Identifier: BSD-2-Clause */
/* handover_link.h - the packets of a handover, for handover.c and handover_next.c only. */
#ifndef CACHEWARDEN_HANDOVER_LINK_H
#define CACHEWARDEN_HANDOVER_LINK_H

#include "monitor/handover_message.h"
#include "sensor/sensors.h"

#define HANDOVER_FDS                                                                               \
	(TURN_MAPS +                                                                               \
	 1) /* with the first message: the maps, and the manager's socket if there is one */

/* Returns 0 or a negative errno. Does not wait. */
int handover_send(int fd, const struct handover_message *m, const int *fds, size_t count);

/*
 * Returns 0, -EAGAIN if there is no message, -EPIPE if the other one has ended, -EBADMSG or another negative errno. Does not
 * wait. fds: descriptors that came with it, ret_count of them, which are the caller's to close also then; NULL: closed.
 */
int handover_receive(int fd, struct handover_message *ret, int fds[HANDOVER_FDS],
		     size_t *ret_count);

#endif
