/* SPDX-License-Identifier: BSD-2-Clause */
/* actor.h - the process behind an action, as reports name it. */
#ifndef CACHEWARDEN_ACTOR_H
#define CACHEWARDEN_ACTOR_H

#include "event.h"

#include <stdbool.h>
#include <stdint.h>

struct actor {
	uint32_t pid;
	uint32_t uid; /* valid if detailed */
	uint64_t start_ns;
	bool detailed; /* false: its event was lost, only pid, start and perhaps exe are known */
	bool kernel_thread;
	bool exe_deleted;
	char comm[COMM_LEN];
	/* Never NULL; empty if unknown. */
	const char *exe;
	const char *cmdline;   /* redacted, see cmdline.h */
	const char *unit;      /* systemd's */
	const char *container; /* its id, 64 hexadecimal digits */
	const char *instance;  /* name of the protected server it belongs to */
};

/* A copy with strings of its own, to be freed by one free(). NULL if memory ran out. */
struct actor *actor_copy(const struct actor *a);

#endif
