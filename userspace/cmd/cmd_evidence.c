// SPDX-License-Identifier: BSD-2-Clause
/* cmd_evidence.c - cachewarden evidence verify, show, prove and the table of all. They only read, and need no monitor. */
#include "cmd/cli.h"
#include "cmd/evidence_common.h"
#include "cmd/filter.h"
#include "cmd/verbs.h"
#include "attest/blobs.h"
#include "attest/casefile.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "evidence/prove.h"
#include "evidence/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- verify --- */

/* A missing one is an error, but at the end: the next one may not be due. */
static void print_statements(const struct verified *v)
{
	const struct chain *c = &v->statements;
	char to[CLOCK_TEXT_LEN];

	if (!c->count)
		return;
	clock_text(c->to, to, sizeof(to));
	printf("statements: %" PRIu64 ", none missing; the last, number %" PRIu64 ", is up to %s\n",
	       c->count, c->number, to);
	if (c->every_ms && v->last_ms > c->to + 2 * c->every_ms)
		printf("statements are missing at the end: entries go on for %" PRId64
		       " more minutes\n",
		       (v->last_ms - c->to) / 60000);
}

static void print_verified(const char *dir, const struct verified *v, uint64_t blobs)
{
	char root[NOTE_HASH_TEXT], vkey[NOTE_VKEY_LEN];

	note_hash_text(&v->root, root);
	note_vkey(&v->key, vkey);
	printf("%s: verified\norigin: %s\nentries: %" PRIu64 "\nroot: %s\nstarts: %" PRIu64
	       ", signing keys: %" PRIu64 ", the last: %s\n",
	       dir, v->origin, v->size, root, v->starts, v->epochs, vkey);
	if (v->pruned)
		printf("pruned: entries 0 to %" PRIu64 ", as the log says\n", v->pruned - 1);
	if (blobs)
		printf("executables kept: %" PRIu64 ", each with the digest it is named by\n",
		       blobs);
	if (v->unsigned_entries)
		printf("not signed yet: %" PRIu64 " more entries\n", v->unsigned_entries);
	print_statements(v);
	if (v->earlier)
		printf("earlier checkpoint: of %" PRIu64 " entries, a prefix of this log\n",
		       v->earlier);
	if (v->cosigned) {
		char when[CLOCK_TEXT_LEN];

		clock_text((int64_t)v->cosigned_s * 1000, when, sizeof(when));
		printf("cosigned by the witness: %" PRIu64 " entries, at %s\n", v->cosigned, when);
	}
	if (!v->earlier && !v->cosigned)
		printf("Whether entries are missing at the end, only a checkpoint kept elsewhere can "
		       "tell: --checkpoint.\n");
}

static int evidence_verify(int argc, char **argv)
{
	const char *dir = NULL, *witness = NULL;
	struct verify_trust trust = {};
	struct note_key key;
	const struct cli_arg args[] = {
		EVIDENCE_DIR_ARG,
		{"--checkpoint", "FILE",
		 "A copy of the log's checkpoint that was kept elsewhere: what it covered must still be there.",
		 CLI_TEXT, &trust.earlier},
		{"--vkey", "KEY",
		 "Verification key to trust. Default: the file vkey in the directory, which whoever can "
		 "replace the log can replace.",
		 CLI_TEXT, &trust.vkey},
		{"--witness", "KEY",
		 "Verification key of a witness: what it cosigned last must still be there, see 'evidence "
		 "witness'.",
		 CLI_TEXT, &witness},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence verify",
			"Checks every entry, hash and signature of an evidence log. Exits with 1 if it is not what was\n"
			"written, and names the first bad entry.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	struct verified v;
	uint64_t blobs = 0;
	struct reader r;
	int err;

	if (code != CLI_PROCEED)
		return code;
	if (witness && note_vkey_parse_as(&key, NOTE_COSIGNATURE, witness, strlen(witness))) {
		log_error(
			"evidence verify: --witness must be the key of a witness, NAME+ID+BASE64, not "
			"'%s'",
			witness);
		return EXIT_USAGE;
	}
	trust.witness = witness ? &key : NULL;
	dir = dir ?: EVIDENCE_DIR;
	err = verify_with(&r, dir, &trust, &v) ?: blobs_verify(&r, &blobs);
	if (err)
		code = evidence_fail(dir, &r, err);
	else
		print_verified(dir, &v, blobs);
	reader_close(&r);
	return err ? code : EXIT_FINE;
}

/* --- show --- */

struct shown {
	struct filter filter;
	const char *incident;
};

static bool is_text(json_t *v, const char *want)
{
	const char *text = json_string_value(v);

	return text && !strcmp(text, want);
}

static bool has_incident(json_t *record, const char *uid)
{
	json_t *own = json_object_get(json_object_get(record, "unmapped"), "cachewarden");
	json_t *info = json_object_get(record, "finding_info");

	return is_text(json_object_get(own, "incident"), uid) ||
	       is_text(json_object_get(info, "uid"), uid) ||
	       casefile_names(json_object_get(record, "incidents"), uid);
}

static bool passes(const struct shown *s, json_t *entry)
{
	return filter_entry(&s->filter, entry) &&
	       (!s->incident || has_incident(json_object_get(entry, "record"), s->incident));
}

/* Written again, in ASCII: whoever changed a log does not reach the terminal, nor begins a line of output. */
static int show_entry(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	json_t *v = json_loadb(entry, len, 0, NULL);
	char *text = json_is_object(v)
			     ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII)
			     : NULL;

	if (passes(ctx, v) && text)
		printf("{\"index\":%" PRIu64 ",\"entry\":%s}\n", at->index, text);
	else if (passes(ctx, v))
		printf("{\"index\":%" PRIu64 ",\"entry\":null,\"damaged\":true}\n", at->index);
	free(text);
	json_decref(v);
	return ferror(stdout) ? 1 : 0;
}

