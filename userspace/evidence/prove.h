/* SPDX-License-Identifier: BSD-2-Clause */
/* prove.h - an inclusion proof as text (C2SP tlog-proof), with the entry itself as its extra data. */
#ifndef CACHEWARDEN_PROVE_H
#define CACHEWARDEN_PROVE_H

#include "evidence/reader.h"

/*
 * The proof that an entry is in the tree of the log's checkpoint, to be freed. NULL with r->error set if there is no such
 * entry, or the log is damaged there. The proof is checked before it is returned.
 */
char *prove(struct reader *r, uint64_t index);

#endif
