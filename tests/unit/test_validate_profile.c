/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_profile.c - profiles: what is built in, and what an error says. */
#include "unit.h"

#include "base/macros.h"
#include "validate/check.h"
#include "validate/profile_read.h"

#include <string.h>

#define PROMISE "promises:\n  - promise: quick\n    checks:\n      - tls-versions\n"

static void built_in_profiles_are_valid(void **state)
{
	static const char *const names[] = {"azure-cache", "strict"};
	char error[POLICY_ERROR_LEN] = "";
	struct profile p;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = profile_builtin(names[i]);

		assert_non_null(text);
		if (!profile_parse(&p, names[i], text, strlen(text), error, sizeof(error)))
			fail_msg("%s", error);
		assert_string_equal(p.name, names[i]);
		assert_int_equal(p.tls.minimum, i ? 0x0304 : 0x0303);
		profile_free(&p);
	}
	assert_null(profile_builtin("lenient"));
}

static void a_team_writes_its_own(void **state)
{
	static const char text[] = "name: ours\n"
				   "tls:\n"
				   "  minimum: 1.3\n"
				   "  ciphers:\n"
				   "    - TLS_AES_256_*\n"
				   "certificate:\n"
				   "  days: 30\n" PROMISE;
	char error[POLICY_ERROR_LEN] = "";
	struct profile p;

	assert_true(profile_parse(&p, "ours.yaml", text, strlen(text), error, sizeof(error)));
	assert_string_equal(p.name, "ours");
	assert_int_equal(p.certificate_days, 30);
	assert_int_equal(p.certificate_strength, 112); /* default */
	assert_int_equal(p.tls.ciphers, 1);
	assert_int_equal(p.promises, 1);
	assert_string_equal(p.promise[0].promise, "quick");
	assert_string_equal(p.promise[0].check[0], "tls-versions");
	profile_free(&p);
}

static void an_error_names_line_key_and_expectation(void **state)
{
	static const struct {
		const char *text, *says, *also;
	} wrong[] = {
		{"name: x\n" PROMISE "      - tls-verison\n",
		 "p.yaml:3: promises[].checks: unknown check 'tls-verison'",
		 "did you mean 'tls-versions'?"},
		{"name: x\n" PROMISE "      - tls-versions\n", "p.yaml:3: ", "second time"},
		{"name: x\npromises:\n  - promise: none\n",
		 "p.yaml:3: promises[].checks: required key is missing", "expected a list"},
		{"name: x\n", "p.yaml:1: promises: required key is missing", "expected a list"},
		{PROMISE, "p.yaml:1: name: required key is missing", "expected"},
		{"name: x\ntls:\n  minimum: 1.4\n" PROMISE,
		 "p.yaml:3: tls.minimum: invalid value '1.4'", "1.0, 1.1, 1.2 or 1.3"},
		{"name: x\ncertificate:\n  days: -3\n" PROMISE,
		 "p.yaml:3: certificate.days: invalid value '-3'", "from 0 to 3650"},
		{"name: x\nminimum: 1.2\n" PROMISE, "p.yaml:2: unknown key 'minimum'", "promises"},
		{"name: x\nname: y\n" PROMISE, "p.yaml:2: name: duplicate key", "once"},
		{"name: x\npromises: []\n", "p.yaml: promises: no check is named", "at least one"},
		{"", "p.yaml: name: required key is missing", "expected"},
	};
	char error[POLICY_ERROR_LEN];
	struct profile p;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		error[0] = '\0';
		assert_false(profile_parse(&p, "p.yaml", wrong[i].text, strlen(wrong[i].text),
					   error, sizeof(error)));
		if (!strstr(error, wrong[i].says) || !strstr(error, wrong[i].also))
			fail_msg("%zu: %s", i, error);
		assert_null(p.promise);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_profiles_are_valid),
		cmocka_unit_test(a_team_writes_its_own),
		cmocka_unit_test(an_error_names_line_key_and_expectation),
	};

	return cmocka_run_group_tests_name("validate_profile", tests, NULL, NULL);
}
