/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tree.c - Merkle tree: the published vectors of RFC 6962's reference implementation, proofs of every size up to
 * SIZES, each damaged in every hash, and the paths of tiles.
 */
#include "unit.h"

#include "base/crc32c.h"
#include "base/macros.h"
#include "evidence/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZES 200

static void to_hex(const struct tree_hash *h, char hex[2 * TREE_HASH_LEN + 1])
{
	for (size_t i = 0; i < TREE_HASH_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", h->byte[i]);
}

static void assert_hash(const struct tree_hash *h, const char *want)
{
	char hex[2 * TREE_HASH_LEN + 1];

	to_hex(h, hex);
	assert_string_equal(hex, want);
}

static void published_roots(void **state)
{
	static const char *const leaves[] = {
		"",
		"\x00",
		"\x10",
		"\x20\x21",
		"\x30\x31",
		"\x40\x41\x42\x43",
		"\x50\x51\x52\x53\x54\x55\x56\x57",
		"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
	static const size_t lens[] = {0, 1, 1, 2, 2, 4, 8, 16};
	static const char *const roots[] = {
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	};
	struct tree *t = calloc(1, sizeof(*t));
	struct tree_hash hash;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		tree_root(t, &hash);
		assert_hash(&hash, roots[i]);
		if (i == ARRAY_SIZE(leaves))
			break;
		tree_leaf(leaves[i], lens[i], &hash);
		tree_append(t, &hash, NULL, NULL);
	}
	free(t);
}

/* The leaves "0", "1", "2", ...; every subtree by the definition of RFC 6962, 2.1. */
static struct tree_hash leaf[70000];

static void definition(uint64_t lo, uint64_t hi, struct tree_hash *ret)
{
	struct tree_hash left, right;
	uint64_t k = 1;

	if (hi - lo == 1) {
		*ret = leaf[lo];
		return;
	}
	while (2 * k < hi - lo)
		k *= 2;
	definition(lo, lo + k, &left);
	definition(lo + k, hi, &right);
	tree_node(&left, &right, ret);
}

static int read_subtree(void *ctx, unsigned int height, uint64_t index, struct tree_hash *ret)
{
	uint64_t size = *(uint64_t *)ctx;

	if ((index + 1) << height > size)
		return -ERANGE;
	definition(index << height, (index + 1) << height, ret);
	return 0;
}

static int make_leaves(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(leaf); i++) {
		char text[16];
		int n = snprintf(text, sizeof(text), "%zu", i);

		tree_leaf(text, (size_t)n, &leaf[i]);
	}
	return 0;
}

struct tiles {
	uint64_t count[TREE_LEVELS];
};

static void on_tile(void *ctx, unsigned int level, uint64_t n,
		    const struct tree_hash hash[TILE_WIDTH])
{
	struct tiles *t = ctx;
	struct tree_hash want;

	assert_int_equal(n, t->count[level]++);
	for (unsigned int i = 0; i < TILE_WIDTH; i += 51) {
		uint64_t width = 1ull << (level * TILE_HEIGHT),
			 first = (n * TILE_WIDTH + i) * width;

		definition(first, first + width, &want);
		assert_true(tree_equal(&hash[i], &want));
	}
}

static void root_and_tiles_are_those_of_the_definition(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	struct tree_hash root, want;
	struct tiles tiles = {};

	for (uint64_t size = 1; size <= ARRAY_SIZE(leaf); size++) {
		tree_append(t, &leaf[size - 1], on_tile, &tiles);
		if (size > 600 && size % 9973 && size < 65530)
			continue;
		if (size > 65540 && size % 9973)
			continue;
		tree_root(t, &root);
		definition(0, size, &want);
		assert_true(tree_equal(&root, &want));
	}
	assert_int_equal(tiles.count[0], ARRAY_SIZE(leaf) / 256);
	assert_int_equal(tiles.count[1], 1);
	free(t);
}

static bool included(const struct tree_proof *p, uint64_t index, uint64_t size,
		     const struct tree_hash *root)
{
	return tree_check_inclusion(p, index, size, &leaf[index], root);
}

