// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_evidence_statement.c - cachewarden evidence statement. Epoch keys exist in the running monitor only, so what is asked for later
 * is signed with the identity key, which vouches for who computed it; what was logged, the log's own statements vouch for.
 */
#include "cmd/cli.h"
#include "cmd/evidence_common.h"
#include "attest/account.h"
#include "attest/month_html.h"
#include "base/log.h"
#include "evidence/dsse.h"
#include "evidence/entry.h"
#include "evidence/signer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct wanted {
	struct account a;
	const char *dir, *from, *to, *month, *number;
	int format; /* json, html */
	bool as_is; /* without envelope */
};

/* Returns false after an error message. */
static bool read_month(struct wanted *w)
{
	struct tm tm = {.tm_mday = 1};
	const char *end = strptime(w->month, "%Y-%m", &tm);
	int64_t now = (int64_t)time(NULL) * 1000;

	if (!end || *end) {
		log_error("evidence statement: --month must be YYYY-MM, not '%s'", w->month);
		return false;
	}
	if (w->from || w->to) {
		log_error("evidence statement: --month excludes --from and --to");
		return false;
	}
	tm.tm_mday = 1;
	w->a.from = timegm(&tm) * 1000ll;
	tm.tm_mon++;
	w->a.to = timegm(&tm) * 1000ll;
	if (w->a.to > now)
		w->a.to = now;
	if (w->a.to > w->a.from)
		return true;
	log_error("evidence statement: %s has not begun", w->month);
	return false;
}

/* Returns an exit code, CLI_PROCEED if all is well. */
static int read_period(struct wanted *w)
{
	w->a.from = LEDGER_FIRST;
	w->a.to = LEDGER_OPEN;
	if (w->format && !w->month) {
		log_error("evidence statement: --format html needs --month; for a page about any "
			  "other time see 'evidence report'");
		return EXIT_USAGE;
	}
	if (w->month)
		return read_month(w) ? CLI_PROCEED : EXIT_USAGE;
	if (w->from && !evidence_time(w->from, &w->a.from))
		return evidence_bad_time("evidence statement: --from", w->from);
	if (w->to && !evidence_time(w->to, &w->a.to))
		return evidence_bad_time("evidence statement: --to", w->to);
	if (w->a.to > w->a.from)
		return CLI_PROCEED;
	log_error("evidence statement: --to must be later than --from");
	return EXIT_USAGE;
}

/* Returns 0 or a negative errno. */
static int print_signed(struct wanted *w, const char *text)
{
	struct signer *s = NULL;
	char *envelope = NULL;
	int err = signer_identity(&s, w->a.reader.dir, "", false);

	if (err) {
		snprintf(
			w->a.reader.error, sizeof(w->a.reader.error),
			"identity.pem cannot be used to sign (%s); --unsigned prints the statement "
			"without a signature",
			strerror(-err));
		return err;
	}
	err = dsse_sign(text, strlen(text), signer_key(s), signer_sign, s, &envelope);
	signer_free(s);
	if (!err)
		puts(envelope);
	free(envelope);
	return err;
}

static int print(struct wanted *w)
{
	json_t *v = account_statement(&w->a);
	char *text = v ? statement_text(v) : NULL;
	int err = text ? 0 : -ENOMEM;

	if (!err && w->format)
		err = month_html(stdout, &w->a, json_object_get(v, "predicate"));
	else if (!err && w->as_is)
		puts(text);
	else if (!err)
		err = print_signed(w, text);
	free(text);
	json_decref(v);
	return err;
}

/* --- one of the log's own --- */

struct search {
	uint64_t number;
	bool as_is, found;
};

static int print_if(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct search *s = ctx;
	json_t *whole, *v, *record;
	char *text = NULL;

	if (!entry_is(entry, len, "statement"))
		return 0;
	v = chain_statement(entry, len);
	s->found = (uint64_t)json_integer_value(
			   json_object_get(json_object_get(v, "predicate"), "number")) == s->number;
	if (s->found) {
		whole = json_loadb(entry, len, 0, NULL);
		record = json_object_get(whole, "record");
		text = json_dumps(s->as_is ? v : record, JSON_COMPACT | JSON_SORT_KEYS);
		puts(text ?: "");
		free(text);
		json_decref(whole);
	}
	json_decref(v);
	return s->found;
}

static int print_number(struct wanted *w)
{
	struct search s = {.as_is = w->as_is};
	struct reader r;
	char *end;
	int err, code = EXIT_FINE;

	s.number = strtoull(w->number, &end, 10);
	if (*end || w->number[0] < '1' || w->number[0] > '9') {
		log_error("evidence statement: --number must be a whole number, not '%s'",
			  w->number);
		return EXIT_USAGE;
	}
	err = reader_open(&r, w->dir) ?: reader_each(&r, 0, print_if, &s, NULL);
	if (!err && !s.found) {
		snprintf(r.error, sizeof(r.error), "the log has no statement %s", w->number);
		err = -EBADMSG;
	}
	if (err)
		code = evidence_fail(w->dir, &r, err);
	reader_close(&r);
	return code;
}

static int run(struct wanted *w)
{
	int code = read_period(w), err;

	if (code != CLI_PROCEED)
		return code;
	err = account_make(&w->a, w->dir) ?: print(w);
	code = err ? evidence_fail(w->dir, &w->a.reader, err) : EXIT_FINE;
	account_free(&w->a);
	return code;
}

int evidence_statement(int argc, char **argv)
{
	struct wanted w = {};
	const char *dir = NULL;
	const struct cli_arg args[] = {
		EVIDENCE_DIR_ARG,
		{"--instance", "NAME",
		 "Only about this server: its name, or the uid that alerts show. Default: all.",
		 CLI_TEXT, &w.a.instance},
		{"--from", "TIME",
		 "Beginning: a day or YYYY-MM-DDTHH:MM:SS, UTC. Default: that of the log.",
		 CLI_TEXT, &w.from},
		{"--to", "TIME", "End, the same. Default: the last signed entry.", CLI_TEXT, &w.to},
		{"--month", "YYYY-MM", "That month, as far as it is over.", CLI_TEXT, &w.month},
		{"--format", "json|html",
		 "html: a page for an auditor, of a month. Default: json, a signed envelope.",
		 CLI_CHOICE, &w.format},
		{"--number", "N", "One that the log has: it makes one every 15 minutes.", CLI_TEXT,
		 &w.number},
		{"--unsigned", NULL, "Print the statement alone, without envelope and signature.",
		 CLI_FLAG, &w.as_is},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence statement",
			"Prints a signed statement of what was watched, what was seen and what was not, for any time. The\n"
			"log is verified first.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	w.dir = dir ?: EVIDENCE_DIR;
	code = w.number ? print_number(&w) : run(&w);
	return code == EXIT_FINE && (fflush(stdout) || ferror(stdout)) ? EXIT_CANNOT : code;
}
