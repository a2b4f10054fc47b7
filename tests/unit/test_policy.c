/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_policy.c - policies: how a file is parsed, which errors are reported and how, what a policy decides,
 * and that the generated documentation is current. tests/policies/wrong has the invalid files, each with
 * the expected error in its first line.
 */
#include "unit.h"

#include "policy/policy_check.h"
#include "policy/policy_yaml.h"
#include "policy/policy_doc.h"
#include "policy/policy_key.h"
#include "policy/policy_value.h"

#include <arpa/inet.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000ll
#define DEC_1_2026 1796083200000ll /* date -d 2026-12-01T00:00Z +%s000 */
#define SHA "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"

static struct policy read_policy(const char *text)
{
	char error[POLICY_ERROR_LEN] = "";
	struct policy p;

	policy_init(&p);
	if (!policy_yaml_parse(&p, "test.yaml", text, strlen(text), error, sizeof(error)) ||
	    !policy_validate(&p, error, sizeof(error)))
		fail_msg("%s", error);
	return p;
}

/* gdb reads the memory of an instance. */
static struct policy_input gdb_reads(void)
{
	static const uint16_t ports[] = {16379, 6379};

	return (struct policy_input){
		.rule = RULE_MEM_READ,
		.severity = SEVERITY_CRITICAL,
		.instance = "redis-server:16379",
		.instance_exe = "/usr/bin/redis-check-rdb",
		.instance_cgroup = "/system.slice/redis-sessions.service",
		.port = ports,
		.ports = 2,
		.exe = "/usr/bin/gdb",
		.cgroup = "/user.slice/user-0.slice/session-3.scope",
		.uid = 0,
		.ancestor = {"/usr/bin/bash", "/usr/sbin/sshd"},
		.ancestors = 2,
	};
}

static enum verdict_id evaluate(const struct policy *p, const struct policy_input *s,
				int64_t now_ms)
{
	struct verdict v;

	policy_evaluate(p, s, now_ms, &v);
	return v.id;
}

static void without_a_policy_every_rule_alerts(void **state)
{
	struct policy p;
	struct policy_input s = gdb_reads();

	policy_init(&p);
	for (s.rule = RULE_NONE + 1; s.rule < RULE_MAX; s.rule++)
		assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	assert_int_equal(policy_prevented(&p, &s, 0), 0);
	assert_true(policy_tls_version(&p, 0x0303));
	assert_false(policy_tls_version(&p, 0x0302));
	assert_true(policy_tls_cipher(&p, 0x1301));
}

static void routine_is_observed_until_an_entry_names_the_rule(void **state)
{
	struct policy p;
	struct policy_input s = gdb_reads();

	policy_init(&p);
	s.rule = RULE_MEM_INSPECT;
	s.routine = true;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_OBSERVED);
	s.prevented = true;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_PREVENTED);
	s.prevented = false;
	p = read_policy("instances:\n"
			"  - name: all\n"
			"    rules: {mem-inspect: {mode: alert}, mem-read: {mode: off}}\n");
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	policy_free(&p);
	p = read_policy("allow:\n"
			"  - {rule: mem-inspect, exe: /usr/bin/gdb, reason: ticket 4711}\n");
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALLOWED);
	policy_free(&p);
}

static void a_server_is_asked_by_the_first_entry_that_says_so(void **state)
{
	struct policy_input s = gdb_reads();
	const struct policy_ask *ask;
	struct policy p;

	policy_init(&p);
	assert_null(policy_asked(&p, &s));
	p = read_policy("instances:\n"
			"  - {name: other, match: {port: 1}, ask: {over: any}}\n"
			"  - {name: silent, rules: {mem-read: {mode: off}}}\n"
			"  - name: sessions\n"
			"    ask: {user: cachewarden, password-file: /etc/p, uid: 0, over: tls}\n"
			"  - {name: all, ask: {over: any}}\n");
	ask = policy_asked(&p, &s);
	assert_non_null(ask);
	assert_string_equal(ask->user, "cachewarden");
	assert_string_equal(ask->password_file, "/etc/p");
	assert_int_equal(ask->over, TRANSPORT_TLS);
	policy_free(&p);
	p = read_policy("instances:\n  - {name: all, ask: {socket: /run/r.sock}}\n");
	ask = policy_asked(&p, &s);
	assert_non_null(ask);
	assert_int_equal(ask->over, POLICY_UNSET);
	policy_free(&p);
}