/* Every proof with one bit of one hash changed, with a hash less or more, or for something else, is refused. */
static void inclusion_proofs(void **state)
{
	for (uint64_t size = 1; size <= SIZES; size++) {
		struct tree_hash root;

		definition(0, size, &root);
		for (uint64_t index = 0; index < size; index++) {
			struct tree_proof p, bad;

			assert_int_equal(tree_inclusion(index, size, read_subtree, &size, &p), 0);
			assert_true(included(&p, index, size, &root));
			for (size_t i = 0; i < p.count; i++) {
				bad = p;
				bad.hash[i].byte[(index + i) % TREE_HASH_LEN] ^= 1u << (size % 8);
				assert_false(included(&bad, index, size, &root));
			}
			bad = p;
			bad.hash[bad.count++] = root;
			assert_false(included(&bad, index, size, &root));
			if (p.count) {
				bad = p;
				bad.count--;
				assert_false(included(&bad, index, size, &root));
			}
			assert_false(included(&p, (index + 1) % (size + 1), size, &root));
			assert_false(tree_check_inclusion(&p, index, size, &leaf[size], &root));
		}
	}
}

static void consistency_proofs(void **state)
{
	for (uint64_t size = 1; size <= SIZES; size++) {
		struct tree_hash root, old_root;

		definition(0, size, &root);
		for (uint64_t old = 1; old <= size; old++) {
			struct tree_proof p, bad;

			definition(0, old, &old_root);
			assert_int_equal(tree_consistency(old, size, read_subtree, &size, &p), 0);
			assert_true(tree_check_consistency(&p, old, size, &old_root, &root));
			for (size_t i = 0; i < p.count; i++) {
				bad = p;
				bad.hash[i].byte[(old + i) % TREE_HASH_LEN] ^= 1u << (size % 8);
				assert_false(
					tree_check_consistency(&bad, old, size, &old_root, &root));
			}
			bad = p;
			bad.hash[bad.count++] = root;
			assert_false(tree_check_consistency(&bad, old, size, &old_root, &root));
			assert_false(tree_check_consistency(&p, old, size, &leaf[size], &root));
			assert_false(tree_check_consistency(&p, old, size, &old_root, &leaf[size]));
		}
	}
}

static void what_is_not_there_has_no_proof(void **state)
{
	struct tree_proof p;
	uint64_t size = 5;

	assert_int_equal(tree_inclusion(5, size, read_subtree, &size, &p), -ERANGE);
	assert_int_equal(tree_inclusion(0, 0, read_subtree, &size, &p), -ERANGE);
	assert_int_equal(tree_consistency(6, size, read_subtree, &size, &p), -ERANGE);
	assert_int_equal(tree_consistency(0, size, read_subtree, &size, &p), 0);
	assert_int_equal(p.count, 0);
}

/* The examples of C2SP tlog-tiles. */
static void paths_of_tiles(void **state)
{
	char path[TILE_PATH_LEN];

	tile_path(0, 0, 256, path);
	assert_string_equal(path, "tile/0/000");
	tile_path(1, 1234067, 256, path);
	assert_string_equal(path, "tile/1/x001/x234/067");
	tile_path(TILE_ENTRIES, 273, 112, path);
	assert_string_equal(path, "tile/entries/273.p/112");
	tile_path(TILE_ENTRIES, 1000, 256, path);
	assert_string_equal(path, "tile/entries/x001/000");
	tile_path(7, UINT64_MAX, 1, path);
	assert_string_equal(path, "tile/7/x018/x446/x744/x073/x709/x551/615.p/1");
}

/* RFC 3720, B.4. */
static void published_checksums(void **state)
{
	uint8_t bytes[32];

	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_roots),
		cmocka_unit_test(root_and_tiles_are_those_of_the_definition),
		cmocka_unit_test(inclusion_proofs),
		cmocka_unit_test(consistency_proofs),
		cmocka_unit_test(what_is_not_there_has_no_proof),
		cmocka_unit_test(paths_of_tiles),
		cmocka_unit_test(published_checksums),
	};

	return cmocka_run_group_tests_name("tree", tests, make_leaves, NULL);
}
