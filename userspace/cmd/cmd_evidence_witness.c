// SPDX-License-Identifier: BSD-2-Clause
/* cmd_evidence_witness.c - cachewarden evidence witness: the log's side of a witness. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "evidence/reader.h"
#include "evidence/witness_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int evidence_witness(int argc, char **argv)
{
	const char *dir = NULL, *url = NULL, *key = NULL;
	const struct cli_arg args[] = {
		{"DIR", NULL, "Directory of the log. Default: " EVIDENCE_DIR ".", CLI_OPERAND,
		 &dir},
		{"--url", "URL", "Where the witness is: http://HOST:PORT.", CLI_TEXT, &url},
		{"--witness", "KEY",
		 "Verification key of the witness, from the file vkey in its directory.", CLI_TEXT,
		 &key},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence witness",
			"Sends the log's checkpoint to a witness, with the proof that nothing before it was changed, and\n"
			"keeps the cosigned checkpoint in the directory. Exits with 1 if the witness has seen another log.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	char error[WITNESS_CLIENT_ERROR_LEN], when[CLOCK_TEXT_LEN];
	struct note_key witness;
	struct witnessed w;
	int err;

	if (code != CLI_PROCEED)
		return code;
	if (!url || !key) {
		log_error("evidence witness: --url and --witness are needed");
		return EXIT_USAGE;
	}
	if (note_vkey_parse_as(&witness, NOTE_COSIGNATURE, key, strlen(key))) {
		log_error(
			"evidence witness: --witness must be the key of a witness, NAME+ID+BASE64, not "
			"'%s'",
			key);
		return EXIT_USAGE;
	}
	dir = dir ?: EVIDENCE_DIR;
	err = witness_submit(dir, url, &witness, &w, error);
	if (err) {
		log_error("%s: %s", dir, error);
		return err == -EBADMSG ? EXIT_VIOLATION : err == -EINVAL ? EXIT_USAGE : EXIT_CANNOT;
	}
	clock_text((int64_t)w.time_s * 1000, when, sizeof(when));
	printf("%s: %s cosigned %" PRIu64 " entries at %s\n", dir, witness.name, w.size, when);
	return fflush(stdout) ? EXIT_CANNOT : EXIT_FINE;
}