static void invalid_file_is_refused_with_the_expected_error(void **state)
{
	char line[2048], error[POLICY_ERROR_LEN];
	glob_t found = {};

	assert_int_equal(glob("tests/policies/wrong/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 50);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		size_t dir = (size_t)(strrchr(path, '/') + 1 - path);
		char text[8192];
		struct policy p;
		FILE *f = fopen(path, "re");
		size_t len;
		bool ok;

		assert_non_null(f);
		assert_non_null(fgets(line, sizeof(line), f));
		line[strcspn(line, "\n")] = '\0';
		rewind(f);
		len = fread(text, 1, sizeof(text), f);
		fclose(f);
		policy_init(&p);
		ok = policy_yaml_parse(&p, path + dir, text, len, error, sizeof(error)) &&
		     policy_validate(&p, error, sizeof(error));
		policy_free(&p);
		assert_false(ok);
		assert_string_equal(error, line + 2);
		assert_null(strchr(error, '\n'));
	}
	globfree(&found);
}

static void refused_file_leaves_an_empty_policy(void **state)
{
	struct policy p;
	char error[POLICY_ERROR_LEN];

	assert_false(policy_yaml_load(&p, "tests/policies/wrong/allowed-and-prevented.yaml", false,
				      error, sizeof(error)));
	assert_int_equal(p.instances + p.allows + p.files, 0);
	assert_false(policy_yaml_load(&p, "tests/policies/none.yaml", false, error, sizeof(error)));
	assert_string_equal(
		error,
		"tests/policies/none.yaml: No such file or directory; expected a policy file");
}

static void empty_file_is_the_built_in_policy(void **state)
{
	static const char *const texts[] = {"", "# nothing\n", "---\n", "{}\n", "--- {}\n...\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy p = read_policy(texts[i]);

		assert_int_equal(p.instances + p.allows, 0);
		assert_int_equal(p.tls.minimum, 0x0303);
		assert_int_equal(p.quiet_s, 60);
		policy_free(&p);
	}
}

static void first_matching_entry_that_names_the_rule_decides(void **state)
{
	struct policy p = read_policy(
		"instances:\n"
		"  - name: others\n"
		"    match: {port: 7000}\n"
		"    rules: {mem-read: {mode: off}}\n"
		"  - name: sessions\n"
		"    match: {unit: redis-*.service, exe: /usr/bin/redis-*, port: 6379}\n"
		"    rules: {mem-read: {mode: observe, severity: low}}\n"
		"  - name: all\n"
		"    rules: {mem-read: {mode: off}, mem-write: {mode: off}}\n");
	struct policy_input s = gdb_reads();
	struct verdict v;

	policy_evaluate(&p, &s, 0, &v);
	assert_int_equal(v.id, VERDICT_OBSERVED);
	assert_int_equal(v.severity, SEVERITY_LOW);
	s.rule = RULE_MEM_WRITE;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_OFF);
	s.rule = RULE_MEM_TRACE;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	s.rule = RULE_MEM_READ;
	s.instance_cgroup = NULL; /* an unknown unit does not match */
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_OFF);
	policy_free(&p);
}

