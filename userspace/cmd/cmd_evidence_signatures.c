// SPDX-License-Identifier: BSD-2-Clause
/* cmd_evidence_signatures.c - cachewarden evidence signatures: a checkpoint for tools that are not ours. */
#include "cmd/cli.h"
#include "cmd/verbs.h"
#include "base/log.h"
#include "base/macros.h"
#include "evidence/disk.h"
#include "evidence/envelope.h"
#include "evidence/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The key that the checkpoint's entry delegates to. */
static int take_key(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	char text[NOTE_MAX];
	struct delegation d;
	struct note note;

	if (reader_delegation(entry, len, text, &note, &d))
		return -EBADMSG;
	*(struct note_key *)ctx = d.key;
	return 1;
}

static int read_files(struct reader *r, const char *dir, struct envelope_file files[ENVELOPE_FILES])
{
	struct note_key key;
	int err = reader_open(r, dir);

	if (!err && !r->note_text) {
		snprintf(r->error, sizeof(r->error), "there is no checkpoint yet");
		err = -ENOENT;
	}
	err = err ?: reader_each(r, r->checkpoint.delegation, take_key, &key, NULL);
	if (!err && !envelope_verify(&r->note, &key, 0))
		err = -EBADMSG;
	err = err ?: envelope_files(&r->note, &key, files);
	if (err && !r->error[0])
		snprintf(
			r->error, sizeof(r->error), "%s",
			err == -ENOENT ? "its checkpoint is of an earlier version: it has no "
					 "signatures for these tools"
			: err == -EBADMSG
				? "its checkpoint is not signed by the key that its delegation names: see "
				  "'cachewarden evidence verify'"
				: strerror(-err));
	return err;
}

static int write_files(const char *out, const struct envelope_file files[ENVELOPE_FILES])
{
	int dir, err = mkdir(out, 0755) && errno != EEXIST ? -errno : 0;

	if (err)
		return err;
	dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	for (int i = 0; i < ENVELOPE_FILES && !err; i++)
		err = disk_replace(dir, files[i].name, files[i].bytes, files[i].len, 0644);
	close(dir);
	return err;
}

int evidence_signatures(int argc, char **argv)
{
	const char *dir = NULL, *out = NULL;
	const struct cli_arg args[] = {
		{"OUT", NULL, "Directory to write to; it is made if it does not exist.",
		 CLI_OPERAND, &out, .required = true},
		{"DIR", NULL, "Directory of the log. Default: " EVIDENCE_DIR ".", CLI_OPERAND,
		 &dir},
	};
	int code = cli_parse(
		&(struct cli_command){
			"evidence signatures",
			"Writes the log's checkpoint with its key and signature in the formats of OpenSSL, signify,\n"
			"minisign and ssh-keygen, and prints the commands that verify it.",
			args, ARRAY_SIZE(args)},
		argc, argv);
	struct envelope_file files[ENVELOPE_FILES] = {};
	struct reader r;
	int err;

	if (code != CLI_PROCEED)
		return code;
	dir = dir ?: EVIDENCE_DIR;
	err = read_files(&r, dir, files);
	if (err) {
		log_error("%s: %s", dir, r.error);
		code = err == -EBADMSG ? EXIT_VIOLATION : EXIT_CANNOT;
	} else {
		err = write_files(out, files);
		if (err)
			log_error("%s: %s", out, strerror(-err));
		code = err ? EXIT_CANNOT : EXIT_FINE;
	}
	if (!err)
		printf("openssl pkeyutl -verify -pubin -inkey openssl.pem -rawin -in checkpoint.txt -sigfile "
		       "openssl.sig\n"
		       "signify-openbsd -V -p signify.pub -x signify.sig -m checkpoint.txt\n"
		       "minisign -V -p minisign.pub -x minisign.sig -m checkpoint.txt\n"
		       "ssh-keygen -Y verify -f allowed_signers -I %s -n " ENVELOPE_NAMESPACE
		       " -s ssh.sig <checkpoint.txt\n",
		       r.identity.name);
	envelope_free(files);
	reader_close(&r);
	return fflush(stdout) ? EXIT_CANNOT : code;
}
