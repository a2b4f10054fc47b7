/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine.h - does a part of the work in a process of its own: what a server answers is never parsed with root's rights, and
 * a server that does not answer ends with its time.
 */
#ifndef CACHEWARDEN_CONFINE_H
#define CACHEWARDEN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct confined {
	/* with all rights, to open files. Returns false if there is nothing to do. May be NULL */
	bool (*prepare)(void *ctx);
	/* as nobody if root started it, in the network namespace of a process. Results go to shared memory. */
	void (*work)(void *ctx);
	void *ctx;
	pid_t network_of;
	unsigned int seconds;
};

/* Run it and wait for its end. Returns false with the reason in why if it did not end by itself in time. */
bool confine(const struct confined *c, char *why, size_t size);

/* The same two steps of such a process. */
bool confine_enter_network(pid_t pid);
bool confine_drop_rights(void);

/* Memory that it shares with its caller; NULL if there is none. */
void *confine_alloc(size_t size);
void confine_free(void *p, size_t size);

#endif
