/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate.c - what each check of `cachewarden validate` makes of what was seen. */
#include "unit.h"
#include "validate_facts.h"

#include "base/macros.h"
#include "model/rule.h"
#include "validate/drill.h"
#include "validate/drill_monitor.h"
#include "validate/profile_read.h"
#include "validate/verdict.h"

#include <stdlib.h>

static struct profile profile_of(const char *name)
{
	const char *text = profile_builtin(name);
	char error[POLICY_ERROR_LEN] = "";
	struct profile p;

	if (!profile_parse(&p, name, text, strlen(text), error, sizeof(error)))
		fail_msg("%s", error);
	return p;
}

/* The outcome of one check, by a profile of that name. */
static struct outcome outcome_by(const char *profile, const struct facts *f, const char *id)
{
	struct profile p = profile_of(profile);
	struct outcome o = {.verdict = CHECK_VERDICT_MAX};

	assert_non_null(check_find(id));
	check_find(id)->judge(f, &p, &o);
	assert_true(o.verdict < CHECK_VERDICT_MAX);
	assert_true(o.seen[0]);
	profile_free(&p);
	return o;
}

#define assert_outcome(f, id, want, words)                                                         \
	do {                                                                                       \
		struct outcome got_ = outcome_by("azure-cache", f, id);                            \
		if (got_.verdict != (want) || !strstr(got_.seen, words))                           \
			fail_msg("%s: %s: %s", id, check_verdict_name(got_.verdict), got_.seen);   \
	} while (0)

/* Every check is made by a profile, passes on a good server, and says what it saw. */
static void a_good_server_keeps_both_profiles(void **state)
{
	static const char *const names[] = {"azure-cache", "strict"};
	struct facts f = good_facts();
	struct verdict_report r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct profile p = profile_of(names[i]);

		verdict_reach(&r, &f, &p);
		for (size_t k = 0; k < r.rows; k++) {
			if (r.row[k].outcome.verdict != CHECK_PASS || !r.row[k].outcome.seen[0])
				fail_msg("%s: %s: %s", names[i], r.row[k].check->id,
					 r.row[k].outcome.seen);
		}
		assert_int_equal(r.sum, VERDICT_KEPT);
		profile_free(&p);
	}
	assert_int_equal(r.rows, check_count); /* strict has them all */
}

