// SPDX-License-Identifier: BSD-2-Clause
/* cmd_conns.c - cachewarden conns: asks a running monitor over its control socket. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"
#include "monitor/control.h"
#include "monitor/run_dir.h"
#include "report/format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MONITORS_MAX 16 /* listed; a host runs one, a test machine a few */

/* The only monitor on this host. Returns CLI_PROCEED, or an exit code after an error message. */
static int find_monitor(uint32_t *ret_pid)
{
	pid_t pids[MONITORS_MAX];
	size_t n = control_monitors(pids, MONITORS_MAX);

	if (!n) {
		log_error(
			"conns: no running monitor found in %s; start one as root: cachewarden run",
			run_dir_path());
		return EXIT_CANNOT;
	}
	if (n > 1) {
		log_error(
			"conns: %zu monitors are running; choose one with --pid, for example --pid %d",
			n, (int)pids[0]);
		return EXIT_USAGE;
	}
	*ret_pid = (uint32_t)pids[0];
	return CLI_PROCEED;
}

int cmd_conns(int argc, char **argv)
{
	int output = 0, code, err;
	uint32_t pid = 0;
	const struct cli_arg args[] = {
		{"--output", format_names(), format_help(), CLI_CHOICE, &output},
		{"--pid", "PID", "Monitor to ask. Default: the only one running.", CLI_NUMBER, &pid,
		 .min = 1},
	};

	code = cli_parse(
		&(struct cli_command){
			"conns",
			"Asks the running monitor for every connection of the servers it watches: both ends, TLS\n"
			"version and cipher suite, records, bytes, and how much passed unread.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	if (code == CLI_PROCEED && !pid)
		code = find_monitor(&pid);
	if (code != CLI_PROCEED)
		return code;
	err = control_query((pid_t)pid, formats[output].letter, STDOUT_FILENO);
	if (err) {
		log_error("conns: no answer from pid %u: %s", pid,
			  err == -ENOENT ? "it is not a running monitor" : strerror(-err));
		return EXIT_CANNOT;
	}
	return EXIT_FINE;
}
