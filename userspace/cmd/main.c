// SPDX-License-Identifier: BSD-2-Clause
/* main.c - the table of commands. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/macros.h"

#include <stdio.h>
#include <string.h>

static int cmd_version(int argc, char **argv)
{
	printf("cachewarden %s\n", CACHEWARDEN_VERSION);
	return EXIT_FINE;
}

static const struct cli_verb verbs[] = {
	{"run", "Watch every Redis and Valkey server on this host.", cmd_run},
	{"conns", "List the servers' connections and what their TLS handshakes negotiated.",
	 cmd_conns},
	{"policy", "Check, test, suggest or explain a policy.", cmd_policy},
	{"evidence", "Verify and show an evidence log.", cmd_evidence},
	{"validate", "Try a server and its host against what is promised of them.", cmd_validate},
	{"witness", "Cosign the evidence logs of other hosts.", cmd_witness},
	{"doctor", "Show what this kernel supports and what stays unseen.", cmd_doctor},
	{"version", "Print the version.", cmd_version},
};

static const struct cli_group cachewarden = {
	"cachewarden",
	"Reports every access to the memory of Redis and Valkey servers by other processes, and every\n"
	"byte on their sockets that is not TLS.",
	verbs,
	ARRAY_SIZE(verbs),
};

int main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return cmd_version(argc, argv);
	return cli_dispatch(&cachewarden, argc, argv);
}
