// SPDX-License-Identifier: BSD-2-Clause
/* tree.c - see tree.h. The checks of proofs follow RFC 9162, 2.1.3.2 and 2.1.4.2. */
#include "evidence/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_MD *sha256_md;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/* Fetched once: EVP_sha256() makes OpenSSL 3 look up its provider for every hash. */
static void sha256_fetch(void)
{
	sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void sha256(const void *data, size_t len, struct tree_hash *ret)
{
	unsigned int n = 0;

	pthread_once(&sha256_once, sha256_fetch);
	if (!sha256_md || !EVP_Digest(data, len, ret->byte, &n, sha256_md, NULL) ||
	    n != TREE_HASH_LEN)
		abort(); /* out of memory: there is no hash that it would be right to go on with */
}

void tree_leaf(const void *data, size_t len, struct tree_hash *ret)
{
	uint8_t buf[1 + TREE_LEAF_MAX];

	if (len > TREE_LEAF_MAX)
		abort();
	buf[0] = 0;
	memcpy(buf + 1, data, len);
	sha256(buf, 1 + len, ret);
}

void tree_node(const struct tree_hash *left, const struct tree_hash *right, struct tree_hash *ret)
{
	uint8_t buf[1 + 2 * TREE_HASH_LEN];

	buf[0] = 1;
	memcpy(buf + 1, left, TREE_HASH_LEN);
	memcpy(buf + 1 + TREE_HASH_LEN, right, TREE_HASH_LEN);
	sha256(buf, sizeof(buf), ret);
}

bool tree_equal(const struct tree_hash *a, const struct tree_hash *b)
{
	return !memcmp(a, b, sizeof(*a));
}

void tree_perfect(const struct tree_hash *hash, unsigned int n, struct tree_hash *ret)
{
	struct tree_hash left, right;

	if (n == 1) {
		*ret = *hash;
		return;
	}
	tree_perfect(hash, n / 2, &left);
	tree_perfect(hash + n / 2, n / 2, &right);
	tree_node(&left, &right, ret);
}

unsigned int tree_width(uint64_t size, unsigned int level)
{
	return size >> (level * TILE_HEIGHT) & (TILE_WIDTH - 1);
}

void tree_append(struct tree *t, const struct tree_hash *leaf, tree_tile_fn fn, void *ctx)
{
	struct tree_hash hash = *leaf;

	for (unsigned int level = 0; level < TREE_LEVELS; level++) {
		unsigned int width = tree_width(t->size, level);

		t->edge[level][width] = hash;
		if (width + 1 < TILE_WIDTH)
			break;
		if (fn)
			fn(ctx, level, t->size >> ((level + 1) * TILE_HEIGHT), t->edge[level]);
		tree_perfect(t->edge[level], TILE_WIDTH, &hash);
	}
	t->size++;
}

/* The edge is a list of perfect subtrees, each smaller than the one to its left: fold it from the right. */
void tree_root(const struct tree *t, struct tree_hash *ret)
{
	bool any = false;

	for (unsigned int level = 0; level < TREE_LEVELS; level++) {
		unsigned int width = tree_width(t->size, level);

		for (unsigned int bit = 1; bit < TILE_WIDTH; bit <<= 1) {
			struct tree_hash left;

			if (!(width & bit))
				continue;
			tree_perfect(t->edge[level] + (width & ~(2 * bit - 1)), bit, &left);
			if (any)
				tree_node(&left, ret, ret);
			else
				*ret = left;
			any = true;
		}
	}
	if (!any)
		sha256("", 0, ret);
}

/* --- proofs --- */

/* Where RFC 6962 splits a tree of n > 1 leaves: the largest power of two below n. */
static uint64_t split(uint64_t n)
{
	return 1ull << (63 - __builtin_clzll(n - 1));
}

/* Root of the n leaves from lo on; every split leaves a perfect subtree on its left. */
static int range_root(uint64_t lo, uint64_t n, tree_read_fn fn, void *ctx, struct tree_hash *ret)
{
	struct tree_hash left, right;
	uint64_t k;
	int err;

	if (!(n & (n - 1))) {
		unsigned int height = (unsigned int)__builtin_ctzll(n);

		return fn(ctx, height, lo >> height, ret);
	}
	k = split(n);
	err = range_root(lo, k, fn, ctx, &left) ?: range_root(lo + k, n - k, fn, ctx, &right);
	if (!err)
		tree_node(&left, &right, ret);
	return err;
}

static int add_range(struct tree_proof *p, uint64_t lo, uint64_t n, tree_read_fn fn, void *ctx)
{
	return range_root(lo, n, fn, ctx, &p->hash[p->count++]);
}

static int inclusion(struct tree_proof *p, uint64_t index, uint64_t lo, uint64_t n, tree_read_fn fn,
		     void *ctx)
{
	uint64_t k;

	if (n == 1)
		return 0;
	k = split(n);
	if (index < k)
		return inclusion(p, index, lo, k, fn, ctx) ?: add_range(p, lo + k, n - k, fn, ctx);
	return inclusion(p, index - k, lo + k, n - k, fn, ctx) ?: add_range(p, lo, k, fn, ctx);
}

int tree_inclusion(uint64_t index, uint64_t size, tree_read_fn fn, void *ctx,
		   struct tree_proof *ret)
{
	ret->count = 0;
	return index < size ? inclusion(ret, index, 0, size, fn, ctx) : -ERANGE;
}

/* whole: the old tree is this subtree, from lo on; its root is known to whoever asks. */
static int consistency(struct tree_proof *p, uint64_t old, uint64_t lo, uint64_t n, bool whole,
		       tree_read_fn fn, void *ctx)
{
	uint64_t k;

	if (old == n)
		return whole ? 0 : add_range(p, lo, n, fn, ctx);
	k = split(n);
	if (old <= k)
		return consistency(p, old, lo, k, whole, fn, ctx)
			       ?: add_range(p, lo + k, n - k, fn, ctx);
	return consistency(p, old - k, lo + k, n - k, false, fn, ctx)
		       ?: add_range(p, lo, k, fn, ctx);
}

int tree_consistency(uint64_t old, uint64_t size, tree_read_fn fn, void *ctx,
		     struct tree_proof *ret)
{
	ret->count = 0;
	if (old > size)
		return -ERANGE;
	return old ? consistency(ret, old, 0, size, true, fn, ctx) : 0;
}

/* Go up from the border of the old tree until it is a left child again. */
static void skip_right(uint64_t *fn, uint64_t *sn)
{
	while (*fn && !(*fn & 1)) {
		*fn >>= 1;
		*sn >>= 1;
	}
}

bool tree_check_inclusion(const struct tree_proof *p, uint64_t index, uint64_t size,
			  const struct tree_hash *leaf, const struct tree_hash *root)
{
	struct tree_hash hash = *leaf;
	uint64_t fn = index, sn = size - 1;

	if (index >= size || p->count > TREE_PROOF_MAX)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		if (!sn)
			return false;
		if (fn & 1 || fn == sn) {
			tree_node(&p->hash[i], &hash, &hash);
			skip_right(&fn, &sn);
		} else {
			tree_node(&hash, &p->hash[i], &hash);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return !sn && tree_equal(&hash, root);
}

bool tree_check_consistency(const struct tree_proof *p, uint64_t old, uint64_t size,
			    const struct tree_hash *old_root, const struct tree_hash *root)
{
	struct tree_hash old_hash, hash;
	uint64_t fn = old - 1, sn = size - 1;
	size_t i = 0;

	if (old > size || p->count > TREE_PROOF_MAX)
		return false;
	if (!old)
		return !p->count;
	if (old == size)
		return !p->count && tree_equal(old_root, root);
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	if (old & (old - 1)) {
		if (!p->count)
			return false;
		hash = p->hash[i++];
	} else {
		hash = *old_root;
	}
	old_hash = hash;
	for (; i < p->count; i++) {
		if (!sn)
			return false;
		if (fn & 1 || fn == sn) {
			tree_node(&p->hash[i], &old_hash, &old_hash);
			tree_node(&p->hash[i], &hash, &hash);
			skip_right(&fn, &sn);
		} else {
			tree_node(&hash, &p->hash[i], &hash);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return !sn && tree_equal(&old_hash, old_root) && tree_equal(&hash, root);
}

/* --- paths --- */

void tile_path(int level, uint64_t n, unsigned int width, char buf[TILE_PATH_LEN])
{
	char digits[40], *at = digits + sizeof(digits);
	char dir[16], part[16] = "";

	/* groups of three digits, from the right; all but the last begin with x */
	*--at = '\0';
	for (bool last = true; last || n; n /= 1000, last = false) {
		char group[8];
		size_t len = (size_t)snprintf(group, sizeof(group), last ? "%03u" : "x%03u/",
					      (unsigned int)(n % 1000));

		at -= len;
		memcpy(at, group, len);
	}
	snprintf(dir, sizeof(dir), level == TILE_ENTRIES ? "entries" : "%d", level);
	if (width < TILE_WIDTH)
		snprintf(part, sizeof(part), ".p/%u", width);
	snprintf(buf, TILE_PATH_LEN, "tile/%s/%s%s", dir, at, part);
}
