// SPDX-License-Identifier: BSD-2-Clause
/* cli.c - see cli.h. */
#include "cmd/cli.h"

#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Index of value among "a|b|c", -1 if it is none of them. */
static int choice(const char *values, const char *value)
{
	size_t len = strlen(value);
	int index = 0;

	for (const char *p = values; p; p = strchr(p, '|'), p = p ? p + 1 : NULL, index++) {
		if (strcspn(p, "|") == len && !strncmp(p, value, len))
			return index;
	}
	return -1;
}

static bool seconds(const char *text, uint32_t least, uint32_t *ret)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || !isdigit((unsigned char)text[0]) || *end || v < least || v > UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

static void verb_help(const char *verb, const char *help, const struct cli_option *options,
		      size_t count)
{
	printf("cachewarden %s: %s\n", verb, help);
	for (size_t i = 0; i < count; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", options[i].name, options[i].arg);
		printf("  %-24s %s\n", left, options[i].help);
	}
}

static void known_options(const struct cli_option *options, size_t count, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
					 options[i].name);
}

static int set_option(const char *verb, const struct cli_option *o, const char *value)
{
	uint32_t least = o->kind != CLI_SECONDS_OR_0;
	int index;

	switch (o->kind) {
	case CLI_CHOICE:
		index = choice(o->arg, value);
		if (index < 0) {
			log_error("%s %s: '%s' is none of %s", verb, o->name, value, o->arg);
			return EXIT_USAGE;
		}
		*(int *)o->value = index;
		return -1;
	case CLI_SECONDS:
	case CLI_SECONDS_OR_0:
	case CLI_NUMBER:
		if (!seconds(value, least, o->value)) {
			log_error("%s %s: '%s' is no whole number%s from %u to 4294967295", verb,
				  o->name, value, o->kind == CLI_NUMBER ? "" : " of seconds",
				  least);
			return EXIT_USAGE;
		}
		return -1;
	case CLI_TEXT:
	case CLI_WORD:
		*(const char **)o->value = value;
		return -1;
	case CLI_FLAG:
		break;
	}
	return EXIT_USAGE;
}

/* The first place for a word without a name that is still empty. */
static bool take_word(const struct cli_option *options, size_t count, const char *word)
{
	for (size_t k = 0; k < count; k++) {
		if (options[k].kind == CLI_WORD && !*(const char **)options[k].value) {
			*(const char **)options[k].value = word;
			return true;
		}
	}
	return false;
}

int cli_parse(const char *verb, const char *help, const struct cli_option *options, size_t count,
	      int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct cli_option *found = NULL;
		size_t len = strcspn(argv[i], "=");
		const char *value = argv[i][len] ? argv[i] + len + 1 : NULL;
		char known[256];
		int code;

		if (!strcmp(argv[i], "--help")) {
			verb_help(verb, help, options, count);
			return EXIT_FINE;
		}
		if (argv[i][0] != '-' && take_word(options, count, argv[i]))
			continue;
		for (size_t k = 0; k < count; k++) {
			if (options[k].kind != CLI_WORD && strlen(options[k].name) == len &&
			    !strncmp(options[k].name, argv[i], len))
				found = &options[k];
		}
		if (!found) {
			known_options(options, count, known, sizeof(known));
			log_error("%s: unknown option '%.*s'; known: %s, --help", verb, (int)len,
				  argv[i], known);
			return EXIT_USAGE;
		}
		if (found->kind == CLI_FLAG) {
			if (value) {
				log_error("%s %s: takes no value", verb, found->name);
				return EXIT_USAGE;
			}
			*(bool *)found->value = true;
			continue;
		}
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value) {
			log_error("%s %s: needs a value: %s", verb, found->name, found->arg);
			return EXIT_USAGE;
		}
		code = set_option(verb, found, value);
		if (code >= 0)
			return code;
	}
	return -1;
}

static void general_help(const struct cli_verb *verbs, size_t count, FILE *to)
{
	fprintf(to,
		"cachewarden VERB [OPTION...]: watches that nobody but a Redis or Valkey touches its memory,\n"
		"and that nothing but TLS crosses its sockets\n");
	for (size_t i = 0; i < count; i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].help);
	fprintf(to,
		"  %-8s this text; --help behind a verb lists its options\n"
		"  %-8s the version\n"
		"Exit codes: 0 fine, 1 violation found, 2 usage, 3 could not do the job\n",
		"help", "version");
}

static void known_verbs(const struct cli_verb *verbs, size_t count, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s, ", verbs[i].name);
	if (used < size)
		snprintf(buf + used, size - used, "help, version");
}

int cli_run(const struct cli_verb *verbs, size_t count, int argc, char **argv)
{
	char known[256];

	if (argc < 2) {
		general_help(verbs, count, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help")) {
		general_help(verbs, count, stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "version") || !strcmp(argv[1], "--version")) {
		printf("cachewarden %s\n", CACHEWARDEN_VERSION);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	}
	known_verbs(verbs, count, known, sizeof(known));
	log_error("unknown %s '%s'; known: %s", argv[1][0] == '-' ? "option" : "verb", argv[1],
		  known);
	return EXIT_USAGE;
}
