// SPDX-License-Identifier: BSD-2-Clause
/* verbs.c - the table of commands. */
#include "cmd/verbs.h"

#include "base/macros.h"

#include <stdio.h>

int cmd_version(int argc, char **argv)
{
	int code = cli_parse(&(struct cli_command){"version", "Prints the version.", NULL, 0}, argc,
			     argv);

	if (code != CLI_PROCEED)
		return code;
	printf("cachewarden %s\n", CACHEWARDEN_VERSION);
	return EXIT_FINE;
}

static const struct cli_verb verbs[] = {
	{"run", "Watch every Redis and Valkey server on this host.", cmd_run},
	{"status", "Say whether the running monitor is well, and what it watches.", cmd_status},
	{"conns", "List the servers' connections and what their TLS handshakes negotiated.",
	 cmd_conns},
	{"incidents", "List what the running monitor reported last.", cmd_incidents},
	{"watch", "Show live what the running monitor watches and reports.", cmd_watch},
	{"upgrade", "Have the running monitor hand over to a new one, without a gap.", cmd_upgrade},
	{"policy", "Check, test, suggest or explain a policy.", cmd_policy},
	{"evidence", "Verify and show an evidence log.", cmd_evidence},
	{"validate", "Try a server and its host against what is promised of them.", cmd_validate},
	{"witness", "Cosign the evidence logs of other hosts.", cmd_witness},
	{"doctor", "Show what this kernel supports and what stays unseen.", cmd_doctor},
	{"completion", "Print the completion of these commands for a shell.", cmd_completion},
	{"version", "Print the version.", cmd_version},
};

const struct cli_group cachewarden = {
	"cachewarden",
	"Reports every access to the memory of Redis and Valkey servers by other processes, and every\n"
	"byte on their sockets that is not TLS.",
	verbs,
	ARRAY_SIZE(verbs),
};
