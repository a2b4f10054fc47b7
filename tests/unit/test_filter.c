/* SPDX-License-Identifier: BSD-2-Clause */
/* test_filter.c - which incidents and entries of a log pass --instance, --rule, --severity, --actor and --since. */
#include "unit.h"

#include "base/macros.h"
#include "cmd/filter.h"

#include <stdio.h>
#include <string.h>

/* ids 1 and 2 */
static const char incidents[] =
	"[{\"id\":1,\"severity\":\"critical\",\"rules\":[\"mem-read\",\"mem-inspect\"],\"last\":5000,"
	"\"instance\":{\"name\":\"redis-server:6379\",\"pid\":42},"
	"\"actor\":{\"pid\":7,\"uid\":0,\"comm\":\"gdb\",\"exe\":\"/usr/bin/gdb\"}},"
	"{\"id\":2,\"severity\":\"medium\",\"rules\":[\"tls-listener\"],\"last\":2000,"
	"\"instance\":null,\"actor\":null}]";

/* An incident, its event, what is known of its actor, a server, and what is about none. */
#define OWN(members) "\"record\":{\"unmapped\":{\"cachewarden\":{" members "}}}}"
static const char *const entries[] = {
	"{\"kind\":\"incident\",\"time\":5000," OWN(
		"\"severity\":\"critical\",\"rules\":{\"mem-read\":1,\"mem-inspect\":1},"
		"\"instance\":{\"name\":\"redis-server:6379\"},\"actor\":{\"pid\":7,\"comm\":\"gdb\"},"
		"\"events\":[{\"actor\":{\"pid\":7,\"comm\":\"gdb\"}},{\"actor\":{\"pid\":8,\"comm\":\"head\"}}]"),
	"{\"kind\":\"event\",\"time\":4000," OWN(
		"\"severity\":\"medium\",\"rule\":\"mem-inspect\",\"instance\":{\"name\":\"redis-server:6379\"},"
		"\"actor\":{\"pid\":8,\"comm\":\"head\",\"exe\":\"/usr/bin/head\"}"),
	"{\"kind\":\"actor\",\"time\":4001,\"record\":{\"rule\":\"mem-inspect\",\"pid\":8,\"comm\":\"head\","
	"\"exe\":\"/usr/bin/head\",\"instance\":{\"name\":\"redis-server:6379\"}}}",
	"{\"kind\":\"instance\",\"time\":1000,\"record\":{\"name\":\"redis-server:6379\",\"pid\":42}}",
	"{\"kind\":\"alive\",\"time\":9000,\"record\":{}}",
	"{\"kind\":\"event\",\"time\":9000," OWN("\"severity\":\"low\",\"rule\":\"self-blind\","
						 "\"instance\":{\"name\":null},\"actor\":null"),
};

struct kept {
	struct filter f;
	const char *incidents, *entries; /* numbers of those that pass */
};

static const struct kept cases[] = {
	{FILTER_ANY, "12", "123456"},
	{{.severity = -1, .since_ms = INT64_MIN, .instance = "redis-server:6379"}, "1", "1234"},
	{{.severity = -1, .since_ms = INT64_MIN, .instance = "redis-server:63790"}, "", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .rule = "mem-inspect"}, "1", "123"},
	{{.severity = -1, .since_ms = INT64_MIN, .rule = "mem-read"}, "1", "1"},
	{{.severity = -1, .since_ms = INT64_MIN, .rule = "tls-listener"}, "2", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .rule = "mem-write"}, "", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "7"}, "1", "1"},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "8"}, "", "123"},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "42"}, "", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "gdb"}, "1", "1"},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "/usr/bin/gdb"}, "1", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "/usr/bin/head"}, "", "23"},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = "0"}, "", ""},
	{{.severity = -1, .since_ms = INT64_MIN, .actor = ""}, "", ""},
	{{.severity = 0, .since_ms = INT64_MIN}, "12", "126"}, /* info */
	{{.severity = 2, .since_ms = INT64_MIN}, "12", "12"},  /* medium */
	{{.severity = 3, .since_ms = INT64_MIN}, "1", "1"},    /* high */
	{{.severity = -1, .since_ms = 2001}, "1", "12356"},
	{{.severity = -1, .since_ms = 5000}, "1", "156"},
	{{.severity = -1, .since_ms = 5001}, "", "56"},
	{{.severity = 2, .since_ms = 4500, .actor = "head"}, "", "1"},
};

static void each_option_keeps_its_own_incidents(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *all = json_loads(incidents, 0, NULL), *one;
		char ids[32] = "";
		size_t k;

		assert_non_null(all);
		filter_incidents(&cases[i].f, all);
		json_array_foreach (all, k, one)
			sprintf(ids + strlen(ids), "%d",
				(int)json_integer_value(json_object_get(one, "id")));
		json_decref(all);
		if (strcmp(ids, cases[i].incidents) != 0)
			fail_msg("case %zu: incidents %s pass, not %s", i, ids, cases[i].incidents);
	}
}

static void each_option_keeps_its_own_entries(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char ids[32] = "";

		for (size_t k = 0; k < ARRAY_SIZE(entries); k++) {
			json_t *entry = json_loads(entries[k], 0, NULL);

			assert_non_null(entry);
			if (filter_entry(&cases[i].f, entry))
				sprintf(ids + strlen(ids), "%zu", k + 1);
			json_decref(entry);
		}
		if (strcmp(ids, cases[i].entries) != 0)
			fail_msg("case %zu: entries %s pass, not %s", i, ids, cases[i].entries);
	}
}

/* What a later version calls worse than all that is known here is not hidden. */
static void an_unknown_severity_is_shown(void **state)
{
	const struct filter f = {.severity = 4, .since_ms = INT64_MIN};
	json_t *in = json_pack("{s:s}", "severity", "apocalyptic");

	assert_true(filter_incident(&f, in));
	json_decref(in);
}

static void what_is_missing_or_of_another_type_does_no_harm(void **state)
{
	static const char *const odd[] = {"{}", "[]", "3",
					  "{\"record\":3,\"severity\":{},\"rules\":7,\"actor\":[]}",
					  "{\"record\":{\"unmapped\":[]}}"};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		json_t *v = json_loads(odd[i], JSON_DECODE_ANY, NULL);

		for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
			filter_incident(&cases[k].f, v);
			filter_entry(&cases[k].f, v);
		}
		json_decref(v);
	}
}

static void wrong_values_are_refused(void **state)
{
	struct filter since = {.severity = -1, .since_ms = INT64_MIN, .since = "yesterday"};
	struct filter rule = {.severity = -1, .since_ms = INT64_MIN, .rule = "mem-raed"};
	struct filter fine = {
		.severity = -1, .since_ms = INT64_MIN, .since = "@2", .rule = "mem-read"};

	assert_int_equal(filter_check("test", &since), EXIT_USAGE);
	assert_int_equal(filter_check("test", &rule), EXIT_USAGE);
	assert_int_equal(filter_check("test", &fine), CLI_PROCEED);
	assert_int_equal(fine.since_ms, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_option_keeps_its_own_incidents),
		cmocka_unit_test(each_option_keeps_its_own_entries),
		cmocka_unit_test(an_unknown_severity_is_shown),
		cmocka_unit_test(what_is_missing_or_of_another_type_does_no_harm),
		cmocka_unit_test(wrong_values_are_refused),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
