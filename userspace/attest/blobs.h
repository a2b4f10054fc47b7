/* SPDX-License-Identifier: BSD-2-Clause */
/* blobs.h - the executables that entries of a log name (evidence/blob.h). */
#ifndef CACHEWARDEN_BLOBS_H
#define CACHEWARDEN_BLOBS_H

#include "evidence/reader.h"

#include <jansson.h>

/* SHA-256 of the executable that an entry of kind "actor" says is kept; NULL: none. entry: the whole of it. */
const char *blobs_named(json_t *entry);

/*
 * Is each executable that is kept the one it is named for, and is none missing that an entry names? *ret_count: how many are kept. Returns
 * 0; -EBADMSG if not; or another negative errno. r->error then says which.
 */
int blobs_verify(struct reader *r, uint64_t *ret_count);

#endif
