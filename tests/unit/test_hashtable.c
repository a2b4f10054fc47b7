/* SPDX-License-Identifier: BSD-2-Clause */
/* test_hashtable.c - entries are found by hash, removed from any place of a chain, and walked once each. */
#include "unit.h"

#include "base/hash.h"
#include "base/hashtable.h"
#include "base/macros.h"

#include <string.h>

struct word {
	const char *text;
	struct hash_link link;
};

static struct word *find(const struct hashtable *t, uint64_t hash, const char *text)
{
	for (struct hash_link *l = hashtable_first(t, hash); l; l = hashtable_next(l)) {
		struct word *w = container_of(l, struct word, link);

		if (!strcmp(w->text, text))
			return w;
	}
	return NULL;
}

static void entry_is_found_until_it_is_removed(void **state)
{
	struct word a = {"a"}, b = {"b"};
	uint64_t ha = hash_bytes(HASH_INIT, "a", 1), hb = hash_bytes(HASH_INIT, "b", 1);
	struct hashtable t;

	assert_int_equal(hashtable_init(&t, 16), 0);
	assert_null(find(&t, ha, "a"));
	hashtable_add(&t, &a.link, ha);
	hashtable_add(&t, &b.link, hb);
	assert_int_equal(t.count, 2);
	assert_ptr_equal(find(&t, ha, "a"), &a);
	assert_ptr_equal(find(&t, hb, "b"), &b);
	hashtable_remove(&t, &a.link);
	assert_null(find(&t, ha, "a"));
	assert_ptr_equal(find(&t, hb, "b"), &b);
	assert_int_equal(t.count, 1);
	hashtable_free(&t);
}

/* One bucket: every entry is in one chain, and two have the same hash. */
static void chain_loses_only_the_entry_removed(void **state)
{
	for (size_t removed = 0; removed < 4; removed++) {
		struct word words[] = {{"a"}, {"b"}, {"c"}, {"d"}};
		static const uint64_t hashes[] = {1, 2, 2, 3};
		struct hashtable t;

		assert_int_equal(hashtable_init(&t, 1), 0);
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			hashtable_add(&t, &words[i].link, hashes[i]);
		hashtable_remove(&t, &words[removed].link);
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			assert_ptr_equal(find(&t, hashes[i], words[i].text),
					 i == removed ? NULL : &words[i]);
		assert_null(hashtable_first(&t, 4));
		hashtable_free(&t);
	}
}

static void walk_visits_each_entry_once_and_allows_removal(void **state)
{
	enum { WORDS = 200 };
	struct word words[WORDS] = {};
	unsigned int visits[WORDS] = {};
	struct hash_link *next;
	struct hashtable t;

	assert_int_equal(hashtable_init(&t, 64), 0);
	assert_null(hashtable_walk(&t, NULL));
	for (unsigned int i = 0; i < WORDS; i++)
		hashtable_add(&t, &words[i].link, hash_bytes(HASH_INIT, &i, sizeof(i)));
	for (struct hash_link *l = hashtable_walk(&t, NULL); l; l = next) {
		next = hashtable_walk(&t, l);
		visits[container_of(l, struct word, link) - words]++;
		hashtable_remove(&t, l);
	}
	for (unsigned int i = 0; i < WORDS; i++)
		assert_int_equal(visits[i], 1);
	assert_int_equal(t.count, 0);
	hashtable_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_is_found_until_it_is_removed),
		cmocka_unit_test(chain_loses_only_the_entry_removed),
		cmocka_unit_test(walk_visits_each_entry_once_and_allows_removal),
	};

	return cmocka_run_group_tests_name("hashtable", tests, NULL, NULL);
}