static void instance_is_matched_by_container_and_unit_from_its_cgroup(void **state)
{
	char id[65], cgroup[160], unit[64], got[128];
	struct policy p;
	struct policy_input s = gdb_reads();

	memset(id, 'a', 64);
	id[64] = '\0';
	id[1] = '4';
	snprintf(cgroup, sizeof(cgroup), "/system.slice/docker-%s.scope", id);
	policy_container(cgroup, got, sizeof(got));
	assert_string_equal(got, id);
	policy_unit("/user.slice/user@1000.service/app.slice/x.service", unit, sizeof(unit));
	assert_string_equal(unit, "x.service");
	policy_place(cgroup, got, sizeof(got));
	assert_int_equal(strlen(got), 12);
	policy_place("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
		     "pod0d1e2f3a_1111_2222_3333_444455556666.slice/cri-containerd-x.scope",
		     got, sizeof(got));
	assert_string_equal(got, "pod-0d1e2f3a-1111-2222-3333-444455556666");
	policy_place("/system.slice/redis.service", got, sizeof(got));
	assert_string_equal(got, "redis.service");
	policy_container("/system.slice/redis.service", got, sizeof(got));
	assert_string_equal(got, "");
	p = read_policy("instances:\n"
			"  - name: boxed\n"
			"    match: {container: a4*}\n"
			"    rules: {mem-read: {mode: off}}\n");
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	s.instance_cgroup = cgroup;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_OFF);
	policy_free(&p);
}

static void allow_entry_is_valid_through_its_last_day(void **state)
{
	struct policy p = read_policy("allow:\n"
				      "  - rule: mem-read\n"
				      "    exe: /usr/bin/gdb\n"
				      "    until: 2026-12-01\n"
				      "    reason: ticket 4711\n");
	struct policy_input s = gdb_reads();
	struct verdict v;

	policy_evaluate(&p, &s, DEC_1_2026, &v);
	assert_int_equal(v.id, VERDICT_ALLOWED);
	assert_string_equal(v.allow->reason, "ticket 4711");
	assert_int_equal(v.allow->at.line, 2);
	assert_null(v.expired);
	assert_int_equal(evaluate(&p, &s, DEC_1_2026 + DAY_MS - 1), VERDICT_ALLOWED);
	policy_evaluate(&p, &s, DEC_1_2026 + DAY_MS, &v);
	assert_int_equal(v.id, VERDICT_ALERT);
	assert_null(v.allow);
	assert_ptr_equal(v.expired, &p.allow[0]);
	policy_free(&p);
}

static void rule_prefix_allows_every_rule_with_it(void **state)
{
	struct policy p = read_policy("allow:\n"
				      "  - rule: mem-*\n"
				      "    exe: /usr/bin/gdb\n"
				      "    reason: ticket 4711\n");
	struct policy_input s = gdb_reads();

	for (s.rule = RULE_NONE + 1; s.rule < RULE_SELF_BLIND; s.rule++)
		assert_int_equal(evaluate(&p, &s, DEC_1_2026), strncmp(rule_name(s.rule), "mem-", 4)
								       ? VERDICT_ALERT
								       : VERDICT_ALLOWED);
	policy_free(&p);
}

static void time_of_day_is_exclusive(void **state)
{
	struct policy p = read_policy("allow:\n"
				      "  - {rule: mem-read, exe: /usr/bin/gdb, reason: x, "
				      "until: 2026-12-01T06:30:00Z}\n");
	struct policy_input s = gdb_reads();
	int64_t end = DEC_1_2026 + (6 * 60 + 30) * 60000ll;

	assert_int_equal(evaluate(&p, &s, end - 1), VERDICT_ALLOWED);
	assert_int_equal(evaluate(&p, &s, end), VERDICT_ALERT);
	policy_free(&p);
}

static void dates_follow_the_calendar(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} dates[] = {
		{"1970-01-01", 86400000ll},
		{"2000-02-29", 951868800000ll},
		{"2024-12-31", 1735689600000ll},
		{"2100-03-01", 4107628800000ll},
		{"2026-11-24T12:00:00Z", 1795521600000ll},
	};
	const struct policy_key *k = policy_table_find(&policy_table, "allow[].until");

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		struct policy_allow a = {};
		char error[POLICY_ERROR_LEN];

		assert_true(policy_value_set(k, &a, 0, dates[i].text, error, sizeof(error)));
		assert_int_equal(a.until_ms, dates[i].ms);
	}
}

