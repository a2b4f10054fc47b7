/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tls_suite.c - the table of cipher suites, and which versions and suites the built-in policy accepts.
 * test_tls_tshark.c compares the names with tshark's.
 */
#include "unit.h"

#include "model/tls_suite.h"
#include "policy/policy_key.h"

#include <string.h>

static void built_in_policy_refuses_old_versions_and_broken_suites(void **state)
{
	struct policy p;

	policy_init(&p);
	assert_false(policy_tls_version(&p, 0x0002));
	assert_false(policy_tls_version(&p, 0x0302));
	assert_true(policy_tls_version(&p, 0x0303));
	assert_true(policy_tls_version(&p, 0x0304));
	assert_true(policy_tls_cipher(&p, 0xc02f)); /* ECDHE-RSA-AES128-GCM-SHA256 */
	assert_true(policy_tls_cipher(&p, 0x002f)); /* AES128-SHA: no forward secrecy, not broken */
	assert_true(policy_tls_cipher(&p, 0x1302));
	assert_false(policy_tls_cipher(&p, 0x0005)); /* RC4-SHA */
	assert_false(policy_tls_cipher(&p, 0x000a)); /* DES-CBC3-SHA */
	assert_false(policy_tls_cipher(&p, 0x0034)); /* ADH-AES128-SHA */
	assert_false(policy_tls_cipher(&p, 0x003b)); /* NULL-SHA256 */
	assert_false(policy_tls_cipher(&p, 0x0003)); /* EXP-RC4-MD5 */
	assert_int_equal(tls_suite_find(0x002f)->verdict,
			 SUITE_TOLERATED); /* not in Mozilla's lists */
	assert_int_equal(tls_suite_find(0xcca8)->verdict, SUITE_RECOMMENDED);
	policy_free(&p);
}

/* A policy without tls.ciphers accepts unknown suites, so every weak one must be in the table. */
static void every_suite_with_a_weak_name_is_forbidden(void **state)
{
	static const char *const weak[] = {"NULL",   "_anon_", "EXPORT", "_RC4_", "_RC2_",
					   "_3DES_", "_DES_",  "_IDEA_", NULL};
	int found = 0;

	for (unsigned int n = 0; n < 0x10000; n++) {
		const struct tls_suite *s = tls_suite_find((uint16_t)n);
		bool is_weak =
			n == 0xc0b4 ||
			n == 0xc0b5; /* TLS_SHA256_SHA256, TLS_SHA384_SHA384: integrity only (RFC 9150) */

		if (!s)
			continue;
		found++;
		assert_int_equal(s->number, n); /* the table is sorted */
		for (int i = 0; weak[i]; i++)
			is_weak = is_weak || strstr(s->name, weak[i]);
		if (is_weak != (s->verdict == SUITE_FORBIDDEN) &&
		    n != 0x001d) /* Skipjack: 80 bits */
			fail_msg("%s: %d", s->name, s->verdict);
	}
	assert_int_equal(found, 366);
	assert_int_equal(tls_suite_find(0x0028)->verdict, SUITE_FORBIDDEN); /* Kerberos, EXPORT */
	assert_int_equal(tls_suite_find(0x008e)->verdict, SUITE_FORBIDDEN); /* DHE_PSK, RC4 */
	assert_int_equal(tls_suite_find(0xc05a)->verdict, SUITE_FORBIDDEN); /* anonymous, ARIA */
	assert_int_equal(tls_suite_find(0xc02d)->verdict,
			 SUITE_TOLERATED); /* ECDH_ECDSA, AES-GCM */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_policy_refuses_old_versions_and_broken_suites),
		cmocka_unit_test(every_suite_with_a_weak_name_is_forbidden),
	};

	return cmocka_run_group_tests_name("tls_suite", tests, NULL, NULL);
}
