/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch_link.h - asks a monitor for its status and its new incidents once a second, without waiting: the terminal is served meanwhile,
 * also while the monitor hangs or is gone.
 */
#ifndef CACHEWARDEN_WATCH_LINK_H
#define CACHEWARDEN_WATCH_LINK_H

#include "cmd/watch.h"

#include <sys/types.h>

struct watch_link {
	pid_t asked_for;   /* --pid; 0: the only monitor that runs */
	pid_t pid;	   /* that it asked last; 0: none yet */
	int fd;		   /* of the answer that it waits for; -1: none */
	char letter;	   /* of what it asked */
	char *text;	   /* of the answer, so far */
	size_t len, size;  /* of text */
	uint64_t next_ns;  /* when it asks again; CLOCK_BOOTTIME */
	uint64_t limit_ns; /* when it gives up */
};

#define WATCH_LINK(pid_)                                                                           \
	{                                                                                          \
		.asked_for = (pid_t)(pid_), .fd = -1                                               \
	}

/* Do what can be done now. Returns whether w was changed. */
bool watch_link_step(struct watch_link *l, struct watch *w, uint64_t now_ns);

/* When it has to be called again if nothing arrives on l->fd. */
uint64_t watch_link_due(const struct watch_link *l);

void watch_link_close(struct watch_link *l);

#endif
