/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prune.h - retention: removes the oldest entries of a log that is open for writing, bundle by bundle. What remains verifies as
 * before, against every checkpoint: the hashes stay, and that entries were removed is an entry.
 */
#ifndef CACHEWARDEN_PRUNE_H
#define CACHEWARDEN_PRUNE_H

#include "evidence/pruned.h"
#include "evidence/store.h"

/*
 * Remove the entries before an index, as far as they fill bundles and PRUNE_KEEP_MIN stay. The log says so first, at the time
 * now_ms. *ret: entries from here on are there. Returns 0, or a negative errno with the reason in error; repeated, it goes on
 * where it ended.
 */
int prune_before(struct store *s, uint64_t before, int64_t now_ms, uint64_t *ret,
		 char error[STORE_ERROR_LEN]);

#define PRUNE_BUNDLES 1000 /* a second or so of work */
#define PRUNE_MORE 1

/*
 * The same for entries that were logged before a time, at most so many bundles, 0: all. An entry behind a later one, of a clock that
 * was set back, stays with it. Returns also PRUNE_MORE: there are others.
 */
int prune_older(struct store *s, int64_t cutoff_ms, int64_t now_ms, unsigned int bundles,
		uint64_t *ret, char error[STORE_ERROR_LEN]);

#endif