/* Changes one field of the input at a time. */
static void allow_entry_applies_only_if_every_condition_matches(void **state)
{
	struct policy p = read_policy("instances:\n"
				      "  - {name: sessions, match: {port: 6379}}\n"
				      "allow:\n"
				      "  - rule: mem-read\n"
				      "    exe: /usr/bin/gdb\n"
				      "    sha256: " SHA "\n"
				      "    uid: 0\n"
				      "    unit: session-3.scope\n"
				      "    ancestor: /usr/sbin/sshd\n"
				      "    instance: sessions\n"
				      "    reason: x\n");
	struct policy_input allowed = gdb_reads(), s;

	allowed.sha256 = SHA;
	assert_int_equal(evaluate(&p, &allowed, 0), VERDICT_ALLOWED);
#define DIFFERS(field, value)                                                                      \
	s = allowed;                                                                               \
	s.field = value;                                                                           \
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT)
	DIFFERS(rule, RULE_MEM_WRITE);
	DIFFERS(exe, "/usr/bin/gdb2");
	DIFFERS(exe, NULL);
	DIFFERS(sha256, NULL);
	DIFFERS(sha256, "0000000000000000000000000000000000000000000000000000000000000000");
	DIFFERS(uid, 1);
	DIFFERS(uid, POLICY_UNSET);
	DIFFERS(cgroup, "/system.slice/cron.service");
	DIFFERS(cgroup, NULL);
	DIFFERS(ancestors, 1);
	DIFFERS(ports, 1);
#undef DIFFERS
	policy_free(&p);
}

static void prevented_attempt_is_never_allowed(void **state)
{
	struct policy p =
		read_policy("allow:\n  - {rule: mem-read, exe: /usr/bin/gdb, reason: x}\n");
	struct policy_input s = gdb_reads();

	s.prevented = true;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_PREVENTED);
	policy_free(&p);
}

static void prevention_is_per_instance_and_rule(void **state)
{
	struct policy p = read_policy("instances:\n"
				      "  - name: sessions\n"
				      "    match: {port: 6379}\n"
				      "    rules:\n"
				      "      mem-read: {mode: prevent}\n"
				      "      mem-trace: {mode: alert}\n");
	struct policy_input s = gdb_reads(), other = gdb_reads();

	other.ports = 1;
	assert_int_equal(policy_prevented(&p, &s, 0), 1u << RULE_MEM_READ);
	assert_int_equal(policy_prevented(&p, &other, 0), 0);
	assert_int_equal(policy_prevented(&p, &s, POLICY_PREVENTABLE),
			 POLICY_PREVENTABLE & ~(1u << RULE_MEM_TRACE));
	assert_int_equal(policy_prevented_by_default(&p, 0), 0);
	assert_true(policy_has_prevention(&p));
	policy_free(&p);
	p = read_policy("instances:\n  - {name: all, rules: {mem-fd: {mode: prevent}}}\n");
	assert_int_equal(policy_prevented_by_default(&p, 0), 1u << RULE_MEM_FD);
	policy_free(&p);
}

static uint8_t *address(const char *text)
{
	static uint8_t ip[16];

	memset(ip, 0, sizeof(ip));
	if (inet_pton(AF_INET, text, ip + 12) == 1)
		ip[10] = ip[11] = 0xff;
	else
		assert_int_equal(inet_pton(AF_INET6, text, ip), 1);
	return ip;
}

