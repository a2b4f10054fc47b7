// SPDX-License-Identifier: BSD-2-Clause
/* cmd_incidents.c - cachewarden incidents: asks a running monitor over its control socket for its latest incidents. */
#include "cmd/ask_monitor.h"
#include "cmd/filter.h"
#include "cmd/incidents_cursor.h"
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

/* Numbers of another run say nothing of this one's: then all is shown, and it is said. */
static int ask(uint32_t pid, const struct incidents_cursor *after, json_t **ret)
{
	int code = ask_monitor_json("incidents", pid, CONTROL_INCIDENTS, after->seq, ret);
	bool restarted = code == CLI_PROCEED && incidents_cursor_is_foreign(after, *ret);

	if (restarted) {
		log_warn("incidents: the monitor was restarted since that answer; these are all "
			 "that it has reported since its start");
		json_decref(*ret);
		*ret = NULL;
		code = ask_monitor_json("incidents", pid, CONTROL_INCIDENTS, 0, ret);
	}
	if (code == CLI_PROCEED)
		incidents_cursor_put(*ret, restarted);
	return code;
}

int cmd_incidents(int argc, char **argv)
{
	struct filter f = FILTER_ANY;
	int output = 0, code;
	struct incidents_cursor cursor = {};
	const char *after = NULL;
	uint32_t pid = 0;
	const struct cli_arg args[] = {
		FILTER_INSTANCE(f),
		FILTER_WHAT(f),
		FILTER_SINCE(f, "Only those that went on then or later"),
		{"--after", "CURSOR",
		 "Only what was reported after that: the member cursor of an earlier answer. If the monitor was restarted since, all that the new one has.",
		 CLI_TEXT, &after},
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
	if (code == CLI_PROCEED && after && !incidents_cursor_parse(&cursor, after)) {
		log_error("incidents: --after: '%s' is none; expected the member cursor of an "
			  "earlier answer, RUN:NUMBER",
			  after);
		code = EXIT_USAGE;
	}
	if (code == CLI_PROCEED)
		code = ask(pid, &cursor, &reply);
	if (code == CLI_PROCEED)
		code = show(reply, &f, output == 1);
	json_decref(reply);
	return code;
}
