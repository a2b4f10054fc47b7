/* SPDX-License-Identifier: BSD-2-Clause */
/* store_internal.h - what store_open.c and store_commit.c share. */
#ifndef CACHEWARDEN_STORE_INTERNAL_H
#define CACHEWARDEN_STORE_INTERNAL_H

#include "base/jsonw.h"
#include "evidence/signer.h"
#include "evidence/store.h"
#include "evidence/tree.h"
#include "evidence/wal.h"

struct store_buffer {
	uint8_t *bytes;
	size_t len, room;
};

/* A tile that is to be written. */
struct full_tile {
	unsigned int level;
	uint64_t n;
	struct tree_hash hash[TILE_WIDTH];
};

/*
 * An entry goes from pending to the write-ahead log, the tree and the tail; from the tail to a bundle. Sizes count entries:
 * tiled <= signed_size <= tree.size but for a commit that failed half-way.
 */
struct store {
	int dir, lock;
	char *path; /* of dir, when it was opened */
	char origin[NOTE_NAME_LEN];
	struct store_buffer pending; /* records of frame.h */
	uint64_t pending_count;
	struct tree tree; /* of the entries that are on the disk */
	struct wal wal;
	uint64_t wal_first; /* segment that is left */
	struct store_buffer tail;
	uint64_t tiled; /* entries in bundles */
	struct full_tile *full;
	size_t fulls, full_room;
	uint64_t signed_size;

	struct signer *current; /* signs checkpoints; the identity until the first epoch began */
	uint64_t epoch, delegation;
	struct signer *next; /* becomes current when the entry next_index is on the disk */
	uint64_t next_index;
};

/* Make room for that many entries of that many bytes, so that store_apply() cannot fail. */
int store_reserve(struct store *s, size_t count, size_t bytes);

/* An entry is on the disk: take it into tree and tail. */
void store_apply(struct store *s, const char *entry, size_t len);

/* Append the delegation to a new epoch key. Nothing may be pending. */
int store_delegate(struct store *s, int64_t now_ms);

#endif
