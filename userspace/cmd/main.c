// SPDX-License-Identifier: BSD-2-Clause
/* main.c - runs the command that the first argument names. */
#include "cmd/verbs.h"

#include <string.h>

int main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")))
		return cmd_version(1, argv);
	return cli_dispatch(&cachewarden, argc, argv);
}
