// SPDX-License-Identifier: BSD-2-Clause
/* cmd_policy.c - cachewarden policy check, test, suggest and explain. None needs root, a monitor or a kernel; `check` asks a
 * monitor if one runs. */
#include "cmd/cli.h"
#include "cmd/policy_running.h"
#include "cmd/verbs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "policy/policy_doc.h"
#include "policy/policy_key.h"
#include "policy/policy_value.h"
#include "policy/policy_yaml.h"
#include "policy/replay.h"
#include "policy/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The key whose value is stored at that offset in an entry of the list of exceptions. */
static const struct policy_key *allow_key(size_t at)
{
	return policy_table_at(&policy_table,
			       policy_table_at(&policy_table, NULL, offsetof(struct policy, allow)),
			       at);
}

/* Errors in files are printed as compilers print them: FILE:LINE: ... */
static int load_policy(struct policy *p, const char *file)
{
	char error[POLICY_ERROR_LEN];

	if (policy_yaml_load(p, file, false, error, sizeof(error)))
		return CLI_PROCEED;
	fprintf(stderr, "%s\n", error);
	return EXIT_USAGE;
}

static void warn_of_expired(const struct policy *p)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;

	for (size_t i = 0; i < p->allows; i++) {
		const struct policy_allow *a = &p->allow[i];
		char until[CLOCK_TEXT_LEN];

		if (a->until_ms == POLICY_UNSET || a->until_ms > now_ms)
			continue;
		clock_text(a->until_ms, until, sizeof(until));
		fprintf(stderr,
			"%s:%u: warning: this entry expired at %s and allows nothing; remove it or extend "
			"its %s\n",
			a->at.file, a->at.line, until,
			policy_key_name(allow_key(offsetof(struct policy_allow, until_ms))));
	}
}

static bool names_place(const struct policy_instance *entry)
{
	return entry->unit || entry->container || entry->cgroup;
}

/* An entry that only names a port may match more servers than the one it was written for. */
static void warn_of_port(const struct policy *p, size_t i)
{
	const struct policy_instance *entry = &p->instance[i], *other;

	if (entry->port == POLICY_UNSET || names_place(entry))
		return;
	for (size_t k = i + 1; k < p->instances; k++) {
		other = &p->instance[k];
		if (other->port == entry->port && names_place(other))
			fprintf(stderr,
				"%s:%u: warning: '%s' also matches the server that '%s' (%s:%u) is for, on the "
				"same port, and comes first; add a unit or container to it\n",
				entry->at.file, entry->at.line, entry->name, other->name,
				other->at.file, other->at.line);
	}
}

/* While several servers are called NAME:PORT, an exception for that name allows nothing. */
static void warn_of_name(const struct policy *p, const struct policy_allow *a)
{
	const char *colon = a->instance ? strrchr(a->instance, ':') : NULL;
	int64_t port = colon ? strtol(colon + 1, NULL, 10) : 0;
	size_t n = 0;

	for (size_t i = 0; i < p->instances; i++)
		n += port && p->instance[i].port == port && names_place(&p->instance[i]);
	if (n > 1 && !strchr(a->instance, '@'))
		fprintf(stderr,
			"%s:%u: warning: %zu entries are for servers on port %lld in different places; "
			"'%s' allows nothing where several run: use the name of an entry, or '%s@UNIT'\n",
			a->at.file, a->at.line, n, (long long)port, a->instance, a->instance);
}

static void warn_of_ambiguous(const struct policy *p)
{
	for (size_t i = 0; i < p->instances; i++)
		warn_of_port(p, i);
	for (size_t i = 0; i < p->allows; i++)
		warn_of_name(p, &p->allow[i]);
}

/* "FILE: valid; files: 2, instances: 1, ...": how many entries each list has. */
static void print_counts(const char *file, struct policy *p)
{
	static const size_t lists[] = {offsetof(struct policy, instance),
				       offsetof(struct policy, allow),
				       offsetof(struct policy, tls.plaintext)};

	printf("%s: valid; files: %zu", file, p->files);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct policy_key *list = policy_table_at(&policy_table, NULL, lists[i]);

		printf(", %s: %zu", list->path, *policy_list_count(list, p));
	}
	putchar('\n');
}

static int policy_check(int argc, char **argv)
{
	const char *file = NULL;
	const struct cli_arg args[] = {
		{"FILE", NULL, "Policy; *.yaml in the directory policy.d beside it are read too.",
		 CLI_OPERAND, &file, .required = true},
	};
	struct policy p = {};
	int code = cli_parse(
		&(struct cli_command){"policy check",
				      "Checks a policy. Exits with 0 if it is valid, else with 2.",
				      args, ARRAY_SIZE(args)},
		argc, argv);

	if (code == CLI_PROCEED)
		code = load_policy(&p, file);
	if (code != CLI_PROCEED)
		return code;
	print_counts(file, &p);
	warn_of_expired(&p);
	warn_of_ambiguous(&p);
	policy_warn_of_running(&p);
	policy_free(&p);
	return EXIT_FINE;
}

