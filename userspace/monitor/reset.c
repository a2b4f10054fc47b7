// SPDX-License-Identifier: BSD-2-Clause
/* reset.c - see reset.h. */
#include "monitor/reset.h"

#include "monitor/sock_diag.h"

#include <stdint.h>
#include <unistd.h>

/* Look up the connection's cookie first: without one, SOCK_DESTROY would close the listener of a connection that is gone. */
static int resolve_cookie(int fd, struct conn_info *c)
{
	struct inet_diag_msg found;
	int err = c->cookie ? 0 : sock_diag_find(fd, c, &found);

	if (!c->cookie && !err)
		c->cookie = found.id.idiag_cookie[0] | (uint64_t)found.id.idiag_cookie[1] << 32;
	return err;
}

int reset_connection(const struct conn_info *conn, pid_t pid, const char **ret_step)
{
	struct conn_info c = *conn;
	int fd = sock_diag_open(pid), err;

	*ret_step = "the network namespace of its server";
	if (fd < 0)
		return fd;
	*ret_step = "sock_diag";
	err = resolve_cookie(fd, &c) ?: sock_diag_destroy(fd, &c);
	close(fd);
	return err;
}
