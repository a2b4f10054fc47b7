/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_policy_table.c - the reader does what a table says, not what the product's table happens to hold: here it has
 * two lists of strings, a list in a list and defaults of its own.
 */
#include "unit.h"

#include "base/macros.h"
#include "policy/policy_check.h"
#include "policy/policy_key.h"
#include "policy/policy_value.h"
#include "policy/policy_yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct stop {
	struct policy_place at;
	char *name;
	char **lines;
	size_t line_count;
	int64_t platforms;
};

struct route {
	struct policy_place at;
	struct stop *stops;
	size_t stop_count;
};

struct town {
	char **red, **blue;
	size_t red_count, blue_count;
	struct route *routes;
	size_t route_count;
	int64_t size, unset;
};

static const struct policy_key keys[] = {
	{"red", POLICY_TO_STRINGS(struct town, red, red_count)},
	{"blue", POLICY_TO_STRINGS(struct town, blue, blue_count)},
	{"routes", POLICY_TO_LIST(struct town, routes, route_count, struct route)},
	{"routes[].stops", POLICY_TO_LIST(struct route, stops, stop_count, struct stop)},
	{"routes[].stops[].name", POLICY_TO_TEXT(POLICY_NAME, struct stop, name), .required = true},
	{"routes[].stops[].lines", POLICY_TO_STRINGS(struct stop, lines, line_count)},
	{"routes[].stops[].platforms", POLICY_TO_INT(POLICY_NUMBER, struct stop, platforms),
	 .min = 1, .max = 9, .preset = "2"},
	{"size", POLICY_TO_INT(POLICY_NUMBER, struct town, size), .min = 0, .max = 99,
	 .preset = "7"},
	{"unset", POLICY_TO_INT(POLICY_NUMBER, struct town, unset), .min = 0, .max = 99},
};
static const struct policy_table table = {keys, ARRAY_SIZE(keys)};

static bool read_town(struct town *t, const char *text, char error[POLICY_ERROR_LEN])
{
	*t = (struct town){};
	policy_table_init(&table, t);
	error[0] = '\0';
	return policy_yaml_read(&table, t, "town", text, strlen(text), error, POLICY_ERROR_LEN);
}

static void each_list_of_strings_has_its_own_place(void **state)
{
	char error[POLICY_ERROR_LEN];
	struct town t;

	assert_true(read_town(&t, "red: [a, b]\nblue:\n  - c\n", error));
	assert_int_equal(t.red_count, 2);
	assert_string_equal(t.red[1], "b");
	assert_int_equal(t.blue_count, 1);
	assert_string_equal(t.blue[0], "c");
	policy_table_free(&table, &t);
	assert_null(t.red);
	assert_int_equal(t.red_count, 0);
}

static void lists_nest(void **state)
{
	char error[POLICY_ERROR_LEN];
	struct town t;

	assert_true(read_town(&t,
			      "routes:\n"
			      "  - stops:\n"
			      "      - {name: one, lines: [x]}\n"
			      "      - {name: two, platforms: 5}\n"
			      "  - stops: []\n",
			      error));
	assert_int_equal(t.route_count, 2);
	assert_int_equal(t.routes[0].stop_count, 2);
	assert_int_equal(t.routes[1].stop_count, 0);
	assert_string_equal(t.routes[0].stops[0].lines[0], "x");
	assert_int_equal(t.routes[0].stops[0].platforms, 2);
	assert_int_equal(t.routes[0].stops[1].platforms, 5);
	assert_int_equal(t.routes[0].stops[1].at.line, 4);
	policy_table_free(&table, &t);
}

static void defaults_come_from_the_table(void **state)
{
	char error[POLICY_ERROR_LEN];
	struct town t;

	assert_true(read_town(&t, "size: 8\n", error));
	assert_int_equal(t.size, 8);
	policy_table_free(&table, &t);
	assert_int_equal(t.size, 7);
	assert_int_equal(t.unset, POLICY_UNSET);
}

