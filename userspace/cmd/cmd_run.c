// SPDX-License-Identifier: BSD-2-Clause
/* cmd_run.c - cachewarden run. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/http_address.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/proc.h"
#include "policy/policy_sink.h"
#include "policy/policy_yaml.h"
#include "monitor/monitor.h"

#include "map.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns false after an error message. */
static bool read_pids(const struct cli_texts *texts, pid_t *ret)
{
	for (size_t i = 0; i < texts->count; i++) {
		char *end;
		long pid = strtol(texts->text[i], &end, 10);

		if (*end || pid <= 0 || pid > INT_MAX || !proc_state((pid_t)pid)) {
			log_error("run: --pid must be the pid of a running process, not '%s'",
				  texts->text[i]);
			return false;
		}
		ret[i] = (pid_t)pid;
	}
	return true;
}

/* Returns false after an error message. */
static bool check_names(const struct cli_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		const char *name = texts->text[i];

		if (!*name || strchr(name, '/') || strlen(name) >= EXE_KEY_LEN) {
			log_error("run: --exe must be a file name without directories, of at most "
				  "%d bytes, not '%s'",
				  EXE_KEY_LEN - 1, name);
			return false;
		}
	}
	return true;
}

#define SINK_NAME_ROOM 32

/* Named by their kinds. Returns false after an error message. */
static bool read_sinks(const struct cli_texts *texts, struct policy_sink ret[POLICY_SINKS_MAX],
		       char name[][SINK_NAME_ROOM])
{
	struct policy_target target;

	if (texts->count > POLICY_SINKS_MAX) {
		log_error("run: --sink may be given at most %d times", POLICY_SINKS_MAX);
		return false;
	}
	for (size_t i = 0; i < texts->count; i++) {
		if (!policy_target_parse(texts->text[i], &target)) {
			log_error("run: --sink must be " POLICY_TARGET_FORMS ", not '%s'",
				  texts->text[i]);
			return false;
		}
		snprintf(name[i], SINK_NAME_ROOM, "%s#%zu", policy_sink_kind_name(target.kind),
			 i + 1);
		ret[i] = (struct policy_sink){
			.name = name[i], .to = (char *)texts->text[i], .severity = SEVERITY_INFO};
	}
	return true;
}

int cmd_run(int argc, char **argv)
{
	struct monitor_options o = {.sweep_s = 5, .tier = -1};
	struct cli_texts exe = {}, pid = {}, sink = {};
	struct policy_sink sinks[POLICY_SINKS_MAX];
	char sink_names[POLICY_SINKS_MAX][SINK_NAME_ROOM];
	uint32_t statement_min = 0;
	pid_t pids[CLI_TEXTS_MAX];
	int output = 0, fail_on = 0, code;
	bool quiet = false, verbose = false;
	const struct cli_arg args[] = {
		{"--output", format_names(), format_help(), CLI_CHOICE, &output},
		{"--events", NULL, "Print every event as well as the incidents, allowed ones too.",
		 CLI_FLAG, &o.events},
		{"--policy", "FILE", "Policy to apply. Default: " POLICY_FILE ", if it exists.",
		 CLI_TEXT, &o.policy},
		{"--exe", "NAME",
		 "Also watch servers whose executable has this file name. May be given several times.",
		 CLI_TEXTS, &exe},
		{"--pid", "PID",
		 "Also watch this process, whatever it is called. May be given several times.",
		 CLI_TEXTS, &pid},
		{"--sink", "TO",
		 "Also deliver incidents to " POLICY_TARGET_FORMS
		 ", as a policy can. May be given several times.",
		 CLI_TEXTS, &sink},
		{"--prevent", NULL,
		 "Deny access to servers' memory and descriptors; where the kernel cannot, kill the actor.",
		 CLI_FLAG, &o.prevent},
		{"--enforce-tls", NULL,
		 "Drop plaintext on servers' sockets and reset the connection.", CLI_FLAG,
		 &o.enforce_tls},
		{"--evidence", "DIR",
		 "Keep a tamper-evident log in this directory. Default: the policy's, else none.",
		 CLI_TEXT, &o.evidence},
		{"--statement-every", "MINUTES",
		 "Interval between the signed statements in that log. Default: 15.", CLI_NUMBER,
		 &statement_min, .min = 1},
		{"--tier", "full|quiet",
		 "Where the kernel takes no programs at its functions: examine syscalls (full), or let no syscall of the host "
		 "pay, and see less (quiet). Default: the policy's, else full.",
		 CLI_CHOICE, &o.tier},
		{"--sweep", "SECONDS",
		 "Interval between sweeps; 0: only at start and after alerts. Default: 5.",
		 CLI_NUMBER, &o.sweep_s, .min = 0},
		{"--heartbeat", "SECONDS",
		 "Print a line at this interval to show that the monitor is alive. Default: none.",
		 CLI_NUMBER, &o.heartbeat_s, .min = 1},
		{"--metrics", "ADDRESS",
		 "Serve metrics for Prometheus at unix:/PATH, 127.0.0.1:PORT or [::1]:PORT. Default: the policy's, else "
		 "none.",
		 CLI_TEXT, &o.metrics},
		{"--duration", "SECONDS", "Exit after this time. Default: at SIGINT or SIGTERM.",
		 CLI_NUMBER, &o.duration_s, .min = 1},
		{"--fail-on", "never|low|medium|high|critical",
		 "Exit with 1 if there was an incident of this severity or worse. Default: never.",
		 CLI_CHOICE, &fail_on},
		{"--quiet", NULL, "Write only warnings and errors to standard error.", CLI_FLAG,
		 &quiet, .letter = "-q"},
		{"--verbose", NULL,
		 "Also write which files of servers are protected, and how long sweeps take.",
		 CLI_FLAG, &verbose, .letter = "-v"},
		{"--no-guard", NULL, "Do not start the process that reports the monitor's death.",
		 CLI_FLAG, &o.no_guard},
	};

	code = cli_parse(
		&(struct cli_command){
			"run",
			"Watches every Redis and Valkey server on this host. Incidents go to standard output, all\n"
			"else to standard error. SIGHUP reloads the policy.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	if (code != CLI_PROCEED)
		return code;
	o.format = &formats[output];
	o.fail_on = fail_on ? SEVERITY_LOW + (enum severity)fail_on - 1 : 0;
	if (!check_names(&exe) || !read_pids(&pid, pids) || !read_sinks(&sink, sinks, sink_names))
		return EXIT_USAGE;
	o.sink = sinks;
	o.sinks = sink.count;
	if (o.metrics && !http_address_is_local(o.metrics)) {
		log_error(
			"run: --metrics must be unix:/PATH, 127.0.0.1:PORT or [::1]:PORT, not '%s'",
			o.metrics);
		return EXIT_USAGE;
	}
	o.statement_s = 60 * statement_min;
	o.exe = exe.text;
	o.exe_count = exe.count;
	o.pid = pids;
	o.pid_count = pid.count;
	if (quiet && verbose) {
		log_error("run: --quiet and --verbose exclude each other");
		return EXIT_USAGE;
	}
	if (quiet)
		log_quiet();
	if (verbose)
		log_verbose();
	return monitor_run(&o);
}
