// SPDX-License-Identifier: BSD-2-Clause
/* cmd_incidents.c - cachewarden incidents: asks a running monitor over its control socket for its latest incidents. */
#include "cmd/ask_monitor.h"
#include "cmd/evidence_common.h"
#include "cmd/incidents_filter.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"
#include "model/rule.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static int print(const char *bytes, size_t len, void *to)
{
	return fwrite(bytes, 1, len, to) == len ? 0 : -1;
}

static int show(json_t *reply, const struct incidents_filter *f, bool as_json)
{
	json_t *incidents = json_object_get(reply, "incidents");
	json_int_t gone = json_integer_value(json_object_get(reply, "gone"));

	if (!json_is_array(incidents)) {
		log_error("incidents: the monitor's answer was cut off or is that of another "
			  "version");
		return EXIT_CANNOT;
	}
	incidents_filter(incidents, f);
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

static int check(const struct incidents_filter *f, const char *since, int64_t *ret_since_ms)
{
	if (since && !evidence_time(since, ret_since_ms))
		return evidence_bad_time("incidents: --since", since);
	if (f->rule && rule_find(f->rule) == RULE_NONE) {
		log_error("incidents: no rule '%s'; cachewarden-rules(7) lists them", f->rule);
		return EXIT_USAGE;
	}
	return CLI_PROCEED;
}

int cmd_incidents(int argc, char **argv)
{
	struct incidents_filter f = {.since_ms = INT64_MIN};
	int output = 0, severity = 0, code;
	const char *since = NULL;
	uint32_t pid = 0, after = 0;
	const struct cli_arg args[] = {
		{"--instance", "NAME", "Only of this server, as alerts name it.", CLI_TEXT,
		 &f.instance},
		{"--rule", "RULE", "Only those in which this rule was broken.", CLI_TEXT, &f.rule},
		{"--severity", "info|low|medium|high|critical", "Only those at least so bad.",
		 CLI_CHOICE, &severity},
		{"--actor", "PID|NAME|FILE",
		 "Only those led by this process: its pid, its name or its executable.", CLI_TEXT,
		 &f.actor},
		{"--since", "TIME",
		 "Only those that went on then or later: a day or YYYY-MM-DDTHH:MM:SS, UTC, or @SECONDS since the epoch.",
		 CLI_TEXT, &since},
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
	f.severity = (enum severity)(severity + SEVERITY_INFO);
	if (code == CLI_PROCEED)
		code = check(&f, since, &f.since_ms);
	if (code == CLI_PROCEED)
		code = ask_monitor_json("incidents", pid, CONTROL_INCIDENTS, after, &reply);
	if (code == CLI_PROCEED)
		code = show(reply, &f, output == 1);
	json_decref(reply);
	return code;
}
