// SPDX-License-Identifier: BSD-2-Clause
/* cmd_status.c - cachewarden status: asks a running monitor over its control socket how it is. */
#include "cmd/ask_monitor.h"
#include "cmd/status_text.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"

#include <jansson.h>
#include <stdio.h>

static void print(const json_t *status)
{
	json_dumpf(status, stdout, JSON_COMPACT);
	fputc('\n', stdout);
}

int cmd_status(int argc, char **argv)
{
	int output = 0, code;
	uint32_t pid = 0;
	const struct cli_arg args[] = {
		{"--output", "text|json", "Print text, or one JSON object. Default: text.",
		 CLI_CHOICE, &output},
		ASK_PID(pid),
	};
	json_t *status = NULL;
	bool well;

	code = cli_parse(
		&(struct cli_command){
			"status",
			"Asks the running monitor what it watches, what its sensors cover, what was lost, and whether\n"
			"its evidence is on the disk. Exits with 0 if all is well, 1 if something is wrong, which it\n"
			"says, and 3 if no monitor answers.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	if (code != CLI_PROCEED)
		return code;
	code = ask_monitor_json("status", pid, CONTROL_STATUS, 0, &status);
	if (code != CLI_PROCEED)
		return code;
	if (!json_is_boolean(json_object_get(status, "well"))) {
		log_error("status: the monitor's answer was cut off or is that of another version");
		code = EXIT_CANNOT;
	} else {
		well = json_is_true(json_object_get(status, "well"));
		if (output == 1)
			print(status);
		else
			status_text(status, stdout);
		code = well ? EXIT_FINE : EXIT_VIOLATION;
	}
	json_decref(status);
	return code;
}
