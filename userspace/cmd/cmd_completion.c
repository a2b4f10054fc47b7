// SPDX-License-Identifier: BSD-2-Clause
/* cmd_completion.c - cachewarden completion: scripts that let a shell complete the commands, made from their tables. */
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"

#include <stdio.h>
#include <string.h>

#define COMMANDS_MAX 64

/* "run", "policy check", ...: commands of a group are adjacent. */
struct names {
	const char *name[COMMANDS_MAX];
	size_t count;
};

static void add_name(void *ctx, const struct cli_command *c)
{
	struct names *n = ctx;

	if (n->count < COMMANDS_MAX)
		n->name[n->count++] = c->name;
}

/* Is the word at a the first of b, too? */
static bool same_word(const char *a, const char *b)
{
	size_t len = strcspn(a, " ");

	return b && len == strcspn(b, " ") && !strncmp(a, b, len);
}

/* The words that may follow a prefix, "" or "policy ", each once. */
static void put_words(const struct names *n, const char *prefix, size_t len)
{
	const char *last = NULL;

	for (size_t i = 0; i < n->count; i++) {
		const char *word = n->name[i] + len;

		if (strncmp(n->name[i], prefix, len) || same_word(word, last))
			continue;
		printf("%s%.*s", last ? " " : "", (int)strcspn(word, " "), word);
		last = word;
	}
}

/* The length of the prefix of name's group, "policy "; 0: it is in none, or in the group of the name before. */
static size_t new_group(const struct names *n, size_t i)
{
	size_t len = strcspn(n->name[i], " ");

	if (!n->name[i][len] || (i && same_word(n->name[i], n->name[i - 1])))
		return 0;
	return len + 1;
}

/* "a|b|c" as "a b c". */
static void put_choices(const char *values)
{
	for (; *values; values++)
		putchar(*values == '|' ? ' ' : *values);
}

static bool takes_file(const struct cli_arg *a)
{
	return a->kind == CLI_TEXT || a->kind == CLI_TEXTS || a->kind == CLI_OPERAND;
}

/* --- bash --- */

static void bash_command(void *ctx, const struct cli_command *c)
{
	bool files = false;

	printf("\t'%s '*)\n\t\tcase $prev in\n", c->name);
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		files = files || a->kind == CLI_OPERAND;
		if (a->kind == CLI_FLAG || a->kind == CLI_OPERAND)
			continue;
		printf("\t\t%s) %s", a->name, takes_file(a) ? "files=yes " : "");
		if (a->kind == CLI_CHOICE) {
			printf("words='");
			put_choices(a->arg);
			printf("' ");
		}
		printf(";;\n");
	}
	printf("\t\t*) %swords='", files ? "files=yes " : "");
	for (size_t i = 0; i < c->count; i++) {
		if (c->args[i].kind != CLI_OPERAND)
			printf("%s ", c->args[i].name);
	}
	printf("--help' ;;\n\t\tesac\n\t\t;;\n");
}

static void print_bash(const struct names *n)
{
	size_t len;

	printf("# bash completion for cachewarden, by `cachewarden completion bash`\n"
	       "_cachewarden()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words='' files=''\n\n"
	       "\tcase \"${COMP_WORDS[*]:1:COMP_CWORD - 1} \" in\n\t' ') words='");
	put_words(n, "", 0);
	printf("' ;;\n");
	for (size_t i = 0; i < n->count; i++) {
		len = new_group(n, i);
		if (!len)
			continue;
		printf("\t'%.*s') words='", (int)len, n->name[i]);
		put_words(n, n->name[i], len);
		printf("' ;;\n");
	}
	cli_walk(&cachewarden, bash_command, NULL);
	printf("\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen ${files:+-f} -W \"$words\" -- \"$cur\")\n"
	       "}\ncomplete -o filenames -F _cachewarden cachewarden\n");
}

/* --- fish --- */

/* In single quotes. */
static void put_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void fish_condition(const char *name)
{
	size_t len = strcspn(name, " ");

	printf("complete -c cachewarden -n '__fish_seen_subcommand_from %.*s", (int)len, name);
	if (name[len])
		printf("; and __fish_seen_subcommand_from %s", name + len + 1);
	printf("'");
}

static void fish_command(void *ctx, const struct cli_command *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		fish_condition(c->name);
		if (a->kind == CLI_OPERAND) {
			printf(" -F\n");
			continue;
		}
		printf(" -l %s", a->name + 2);
		if (a->letter)
			printf(" -s %s", a->letter + 1);
		if (a->kind != CLI_FLAG)
			printf(takes_file(a) ? " -rF" : " -x");
		if (a->kind == CLI_CHOICE) {
			printf(" -a '");
			put_choices(a->arg);
			printf("'");
		}
		printf(" -d ");
		put_quoted(a->help);
		printf("\n");
	}
}

