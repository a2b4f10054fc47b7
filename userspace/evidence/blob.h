/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob.h - executables that are kept beside a log: blobs/sha256/AB/SHA256, mode 0600, each named by its digest, which an entry
 * names. They are bytes of files, the only ones that are kept.
 */
#ifndef CACHEWARDEN_BLOB_H
#define CACHEWARDEN_BLOB_H

#include "base/digest.h"

#include <stdbool.h>
#include <stdint.h>

#define BLOB_DIR "blobs/sha256"
#define BLOB_PRUNE_MARGIN_MS (86400 * 1000ll)

/* Bytes of all blobs below the directory of a log. */
uint64_t blobs_size(int log);

/* Remove what a writer that was killed had begun. When nobody writes one. */
void blobs_clean(int log);

/*
 * Keep what can be read from fd, which is read from its beginning, at most `most` bytes. sha256: its digest, empty unless 0 is
 * returned. *ret_new: bytes that were added; 0 if it was there already. *abandoned: if that becomes true, the copy is not wanted any more; NULL: it
 * is. Several may be kept at once. Returns 0, -EFBIG if it is larger, -ECANCELED, or another negative errno.
 */
int blob_keep(int log, int fd, uint64_t most, const bool *abandoned, char sha256[DIGEST_LEN],
	      uint64_t *ret_new);

/* A blob, to be read. Returns a descriptor or a negative errno. */
int blob_open(int log, const char *sha256);

/* A whole blob, if it is at most `most` bytes and has the digest it is named by: -EBADMSG otherwise. To be freed. */
int blob_read(int log, const char *sha256, uint64_t most, char **ret, size_t *ret_len);

/* Check each: *ret_count of them have the digest they are named by. Returns 0; -EBADMSG with the name of one that has not; or another negative errno. */
int blobs_check(int log, uint64_t *ret_count, char bad[DIGEST_LEN]);

/* Remove those that no entry of that time or later (epoch milliseconds) can name. Returns 0 or a negative errno. */
int blobs_prune(int log, int64_t first_ms);

#endif
