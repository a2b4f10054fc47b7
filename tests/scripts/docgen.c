// SPDX-License-Identifier: BSD-2-Clause
/*
 * docgen.c - writes the parts of the documentation that repeat what tables in the code say.
 *
 *   docgen          rewrite the files below, in the current directory
 *   docgen --check  write nothing; exit 1 after naming each file that would change
 *
 * A generated section of a Markdown file stands between "<!-- generated: NAME -->" and
 * "<!-- end of generated -->". Man pages and the policy's documents are generated whole. Links the product's own objects,
 * so that it reads the very tables that run.
 */
#include "base/macros.h"
#include "cmd/verbs.h"
#include "model/file_kind.h"
#include "model/rule.h"
#include "model/vector.h"
#include "monitor/metrics.h"
#include "policy/policy_doc.h"
#include "policy/policy_value.h"
#include "sensor/program.h"
#include "validate/check.h"
#include "validate/drill.h"
#include "validate/profile_read.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "<!-- generated: "
#define BEGIN_END " -->\n"
#define END "<!-- end of generated -->\n"

/* --- sections --- */

static void write_rules(FILE *to)
{
	fprintf(to, "| rule | severity | broken when |\n|---|---|---|\n");
	for (unsigned int i = RULE_NONE + 1; i < RULE_MAX; i++) {
		const struct rule *r = rule_get(i);

		fprintf(to, "| `%s` | %s | %s |\n", r->name, severity_name(r->severity),
			r->broken_when);
	}
}

/* Neighbours that differ in their name alone share a row. */
static void write_vector_rows(FILE *to, const struct vector *(*get)(size_t i), size_t first)
{
	const struct vector *v, *next;

	fprintf(to, "| vector | rule | how the target is identified |\n|---|---|---|\n");
	for (size_t i = first; (v = get(i)); i++) {
		fprintf(to, "| `%s`", v->name);
		while ((next = get(i + 1)) && !strcmp(next->rules, v->rules) &&
		       !strcmp(next->target, v->target)) {
			fprintf(to, ", `%s`", next->name);
			i++;
		}
		fprintf(to, " | %s | %s |\n", v->rules, v->target);
	}
}

static const struct vector *get_vector(size_t i)
{
	return vector_get((unsigned int)i);
}

static void write_vectors(FILE *to)
{
	write_vector_rows(to, get_vector, VECTOR_NONE + 1);
}

static void write_syscalls(FILE *to)
{
	write_vector_rows(to, vector_syscall, 0);
}

static const char *rule_cell(unsigned int rule)
{
	return rule == RULE_NONE ? "-" : rule_name(rule);
}

static bool same_consequence(const struct file_kind_info *a, const struct file_kind_info *b)
{
	return a->read_rule == b->read_rule && a->write_rule == b->write_rule &&
	       a->severity == b->severity;
}

static void write_files(FILE *to)
{
	fprintf(to, "| file | read | written | severity |\n|---|---|---|---|\n");
	for (unsigned int i = PROC_FILE_NONE + 1; i < FILE_KIND_MAX; i++) {
		const struct file_kind_info *k = file_kind_get(i), *next;

		fprintf(to, "| %s", k->name);
		while ((next = file_kind_get(i + 1)) && same_consequence(k, next)) {
			fprintf(to, ", %s", next->name);
			i++;
		}
		fprintf(to, " | %s | %s | %s |\n", rule_cell(k->read_rule),
			rule_cell(k->write_rule), severity_name(k->severity));
	}
}

static void write_limits(FILE *to)
{
	size_t count;
	const struct sensor_limit *limits = sensor_limits(&count);

	fprintf(to, "| sensor | tier | unseen |\n|---|---|---|\n");
	for (size_t i = 0; i < count; i++)
		fprintf(to, "| %s | %s | %s |\n", limits[i].sensor, limits[i].tier,
			limits[i].unseen);
}

static void write_metrics(FILE *to)
{
	struct metric_row row;

	fprintf(to, "| metric | type | what it is |\n|---|---|---|\n");
	for (size_t i = 0; metrics_row(i, &row); i++)
		fprintf(to, "| `%s` | %s | %s |\n", row.name, row.type, row.help);
}

static void write_checks(FILE *to)
{
	fprintf(to, "| check | guarantee | tried | passes if |\n|---|---|---|---|\n");
	for (size_t i = 0; i < check_count; i++)
		fprintf(to, "| `%s` | %s | %s | %s |\n", checks[i].id, checks[i].guarantee,
			checks[i].tried, checks[i].expected);
}

