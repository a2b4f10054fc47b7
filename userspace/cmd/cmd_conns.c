// SPDX-License-Identifier: BSD-2-Clause
/* cmd_conns.c - cachewarden conns: asks a running monitor. */
#include "monitor/control.h"
#include "cmd/cli.h"
#include "base/log.h"
#include "cmd/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MONITORS_MAX 16

int cmd_conns(int argc, char **argv)
{
	int output = 0, err;
	uint32_t pid = 0;
	const struct cli_option options[] = {
		{"--output", "text|json", "text: a line for people; json: an object a line",
		 CLI_CHOICE, &output},
		{"--pid", "PID", "of the monitor to ask (default: the one that runs)", CLI_NUMBER,
		 &pid},
	};
	int code = cli_parse("conns", "list the connections of all servers", options,
			     sizeof(options) / sizeof(options[0]), argc, argv);
	pid_t pids[MONITORS_MAX];
	size_t n;

	if (code >= 0)
		return code;
	if (!pid) {
		n = control_monitors(pids, MONITORS_MAX);
		if (!n) {
			log_error("conns: no monitor answers in " CONTROL_DIR
				  "; start one as root: cachewarden run");
			return EXIT_CANNOT;
		}
		if (n > 1) {
			log_error("conns: %zu monitors run here; name one: --pid %d", n,
				  (int)pids[0]);
			return EXIT_USAGE;
		}
		pid = (uint32_t)pids[0];
	}
	err = control_request_send((pid_t)pid, output ? CONTROL_CONNS_JSON : CONTROL_CONNS_TEXT,
				   STDOUT_FILENO);
	if (err) {
		log_error("conns: the monitor with pid %u does not answer: %s", pid,
			  err == -ENOENT ? "it is none, or runs on another host" : strerror(-err));
		return EXIT_CANNOT;
	}
	return EXIT_FINE;
}
