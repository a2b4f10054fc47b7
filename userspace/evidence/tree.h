/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - the Merkle tree of RFC 6962: hashes, the root of a growing tree, proofs. Pure: no I/O. Tiles are those of C2SP
 * tlog-tiles, 256 hashes wide: tile n of level L holds the hashes of the perfect subtrees of 256^L leaves from 256 n on.
 */
#ifndef CACHEWARDEN_TREE_H
#define CACHEWARDEN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_HASH_LEN 32
#define TREE_LEAF_MAX 65535 /* bytes; what the length in an entry bundle can say */
#define TREE_LEVELS 8	    /* of tiles: 2^64 leaves */
#define TILE_HEIGHT 8
#define TILE_WIDTH 256
#define TREE_PROOF_MAX 65

struct tree_hash {
	uint8_t byte[TREE_HASH_LEN];
};
_Static_assert(sizeof(struct tree_hash) == TREE_HASH_LEN, "an array of hashes is a tile's file");

void tree_leaf(const void *data, size_t len, struct tree_hash *ret);
void tree_node(const struct tree_hash *left, const struct tree_hash *right, struct tree_hash *ret);
bool tree_equal(const struct tree_hash *a, const struct tree_hash *b);

/* Root of a perfect tree over n hashes, a power of two up to TILE_WIDTH. */
void tree_perfect(const struct tree_hash *hash, unsigned int n, struct tree_hash *ret);

/* A growing tree: of each level the hashes that do not fill a tile yet. Zero-initialise. */
struct tree {
	uint64_t size;
	struct tree_hash edge[TREE_LEVELS][TILE_WIDTH];
};

/* How many hashes the last tile of a level has, in a tree of that size. 0: its last tile is full, or it has none. */
unsigned int tree_width(uint64_t size, unsigned int level);

/* Called by tree_append() for each tile that it fills, the lowest level first. May be NULL. */
typedef void (*tree_tile_fn)(void *ctx, unsigned int level, uint64_t n,
			     const struct tree_hash hash[TILE_WIDTH]);

void tree_append(struct tree *t, const struct tree_hash *leaf, tree_tile_fn fn, void *ctx);
void tree_root(const struct tree *t, struct tree_hash *ret);

/* --- proofs --- */

struct tree_proof {
	size_t count;
	struct tree_hash hash[TREE_PROOF_MAX];
};

/* Root of the perfect subtree of 2^height leaves from (index << height) on. Returns 0 or a negative errno. */
typedef int (*tree_read_fn)(void *ctx, unsigned int height, uint64_t index, struct tree_hash *ret);

/*
 * Proof that leaf index is in the tree of that size; proof that the tree of size old is a prefix of it. Return 0, -ERANGE
 * if there is no such leaf or prefix, or what fn returned.
 */
int tree_inclusion(uint64_t index, uint64_t size, tree_read_fn fn, void *ctx,
		   struct tree_proof *ret);
int tree_consistency(uint64_t old, uint64_t size, tree_read_fn fn, void *ctx,
		     struct tree_proof *ret);

bool tree_check_inclusion(const struct tree_proof *p, uint64_t index, uint64_t size,
			  const struct tree_hash *leaf, const struct tree_hash *root);
bool tree_check_consistency(const struct tree_proof *p, uint64_t old, uint64_t size,
			    const struct tree_hash *old_root, const struct tree_hash *root);

/* --- paths --- */

#define TILE_PATH_LEN 64
#define TILE_ENTRIES (-1) /* the "level" of entry bundles */

/* Path of a tile below the log's directory: "tile/0/x001/234"; with ".p/W" unless it is full. */
void tile_path(int level, uint64_t n, unsigned int width, char buf[TILE_PATH_LEN]);

#endif
