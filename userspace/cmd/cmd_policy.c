// SPDX-License-Identifier: BSD-2-Clause
/* cmd_policy.c - cachewarden policy check, test, explain: a policy looked at without a kernel to watch. */
#include "cmd/cli.h"
#include "policy/policy_yaml.h"
#include "base/log.h"
#include "policy/policy_doc.h"
#include "policy/policy_key.h"
#include "policy/replay.h"
#include "cmd/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int load(struct policy *p, const char *file)
{
	char error[POLICY_ERROR_LEN];

	if (policy_yaml_load(p, file, false, error, sizeof(error)))
		return -1;
	fprintf(stderr, "%s\n", error);
	return EXIT_USAGE;
}

static int need(const char *verb, const char *what, const char *word)
{
	if (word)
		return -1;
	log_error("%s: %s is missing", verb, what);
	return EXIT_USAGE;
}

static int check(int argc, char **argv)
{
	const char *file = NULL;
	const struct cli_option options[] = {
		{"FILE", "", "the policy; drop-ins in policy.d beside it are read too", CLI_WORD,
		 &file},
	};
	struct policy p = {};
	int code = cli_parse("policy check", "is this policy sound? Exit code 0, or 2", options,
			     COUNT(options), argc, argv);

	if (code < 0)
		code = need("policy check", "FILE", file);
	if (code < 0)
		code = load(&p, file);
	if (code >= 0)
		return code;
	printf("%s: sound: files %zu, instances %zu, allowances %zu, places for plaintext %zu\n",
	       file, p.files, p.instances, p.allows, p.tls.plaintexts);
	policy_free(&p);
	return EXIT_FINE;
}

static int set_at(const char *text, int64_t *ret)
{
	const struct policy_key *date = policy_key_find("allow[].until");
	struct policy_allow a = {.until_ms = POLICY_UNSET};
	char why[192], hint[64], expected[64];

	if (!text || policy_set(date, &a, RULE_NONE, text, why, sizeof(why), hint, sizeof(hint))) {
		*ret = a.until_ms;
		return -1;
	}
	policy_expected(date, expected, sizeof(expected));
	log_error("policy test --at: %s; expected %s", why, expected);
	return EXIT_USAGE;
}

static int test(int argc, char **argv)
{
	const char *file = NULL, *events = NULL, *at = NULL;
	const struct cli_option options[] = {
		{"FILE", "", "the policy", CLI_WORD, &file},
		{"EVENTS", "", "what run --events --output json wrote", CLI_WORD, &events},
		{"--at", "DATE",
		 "judge as of then (a day: its end; default: when each event happened)", CLI_TEXT,
		 &at},
	};
	char error[POLICY_ERROR_LEN];
	struct policy p = {};
	int64_t at_ms = POLICY_UNSET;
	int code = cli_parse("policy test",
			     "judge recorded events. Exit code 0, or 1 where one is an alert",
			     options, COUNT(options), argc, argv);

	if (code < 0)
		code = need("policy test", "FILE", file);
	if (code < 0)
		code = need("policy test", "EVENTS", events);
	if (code < 0)
		code = set_at(at, &at_ms);
	if (code < 0)
		code = load(&p, file);
	if (code >= 0)
		return code;
	switch (replay(&p, events, at_ms, stdout, error, sizeof(error))) {
	case REPLAY_NO_ALERT:
		code = EXIT_FINE;
		break;
	case REPLAY_ALERT:
		code = EXIT_VIOLATION;
		break;
	case REPLAY_WRONG:
		fprintf(stderr, "%s\n", error);
		code = EXIT_USAGE;
	}
	policy_free(&p);
	return code;
}

static int explain(int argc, char **argv)
{
	const char *key = NULL;
	int form = DOC_TEXT;
	const struct cli_option options[] = {
		{"KEY", "", "only this key and what is below it", CLI_WORD, &key},
		{"--format", "text|markdown|man", "for a terminal, docs/policy.md, policy(5)",
		 CLI_CHOICE, &form},
	};
	int code = cli_parse("policy explain", "what a policy may say", options, COUNT(options),
			     argc, argv);
	const char *known[POLICY_NEAR_MAX];
	char hint[128], *text;

	if (code >= 0)
		return code;
	text = policy_doc((enum policy_doc)form, key);
	if (text) {
		fputs(text, stdout);
		free(text);
		return EXIT_FINE;
	}
	for (size_t i = 0; i < policy_key_count && i < POLICY_NEAR_MAX; i++)
		known[i] = policy_keys[i].path;
	policy_near(key, known, policy_key_count, hint, sizeof(hint));
	log_error("policy explain: unknown key '%s'%s; 'cachewarden policy explain' lists them",
		  key, hint);
	return EXIT_USAGE;
}

int cmd_policy(int argc, char **argv)
{
	static const struct cli_verb verbs[] = {
		{"check", "FILE: is it sound? Exit code 0, or 2", check},
		{"test", "FILE EVENTS [--at DATE]: judge what run --events --output json wrote",
		 test},
		{"explain", "[KEY]: what a policy may say", explain},
	};
	FILE *to = stderr;

	for (size_t i = 0; argc > 1 && i < COUNT(verbs); i++) {
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	}
	if (argc > 1 && !strcmp(argv[1], "--help"))
		to = stdout;
	else if (argc > 1)
		log_error("policy: unknown '%s'; known: check, test, explain, --help", argv[1]);
	if (argc < 2 || to == stdout) {
		fprintf(to, "cachewarden policy: check, test or explain a policy\n");
		for (size_t i = 0; i < COUNT(verbs); i++)
			fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].help);
	}
	return to == stdout ? EXIT_FINE : EXIT_USAGE;
}
