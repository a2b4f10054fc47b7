// SPDX-License-Identifier: BSD-2-Clause
/* cmd_conns.c - cachewarden conns: asks a running monitor over its control socket. */
#include "cmd/ask_monitor.h"
#include "cmd/filter.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"
#include "report/format.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int print(void *ctx, const char *bytes, size_t len)
{
	return fwrite(bytes, 1, len, stdout) == len ? 0 : -errno;
}

/* What the monitor is asked for: it writes the lines, so it chooses them. */
static int check(struct filter *f, struct control_request *ret)
{
	int code = filter_check("conns", f);

	if (code != CLI_PROCEED)
		return code;
	if (f->instance && (!f->instance[0] || strlen(f->instance) >= sizeof(ret->name))) {
		log_error("conns: --instance must be a name of 1 to %zu characters, not '%s'",
			  sizeof(ret->name) - 1, f->instance);
		return EXIT_USAGE;
	}
	snprintf(ret->name, sizeof(ret->name), "%s", f->instance ?: "");
	ret->number = f->since ? (uint64_t)f->since_ms : 0;
	return CLI_PROCEED;
}

int cmd_conns(int argc, char **argv)
{
	struct control_request request = {};
	struct filter f = FILTER_ANY;
	int output = 0, code;
	uint32_t pid = 0;
	const struct cli_arg args[] = {
		{"--output", format_names(), format_help(), CLI_CHOICE, &output},
		FILTER_INSTANCE(f),
		FILTER_SINCE(f, "Only those that were opened then or later"),
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
		code = check(&f, &request);
	request.letter = formats[output].letter;
	if (code == CLI_PROCEED)
		code = ask_monitor("conns", pid, &request, print, NULL);
	return code == CLI_PROCEED ? EXIT_FINE : code;
}
