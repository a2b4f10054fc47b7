/* SPDX-License-Identifier: BSD-2-Clause */
/* prove.h - an inclusion proof as text (C2SP tlog-proof), with the entry itself as its extra data. */
#ifndef CACHEWARDEN_PROVE_H
#define CACHEWARDEN_PROVE_H

#include "evidence/reader.h"

/*
 * The proof that an entry is in the tree of the log's checkpoint, to be freed; it is checked before it is returned. Returns 0;
 * or with r->error set -EBADMSG if there is no such entry or the log is damaged there, or another negative errno.
 */
int prove(struct reader *r, uint64_t index, char **ret);

#endif