static void print_fish(const struct names *n)
{
	size_t len;

	printf("# fish completion for cachewarden, by `cachewarden completion fish`\n"
	       "complete -c cachewarden -f\n"
	       "complete -c cachewarden -n __fish_use_subcommand -a '");
	put_words(n, "", 0);
	printf("'\n");
	for (size_t i = 0; i < n->count; i++) {
		len = new_group(n, i);
		if (!len)
			continue;
		printf("complete -c cachewarden -n '__fish_seen_subcommand_from %.*s; "
		       "and not __fish_seen_subcommand_from ",
		       (int)len - 1, n->name[i]);
		put_words(n, n->name[i], len);
		printf("' -a '");
		put_words(n, n->name[i], len);
		printf("'\n");
	}
	cli_walk(&cachewarden, fish_command, NULL);
}

/* --- zsh --- */

/* In single quotes, in a place of _arguments that ends with one of these characters. */
static void zsh_escaped(const char *text, const char *ends)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else if (*text == '\\' || strchr(ends, *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

/* '--output=[Print ...]:text|json:(text json)' */
static void zsh_option(const struct cli_arg *a)
{
	bool value = a->kind != CLI_FLAG;

	if (a->letter)
		printf(" '(%s %s)'{%s,%s}'[", a->letter, a->name, a->letter, a->name);
	else
		printf(" '%s%s%s[", a->kind == CLI_TEXTS ? "*" : "", a->name, value ? "=" : "");
	zsh_escaped(a->help, "[]");
	printf("]");
	if (value) {
		printf(":");
		zsh_escaped(a->arg, ":");
		printf(":");
	}
	if (a->kind == CLI_CHOICE) {
		printf("(");
		put_choices(a->arg);
		printf(")");
	} else if (value) {
		printf(takes_file(a) ? "_files" : " ");
	}
	printf("'");
}

static void zsh_command(void *ctx, const struct cli_command *c)
{
	printf("\t'%s')\n\t\t_arguments -S", c->name);
	for (size_t i = 0; i < c->count; i++) {
		if (c->args[i].kind == CLI_OPERAND)
			printf(" ':%s:_files'", c->args[i].name);
		else
			zsh_option(&c->args[i]);
	}
	printf(" '(-h --help)'{-h,--help}'[Print this help.]'\n\t\t;;\n");
}

/* _arguments takes the first of the words for the command: those before are dropped. */
static void print_zsh(const struct names *n)
{
	size_t len;

	printf("#compdef cachewarden\n"
	       "# zsh completion for cachewarden, by `cachewarden completion zsh`\n"
	       "_cachewarden()\n{\n"
	       "\tlocal verb=$words[2]\n\n"
	       "\tif (( CURRENT == 2 )); then\n\t\tcompadd -- ");
	put_words(n, "", 0);
	printf("\n\t\treturn\n\tfi\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in\n");
	for (size_t i = 0; i < n->count; i++) {
		len = new_group(n, i);
		if (!len)
			continue;
		printf("\t%.*s)\n\t\tif (( CURRENT == 2 )); then\n\t\t\tcompadd -- ", (int)len - 1,
		       n->name[i]);
		put_words(n, n->name[i], len);
		printf("\n\t\t\treturn\n\t\tfi\n\t\tverb+=\" $words[2]\"\n"
		       "\t\tshift words\n\t\t(( CURRENT-- ))\n\t\t;;\n");
	}
	printf("\tesac\n\tcase $verb in\n");
	cli_walk(&cachewarden, zsh_command, NULL);
	printf("\tesac\n}\n_cachewarden \"$@\"\n");
}

int cmd_completion(int argc, char **argv)
{
	const char *shell = NULL;
	struct names names = {};
	const struct cli_arg args[] = {
		{"SHELL", NULL, "bash, fish or zsh.", CLI_OPERAND, &shell, .required = true},
	};
	int code = cli_parse(
		&(struct cli_command){
			"completion",
			"Prints a script that completes the commands and options of this version. The packages install\n"
			"it; for this session: source <(cachewarden completion bash)",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	cli_walk(&cachewarden, add_name, &names);
	if (!strcmp(shell, "bash")) {
		print_bash(&names);
	} else if (!strcmp(shell, "fish")) {
		print_fish(&names);
	} else if (!strcmp(shell, "zsh")) {
		print_zsh(&names);
	} else {
		log_error("completion: the shell must be bash, fish or zsh, not '%s'", shell);
		return EXIT_USAGE;
	}
	return EXIT_FINE;
}
