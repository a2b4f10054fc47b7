/* SPDX-License-Identifier: BSD-2-Clause */
/* reset.h - ends a TCP connection of another process, as `ss --kill` does. */
#ifndef CACHEWARDEN_RESET_H
#define CACHEWARDEN_RESET_H

#include "event.h"

#include <sys/types.h>

/*
 * The local end is closed with ECONNABORTED, the remote one gets a RST. pid is a process that lives in the
 * connection's network namespace, 0: ours. Returns 0 or a negative errno: -ENOENT if there is no such
 * connection (any more), -ESRCH if there is no such process, -EOPNOTSUPP where the kernel was built without
 * INET_DIAG_DESTROY; *ret_step then says what failed.
 */
int reset_connection(const struct conn_info *conn, pid_t pid, const char **ret_step);

#endif
