// SPDX-License-Identifier: BSD-2-Clause
/* cmd_evidence_case.c - cachewarden evidence export and report: of one incident, or of everything since some time. */
#include "cmd/cli.h"
#include "cmd/evidence_common.h"
#include "attest/bundle.h"
#include "attest/report_html.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct wanted {
	struct casefile c;
	const char *dir, *out, *since;
};

static int run(struct wanted *w, const char *name,
	       int (*write)(struct casefile *c, const char *path))
{
	char option[64];
	int err, code = EXIT_FINE;

	snprintf(option, sizeof(option), "evidence %s: --since", name);
	if (w->since && w->c.incident) {
		log_error("evidence %s: --incident excludes --since", name);
		return EXIT_USAGE;
	}
	if (w->since && !evidence_time(w->since, &w->c.since))
		return evidence_bad_time(option, w->since);
	err = casefile_make(&w->c, w->dir);
	if (err)
		code = evidence_fail(w->dir, &w->c.a.reader, err);
	else
		err = write(&w->c, w->out);
	if (code == EXIT_FINE && err) {
		log_error("cannot write %s: %s", w->out, strerror(-err));
		code = EXIT_CANNOT;
	}
	casefile_free(&w->c);
	return code;
}

/* Of both verbs; into their `w`. */
#define INCIDENT_ARG                                                                               \
	{                                                                                          \
		"--incident", "UID", "Only this incident, and what was going on meanwhile.",       \
			CLI_TEXT, &w.c.incident                                                    \
	}
#define SINCE_ARG                                                                                  \
	{                                                                                          \
		"--since", "TIME",                                                                 \
			"Everything logged then or later: a day or YYYY-MM-DDTHH:MM:SS, UTC. "     \
			"Default: everything.",                                                    \
			CLI_TEXT, &w.since                                                         \
	}

int evidence_export(int argc, char **argv)
{
	struct wanted w = {};
	const char *dir = NULL;
	const struct cli_arg args[] = {
		{"OUT", NULL,
		 "File to write, which must not exist: a tar archive, compressed by zstd.",
		 CLI_OPERAND, &w.out, .required = true},
		EVIDENCE_DIR_ARG,
		INCIDENT_ARG,
		SINCE_ARG,
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence export",
			"Writes a bundle that can be verified without cachewarden: entries with proofs, keys, timeline, report\n"
			"and a script. Prints the digest of its manifest.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	w.dir = dir ?: EVIDENCE_DIR;
	return run(&w, "export", bundle_write);
}

/* Returns 0 or a negative errno. */
static int write_page(struct casefile *c, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), err;
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = report_html(f, c);
	if (fclose(f) && !err)
		err = -EIO;
	if (err)
		unlink(path);
	return err;
}

int evidence_report(int argc, char **argv)
{
	struct wanted w = {};
	const char *dir = NULL;
	const struct cli_arg args[] = {
		{"OUT", NULL, "File to write, which must not exist: one HTML page.", CLI_OPERAND,
		 &w.out, .required = true},
		EVIDENCE_DIR_ARG,
		INCIDENT_ARG,
		SINCE_ARG,
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence report",
			"Writes a page about an incident, or about everything, that any browser shows and a printer prints.",
			args, ARRAY_SIZE(args)},
		argc, argv);

	if (code != CLI_PROCEED)
		return code;
	w.dir = dir ?: EVIDENCE_DIR;
	return run(&w, "report", write_page);
}