static void write_drills(FILE *to)
{
	fprintf(to, "| rule | drill | with `--drill-live` |\n|---|---|---|\n");
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		enum drill_id id = drill_find(r);

		if (id < DRILL_MAX)
			fprintf(to, "| `%s` | `drill-%s` | %s%s |\n", rule_name(r), rule_name(r),
				drill_not_live(id) ? "no: " : "yes", drill_not_live(id) ?: "");
		else
			fprintf(to, "| `%s` | none: %s | |\n", rule_name(r), drill_missing(r));
	}
}

static void write_profile(FILE *to)
{
	char expected[POLICY_EXPECTED_LEN];

	fprintf(to, "| key | value | default | |\n|---|---|---|---|\n");
	for (size_t i = 0; i < profile_table.count; i++) {
		const struct policy_key *k = &profile_table.key[i];

		policy_value_expected(k, expected);
		fprintf(to, "| `%s` | %s | %s | %s |\n", k->path, expected,
			k->required ? "required" : k->preset ?: k->absent ?: "", k->help);
	}
}

static const struct section {
	const char *name;
	void (*write)(FILE *to);
} sections[] = {
	{"rules", write_rules},	  {"vectors", write_vectors}, {"syscalls", write_syscalls},
	{"files", write_files},	  {"limits", write_limits},   {"checks", write_checks},
	{"drills", write_drills}, {"profile", write_profile}, {"metrics", write_metrics},
};

static const struct section *find_section(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (strlen(sections[i].name) == len && !strncmp(sections[i].name, name, len))
			return &sections[i];
	}
	return NULL;
}

/* --- files --- */

/* The whole file, to be freed. */
static char *read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f || (getdelim(&text, &size, '\0', f) < 0 && ferror(f)))
		err(2, "%s", path);
	fclose(f);
	return text;
}

/* text with all its generated sections written anew, to be freed. */
static char *rewrite_sections(const char *path, const char *text)
{
	char *result = NULL;
	size_t size;
	FILE *to = open_memstream(&result, &size);
	const char *begin;

	while ((begin = strstr(text, BEGIN))) {
		const char *name = begin + strlen(BEGIN);
		const char *body = strstr(name, BEGIN_END), *end = strstr(name, END);
		const struct section *s = body ? find_section(name, (size_t)(body - name)) : NULL;

		if (!s || !end)
			errx(2, "%s: '%.40s': unknown section, or no '%.*s' behind it", path, begin,
			     (int)strlen(END) - 1, END);
		body += strlen(BEGIN_END);
		fwrite(text, 1, (size_t)(body - text), to);
		s->write(to);
		fputs(END, to);
		text = end + strlen(END);
	}
	fputs(text, to);
	fclose(to);
	return result;
}

static char *policy_markdown(void)
{
	return policy_doc(DOC_MARKDOWN, NULL);
}

static char *policy_man(void)
{
	return policy_doc(DOC_MAN, NULL);
}

/* Text of a table, in Markdown, as text of a man page: code becomes bold. */
static void write_man_text(FILE *to, const char *text)
{
	bool code = false;

	for (const char *p = text; *p; p++) {
		if (*p == '`')
			fputs((code = !code) ? "\\fB" : "\\fR", to);
		else if (*p == '-')
			fputs("\\-", to);
		else if (!strncmp(p, "…", strlen("…")))
			fputs("...", to), p += strlen("…") - 1;
		else
			fputc(*p, to);
	}
}

static char *rules_man(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	fputs(".\\\" Written by make docs from userspace/model/rule.c; do not edit.\n"
	      ".TH CACHEWARDEN\\-RULES 7 \"\" cachewarden\n"
	      ".SH NAME\ncachewarden\\-rules \\- what cachewarden reports, and what to do then\n"
	      ".SH DESCRIPTION\nThe names are stable: policies, alerts and metrics use them. The severity is that of\n"
	      "a successful attempt where nothing more specific is known.\n",
	      to);
	for (unsigned int i = RULE_NONE + 1; i < RULE_MAX; i++) {
		const struct rule *r = rule_get(i);

		fputs(".SH ", to);
		write_man_text(to, r->name);
		fprintf(to, "\nSeverity: %s. Broken when ", severity_name(r->severity));
		write_man_text(to, r->broken_when);
		fputs(".\n.PP\n", to);
		write_man_text(to, r->advice);
		fputs("\n.PP\nATT&CK:", to);
		for (int k = 0; k < TECHNIQUES_MAX && r->techniques[k].uid; k++)
			fprintf(to, "%s %s (%s)", k ? "," : "", r->techniques[k].uid,
				r->techniques[k].name);
		fputs(".\n", to);
	}
	fputs(".SH SEE ALSO\n.BR cachewarden\\-policy (5)\n", to);
	fclose(to);
	return text;
}