/* Each fault of one fact, and the checks that it breaks: no other. */
static void a_fault_breaks_its_own_check(void **state)
{
	static const struct {
		size_t at, size;
		uint64_t value;
		const char *check, *also;
	} faults[] = {
#define FAULT(field, to, ...)                                                                      \
	{offsetof(struct facts, field), sizeof(((struct facts *)0)->field), to, __VA_ARGS__}
		FAULT(wire.address[0].plain, 1, "tls-plain-port"),
		FAULT(wire.address[0].version[0], TLS_1_1, "tls-versions"),
		FAULT(wire.address[0].suite[2], 0x0005, "tls-ciphers"),
		FAULT(wire.address[0].compression, 1, "tls-compression"),
		FAULT(wire.address[0].tickets, 1, "tls-tickets"),
		FAULT(wire.address[0].renegotiates, YES, "tls-renegotiation"),
		FAULT(wire.address[0].no_safe_renegotiation, 1, "tls-renegotiation"),
		FAULT(wire.address[0].client_cert, CLIENT_CERT_UNASKED, "tls-client-cert"),
		FAULT(wire.address[0].cert.chain[0], 'x', "tls-cert-chain"),
		FAULT(wire.address[0].cert.names[0], 0, "tls-cert-names"),
		FAULT(wire.address[0].cert.name_matches, NO, "tls-cert-names"),
		FAULT(wire.address[0].cert.until_s, NOW_S - 1, "tls-cert-dates"),
		FAULT(wire.address[0].cert.until_s, NOW_S + 13 * DAY_S, "tls-cert-dates"),
		FAULT(wire.address[0].cert.from_s, NOW_S + 60, "tls-cert-dates"),
		FAULT(wire.address[0].cert.strength, 80, "tls-cert-key"),
		FAULT(wire.address[0].cert.strong_digest, 0, "tls-cert-signature"),
		FAULT(wire.open, YES, "rest-auth"),
		FAULT(wire.config_open, YES, "rest-config-command"),
		FAULT(config.may_module, YES, "rest-commands"),
		FAULT(process.uid[2], 0, "mem-user"),
		FAULT(process.capabilities, 1 << 19, "mem-capabilities"),
		FAULT(process.core_limit, 1, "mem-core"),
		FAULT(process.loader[0], 'L', "mem-loader"),
		FAULT(code.foreign[0], '/', "mem-loader"),
		FAULT(process.no_new_privs, 0, "mem-no-new-privs"),
		FAULT(process.seccomp, 1, "mem-seccomp"),
		FAULT(process.hidden, NO, "mem-hidden"),
		FAULT(access.same_user.count, 1, "mem-user-shared"),
		FAULT(access.servers_same_user.count, 1, "mem-neighbours"),
		FAULT(access.capable.count, 2, "mem-capable"),
		FAULT(files.encrypted, NO, "rest-encrypted"),
		FAULT(code.exposed[0], '/', "mem-code"),
		FAULT(code.replaced[0], '/', "host-libraries"),
		FAULT(host.ptrace_scope, 0, "mem-ptrace"),
		FAULT(host.swap, YES, "mem-swap"),
		FAULT(host.lockdown[0], 0, "mem-lockdown"),
		FAULT(host.unprivileged_bpf, 0, "mem-bpf"),
		FAULT(host.perf_paranoid, 1, "mem-perf"),
		FAULT(host.kptr_restrict, 0, "mem-kptr"),
		FAULT(host.newest[0], '7', "host-kernel"),
		FAULT(host.reboot, YES, "host-reboot"),
		FAULT(host.taint, 1 << 12, "host-taint"),
		FAULT(watch.plaintext_bytes, 14, "watch-wire"),
		FAULT(watch.session[0].version, TLS_1_2, "watch-versions"),
		FAULT(watch.session[0].version, 0, "watch-versions"),
		FAULT(watch.session[0].suite, 0x0005, "watch-ciphers"),
		FAULT(watch.alerts[RULE_MEM_READ], 1, "watch-memory"),
		FAULT(watch.alerts[RULE_MEM_SPILL], 1, "watch-memory"),
		FAULT(watch.alerts[RULE_TLS_BYPASS], 1, "watch-wire"),
		FAULT(watch.alerts[RULE_TLS_KEY], 1, "watch-files"),
		FAULT(watch.alerts[RULE_SELF_TAMPER], 1, "watch-covered"),
		FAULT(drill[DRILL_MEM_READ].alerted, 0, "drill-mem-read"),
		FAULT(drill[DRILL_TLS_KEY].after_us, 1000001, "drill-tls-key"),
#undef FAULT
	};
	struct profile p = profile_of("strict");
	struct verdict_report r;

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct facts f = good_facts();

		memcpy((char *)&f + faults[i].at, &faults[i].value, faults[i].size);
		verdict_reach(&r, &f, &p);
		assert_int_equal(r.sum, VERDICT_BROKEN);
		for (size_t k = 0; k < r.rows; k++) {
			bool meant = !strcmp(r.row[k].check->id, faults[i].check);

			if (meant != (r.row[k].outcome.verdict == CHECK_FAIL))
				fail_msg("fault %zu (%s): %s: %s", i, faults[i].check,
					 r.row[k].check->id, r.row[k].outcome.seen);
		}
	}
	profile_free(&p);
}