static int evidence_show(int argc, char **argv)
{
	const char *dir = NULL;
	struct shown s = {.filter = FILTER_ANY};
	const struct cli_arg args[] = {
		EVIDENCE_DIR_ARG,
		FILTER_INSTANCE(s.filter),
		FILTER_WHAT(s.filter),
		FILTER_SINCE(s.filter, "Only what was logged then or later"),
		{"--incident", "UID",
		 "Only this incident, its events, and what is known of its actors.", CLI_TEXT,
		 &s.incident},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence show",
			"Prints the entries of an evidence log, one JSON object per line. It does not check them: see\n"
			"'evidence verify'.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	struct reader r;
	int err;

	if (code != CLI_PROCEED)
		return code;
	code = filter_check("evidence show", &s.filter);
	if (code != CLI_PROCEED)
		return code;
	dir = dir ?: EVIDENCE_DIR;
	err = reader_open(&r, dir);
	err = err ?: reader_each(&r, 0, show_entry, &s, NULL);
	if (err)
		code = evidence_fail(dir, &r, err);
	reader_close(&r);
	return err ? code : fflush(stdout) || ferror(stdout) ? EXIT_CANNOT : EXIT_FINE;
}

/* --- prove --- */

static bool parse_index(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && *end == '\0' && text[0] >= '0' && text[0] <= '9';
}

static int evidence_prove(int argc, char **argv)
{
	const char *dir = NULL, *index_text = NULL;
	const struct cli_arg args[] = {
		{"INDEX", NULL, "Number of the entry, as 'evidence show' prints it.", CLI_OPERAND,
		 &index_text, .required = true},
		EVIDENCE_DIR_ARG,
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence prove",
			"Prints the proof that an entry is in the log, in the format of C2SP tlog-proof: the entry in\n"
			"base64, hashes, and the signed checkpoint.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	struct reader r;
	uint64_t index;
	char *text = NULL;
	int err;

	if (code != CLI_PROCEED)
		return code;
	if (!parse_index(index_text, &index)) {
		log_error("evidence prove: INDEX must be a whole number, not '%s'", index_text);
		return EXIT_USAGE;
	}
	dir = dir ?: EVIDENCE_DIR;
	err = reader_open(&r, dir);
	err = err ?: prove(&r, index, &text);
	if (err)
		code = evidence_fail(dir, &r, err);
	else
		fputs(text, stdout);
	free(text);
	reader_close(&r);
	return err ? code : fflush(stdout) || ferror(stdout) ? EXIT_CANNOT : EXIT_FINE;
}

static const struct cli_verb verbs[] = {
	{"verify", "Check a log, and name the first bad entry.", evidence_verify},
	{"show", "Print the entries of a log.", evidence_show},
	{"prove", "Print the proof that an entry is in the log.", evidence_prove},
	{"statement", "Print a signed statement of what was watched and seen.", evidence_statement},
	{"report", "Write a page about an incident, or about everything.", evidence_report},
	{"export", "Write a bundle that can be verified without cachewarden.", evidence_export},
	{"prune", "Remove the oldest entries of a log.", evidence_prune},
	{"signatures", "Write the checkpoint's signatures for other tools.", evidence_signatures},
	{"witness", "Get the log's checkpoint cosigned by a witness.", evidence_witness},
};

static const struct cli_group evidence = {
	"cachewarden evidence",
	"Works on the evidence logs that 'cachewarden run --evidence' writes.",
	verbs,
	ARRAY_SIZE(verbs),
};

int cmd_evidence(int argc, char **argv)
{
	return cli_dispatch(&evidence, argc, argv);
}