static void plaintext_is_allowed_by_network_and_executable_combined(void **state)
{
	struct policy p = read_policy("tls:\n"
				      "  plaintext:\n"
				      "    - {peer: 10.1.0.0/20, owner: /usr/bin/redis-cli}\n"
				      "    - {peer: fd00::/9, owner: /usr/bin/redis-cli}\n"
				      "    - {peer: 127.0.0.1, owner: /usr/bin/probe}\n");
	struct policy_input s = gdb_reads();
	static const struct {
		const char *ip, *exe;
		bool allowed;
	} peers[] = {
		{"10.1.15.255", "/usr/bin/redis-cli", true},
		{"10.1.16.0", "/usr/bin/redis-cli", false},
		{"10.1.1.1", "/usr/bin/probe", false},
		{"10.1.1.1", NULL, false},
		{"fd7f::1", "/usr/bin/redis-cli", true},
		{"fd80::1", "/usr/bin/redis-cli", false},
		{"127.0.0.1", "/usr/bin/probe", true},
		{"127.0.0.2", "/usr/bin/probe", false},
		{"::1", "/usr/bin/probe", false},
	};
	struct verdict v;

	for (size_t i = 0; i < 2 * sizeof(peers) / sizeof(peers[0]); i++) {
		s.rule = i % 2 ? RULE_TLS_LISTENER : RULE_TLS_PLAINTEXT;
		s.peer = address(peers[i / 2].ip);
		s.conn_owner = peers[i / 2].exe;
		policy_evaluate(&p, &s, 0, &v);
		assert_int_equal(v.id, peers[i / 2].allowed ? VERDICT_ALLOWED : VERDICT_ALERT);
		assert_int_equal(v.wire != NULL, peers[i / 2].allowed);
	}
	s.rule =
		RULE_TLS_MIDSTREAM; /* the entry does not apply to a TLS stream that turned to plaintext */
	s.peer = address("127.0.0.1");
	s.conn_owner = "/usr/bin/probe";
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	policy_free(&p);
}

/* Whatever its number is. Blindness is no rule that could be switched off. */
static void every_rule_but_self_blind_can_be_named(void **state)
{
	const char *names[RULE_MAX];
	char text[128];

	assert_int_equal(policy_rule_names(names), RULE_MAX - 2);
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		struct policy p;

		if (r == RULE_SELF_BLIND) {
			assert_int_equal(policy_rule_find(rule_name(r)), RULE_NONE);
			continue;
		}
		snprintf(text, sizeof(text),
			 "instances:\n  - {name: any, rules: {%s: {mode: observe}}}\n",
			 rule_name(r));
		p = read_policy(text);
		policy_free(&p);
	}
}

static void expected_peer_may_be_reached_past_tcp(void **state)
{
	struct policy p = read_policy("tls:\n"
				      "  bypass:\n"
				      "    - {peer: 10.1.0.2, port: 53}\n"
				      "    - {peer: fd00::/9}\n");
	struct policy_input s = gdb_reads();
	static const struct {
		const char *ip;
		uint16_t port;
		enum verdict_id verdict;
	} peers[] = {
		{"10.1.0.2", 53, VERDICT_ALLOWED}, {"10.1.0.2", 514, VERDICT_ALERT},
		{"10.1.0.3", 53, VERDICT_ALERT},   {"fd7f::1", 514, VERDICT_ALLOWED},
		{"fd80::1", 53, VERDICT_ALERT},
	};

	s.exe = NULL;
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		s.rule = RULE_TLS_BYPASS;
		s.peer = address(peers[i].ip);
		s.peer_port = peers[i].port;
		assert_int_equal(evaluate(&p, &s, 0), peers[i].verdict);
		s.rule = RULE_TLS_PLAINTEXT; /* the entry is not about TCP */
		assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	}
	s.rule = RULE_TLS_BYPASS; /* a socket without a peer */
	s.peer = NULL;
	assert_int_equal(evaluate(&p, &s, 0), VERDICT_ALERT);
	policy_free(&p);
}