/* What could not be seen is no pass and no fail. */
static void what_was_not_seen_is_skipped(void **state)
{
	static const struct {
		size_t at;
		const char *checks[5];
	} groups[] = {
		{offsetof(struct facts, wire.why),
		 {"tls-plain-port", "tls-versions", "tls-cert-dates"}},
		{offsetof(struct facts, config.why),
		 {"rest-data", "rest-key", "tls-cluster", "unix-socket"}},
		{offsetof(struct facts, process.why), {"mem-user", "mem-core", "mem-capabilities"}},
		{offsetof(struct facts, process.loader_why), {"mem-loader"}},
		{offsetof(struct facts, watch.why),
		 {"watch-covered", "watch-wire", "watch-versions", "watch-memory", "watch-files"}},
		{offsetof(struct facts, watch.doubts),
		 {"watch-covered", "watch-wire", "watch-versions", "watch-memory", "watch-files"}},
		{offsetof(struct facts, drill[DRILL_MEM_FD].why), {"drill-mem-fd"}},
		{offsetof(struct facts, access.why), {"mem-capable", "mem-user-shared"}},
		{offsetof(struct facts, files.why), {"rest-data", "rest-encrypted"}},
		{offsetof(struct facts, code.why), {"mem-code", "host-libraries", "mem-loader"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct facts f = good_facts();

		strcpy((char *)&f + groups[i].at, "no rights");
		for (size_t k = 0; k < 5 && groups[i].checks[k]; k++)
			assert_outcome(&f, groups[i].checks[k], CHECK_SKIP, "no rights");
	}
}

static void an_address_that_keeps_silent_is_not_closed(void **state)
{
	struct facts f = good_facts();

	f.wire.address[1] =
		(struct facts_address){.text = "10.0.0.1:7000", .why = "answers nothing"};
	f.wire.addresses = 2;
	assert_outcome(&f, "tls-plain-port", CHECK_SKIP, "10.0.0.1:7000: answers nothing");
	f.wire.address[0].tls = false;
	assert_outcome(&f, "tls-offered", CHECK_SKIP, "answers nothing");
	f.wire.address[0].tls = true;
	f.wire.address[1].bus = true; /* by its number alone */
	assert_outcome(&f, "tls-plain-port", CHECK_SKIP, "10.0.0.1:7000: answers nothing");
	strcpy(f.config.value[DIR_CLUSTER_ENABLED], "yes"); /* judged by tls-cluster */
	assert_outcome(&f, "tls-plain-port", CHECK_PASS, "none answers");
	strcpy(f.wire.address[1].unsure, "silent");
	assert_outcome(&f, "tls-versions", CHECK_PASS, "TLSv1.3");
	f.wire.address[1].plain = true;
	assert_outcome(&f, "tls-plain-port", CHECK_FAIL, "10.0.0.1:7000");
	f.wire.address[1].plain = false;
	f.wire.addresses_cut = true;
	assert_outcome(&f, "tls-plain-port", CHECK_SKIP, "more addresses");
	assert_outcome(&f, "tls-versions", CHECK_SKIP, "more addresses");
	assert_outcome(&f, "tls-client-cert", CHECK_SKIP, "more addresses");
}

/* An offer that was not answered was not refused. What was seen to be wrong stays so. */
static void a_hiccup_is_no_refusal(void **state)
{
	static const char *const ids[] = {"tls-versions", "tls-ciphers", "tls-compression",
					  "tls-tickets", "tls-renegotiation"};
	static const char *const others[] = {"tls-client-cert", "tls-cert-chain", "tls-cert-key"};
	struct facts f = good_facts();

	strcpy(f.wire.address[0].unsure, "not answered");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_outcome(&f, ids[i], CHECK_SKIP, "10.0.0.1:6379: not answered");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_outcome(&f, others[i], CHECK_PASS, "");
	f.wire.address[0].renegotiates = YES;
	assert_outcome(&f, "tls-renegotiation", CHECK_FAIL, "may renegotiate");
	f.wire.address[0].version[0] = TLS_1_1;
	assert_outcome(&f, "tls-versions", CHECK_FAIL, "TLSv1.1");
	/* another address, of which nothing is known */
	f = good_facts();
	f.wire.address[1] = (struct facts_address){
		.text = "10.0.0.1:7000", .why = "silent", .unsure = "not answered"};
	f.wire.addresses = 2;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_outcome(&f, ids[i], CHECK_SKIP, "10.0.0.1:7000: not answered");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_outcome(&f, others[i], CHECK_SKIP, "10.0.0.1:7000: not answered");
}

static void a_server_on_a_unix_socket_alone_has_nothing_on_the_wire(void **state)
{
	struct facts f = good_facts();

	f.wire.addresses = 0;
	strcpy(f.config.value[DIR_UNIXSOCKET], "/run/redis.sock");
	assert_outcome(&f, "tls-plain-port", CHECK_PASS, "no TCP port");
	assert_outcome(&f, "tls-cert-chain", CHECK_PASS, "no TCP port");
	assert_outcome(&f, "unix-socket", CHECK_SKIP, "cannot be seen");
	add_file(&f, ROLE_SOCKET, "/run/redis.sock", 0777, true);
	assert_outcome(&f, "unix-socket", CHECK_FAIL, "0777");
	f.files.files = 0;
	add_file(&f, ROLE_SOCKET, "/run/redis.sock", 0770, true);
	assert_outcome(&f, "unix-socket", CHECK_PASS, "0770");
}

/* Whom clients trust is in the server's configuration, or said by the operator. */
static void a_chain_to_an_unknown_authority_is_not_judged(void **state)
{
	struct facts f = good_facts();

	strcpy(f.wire.address[0].cert.chain, "self-signed certificate");
	assert_outcome(&f, "tls-cert-chain", CHECK_FAIL, "self-signed");
	strcpy(f.config.why, "no password");
	assert_outcome(&f, "tls-cert-chain", CHECK_SKIP, "--ca");
	f.own_trust = true;
	assert_outcome(&f, "tls-cert-chain", CHECK_FAIL, "self-signed");
}

/* No other store stands in for the one that clients use. */
static void a_chain_without_its_authorities_is_not_judged(void **state)
{
	struct facts f = good_facts();

	strcpy(f.wire.trust_why, "its tls-ca-cert-file is a relative path");
	assert_outcome(&f, "tls-cert-chain", CHECK_SKIP, "relative path; give");
	strcpy(f.wire.address[0].cert.chain, "self-signed certificate");
	assert_outcome(&f, "tls-cert-chain", CHECK_SKIP, "--ca");
	f.wire.trust_why[0] = '\0';
	assert_outcome(&f, "tls-cert-chain", CHECK_FAIL, "self-signed");
	strcpy(f.config.value[DIR_TLS_CA_DIR], "/etc/ssl/certs");
	assert_outcome(&f, "tls-cert-chain", CHECK_SKIP, "--ca");
	f.own_trust = true;
	assert_outcome(&f, "tls-cert-chain", CHECK_FAIL, "self-signed");
}

/* A file that is configured but was not seen keeps no promise; one that was seen can still break it. */
static void files_that_were_not_seen_are_not_judged(void **state)
{
	struct facts f = good_facts();

	strcpy(f.files.role_why[ROLE_KEY], "/etc/redis/key.pem: No such file");
	assert_outcome(&f, "rest-key", CHECK_SKIP, "No such file");
	assert_outcome(&f, "rest-acl", CHECK_PASS, "none");
	add_file(&f, ROLE_KEY, "/etc/redis/key2.pem", 0644, true);
	assert_outcome(&f, "rest-key", CHECK_FAIL, "key2.pem");
	strcpy(f.config.info_why, "INFO server, config_file: NOPERM");
	assert_outcome(&f, "rest-config", CHECK_SKIP, "NOPERM");
	f.config.role[0] = '\0';
	assert_outcome(&f, "tls-replication", CHECK_SKIP, "NOPERM");
	f.files.persists = false;
	f.files.encrypted = NO;
	strcpy(f.files.role_why[ROLE_DATA], "/data: Permission denied");
	assert_outcome(&f, "rest-encrypted", CHECK_SKIP, "/data");
}

/* A directory that keeps others out protects what is in it; a key must not depend on that. */
static void files_are_judged_by_who_reaches_them(void **state)
{
	struct facts f = good_facts();

	add_file(&f, ROLE_DATA, "/var/lib/redis/dump.rdb", 0644, false);
	assert_outcome(&f, "rest-data", CHECK_PASS, "1 file");
	add_file(&f, ROLE_DATA, "/var/lib/redis/old.rdb", 0644, true);
	assert_outcome(&f, "rest-data", CHECK_FAIL, "old.rdb (mode 0644)");
	add_file(&f, ROLE_KEY, "/etc/redis/key.pem", 0640, true);
	assert_outcome(&f, "rest-key", CHECK_PASS, "1 file");
	add_file(&f, ROLE_KEY, "/etc/redis/key2.pem", 0644, false);
	assert_outcome(&f, "rest-key", CHECK_FAIL, "key2.pem");
	assert_outcome(&f, "rest-acl", CHECK_PASS, "none");
	add_file(&f, ROLE_CONFIG, "/etc/redis/redis.conf", 0642, true);
	assert_outcome(&f, "rest-config", CHECK_FAIL, "0642");
	f.files.files = 0;
	f.files.files_cut = true;
	assert_outcome(&f, "rest-data", CHECK_SKIP, "more files");
}

static void core_dumps_are_judged_as_the_kernel_writes_them(void **state)
{
	struct facts f = good_facts();

	strcpy(f.host.core_pattern, "|/usr/share/apport/apport %p");
	assert_outcome(&f, "mem-core", CHECK_FAIL, "starts a program");
	f.process.dumpable = NO;
	assert_outcome(&f, "mem-core", CHECK_PASS, "not dumpable");
	f.process.dumpable = UNKNOWN;
	strcpy(f.host.core_pattern, "|/lib/systemd/systemd-coredump %P %c");
	assert_outcome(&f, "mem-core", CHECK_PASS, "RLIMIT_CORE is 0");
	f.process.core_limit = UINT64_MAX;
	assert_outcome(&f, "mem-core", CHECK_FAIL, "not 0");
	f.host.core_pattern[0] = '\0';
	assert_outcome(&f, "mem-core", CHECK_PASS, "empty");
}

static void swap_and_ksm(void **state)
{
	struct facts f = good_facts();

	f.host.swap = YES;
	f.host.swap_sealed = true;
	assert_outcome(&f, "mem-swap", CHECK_PASS, "encrypted or in RAM");
	f.host.swap_sealed = false;
	f.process.swapped_kb = 12;
	assert_outcome(&f, "mem-swap", CHECK_FAIL, "12 KiB");
	f.host.ksm = YES;
	assert_outcome(&f, "mem-ksm", CHECK_SKIP, "ksm_stat");
	f.process.mergeable = NO;
	assert_outcome(&f, "mem-ksm", CHECK_PASS, "not for it");
	f.process.mergeable = YES;
	assert_outcome(&f, "mem-ksm", CHECK_FAIL, "for it");
}

/* A file of /proc that cannot be read says nothing of the host. */
static void an_unread_host_is_not_judged(void **state)
{
	struct facts f = good_facts();

	f.host = (struct facts_host){
		.ptrace_scope = FACTS_UNSEEN,
		.unprivileged_bpf = -1,
		.perf_paranoid = -1,
		.kptr_restrict = -1,
	};
	assert_outcome(&f, "mem-ptrace", CHECK_SKIP, "ptrace_scope cannot be read");
	assert_outcome(&f, "mem-core", CHECK_SKIP, "core_pattern cannot be read");
	assert_outcome(&f, "mem-swap", CHECK_SKIP, "swaps cannot be read");
	assert_outcome(&f, "mem-ksm", CHECK_SKIP, "cannot be read");
	assert_outcome(&f, "mem-bpf", CHECK_SKIP, "cannot be read");
	assert_outcome(&f, "mem-perf", CHECK_SKIP, "cannot be read");
	assert_outcome(&f, "mem-kptr", CHECK_SKIP, "cannot be read");
	assert_outcome(&f, "host-kernel", CHECK_SKIP, "");
	assert_outcome(&f, "host-reboot", CHECK_SKIP, "");
	assert_outcome(&f, "host-taint", CHECK_SKIP, "cannot be read");
	f.host.ptrace_scope = -1; /* no Yama */
	assert_outcome(&f, "mem-ptrace", CHECK_FAIL, "no Yama");
}

static void data_that_are_never_written_need_no_encryption(void **state)
{
	struct facts f = good_facts();

	f.files.encrypted = NO;
	f.files.persists = false;
	assert_outcome(&f, "rest-encrypted", CHECK_PASS, "nothing is written");
	f.files.stored = true; /* an old dump lies there */
	assert_outcome(&f, "rest-encrypted", CHECK_FAIL, "");
	f.files.encrypted = UNKNOWN;
	assert_outcome(&f, "rest-encrypted", CHECK_SKIP, "");
}

static void replication_and_cluster_need_tls_of_their_own(void **state)
{
	struct facts f = good_facts();

	assert_outcome(&f, "tls-replication", CHECK_PASS, "master");
	strcpy(f.config.role, "slave");
	assert_outcome(&f, "tls-replication", CHECK_FAIL, "replica");
	strcpy(f.config.value[DIR_TLS_REPLICATION], "yes");
	assert_outcome(&f, "tls-replication", CHECK_PASS, "yes");
	f.config.role[0] = '\0';
	assert_outcome(&f, "tls-replication", CHECK_SKIP, "INFO");
	strcpy(f.config.value[DIR_CLUSTER_ENABLED], "yes");
	strcpy(f.config.value[DIR_TLS_CLUSTER], "no");
	assert_outcome(&f, "tls-cluster", CHECK_FAIL, "tls-cluster no");
	strcpy(f.config.value[DIR_TLS_CLUSTER], "yes");
	assert_outcome(&f, "tls-cluster", CHECK_PASS, "yes");
}

/* A kernel that nobody installed by a package is not known to be old. */
static void a_kernel_of_elsewhere_is_not_judged(void **state)
{
	struct facts f = good_facts();

	f.host.packaged = false;
	strcpy(f.host.newest, "5.0");
	assert_outcome(&f, "host-kernel", CHECK_SKIP, "not among those in /boot");
	f.host.newest[0] = '\0';
	assert_outcome(&f, "host-kernel", CHECK_SKIP, "no kernel is installed");
}

static void root_shares_its_user_with_all_of_root(void **state)
{
	struct facts f = good_facts();

	memset(f.process.uid, 0, sizeof(f.process.uid));
	assert_outcome(&f, "mem-user", CHECK_FAIL, "root");
	assert_outcome(&f, "mem-user-shared", CHECK_FAIL, "80 other processes");
}

/* One skip is enough to be unsure, one fail enough to be broken; promises are judged one by one. */
static void the_sum_is_the_worst(void **state)
{
	struct profile p = profile_of("azure-cache");
	struct facts f = good_facts();
	struct verdict_report r;

	f.process.loader_why[0] = 'x';
	verdict_reach(&r, &f, &p);
	assert_int_equal(r.sum, VERDICT_UNSURE);
	assert_int_equal(r.count[CHECK_SKIP], 1);
	f.wire.address[0].plain = true;
	verdict_reach(&r, &f, &p);
	assert_int_equal(r.sum, VERDICT_BROKEN);
	assert_int_equal(verdict_of_promise(&r, &p.promise[0]), VERDICT_BROKEN);
	assert_int_equal(verdict_of_promise(&r, &p.promise[1]), VERDICT_KEPT);
	profile_free(&p);
}

static void what_was_seen_is_printable(void **state)
{
	struct profile p = profile_of("azure-cache");
	struct facts f = good_facts();
	struct verdict_report r;

	strcpy(f.code.exposed, "/tmp/\033[31mlib\n\xff.so");
	verdict_reach(&r, &f, &p);
	for (size_t i = 0; i < r.rows; i++) {
		for (const char *c = r.row[i].outcome.seen; *c; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
	}
	profile_free(&p);
}

/* Whatever the process that asked the server wrote: every check comes to a verdict, and nothing is read behind an end. */
static void facts_of_another_process_are_bounded(void **state)
{
	struct facts *f = malloc(sizeof(*f)), good = good_facts();
	struct profile p = profile_of("strict");
	struct verdict_report r;

	memset(f, 0xff, sizeof(*f));
	facts_bound(f);
	assert_int_equal(f->wire.addresses, FACTS_ADDRESSES);
	for (size_t i = 0; i < FACTS_ADDRESSES; i++) {
		const struct facts_address *a = &f->wire.address[i];

		assert_int_equal(a->versions, FACTS_VERSIONS);
		assert_int_equal(a->suites, FACTS_SUITES);
		assert_int_equal(strlen(a->text), sizeof(a->text) - 1);
		assert_int_equal(strlen(a->cert.names), sizeof(a->cert.names) - 1);
		assert_int_equal(a->client_cert, CLIENT_CERT_UNKNOWN);
		assert_int_equal(a->renegotiates, UNKNOWN);
	}
	for (size_t i = 0; i < DIR_MAX; i++)
		assert_int_equal(strlen(f->config.value[i]), PATH_LEN - 1);
	assert_int_equal(f->config.may_debug, UNKNOWN);
	good.wire = f->wire;
	good.config = f->config;
	verdict_reach(&r, &good, &p);
	assert_int_equal(r.rows, check_count);
	profile_free(&p);
	free(f);
}

/* What takes a monitor, or drills, is in the report if it was asked for: it is no reason to doubt else. */
static void what_was_not_asked_for_is_left_out(void **state)
{
	struct profile p = profile_of("azure-cache"), drills;
	struct facts f = good_facts();
	struct verdict_report r;
	size_t all;

	verdict_reach(&r, &f, &p);
	all = r.rows;
	f.watch.asked = false;
	verdict_reach(&r, &f, &p);
	assert_int_equal(r.rows, all - 6);
	f.drilled = false;
	verdict_reach(&r, &f, &p);
	assert_int_equal(r.rows, all - 6 - DRILL_MAX);
	assert_int_equal(r.sum, VERDICT_KEPT);
	assert_true(verdict_has(&r, &p.promise[0]));
	assert_false(verdict_has(&r, &p.promise[p.promises - 1]));
	/* a profile of drills alone proves nothing without them */
	drills = p;
	drills.promise += p.promises - 1;
	drills.promises = 1;
	verdict_reach(&r, &f, &drills);
	assert_int_equal(r.sum, VERDICT_UNSURE);
	profile_free(&p);
}

/* What was seen is broken, whatever else was not seen. */
static void a_doubt_excuses_nothing(void **state)
{
	struct facts f = good_facts();

	f.watch.doubts[0] = 'x';
	f.watch.alerts[RULE_MEM_READ] = 1;
	f.watch.plaintext_bytes = 14;
	f.watch.session[0].version = TLS_1_1;
	assert_outcome(&f, "watch-memory", CHECK_FAIL, "mem-read 1");
	assert_outcome(&f, "watch-wire", CHECK_FAIL, "14 bytes");
	assert_outcome(&f, "watch-versions", CHECK_FAIL, "TLSv1.3");
}

static void an_idle_server_proves_nothing_about_clients(void **state)
{
	struct facts f = good_facts();

	f.watch.handshakes = f.watch.sessions = 0;
	assert_outcome(&f, "watch-versions", CHECK_SKIP, "no client connected");
	assert_outcome(&f, "watch-ciphers", CHECK_SKIP, "no client connected");
	assert_outcome(&f, "watch-wire", CHECK_PASS, "none");
}

static void kernels_are_compared_by_their_packages(void **state)
{
	struct facts f = good_facts();
	struct facts_kernel *k = &f.host.kernel_package;

	/* the same name, but not the same build */
	strcpy(k->installed, "6.12.10-1");
	assert_outcome(&f, "host-kernel", CHECK_FAIL, "6.12.9-1 runs, 6.12.10-1 is installed");
	strcpy(k->installed, "6.12.9-1~bpo12+1");
	assert_outcome(&f, "host-kernel", CHECK_PASS, "6.12.9-amd64");
	strcpy(k->offered, "6.12.10-1");
	assert_outcome(&f, "host-kernel-offered", CHECK_FAIL,
		       "6.12.9-1 runs, built 12 days ago, 6.12.10-1 is offered");
	/* what old lists offer is newer all the same */
	k->lists_days = 400;
	assert_outcome(&f, "host-kernel-offered", CHECK_FAIL, "6.12.10-1 is offered");
	strcpy(k->offered, "6.12.9-1");
	assert_outcome(&f, "host-kernel-offered", CHECK_SKIP, "400 days old");
	k->lists_days = 30;
	assert_outcome(&f, "host-kernel-offered", CHECK_PASS, "6.12.9-1, built 12 days ago");
	k->running_days = FACTS_UNSEEN;
	k->offered[0] = '\0';
	assert_outcome(&f, "host-kernel-offered", CHECK_SKIP, "no kernel of its flavour");
	strcpy(k->why, "apt's lists are not there");
	assert_outcome(&f, "host-kernel-offered", CHECK_SKIP, "are not there");
	k->running[0] = '\0';
	assert_outcome(&f, "host-kernel-offered", CHECK_SKIP, "no kernel that the distribution");
}

/* An attack that was stopped and reported did no harm; one that was refused and not reported may be seen by nobody. */
static void what_was_prevented_before_a_drill_is_told(void **state)
{
	struct profile p = profile_of("azure-cache");
	struct facts f = good_facts();
	struct outcome o = {};

	strcpy(f.drill[DRILL_TLS_WRITER].stopped_by, "mem-fd");
	judge_drill_tls_writer(&f, &p, &o);
	assert_int_equal(o.verdict, CHECK_PASS);
	assert_string_equal(
		o.seen,
		"after 12.3 ms (prevented and reported as mem-fd, before it could be tried)");
	o = (struct outcome){};
	f.drill[DRILL_TLS_WRITER].after_us = 1000001;
	judge_drill_tls_writer(&f, &p, &o);
	assert_int_equal(o.verdict, CHECK_FAIL);
	o = (struct outcome){};
	f.drill[DRILL_MEM_READ].alerted = false;
	strcpy(f.drill[DRILL_MEM_READ].refused, "refused even to root");
	judge_drill_mem_read(&f, &p, &o);
	assert_int_equal(o.verdict, CHECK_FAIL);
	assert_non_null(strstr(o.seen, "the attempt was refused: refused even to root"));
	profile_free(&p);
}

/* A rule that is added needs a drill, or a reason why it cannot have one. */
static void every_rule_has_a_drill_or_says_why_not(void **state)
{
	char id[64];

	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		const char *why = drill_missing(r);

		snprintf(id, sizeof(id), "drill-%s", rule_name(r));
		if (why ? !why[0] || check_find(id) : !check_find(id))
			fail_msg("%s: no drill, and no reason; or both", rule_name(r));
	}
}

/* What stops the server, changes it, or takes from it is not done to it. */
static void what_is_not_harmless_is_never_live(void **state)
{
	static const enum drill_id harmful[] = {DRILL_MEM_TRACE, DRILL_MEM_WRITE,  DRILL_MEM_FD,
						DRILL_MEM_DUMP,	 DRILL_MEM_INJECT, DRILL_TLS_WRITER,
						DRILL_TLS_BYPASS};

	for (size_t i = 0; i < ARRAY_SIZE(harmful); i++)
		assert_non_null(drill_not_live(harmful[i]));
	assert_null(drill_not_live(DRILL_MEM_INSPECT));
}

static void a_monitor_reports_an_event(void **state)
{
	json_t *v = json_loads(
		"{\"seq\":9,\"rule\":\"mem-read\",\"verdict\":\"allowed\",\"policy\":\"/p:3\","
		"\"outcome\":\"denied\",\"instance\":{\"name\":\"x\",\"pid\":42},"
		"\"actor\":{\"pid\":7},\"remote_port\":null}",
		0, NULL);
	struct drill_event e;

	drill_event_read(&e, v);
	assert_string_equal(e.rule, "mem-read");
	assert_string_equal(e.verdict, "allowed");
	assert_string_equal(e.policy, "/p:3");
	assert_string_equal(e.outcome, "denied");
	assert_int_equal(e.instance_pid, 42);
	assert_int_equal(e.actor_pid, 7);
	assert_int_equal(e.remote_port, 0);
	drill_event_read(&e, NULL);
	assert_string_equal(e.rule, "");
	json_decref(v);
}

static void ids_are_unique_and_every_row_is_whole(void **state)
{
	for (size_t i = 0; i < check_count; i++) {
		const struct check *c = &checks[i];

		assert_ptr_equal(check_find(c->id), c);
		assert_true(c->guarantee[0] && c->tried[0] && c->expected[0] && c->mend[0]);
	}
	assert_null(check_find("tls-nothing"));
}

static void a_list_that_is_full_says_so(void **state)
{
	char buf[32] = "";

	for (int i = 0; i < 20; i++)
		check_list(buf, sizeof(buf), "word%d", i);
	assert_string_equal(buf, "word0, word1, word2, word3, ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_server_keeps_both_profiles),
		cmocka_unit_test(a_fault_breaks_its_own_check),
		cmocka_unit_test(what_was_not_seen_is_skipped),
		cmocka_unit_test(an_address_that_keeps_silent_is_not_closed),
		cmocka_unit_test(a_hiccup_is_no_refusal),
		cmocka_unit_test(a_server_on_a_unix_socket_alone_has_nothing_on_the_wire),
		cmocka_unit_test(a_chain_to_an_unknown_authority_is_not_judged),
		cmocka_unit_test(a_chain_without_its_authorities_is_not_judged),
		cmocka_unit_test(files_that_were_not_seen_are_not_judged),
		cmocka_unit_test(files_are_judged_by_who_reaches_them),
		cmocka_unit_test(core_dumps_are_judged_as_the_kernel_writes_them),
		cmocka_unit_test(swap_and_ksm),
		cmocka_unit_test(an_unread_host_is_not_judged),
		cmocka_unit_test(data_that_are_never_written_need_no_encryption),
		cmocka_unit_test(replication_and_cluster_need_tls_of_their_own),
		cmocka_unit_test(a_kernel_of_elsewhere_is_not_judged),
		cmocka_unit_test(root_shares_its_user_with_all_of_root),
		cmocka_unit_test(the_sum_is_the_worst),
		cmocka_unit_test(what_was_seen_is_printable),
		cmocka_unit_test(facts_of_another_process_are_bounded),
		cmocka_unit_test(what_was_not_asked_for_is_left_out),
		cmocka_unit_test(a_doubt_excuses_nothing),
		cmocka_unit_test(an_idle_server_proves_nothing_about_clients),
		cmocka_unit_test(kernels_are_compared_by_their_packages),
		cmocka_unit_test(every_rule_has_a_drill_or_says_why_not),
		cmocka_unit_test(what_is_not_harmless_is_never_live),
		cmocka_unit_test(a_monitor_reports_an_event),
		cmocka_unit_test(ids_are_unique_and_every_row_is_whole),
		cmocka_unit_test(what_was_prevented_before_a_drill_is_told),
		cmocka_unit_test(a_list_that_is_full_says_so),
	};

	return cmocka_run_group_tests_name("validate", tests, NULL, NULL);
}
