// SPDX-License-Identifier: BSD-2-Clause
/* cmd_incidents.c - cachewarden incidents: asks a running monitor over its control socket for its latest incidents. */
#include "cmd/ask_monitor.h"
#include "cmd/filter.h"
#include "cmd/incidents_text.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int print(const char *bytes, size_t len, void *to)
{
	return fwrite(bytes, 1, len, to) == len ? 0 : -1;
}

static int show(json_t *reply, const struct filter *f, bool as_json)
{
	json_t *incidents = json_object_get(reply, "incidents");
	json_int_t gone = json_integer_value(json_object_get(reply, "gone"));

	if (!json_is_array(incidents)) {
		log_error("incidents: the monitor's answer was cut off or is that of another "
			  "version");
		return EXIT_CANNOT;
	}
	filter_incidents(f, incidents);
	if (as_json) {
		json_dump_callback(reply, print, stdout, JSON_COMPACT);
		fputc('\n', stdout);
	} else {
		incidents_text(incidents, stdout);
		if (gone)
			printf("%" JSON_INTEGER_FORMAT
			       " older ones are kept in the evidence log only, if there is one\n",
			       gone);
	}
	return fflush(stdout) || ferror(stdout) ? EXIT_CANNOT : EXIT_FINE;
}

int cmd_incidents(int argc, char **argv)
{
	struct filter f = FILTER_ANY;
	int output = 0, code;
	uint32_t pid = 0, after = 0;
	const struct cli_arg args[] = {
		FILTER_INSTANCE(f),
		FILTER_WHAT(f),
		FILTER_SINCE(f, "Only those that went on then or later"),
		{"--after", "SEQ",
		 "Only what was reported after that: the member seq of an earlier answer.",
		 CLI_NUMBER, &after},
		{"--output", "text|json", "Print text, or one JSON object. Default: text.",
		 CLI_CHOICE, &output},
		ASK_PID(pid),
	};
	json_t *reply = NULL;

	code = cli_parse(
		&(struct cli_command){
			"incidents",
			"Asks the running monitor for its latest incidents, open and closed, each as it was last\n"
			"reported: who did what to which server. It keeps the last 256; older ones are in the evidence log.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	if (code == CLI_PROCEED)
		code = filter_check("incidents", &f);
	if (code == CLI_PROCEED)
		code = ask_monitor_json("incidents", pid, CONTROL_INCIDENTS, after, &reply);
	if (code == CLI_PROCEED)
		code = show(reply, &f, output == 1);
	json_decref(reply);
	return code;
}