static void errors_name_the_keys_of_the_table(void **state)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{"- a\n",
		 "town:1: not a map; expected one of the keys red, blue, routes, size, unset"},
		{"green: 1\n",
		 "town:1: unknown key 'green'; expected one of red, blue, routes, size, unset"},
		{"routes:\n  - stops:\n    - platforms: 1\n",
		 "town:3: routes[].stops[].name: required key is missing; expected a name of letters, digits, "
		 "'-', '_' and '.'"},
		{"size: 100\n",
		 "town:1: size: invalid value '100'; expected an integer from 0 to 99"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char error[POLICY_ERROR_LEN];
		struct town t;

		assert_false(read_town(&t, wrong[i].text, error));
		assert_string_equal(error, wrong[i].error);
		policy_table_free(&table, &t);
	}
}

/* A list that is full says so, and what it has stays. */
static void a_list_ends_at_its_limit(void **state)
{
	const struct policy_key *red = policy_table_find(&table, "red");
	char error[POLICY_ERROR_LEN], expected[64];
	struct town t;

	assert_true(read_town(&t, "", error));
	for (unsigned int i = 0; i < POLICY_ENTRIES_MAX; i++)
		assert_true(policy_value_set(red, &t, RULE_NONE, "x", error, sizeof(error)));
	assert_false(policy_value_set(red, &t, RULE_NONE, "x", error, sizeof(error)));
	snprintf(expected, sizeof(expected), "expected at most %d", POLICY_ENTRIES_MAX);
	assert_non_null(strstr(error, expected));
	assert_int_equal(t.red_count, POLICY_ENTRIES_MAX);
	policy_table_free(&table, &t);
}

static void a_key_is_found_by_its_destination(void **state)
{
	const struct policy_key *routes = policy_table_at(&table, NULL,
							  offsetof(struct town, routes)),
				*stops = policy_table_at(&table, routes,
							 offsetof(struct route, stops)),
				*name = policy_table_at(&table, stops, offsetof(struct stop, name));

	assert_string_equal(routes->path, "routes");
	assert_string_equal(stops->path, "routes[].stops");
	assert_string_equal(name->path, "routes[].stops[].name");
	assert_null(policy_table_at(&table, NULL, offsetof(struct town, red_count)));
	assert_null(policy_table_at(&table, stops, sizeof(struct stop)));
}

/* --- the product's table --- */

/* The product's table with every part of a path that is a word of its own renamed: "x-allow[].x-rule". */
static void rename_keys(struct policy_key ret[POLICY_KEYS_MAX], char paths[POLICY_KEYS_MAX][128])
{
	for (size_t i = 0; i < policy_table.count; i++) {
		const char *from = policy_table.key[i].path;
		char *to = paths[i];

		for (bool begins = true; *from; begins = *from++ == '.') {
			if (begins && strncmp(from, POLICY_ANY_RULE, strlen(POLICY_ANY_RULE)) != 0)
				to = stpcpy(to, "x-");
			*to++ = *from;
		}
		*to = '\0';
		ret[i] = policy_table.key[i];
		ret[i].path = paths[i];
	}
}

