/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_text.h - the formats of files below /proc/PID that evidence is made of. Their contents are the process's choice, in part: only
 * what has the expected form is taken. Pure.
 */
#ifndef CACHEWARDEN_PROC_TEXT_H
#define CACHEWARDEN_PROC_TEXT_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Call fn with the name of each variable of an environment: NAME=VALUE, each NUL-terminated. A process may have written anything over
 * that memory, so that a name is only what looks like one: capital letters, digits and _, or that of a proxy. Returns how many
 * others there were.
 */
#define ENVIRONMENT_NAME_LEN 64
size_t environment_names(const char *text, size_t len, void (*fn)(void *ctx, const char *name),
			 void *ctx);

/* Name of a capability as capabilities(7) has it, in lower case; NULL: this program has none for it. */
const char *capability_name(unsigned int number);
#define CAPABILITIES 64 /* the kernel's sets have 64 bits */

/* A line of /proc/PID/net/tcp or tcp6. */
struct socket_line {
	struct conn_ends ends;
	bool ipv6;
	unsigned int state; /* TCP_* of the kernel */
	uint64_t inode;
};
bool socket_line_parse(const char *line, bool ipv6, struct socket_line *ret);

/* "ESTABLISHED" and so on; "unknown". */
const char *socket_state_name(unsigned int state);

/* Inode number in what a descriptor leads to, "socket:[4711]"; 0: it is no socket. */
uint64_t socket_inode(const char *link);

/*
 * A line of /proc/PID/maps with single spaces: addresses, permissions, offset, device, inode, name. False: it is none. There are no bytes
 * of memory in it.
 */
bool maps_line_tidy(const char *line, char *buf, size_t size);

#endif