/* A paragraph of plain text. */
static void write_man_plain(FILE *to, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '-' || *p == '\\')
			fputc('\\', to);
		if (p[0] == '\n' && (p[1] == '.' || p[1] == '\''))
			fputs("\n\\&", to);
		else
			fputc(*p, to);
	}
	fputc('\n', to);
}

static void write_man_command(void *ctx, const struct cli_command *c)
{
	FILE *to = ctx;

	fprintf(to, ".SS cachewarden %s", c->name);
	for (size_t i = 0; i < c->count; i++) {
		if (c->args[i].kind == CLI_OPERAND)
			fprintf(to, c->args[i].required ? " %s" : " [%s]", c->args[i].name);
	}
	fputc('\n', to);
	write_man_plain(to, c->help);
	for (size_t i = 0; i < c->count; i++) {
		const struct cli_arg *a = &c->args[i];

		fputs(".TP\n\\fB", to);
		for (const char *p = a->name; *p; p++)
			fprintf(to, *p == '-' ? "\\-" : "%c", *p);
		fprintf(to, "\\fR%s%s", a->arg ? " " : "", a->arg ?: "");
		if (a->letter)
			fprintf(to, ", \\fB\\-%s\\fR", a->letter + 1);
		fputc('\n', to);
		write_man_plain(to, a->help);
	}
}

static char *commands_man(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	fputs(".\\\" Written by make docs from the tables in userspace/cmd; do not edit.\n"
	      ".TH CACHEWARDEN 8 \"\" cachewarden\n"
	      ".SH NAME\ncachewarden \\- watch the memory and the connections of Redis and Valkey servers\n"
	      ".SH SYNOPSIS\n.B cachewarden\n.I COMMAND\n.RI [ OPTION ...]\n"
	      ".SH DESCRIPTION\n",
	      to);
	write_man_plain(to, cachewarden.help);
	fputs("What it reports is described in cachewarden\\-rules(7), its policy in cachewarden\\-policy(5).\n"
	      ".SH COMMANDS\nEach takes \\fB\\-\\-help\\fR, too.\n",
	      to);
	cli_walk(&cachewarden, write_man_command, to);
	fputs(".SH EXIT STATUS\n"
	      "0: success. 1: what was asked for was found: something is wrong, a violation, a log that was changed.\n"
	      "2: wrong usage or policy. 3: it could not do the job.\n"
	      ".SH FILES\n.TP\n/etc/cachewarden/policy.yaml\nThe policy, if it exists.\n"
	      ".TP\n/run/cachewarden\nControl sockets, and what is kept for the next monitor.\n"
	      ".SH SEE ALSO\n.BR cachewarden\\-policy (5),\n.BR cachewarden\\-rules (7),\n"
	      ".BR cachewarden\\-evidence (1),\n.BR cachewarden\\-witness (1)\n",
	      to);
	fclose(to);
	return text;
}

static const struct document {
	const char *path;
	char *(*write)(void); /* the whole file; NULL: only its marked sections */
} documents[] = {
	{"README.md"},
	{"docs/coverage.md"},
	{"docs/operations.md"},
	{"docs/validate.md"},
	{"docs/policy.md", policy_markdown},
	{"docs/cachewarden-policy.5", policy_man},
	{"docs/cachewarden-rules.7", rules_man},
	{"docs/cachewarden.8", commands_man},
};

/* Returns whether the document is, or was, out of date. */
static bool update(const struct document *d, bool check)
{
	char *old = read_file(d->path);
	char *new = d->write ? d->write() : rewrite_sections(d->path, old);
	bool differs = !new || strcmp(old, new);
	FILE *f;

	if (!new)
		errx(2, "%s: out of memory", d->path);
	if (differs && check) {
		printf("%s differs from the tables in the code; run: make docs\n", d->path);
	} else if (differs) {
		f = fopen(d->path, "we");
		if (!f || fputs(new, f) < 0 || fclose(f))
			err(2, "%s", d->path);
		printf("%s rewritten\n", d->path);
	}
	free(old);
	free(new);
	return differs;
}

int main(int argc, char **argv)
{
	bool check = argc == 2 && !strcmp(argv[1], "--check"), differs = false;

	if (argc > 1 && !check)
		errx(2, "usage: docgen [--check]");
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
		differs |= update(&documents[i], check);
	return check && differs;
}
