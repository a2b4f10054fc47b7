/* SPDX-License-Identifier: BSD-2-Clause */
/* ask_monitor.h - what commands share that ask a running monitor over its control socket. */
#ifndef CACHEWARDEN_ASK_MONITOR_H
#define CACHEWARDEN_ASK_MONITOR_H

#include "cmd/cli.h"
#include "monitor/control.h"

#include <jansson.h>

/* The row of a command's arguments that chooses the monitor: pid is a uint32_t, 0 by default. */
#define ASK_PID(pid)                                                                               \
	{                                                                                          \
		"--pid", "PID", "Monitor to ask. Default: the only one running.", CLI_NUMBER,      \
			&(pid), .min = 1                                                           \
	}

/* The only monitor on this host. Returns CLI_PROCEED, or an exit code after an error message that begins with the command's name. */
int ask_find_monitor(const char *command, uint32_t *ret_pid);

/* Send the request to that monitor, or to the only one if pid is 0, and give its reply to fn. Returns as ask_find_monitor(). */
int ask_monitor(const char *command, uint32_t pid, const struct control_request *request,
		control_piece_fn fn, void *ctx);

/* The same for a request that is answered with a JSON object, to be freed. */
int ask_monitor_json(const char *command, uint32_t pid, char request, uint64_t number,
		     json_t **ret);

#endif