/* A date in the syntax of an exception's end; NULL leaves *ret unset. */
static int parse_date(const char *text, int64_t *ret)
{
	const struct policy_key *date = allow_key(offsetof(struct policy_allow, until_ms));
	struct policy_allow a = {.until_ms = POLICY_UNSET};
	char error[POLICY_ERROR_LEN];

	if (!text || policy_value_set(date, &a, RULE_NONE, text, error, sizeof(error))) {
		*ret = a.until_ms;
		return CLI_PROCEED;
	}
	log_error("policy test: --at: %s", error);
	return EXIT_USAGE;
}

static int replay_events(const struct policy *p, const char *events, int64_t at_ms)
{
	char error[POLICY_ERROR_LEN];

	switch (replay(p, events, at_ms, stdout, error, sizeof(error))) {
	case REPLAY_NO_ALERT:
		return EXIT_FINE;
	case REPLAY_ALERT:
		return EXIT_VIOLATION;
	case REPLAY_WRONG:
		break;
	}
	fprintf(stderr, "%s\n", error);
	return EXIT_USAGE;
}

static int policy_test(int argc, char **argv)
{
	const char *file = NULL, *events = NULL, *at = NULL;
	const struct cli_arg args[] = {
		{"FILE", NULL, "Policy to test.", CLI_OPERAND, &file, .required = true},
		{"EVENTS", NULL, "Events recorded by 'cachewarden run --events --output json'.",
		 CLI_OPERAND, &events, .required = true},
		{"--at", "DATE",
		 "Evaluate as of this date (a day: its end). Default: the time of each event.",
		 CLI_TEXT, &at},
	};
	struct policy p = {};
	int64_t at_ms = POLICY_UNSET;
	int code = cli_parse(
		&(struct cli_command){
			"policy test",
			"Evaluates recorded events by a policy and prints a verdict for each. Exits with 1 if one of\n"
			"them is an alert.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code == CLI_PROCEED)
		code = parse_date(at, &at_ms);
	if (code == CLI_PROCEED)
		code = load_policy(&p, file);
	if (code != CLI_PROCEED)
		return code;
	code = replay_events(&p, events, at_ms);
	policy_free(&p);
	return code;
}

static int policy_suggest(int argc, char **argv)
{
	const char *events = NULL;
	const struct cli_arg args[] = {
		{"EVENTS", NULL, "Events recorded by 'cachewarden run --events --output json'.",
		 CLI_OPERAND, &events, .required = true},
	};
	char error[POLICY_ERROR_LEN];
	int code = cli_parse(
		&(struct cli_command){
			"policy suggest",
			"Proposes exceptions for the recorded events that were alerts, as a policy. 'policy check'\n"
			"refuses it until each of them has a reason.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	if (suggest(events, stdout, error, sizeof(error)))
		return EXIT_FINE;
	fprintf(stderr, "%s\n", error);
	return EXIT_USAGE;
}

static int unknown_key(const char *key)
{
	const char *known[POLICY_KEYS_MAX];
	char hint[POLICY_HINT_LEN];

	for (size_t i = 0; i < policy_table.count; i++)
		known[i] = policy_table.key[i].path;
	policy_hint(key, known, policy_table.count, hint);
	log_error("policy explain: unknown key '%s'%s; 'cachewarden policy explain' lists all keys",
		  key, hint);
	return EXIT_USAGE;
}

static int policy_explain(int argc, char **argv)
{
	const char *key = NULL;
	int form = DOC_TEXT;
	const struct cli_arg args[] = {
		{"KEY", NULL, "Only this key and the keys below it.", CLI_OPERAND, &key},
		{"--format", "text|markdown|man",
		 "Text, docs/policy.md, or cachewarden-policy(5). Default: text.", CLI_CHOICE,
		 &form},
	};
	int code = cli_parse(
		&(struct cli_command){"policy explain",
				      "Describes the keys of a policy, their values and defaults.",
				      args, ARRAY_SIZE(args)},
		argc, argv);
	char *text;

	if (code != CLI_PROCEED)
		return code;
	text = policy_doc((enum policy_doc)form, key);
	if (!text && key)
		return unknown_key(key);
	if (!text) {
		log_error("policy explain: out of memory");
		return EXIT_CANNOT;
	}
	fputs(text, stdout);
	free(text);
	return EXIT_FINE;
}

static const struct cli_verb verbs[] = {
	{"check", "Check whether a policy is valid.", policy_check},
	{"test", "Evaluate recorded events by a policy.", policy_test},
	{"suggest", "Propose exceptions from recorded events.", policy_suggest},
	{"explain", "Describe the keys of a policy.", policy_explain},
};

static const struct cli_group policy = {
	"cachewarden policy",
	"Works on policy files. See cachewarden-policy(5).",
	verbs,
	ARRAY_SIZE(verbs),
};

int cmd_policy(int argc, char **argv)
{
	return cli_dispatch(&policy, argc, argv);
}
