// SPDX-License-Identifier: BSD-2-Clause
/* cli.c - see cli.h. */
#include "cmd/cli.h"

#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_LEN 256 /* all names of a table, in an error message */

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* Index of value in "a|b|c", or -1. */
static int choice_index(const char *values, const char *value)
{
	size_t len = strlen(value);
	int index = 0;

	for (const char *p = values; p; p = strchr(p, '|'), p = p ? p + 1 : NULL, index++) {
		if (strcspn(p, "|") == len && !strncmp(p, value, len))
			return index;
	}
	return -1;
}

/* Stricter than strtoul(), which accepts signs, leading blanks and an empty string. */
static bool parse_number(const char *text, uint32_t min, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || !isdigit((unsigned char)text[0]) || *end || v < min || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static size_t count_operands(const struct cli_command *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->args[i].kind == CLI_OPERAND;
	return n;
}

/* One of the two sections of a command's help: operands, or options. */
static void print_section(const struct cli_command *c, const char *title, bool operands)
{
	printf("\n%s:\n", title);
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];
		char left[64];

		if ((a->kind == CLI_OPERAND) != operands)
			continue;
		snprintf(left, sizeof(left), "%s%s%s%s%s", a->letter ?: "", a->letter ? ", " : "",
			 a->name, a->arg ? " " : "", a->arg ?: "");
		printf("  %-27s %s\n", left, a->help);
	}
	if (!operands)
		printf("  %-27s %s\n", "-h, --help", "Print this help.");
}

static void print_command_help(const struct cli_command *c)
{
	printf("Usage: cachewarden %s", c->name);
	if (count_operands(c) < c->count)
		printf(" [OPTION...]");
	for (size_t i = 0; i < c->count; i++) {
		if (c->args[i].kind == CLI_OPERAND)
			printf(c->args[i].required ? " %s" : " [%s]", c->args[i].name);
	}
	printf("\n\n%s\n", c->help);
	if (count_operands(c))
		print_section(c, "Arguments", true);
	print_section(c, "Options", false);
}

static const struct cli_arg *find_option(const struct cli_command *c, const char *word, size_t len)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		if (a->kind == CLI_OPERAND)
			continue;
		if ((strlen(a->name) == len && !strncmp(a->name, word, len)) ||
		    (a->letter && !strcmp(a->letter, word)))
			return a;
	}
	return NULL;
}

static int unknown_option(const struct cli_command *c, const char *word, size_t len)
{
	char known[LIST_LEN] = "";
	size_t used = 0;

	for (size_t i = 0; i < c->count && used < sizeof(known); i++) {
		if (c->args[i].kind != CLI_OPERAND)
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s, ",
						 c->args[i].name);
	}
	log_error("%s: unknown option '%.*s'; options are: %s--help", c->name, (int)len, word,
		  known);
	return EXIT_USAGE;
}

static int add_text(const struct cli_command *c, const struct cli_arg *a, const char *value)
{
	struct cli_texts *texts = a->value;

	if (texts->count == ARRAY_SIZE(texts->text)) {
		log_error("%s: %s can be given at most %zu times", c->name, a->name,
			  ARRAY_SIZE(texts->text));
		return EXIT_USAGE;
	}
	texts->text[texts->count++] = value;
	return CLI_PROCEED;
}

static int set_value(const struct cli_command *c, const struct cli_arg *a, const char *value)
{
	int index;

	switch (a->kind) {
	case CLI_CHOICE:
		index = choice_index(a->arg, value);
		if (index < 0) {
			log_error("%s: %s must be one of %s, not '%s'", c->name, a->name, a->arg,
				  value);
			return EXIT_USAGE;
		}
		*(int *)a->value = index;
		return CLI_PROCEED;
	case CLI_NUMBER:
		if (!parse_number(value, a->min, a->value)) {
			log_error("%s: %s must be a whole number from %u to %u, not '%s'", c->name,
				  a->name, a->min, UINT32_MAX, value);
			return EXIT_USAGE;
		}
		return CLI_PROCEED;
	case CLI_TEXT:
	case CLI_OPERAND:
		*(const char **)a->value = value;
		return CLI_PROCEED;
	case CLI_TEXTS:
		return add_text(c, a, value);
	case CLI_FLAG:
		*(bool *)a->value = true;
		return CLI_PROCEED;
	}
	return EXIT_USAGE;
}

