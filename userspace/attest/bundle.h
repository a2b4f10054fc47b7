/* SPDX-License-Identifier: BSD-2-Clause */
/* bundle.h - a case as an archive that can be verified without this program: entries, proofs, keys, and what people and tools read of them. */
#ifndef CACHEWARDEN_BUNDLE_H
#define CACHEWARDEN_BUNDLE_H

#include "attest/casefile.h"

/* Write it to a new file, .tar.zst, and print the digest of its manifest. Returns 0, -EEXIST, or another negative errno. */
int bundle_write(struct casefile *c, const char *path);

#endif
