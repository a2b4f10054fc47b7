// SPDX-License-Identifier: BSD-2-Clause
/* cmd_conns.c - cachewarden conns: asks a running monitor over its control socket. */
#include "cmd/ask_monitor.h"
#include "cmd/verbs.h"
#include "base/macros.h"
#include "report/format.h"

#include <errno.h>
#include <stdio.h>

static int print(void *ctx, const char *bytes, size_t len)
{
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -errno;
}

int cmd_conns(int argc, char **argv)
{
	int output = 0, code;
	uint32_t pid = 0;
	const struct cli_arg args[] = {
		{"--output", format_names(), format_help(), CLI_CHOICE, &output},
		ASK_PID(pid),
	};

	code = cli_parse(
		&(struct cli_command){
			"conns",
			"Asks the running monitor for every connection of the servers it watches: both ends, TLS\n"
			"version and cipher suite, records, bytes, and how much passed unread.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	if (code == CLI_PROCEED)
		code = ask_monitor("conns", pid, formats[output].letter, print, NULL);
	return code == CLI_PROCEED ? EXIT_FINE : code;
}
