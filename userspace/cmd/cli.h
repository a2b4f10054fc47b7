/* SPDX-License-Identifier: BSD-2-Clause */
/* cli.h - verbs and options as tables; parser, help and error messages come from them. */
#ifndef CACHEWARDEN_CLI_H
#define CACHEWARDEN_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of every verb. */
enum { EXIT_FINE = 0, EXIT_VIOLATION = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

enum cli_kind {
	CLI_CHOICE,
	CLI_SECONDS,
	CLI_SECONDS_OR_0,
	CLI_NUMBER,
	CLI_FLAG,
	CLI_TEXT,
	CLI_WORD
};

struct cli_option {
	const char *name; /* "--output" */
	const char *
		arg; /* how help calls its argument; a choice's values, separated by |; "" for a flag */
	const char *help;
	enum cli_kind kind;
	void *value; /* CLI_CHOICE: int, index of the value; CLI_SECONDS, CLI_NUMBER: uint32_t, at least 1, or 0 too;
			CLI_FLAG: bool, set where it is given; CLI_TEXT: const char *; CLI_WORD: the same,
			for the word that stands at this place without a name */
};

struct cli_verb {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv); /* argv[0] is the verb */
};

/*
 * Parse a verb's arguments into the options' values. Returns -1 to go on, or an exit code: after
 * --help, or after an error that named the word, what was wrong and what is known.
 */
int cli_parse(const char *verb, const char *help, const struct cli_option *options, size_t count,
	      int argc, char **argv);

/* Find the verb and run it. Returns its exit code. */
int cli_run(const struct cli_verb *verbs, size_t count, int argc, char **argv);

#endif