static void tls_settings_are_applied(void **state)
{
	struct policy p = read_policy("tls:\n"
				      "  minimum: 1.3\n"
				      "  ciphers:\n"
				      "    - TLS_AES_256_*\n"
				      "    - TLS_CHACHA20_POLY1305_SHA256\n");

	assert_true(policy_tls_version(&p, 0x0304));
	assert_false(policy_tls_version(&p, 0x0303));
	assert_true(policy_tls_cipher(&p, 0x1302));
	assert_true(policy_tls_cipher(&p, 0x1303));
	assert_false(policy_tls_cipher(&p, 0x1301));
	policy_free(&p);
}

static void later_file_extends_lists_and_replaces_values(void **state)
{
	static const char one[] = "tls: {minimum: 1.3}\n"
				  "allow:\n  - {rule: mem-read, exe: /a, reason: x}\n",
			  two[] = "tls: {minimum: 1.1}\n"
				  "allow:\n  - {rule: mem-fd, exe: /b, reason: y}\n";
	struct policy p;
	char error[POLICY_ERROR_LEN];

	policy_init(&p);
	assert_true(policy_yaml_parse(&p, "one.yaml", one, strlen(one), error, sizeof(error)));
	assert_true(policy_yaml_parse(&p, "two.yaml", two, strlen(two), error, sizeof(error)));
	assert_int_equal(p.allows, 2);
	assert_string_equal(p.allow[1].at.file, "two.yaml");
	assert_int_equal(p.allow[1].at.line, 3);
	assert_int_equal(p.tls.minimum, 0x0302);
	policy_free(&p);
}

static void documented_example_is_valid(void **state)
{
	struct policy p = read_policy(policy_example);

	assert_int_equal(p.instances, 2);
	assert_int_equal(p.allows, 1);
	assert_int_equal(p.quiet_s, 120);
	policy_free(&p);
}

static void assert_document(const char *path, enum policy_doc form)
{
	char *generated = policy_doc(form, NULL), *committed = calloc(1, 1 << 20);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_true(fread(committed, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	if (strcmp(generated, committed))
		fail_msg("%s is out of date; run: make docs", path);
	free(generated);
	free(committed);
}

static void documentation_matches_the_key_table(void **state)
{
	assert_document("docs/policy.md", DOC_MARKDOWN);
	assert_document("docs/cachewarden-policy.5", DOC_MAN);
}

static void every_key_is_explained(void **state)
{
	for (size_t i = 0; i < policy_table.count; i++) {
		const struct policy_key *k = &policy_table.key[i];
		char *text = policy_doc(DOC_TEXT, k->path), expected[POLICY_EXPECTED_LEN];

		policy_value_expected(k, expected);
		assert_non_null(text);
		assert_non_null(strstr(text, expected));
		assert_non_null(strstr(text, k->help));
		free(text);
	}
	assert_null(policy_doc(DOC_TEXT, "allow[].util"));
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(a_server_is_asked_by_the_first_entry_that_says_so),
		T(without_a_policy_every_rule_alerts),
		T(routine_is_observed_until_an_entry_names_the_rule),
		T(invalid_file_is_refused_with_the_expected_error),
		T(refused_file_leaves_an_empty_policy),
		T(empty_file_is_the_built_in_policy),
		T(first_matching_entry_that_names_the_rule_decides),
		T(instance_is_matched_by_container_and_unit_from_its_cgroup),
		T(allow_entry_is_valid_through_its_last_day),
		T(rule_prefix_allows_every_rule_with_it),
		T(time_of_day_is_exclusive),
		T(dates_follow_the_calendar),
		T(allow_entry_applies_only_if_every_condition_matches),
		T(prevented_attempt_is_never_allowed),
		T(prevention_is_per_instance_and_rule),
		T(plaintext_is_allowed_by_network_and_executable_combined),
		T(every_rule_but_self_blind_can_be_named),
		T(expected_peer_may_be_reached_past_tcp),
		T(tls_settings_are_applied),
		T(later_file_extends_lists_and_replaces_values),
		T(documented_example_is_valid),
		T(documentation_matches_the_key_table),
		T(every_key_is_explained),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
