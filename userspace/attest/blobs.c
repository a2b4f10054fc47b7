// SPDX-License-Identifier: BSD-2-Clause
/* blobs.c - see blobs.h. */
#include "attest/blobs.h"

#include "evidence/blob.h"
#include "evidence/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *blobs_named(json_t *entry)
{
	json_t *record = json_object_get(entry, "record");
	const char *kind = json_string_value(json_object_get(entry, "kind"));

	if (!kind || strcmp(kind, "actor") != 0)
		return NULL;
	return json_string_value(json_object_get(json_object_get(record, "file"), "blob"));
}

/* Its digest is checked with those of all the others. */
static int find_blob(void *ctx, const struct entry_place *at, const char *entry, size_t len)
{
	struct reader *r = ctx;
	const char *sha256;
	int fd = 0;
	json_t *v;

	if (!entry_is(entry, len, "actor") || at->index < r->pruned.before)
		return 0;
	v = json_loadb(entry, len, 0, NULL);
	sha256 = blobs_named(v);
	if (sha256) {
		fd = blob_open(r->dir, sha256);
		if (fd >= 0)
			close(fd);
		else
			snprintf(r->error, sizeof(r->error),
				 "entry %" PRIu64 ": the executable that it names, " BLOB_DIR
				 "/%.2s/%.64s, is missing",
				 at->index, sha256, sha256);
	}
	json_decref(v);
	return fd < 0 ? -EBADMSG : 0;
}

int blobs_verify(struct reader *r, uint64_t *ret_count)
{
	char bad[DIGEST_LEN];
	int err = blobs_check(r->dir, ret_count, bad);

	if (err)
		snprintf(r->error, sizeof(r->error),
			 BLOB_DIR "/%.2s/%.64s: its digest is not its name", bad, bad);
	return err ?: reader_each(r, 0, find_blob, r, NULL);
}
