/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_policy.c - libFuzzer on the policy parser. Seeds: tests/policies/wrong.
 *
 * Invariants: any text is accepted or refused. A refusal is one line that begins with the file name and has
 * no control character. An accepted policy can be evaluated and freed, and parsing the text again gives
 * the same result.
 */
#include "policy/policy_check.h"
#include "policy/policy_key.h"
#include "policy/policy_yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME "fuzz.yaml"

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_error(const char *error)
{
	size_t len = strlen(error);

	check(len > strlen(NAME) && !strncmp(error, NAME ":", strlen(NAME) + 1));
	check(len < POLICY_ERROR_LEN);
	for (size_t i = 0; i < len; i++)
		check((unsigned char)error[i] >= 0x20 && error[i] != 0x7f);
}

static bool read_policy(struct policy *p, const char *text, size_t len, char *error)
{
	policy_init(p);
	error[0] = '\0';
	return policy_yaml_parse(p, NAME, text, len, error, POLICY_ERROR_LEN) &&
	       policy_validate(p, error, POLICY_ERROR_LEN);
}

static void evaluate(const struct policy *p)
{
	static const uint16_t port = 6379;
	static const uint8_t peer[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};

	for (unsigned int rule = RULE_NONE + 1; rule < RULE_MAX; rule++) {
		struct policy_input s = {
			.rule = rule,
			.severity = SEVERITY_HIGH,
			.instance = "redis-server:6379",
			.instance_exe = "/usr/bin/redis-server",
			.instance_cgroup = "/system.slice/redis.service",
			.port = &port,
			.ports = 1,
			.exe = "/usr/bin/gdb",
			.uid = 0,
			.ancestor = {"/usr/bin/bash"},
			.ancestors = 1,
			.peer = peer,
			.conn_owner = "/usr/bin/gdb",
		};
		struct verdict v;

		policy_evaluate(p, &s, 1795526837000ll, &v);
		check(v.id <= VERDICT_PREVENTED && v.severity >= SEVERITY_INFO &&
		      v.severity <= SEVERITY_CRITICAL);
		check((v.id == VERDICT_ALLOWED) == (v.allow || v.wire));
		check(!(policy_prevented(p, &s, 0) & ~POLICY_PREVENTABLE));
		policy_prevented_by_default(p, 0);
	}
	policy_tls_version(p, 0x0303);
	policy_tls_cipher(p, 0x1301);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[POLICY_ERROR_LEN], again[POLICY_ERROR_LEN];
	struct policy p, q;
	bool ok = read_policy(&p, (const char *)data, size, error);

	if (ok)
		evaluate(&p);
	else
		check_error(error);
	check(read_policy(&q, (const char *)data, size, again) == ok && !strcmp(error, again));
	check(p.instances == q.instances && p.allows == q.allows &&
	      p.tls.plaintexts == q.tls.plaintexts && p.tls.minimum == q.tls.minimum);
	policy_free(&p);
	policy_free(&q);
	return 0;
}
