/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli.h - commands and their arguments as tables. Dispatch, parsing, help and usage errors all come
 * from them.
 */
#ifndef CACHEWARDEN_CLI_H
#define CACHEWARDEN_CLI_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes of every command; documented in README.md. */
enum { EXIT_FINE = 0, EXIT_VIOLATION = 1, EXIT_USAGE = 2, EXIT_CANNOT = 3 };

/* Returned by cli_parse() when the command should run. */
#define CLI_PROCEED (-1)

/* What an argument's value is, and the type its `value` points to. */
enum cli_kind {
	CLI_FLAG,    /* bool, set to true; takes no value */
	CLI_CHOICE,  /* int, index into the values that `arg` lists, separated by '|' */
	CLI_NUMBER,  /* uint32_t, at least `min` */
	CLI_TEXT,    /* const char * */
	CLI_TEXTS,   /* struct cli_texts; the option may be given several times */
	CLI_OPERAND, /* const char *, given by its position; `name` is its placeholder */
};

#define CLI_TEXTS_MAX 32

struct cli_texts {
	const char *text[CLI_TEXTS_MAX];
	size_t count;
};

struct cli_arg {
	const char *name; /* "--output", "--quiet" or "FILE" for an operand */
	const char *arg;  /* placeholder of the value in help; NULL for flags and operands */
	const char *help;
	enum cli_kind kind;
	void *value;
	uint32_t min;
	bool required;	    /* operands only */
	const char *letter; /* "-q", another name of an option; NULL: none */
};

struct cli_command {
	const char *name; /* as the user types it: "run", "policy check" */
	const char *help; /* one sentence */
	const struct cli_arg *args;
	size_t count;
};

struct cli_verb {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns an exit code */
};

struct cli_group {
	const char *name; /* "cachewarden", "cachewarden policy" */
	const char *help;
	const struct cli_verb *verbs;
	size_t count;
};

/*
 * Parse argv[1..] into the values that the command's table points to. Returns CLI_PROCEED, or an exit
 * code: EXIT_FINE after printing help, EXIT_USAGE after printing an error.
 */
int cli_parse(const struct cli_command *c, int argc, char **argv);

/* Run the verb that argv[1] names. Returns its exit code. */
int cli_dispatch(const struct cli_group *g, int argc, char **argv);

/*
 * Call fn for each command of a group and of the groups below it, in order. None is run: completions and the man page are made from
 * their tables.
 */
typedef void (*cli_walk_fn)(void *ctx, const struct cli_command *c);
void cli_walk(const struct cli_group *g, cli_walk_fn fn, void *ctx);

#endif
