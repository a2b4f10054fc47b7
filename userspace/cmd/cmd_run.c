// SPDX-License-Identifier: BSD-2-Clause
/* cmd_run.c - cachewarden run. */
#include "cmd/cli.h"
#include "policy/policy_yaml.h"
#include "monitor/monitor.h"
#include "cmd/verbs.h"

int cmd_run(int argc, char **argv)
{
	struct monitor_options o = {.sweep_s = 5};
	int output = 0;
	const struct cli_option options[] = {
		{"--output", "text|json",
		 "text: a line for people; json: OCSF 1.8.0, an object a line", CLI_CHOICE,
		 &output},
		{"--policy", "FILE",
		 "what is watched how strictly, and who may do what (default: " POLICY_FILE ")",
		 CLI_TEXT, &o.policy},
		{"--events", "", "show each event as well, also those a policy allows", CLI_FLAG,
		 &o.events},
		{"--duration", "SECONDS", "end by itself (default: at SIGINT or SIGTERM)",
		 CLI_SECONDS, &o.duration_s},
		{"--prevent", "",
		 "deny what reaches for an instance's memory or descriptors, or kill who does",
		 CLI_FLAG, &o.prevent},
		{"--enforce-tls", "",
		 "drop plaintext on servers' sockets before a byte of it leaves, reset the connection",
		 CLI_FLAG, &o.enforce_tls},
		{"--no-guard", "", "no second process that tells of the monitor's own death",
		 CLI_FLAG, &o.no_guard},
		{"--sweep", "SECONDS",
		 "look at the state of things that often (default: 5; 0: at start and after alerts)",
		 CLI_SECONDS_OR_0, &o.sweep_s},
	};
	int code = cli_parse("run", "watch every Redis and Valkey on this host", options,
			     sizeof(options) / sizeof(options[0]), argc, argv);

	if (code >= 0)
		return code;
	o.json = output == 1;
	return monitor_run(&o);
}
