// SPDX-License-Identifier: BSD-2-Clause
/* cmd_evidence_prune.c - cachewarden evidence prune: retention for a log that nobody writes to now. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/host.h"
#include "base/log.h"
#include "base/macros.h"
#include "evidence/entry.h"
#include "evidence/prune.h"
#include "evidence/reader.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_MS (86400 * 1000ll)

static int append(void *ctx, const char *entry, size_t len)
{
	return store_append(ctx, entry, len);
}

static int prune(const char *dir, bool by_index, uint64_t before, uint32_t days, uint64_t *ret,
		 char error[STORE_ERROR_LEN])
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	struct recovery found;
	struct store *s;
	int err = store_open(&s, dir, host_get()->name, &found, error);

	if (err)
		return err;
	err = by_index ? prune_before(s, before, now_ms, ret, error)
		       : prune_older(s, now_ms - days * DAY_MS, now_ms, 0, ret, error);
	if (!err) {
		/* if the last writer did not end properly, that is for the next one to say */
		if (found.clean)
			entry_make("stop", now_ms, "{}", 2, append, s);
		err = store_finish(s);
		if (err)
			snprintf(error, STORE_ERROR_LEN, "%s", strerror(-err));
	}
	store_close(s);
	return err;
}

/* A log that is not there is not to be made. */
static bool is_log(const char *dir)
{
	struct reader r;
	bool there = !reader_open(&r, dir);

	if (!there)
		log_error("%s: %s", dir, r.error);
	reader_close(&r);
	return there;
}

int evidence_prune(int argc, char **argv)
{
	const char *dir = NULL, *before = NULL;
	uint32_t days = 0;
	const struct cli_arg args[] = {
		{"DIR", NULL, "Directory of the log. Default: " EVIDENCE_DIR ".", CLI_OPERAND,
		 &dir},
		{"--before", "INDEX", "Remove the entries before this one.", CLI_TEXT, &before},
		{"--keep-days", "DAYS",
		 "Remove the entries that were logged more than so many days ago.", CLI_NUMBER,
		 &days, .min = 1},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence prune",
			"Removes the oldest entries of an evidence log, 256 at a time; the last 1024 stay. An entry says so,\n"
			"and what remains verifies as before. While 'cachewarden run' writes the log, the policy's\n"
			"evidence.keep-days does the same.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	char error[STORE_ERROR_LEN] = "", *end = NULL;
	uint64_t index = 0, first = 0;
	int err;

	if (code != CLI_PROCEED)
		return code;
	if (before) {
		errno = 0;
		index = strtoull(before, &end, 10);
	}
	if (!before == !days || (before && (!isdigit((unsigned char)before[0]) || *end || errno))) {
		log_error("evidence prune: give either --before with the number of an entry, or "
			  "--keep-days");
		return EXIT_USAGE;
	}
	dir = dir ?: EVIDENCE_DIR;
	if (!is_log(dir))
		return EXIT_CANNOT;
	err = prune(dir, before, index, days, &first, error);
	if (err) {
		log_error("%s: %s", dir, error);
		return err == -EBADMSG ? EXIT_VIOLATION : EXIT_CANNOT;
	}
	printf("%s: entries from %" PRIu64 " on are there\n", dir, first);
	return fflush(stdout) ? EXIT_CANNOT : EXIT_FINE;
}
