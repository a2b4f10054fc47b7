/* SPDX-License-Identifier: BSD-2-Clause */
/* handover_state.h - what a monitor knows of the one that takes over from it, or from which it takes over; see handover.h. */
#ifndef CACHEWARDEN_HANDOVER_STATE_H
#define CACHEWARDEN_HANDOVER_STATE_H

#include "sensor/sensors.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum handover_state {
	HANDOVER_NONE,
	HANDOVER_STARTING, /* the next one is; this one goes on */
	HANDOVER_LEAVING,  /* it is known when the next one begins */
};

struct handover {
	enum handover_state state;
	int fd;		      /* to the other one; -1: there is none */
	pid_t pid;	      /* of the other one */
	int pidfd;	      /* the same; -1 if it is not known */
	uint64_t deadline_ns; /* CLOCK_BOOTTIME: the next one is to be ready by then */
	uint64_t at_ns;	      /* CLOCK_BOOTTIME: when it begins */
	int64_t at_ms;	      /* the same since the epoch */
	bool takes_over;      /* this is the next one */
	struct predecessor before;
	int listen_fd; /* of the service manager's, see base/service.h; -1: none */
};

#endif