/* Operands fill the table's places in order. */
static int set_operand(const struct cli_command *c, const char *word)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		if (a->kind == CLI_OPERAND && !*(const char **)a->value)
			return set_value(c, a, word);
	}
	log_error("%s: unexpected argument '%s'; see 'cachewarden %s --help'", c->name, word,
		  c->name);
	return EXIT_USAGE;
}

/* argv[*index] is "--name value", "--name=value" or "--flag"; *index advances past a separate value. */
static int set_option(const struct cli_command *c, int argc, char **argv, int *index)
{
	const char *word = argv[*index];
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	const struct cli_arg *a = find_option(c, word, len);

	if (!a)
		return unknown_option(c, word, len);
	if (a->kind == CLI_FLAG) {
		if (value) {
			log_error("%s: %s takes no value", c->name, a->name);
			return EXIT_USAGE;
		}
		return set_value(c, a, NULL);
	}
	if (!value && *index + 1 < argc)
		value = argv[++*index];
	if (!value) {
		log_error("%s: %s needs a value: %s", c->name, a->name, a->arg);
		return EXIT_USAGE;
	}
	return set_value(c, a, value);
}

static int check_required(const struct cli_command *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		if (a->required && !*(const char **)a->value) {
			log_error("%s: missing argument %s; see 'cachewarden %s --help'", c->name,
				  a->name, c->name);
			return EXIT_USAGE;
		}
	}
	return CLI_PROCEED;
}

/* While it is set, a command says what its table is instead of parsing by it. */
static struct {
	cli_walk_fn fn;
	void *ctx;
} walk;

void cli_walk(const struct cli_group *g, cli_walk_fn fn, void *ctx)
{
	char *argv[] = {(char *)g->name, NULL};

	walk.fn = fn;
	walk.ctx = ctx;
	cli_dispatch(g, 1, argv);
	walk.fn = NULL;
}

static void walk_group(const struct cli_group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		char *argv[] = {(char *)g->verbs[i].name, NULL};

		g->verbs[i].run(1, argv);
	}
}

int cli_parse(const struct cli_command *c, int argc, char **argv)
{
	if (walk.fn) {
		walk.fn(walk.ctx, c);
		return EXIT_FINE;
	}
	for (int i = 1; i < argc; i++) {
		int code;

		if (is_help(argv[i])) {
			print_command_help(c);
			return EXIT_FINE;
		}
		code = argv[i][0] == '-' ? set_option(c, argc, argv, &i) : set_operand(c, argv[i]);
		if (code != CLI_PROCEED)
			return code;
	}
	return check_required(c);
}

static void print_group_help(const struct cli_group *g, FILE *to)
{
	fprintf(to, "Usage: %s COMMAND [ARGUMENT...]\n\n%s\n\nCommands:\n", g->name, g->help);
	for (size_t i = 0; i < g->count; i++)
		fprintf(to, "  %-10s %s\n", g->verbs[i].name, g->verbs[i].help);
	fprintf(to,
		"\n'%s COMMAND --help' lists a command's options.\n"
		"Exit codes: 0 success, 1 violation found, 2 wrong usage or policy, 3 could not do the job.\n",
		g->name);
}

int cli_dispatch(const struct cli_group *g, int argc, char **argv)
{
	char known[LIST_LEN] = "";
	size_t used = 0;

	if (walk.fn) {
		walk_group(g);
		return EXIT_FINE;
	}
	if (argc < 2) {
		print_group_help(g, stderr);
		return EXIT_USAGE;
	}
	if (is_help(argv[1]) || !strcmp(argv[1], "help")) {
		print_group_help(g, stdout);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < g->count; i++) {
		if (!strcmp(argv[1], g->verbs[i].name))
			return g->verbs[i].run(argc - 1, argv + 1);
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s, ",
						 g->verbs[i].name);
	}
	log_error("unknown %s '%s'; commands of '%s': %shelp",
		  argv[1][0] == '-' ? "option" : "command", argv[1], g->name, known);
	return EXIT_USAGE;
}
