/* SPDX-License-Identifier: BSD-2-Clause */
/* sock_diag.h - looks up and destroys TCP sockets of other processes, by sock_diag(7). */
#ifndef CACHEWARDEN_SOCK_DIAG_H
#define CACHEWARDEN_SOCK_DIAG_H

#include "event.h"

#include <linux/inet_diag.h>
#include <sys/types.h>

/*
 * Open the network namespace of pid, to enter it. Returns 0, 1 if it is the monitor's own (always for pid 0), or a
 * negative errno.
 */
int sock_diag_netns(pid_t pid, int *ret_fd);

/* A netlink socket in the network namespace of pid, 0: the monitor's own. Returns it or a negative errno. */
int sock_diag_open(pid_t pid);

/* Find a connection by both ends. Returns 0, -ENOENT if there is none, or another negative errno. */
int sock_diag_find(int fd, const struct conn_info *c, struct inet_diag_msg *ret);

/* Destroy the connection with c->cookie. Returns 0 or a negative errno. */
int sock_diag_destroy(int fd, const struct conn_info *c);

#endif