/* No message types a key by hand: renamed in the table, it is renamed in all of them. */
static void messages_follow_renamed_keys(void **state)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{"x-instances:\n  - x-name: one\n  - x-name: one\n",
		 "new:3: x-instances[].x-name: 'one' is already used at new:2; expected a unique name"},
		{"x-allow:\n  - {x-rule: mem-read, x-exe: /a, x-reason: b, x-instance: two}\n",
		 "new:2: x-allow[].x-instance: unknown instance 'two'; expected the x-name of an entry of "
		 "x-instances, or NAME:PORT as alerts show it"},
		{"x-instances:\n  - {x-name: one, x-rules: {mem-read: {x-mode: prevent}}}\n"
		 "x-allow:\n  - {x-rule: mem-read, x-exe: /a, x-reason: b}\n",
		 "new:4: x-allow[].x-rule: mem-read is prevented for 'one' (new:2), and prevention has no "
		 "exceptions; expected another x-instance, or x-mode alert there"},
		{"x-instances:\n  - {x-name: one, x-rules: {tls-plaintext: {x-mode: prevent}}}\n"
		 "x-tls:\n  x-plaintext:\n    - {x-peer: 10.0.0.1, x-owner: /a}\n",
		 "new:5: x-tls.x-plaintext[]: tls-plaintext is prevented for 'one' (new:2), and prevention has "
		 "no exceptions; expected x-mode alert there"},
		{"x-instances:\n  - {x-name: one, x-rules: {mem-read: {mode: off}}}\n",
		 "new:2: x-instances[].x-rules.mem-read: unknown key 'mode'; expected one of x-mode, "
		 "x-severity (did you mean 'x-mode'?)"},
	};
	static char paths[POLICY_KEYS_MAX][128];
	struct policy_key renamed[POLICY_KEYS_MAX];
	const struct policy_table t = {renamed, policy_table.count};

	rename_keys(renamed, paths);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char error[POLICY_ERROR_LEN] = "";
		struct policy p = {};

		policy_table_init(&t, &p);
		assert_false(policy_yaml_read(&t, &p, "new", wrong[i].text, strlen(wrong[i].text),
					      error, sizeof(error)) &&
			     policy_validate_with(&t, &p, error, sizeof(error)));
		assert_string_equal(error, wrong[i].error);
		policy_table_free(&t, &p);
	}
}

/* Of the product's table: what its rows refer to exists. */
static void every_row_is_consistent(void **state)
{
	assert_true(policy_table.count <= POLICY_KEYS_MAX);
	for (size_t i = 0; i < policy_table.count; i++) {
		const struct policy_key *k = &policy_table.key[i];

		assert_ptr_equal(policy_table_find(&policy_table, k->path), k); /* no path twice */
		assert_true(strlen(k->path) < 64);
		assert_non_null(k->help);
		assert_false(k->preset && k->absent);
		assert_int_equal(k->type == POLICY_LIST, k->entry_size > 0);
		assert_int_equal(k->type == POLICY_NUMBER, k->max > k->min);
		assert_int_equal(k->per_rule, strstr(k->path, ".RULE.") != NULL);
	}
}

/* Keys that a text names, "allow[].until", are in the table. Returns how many there were. */
static size_t check_references(const char *text)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, "[].")); at++, n++) {
		const char *begin = at, *end = at + 3;
		char path[128];

		while (begin > text && islower((unsigned char)begin[-1]))
			begin--;
		while (islower((unsigned char)*end))
			end++;
		snprintf(path, sizeof(path), "%.*s", (int)(end - begin), begin);
		assert_non_null(policy_table_find(&policy_table, path));
	}
	return n;
}

static void texts_refer_to_keys_that_exist(void **state)
{
	const struct policy_key *plaintext =
		policy_table_at(&policy_table, NULL, offsetof(struct policy, tls.plaintext));
	size_t found = 0;

	for (size_t i = 0; i < policy_table.count; i++)
		found += check_references(policy_table.key[i].help);
	assert_true(found > 0);
	assert_non_null(strstr(rule_advice(RULE_TLS_LISTENER, STAGE_NONE), plaintext->path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_list_of_strings_has_its_own_place),
		cmocka_unit_test(lists_nest),
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(errors_name_the_keys_of_the_table),
		cmocka_unit_test(a_list_ends_at_its_limit),
		cmocka_unit_test(a_key_is_found_by_its_destination),
		cmocka_unit_test(messages_follow_renamed_keys),
		cmocka_unit_test(every_row_is_consistent),
		cmocka_unit_test(texts_refer_to_keys_that_exist),
	};

	return cmocka_run_group_tests_name("policy_table", tests, NULL, NULL);
}
