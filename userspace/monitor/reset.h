/* SPDX-License-Identifier: BSD-2-Clause */
/* reset.h - closes a TCP connection of another process, as `ss --kill` does. */
#ifndef CACHEWARDEN_RESET_H
#define CACHEWARDEN_RESET_H

#include "event.h"

#include <sys/types.h>

/*
 * The local socket fails with ECONNABORTED; the remote end receives a RST. pid: any process in the connection's network
 * namespace, 0 for the monitor's own. Returns 0 or a negative errno: -ENOENT if there is no such connection, -ESRCH if
 * there is no such process, -EOPNOTSUPP if the kernel was built without INET_DIAG_DESTROY. On failure *ret_step names the
 * step that failed.
 */
int reset_connection(const struct conn_info *conn, pid_t pid, const char **ret_step);

#endif
