// SPDX-License-Identifier: BSD-2-Clause
/* main.c - the verbs. */
#include "cmd/cli.h"
#include "cmd/verbs.h"

static const struct cli_verb verbs[] = {
	{"run", "watch every Redis and Valkey on this host, alerts on standard output", cmd_run},
	{"policy", "check, test or explain a policy", cmd_policy},
	{"conns", "list the connections of all servers, and what their handshakes said", cmd_conns},
	{"doctor", "say what this kernel offers and what stays unseen", cmd_doctor},
};

int main(int argc, char **argv)
{
	return cli_run(verbs, sizeof(verbs) / sizeof(verbs[0]), argc, argv);
}
