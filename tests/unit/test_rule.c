/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rule.c - the tables of rules, vectors, file kinds and commands, and what an attempt's detail, severity,
 * verdict and outcome are. What a policy makes of them is in test_policy.c.
 */
#include "unit.h"

#include "model/attempt.h"
#include "model/command.h"
#include "model/file_kind.h"
#include "model/payload_kind.h"
#include "model/routine.h"
#include "model/rule.h"
#include "model/vector.h"

#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <syscall.h>

static void every_rule_vector_and_kind_has_a_complete_row(void **state)
{
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		assert_non_null(rule_name(r));
		assert_non_null(rule_title(r, STAGE_NONE));
		assert_non_null(rule_get(r)->techniques[0].uid);
		assert_non_null(rule_get(r)->broken_when);
		assert_non_null(rule_advice(r, STAGE_NONE));
		assert_non_null(severity_name(rule_get(r)->severity));
		assert_non_null(stage_name(rule_get(r)->stage));
	}
	for (unsigned int v = VECTOR_NONE + 1; v < VECTOR_MAX; v++) {
		assert_non_null(vector_name(v));
		assert_non_null(vector_get(v)->rules);
		assert_non_null(vector_get(v)->target);
	}
	for (unsigned int f = PROC_FILE_NONE + 1; f < FILE_KIND_MAX; f++)
		assert_non_null(file_kind_name(f));
	for (unsigned int s = PAYLOAD_NOTHING + 1; s < PAYLOAD_MAX; s++) {
		assert_non_null(payload_kind_name(s));
		assert_non_null(payload_kind_text(s));
	}
	assert_null(rule_name(RULE_MAX));
	assert_null(rule_get(RULE_NONE));
	assert_null(rule_get(RULE_MAX));
	assert_null(vector_name(1000));
	assert_null(file_kind_name(1000));
}

static void command_names_fit_the_map_key_and_are_unique(void **state)
{
	for (unsigned int i = 1; i <= command_count(); i++) {
		assert_in_range(strlen(command_name(i)), 1, 24);
		for (unsigned int k = 1; k < i; k++)
			assert_string_not_equal(command_name(i), command_name(k));
	}
	assert_null(command_name(0));
	assert_null(command_name(command_count() + 1));
}

static struct event finding_event(unsigned char rule, unsigned int detail)
{
	struct event ev = {.flags = EVENT_FOUND_BY_SWEEP};

	ev.key.rule = rule;
	ev.key.vector = VECTOR_SWEEP;
	ev.key.detail = detail;
	return ev;
}

/* What leaves or enters past TCP, by the packet's protocol and the peer's port. */
static void bypass_has_a_detail_and_a_severity(void **state)
{
	static const struct {
		unsigned char protocol;
		unsigned short port;
		unsigned int detail;
		const char *text;
		enum severity severity;
	} packets[] = {
		{17, 53, 0, "UDP, to a name server's port", SEVERITY_MEDIUM},
		{17, 5353, 0, "UDP", SEVERITY_HIGH},
		{132, 53, 0, "IP protocol 132", SEVERITY_HIGH},
		{0, 6379, FINDING_SOCKMAP, "connection in a BPF sockmap: its bytes need no packet",
		 SEVERITY_HIGH},
	};
	char text[96];

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		struct event ev = {.flags = EVENT_CONN,
				   .key = {.rule = RULE_TLS_BYPASS,
					   .vector = VECTOR_EGRESS,
					   .detail = packets[i].detail},
				   .conn = {.protocol = packets[i].protocol,
					    .ends.remote_port = packets[i].port}};

		attempt_detail(&ev, text, sizeof(text));
		assert_string_equal(text, packets[i].text);
		assert_int_equal(attempt_severity(&ev), packets[i].severity);
	}
}

static void sweep_finding_has_a_detail_and_a_severity(void **state)
{
	static const struct {
		unsigned char rule;
		unsigned int detail;
		const char *text;
		enum severity severity;
	} found[] = {
		{RULE_MEM_READ, PROC_FILE_MEM, "mem held open", SEVERITY_CRITICAL},
		{RULE_MEM_INSPECT, PROC_FILE_FD, "fd held open", SEVERITY_LOW},
		{RULE_MEM_FD, FINDING_SOCKET, "connection held", SEVERITY_HIGH},
		{RULE_TLS_BYPASS, FINDING_FAMILY,
		 "socket of a family that is neither IP, UNIX nor netlink", SEVERITY_HIGH},
		{RULE_MEM_FD, FINDING_LISTENER, "listening socket held", SEVERITY_MEDIUM},
		{RULE_MEM_TRACE, 0, "", SEVERITY_HIGH},
		{RULE_MEM_KERNEL, 19, "BPF program 19", SEVERITY_HIGH},
		{RULE_REST_FILE, FINDING_EXPOSED_CONFIG, "configuration that others may read",
		 SEVERITY_LOW},
		{RULE_TLS_KEY, FINDING_EXPOSED_KEY, "private key that others may read",
		 SEVERITY_HIGH},
		{RULE_TLS_KEY, FILE_KEY, "private key held open", SEVERITY_CRITICAL},
	};
	char text[96];

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		struct event ev = finding_event(found[i].rule, found[i].detail);

		attempt_detail(&ev, text, sizeof(text));
		assert_string_equal(text, found[i].text);
		assert_int_equal(attempt_severity(&ev), found[i].severity);
		assert_string_equal(attempt_outcome(&ev), "unknown");
	}
	for (unsigned int d = FINDING_SOCKET; d < FINDING_MAX; d++) {
		struct event ev = finding_event(RULE_MEM_INJECT, d);

		attempt_detail(&ev, text, sizeof(text));
		assert_true(text[0] && attempt_severity(&ev) >= SEVERITY_LOW);
	}
}

static void hijacking_variable_is_named_at_exec(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_INJECT, .vector = VECTOR_EXEC}};
	char text[96];

	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(attempt_severity(&ev), SEVERITY_CRITICAL);
	ev.key.detail = ENV_LD_PRELOAD;
	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "LD_PRELOAD in its environment");
	assert_int_equal(attempt_severity(&ev), SEVERITY_HIGH);
}

static void encrypted_swap_is_only_informational(void **state)
{
	struct event ev = finding_event(RULE_MEM_SPILL, FINDING_SWAPPED);
	char text[96];

	ev.fd = 7;
	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "7 pages swapped out");
	assert_int_equal(attempt_severity(&ev), SEVERITY_MEDIUM);
	ev.flags |= EVENT_SEALED;
	attempt_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "7 pages swapped out, encrypted or in RAM");
	assert_int_equal(attempt_severity(&ev), SEVERITY_INFO);
}

static void refused_attempt_is_one_level_less_severe(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_READ, .vector = VECTOR_PROCESS_VM_READV}};

	assert_int_equal(attempt_severity(&ev), SEVERITY_CRITICAL);
	ev.key.err = EPERM;
	assert_int_equal(attempt_severity(&ev), SEVERITY_HIGH);
	assert_string_equal(attempt_outcome(&ev), "denied");
	ev.key.err = ESRCH;
	assert_string_equal(attempt_outcome(&ev), "failed");
}

static void listing_descriptors_is_low_and_reading_maps_is_medium(void **state)
{
	struct event ev = {
		.key = {.rule = RULE_MEM_INSPECT, .vector = VECTOR_OPENAT, .detail = PROC_FILE_FD}};

	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
	ev.key.detail = PROC_FILE_MAPS;
	assert_int_equal(attempt_severity(&ev), SEVERITY_MEDIUM);
}

/* Sets the actor's executable to /usr/DIR/NAME, stored as the kernel does: last component first. */
static void set_exe(struct event *ev, const char *name, const char *dir)
{
	size_t n = strlen(name) + 1, d = strlen(dir) + 1;

	memset(ev->actor.path, 0, sizeof(ev->actor.path));
	memcpy(ev->actor.path, name, n);
	memcpy(ev->actor.path + n, dir, d);
	memcpy(ev->actor.path + n + d, "usr", 4);
	ev->actor.exe.len = (uint16_t)(n + d + 4);
	ev->flags |= EVENT_ACTOR;
}

static void process_listers_are_low_only_in_their_own_directory(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_INSPECT,
				   .vector = VECTOR_OPENAT,
				   .detail = PROC_FILE_ENVIRON}};

	assert_int_equal(attempt_severity(&ev), SEVERITY_MEDIUM);
	set_exe(&ev, "ps", "bin");
	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
	ev.key.rule = RULE_SELF_TAMPER;
	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
	set_exe(&ev, "ps", "games");
	assert_int_equal(attempt_severity(&ev), SEVERITY_MEDIUM);
	ev.key.rule = RULE_MEM_READ;
	ev.key.detail = PROC_FILE_MEM;
	set_exe(&ev, "ps", "bin");
	assert_int_equal(attempt_severity(&ev), SEVERITY_CRITICAL);
}

/* What tells its user what is on a disk, not the program that copies it. */
static void disk_tools_are_routine_and_copies_are_not(void **state)
{
	struct event ev = {
		.key = {.rule = RULE_REST_FILE, .vector = VECTOR_OPENAT, .detail = HOST_DISK}};

	set_exe(&ev, "blkid", "sbin");
	assert_int_equal(routine_of(&ev), ROUTINE_LISTING);
	ev.key.detail = FILE_DATA;
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	ev.key.detail = HOST_DISK;
	set_exe(&ev, "debugfs", "sbin");
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	set_exe(&ev, "dd", "bin");
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	assert_int_equal(attempt_severity(&ev), SEVERITY_HIGH);
}

static void listing_is_routine_and_the_rest_is_not(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_INSPECT,
				   .vector = VECTOR_OPENAT,
				   .detail = PROC_FILE_SMAPS_ROLLUP}};

	assert_int_equal(routine_of(&ev), ROUTINE_TOTALS);
	ev.key.detail = PROC_FILE_MAPS;
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	set_exe(&ev, "lsof", "bin");
	assert_int_equal(routine_of(&ev), ROUTINE_LISTING);
	ev.key.detail = PROC_FILE_PAGEMAP; /* no lister opens it */
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	ev.key.vector = VECTOR_SWEEP; /* held open */
	ev.key.detail = PROC_FILE_MAPS;
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	ev.key = (struct attempt_key){.rule = RULE_SELF_TAMPER,
				      .vector = VECTOR_SYSCALL,
				      .detail = SYS_bpf | BPF_MAP_GET_FD_BY_ID << SYSCALL_OP_SHIFT};
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
	set_exe(&ev, "bpftool", "sbin");
	assert_int_equal(routine_of(&ev), ROUTINE_LISTING);
	ev.key.detail = SYS_bpf | BPF_MAP_GET_NEXT_KEY << SYSCALL_OP_SHIFT;
	assert_int_equal(routine_of(&ev), ROUTINE_NOT);
}

static void looking_at_the_monitor_is_no_change(void **state)
{
	struct event ev = {.key = {.rule = RULE_SELF_TAMPER,
				   .vector = VECTOR_OPENAT,
				   .detail = PROC_FILE_ENVIRON}};

	assert_int_equal(attempt_stage(&ev), STAGE_LOOK);
	assert_string_equal(rule_title(RULE_SELF_TAMPER, attempt_stage(&ev)),
			    "A process looks at the monitor");
	assert_non_null(strstr(rule_advice(RULE_SELF_TAMPER, attempt_stage(&ev)), "only read"));
	ev.key.detail = PROC_FILE_MEM;
	assert_int_equal(attempt_stage(&ev), STAGE_CHANGE);
	ev.key.vector = VECTOR_SIGNAL;
	ev.key.detail = SIGKILL;
	assert_int_equal(attempt_stage(&ev), STAGE_CHANGE);
}

static void inspecting_the_monitor_is_low_and_attacking_it_is_high(void **state)
{
	struct event ev = {
		.key = {.rule = RULE_SELF_TAMPER, .vector = VECTOR_SIGNAL, .detail = SIGKILL}};

	assert_int_equal(attempt_severity(&ev), SEVERITY_HIGH);
	ev.key.detail = SIGTERM;
	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
	ev.key.vector = VECTOR_SYSCALL;
	ev.key.detail = SYS_bpf | BPF_MAP_GET_FD_BY_ID << SYSCALL_OP_SHIFT;
	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
	ev.key.detail = SYS_bpf | BPF_LINK_DETACH << SYSCALL_OP_SHIFT;
	assert_int_equal(attempt_severity(&ev), SEVERITY_HIGH);
	ev.key.vector = VECTOR_OPENAT;
	ev.key.detail = PROC_FILE_FD;
	assert_int_equal(attempt_severity(&ev), SEVERITY_LOW);
}

static void prevented_attempt_has_its_outcome(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_READ, .vector = VECTOR_PROCESS_VM_READV}};

	ev.flags = EVENT_PREVENTED;
	assert_string_equal(attempt_outcome(&ev), "killed");
	ev.key.err = EPERM;
	assert_string_equal(attempt_outcome(&ev), "denied");
}

static void rule_mask_is_printed_as_names(void **state)
{
	char buf[256], cut[12];

	rule_names(1u << RULE_MEM_READ | 1u << RULE_MEM_FD, buf, sizeof(buf));
	assert_string_equal(buf, "mem-read mem-fd");
	rule_names(0, buf, sizeof(buf));
	assert_string_equal(buf, "");
	rule_names(~0u, cut, sizeof(cut));
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
}

static void detail_names_requests_and_files(void **state)
{
	struct event ev = {.key = {.vector = VECTOR_PTRACE, .detail = 16}};
	char buf[64];

	attempt_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "PTRACE_ATTACH");
	ev.key.detail = 0x7777;
	attempt_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "request 30583");
	ev.key.vector = VECTOR_OPENAT;
	ev.key.detail = PROC_FILE_SMAPS;
	attempt_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "smaps");
	ev.key.detail = 4000;
	attempt_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_vector_and_kind_has_a_complete_row),
		cmocka_unit_test(command_names_fit_the_map_key_and_are_unique),
		cmocka_unit_test(bypass_has_a_detail_and_a_severity),
		cmocka_unit_test(sweep_finding_has_a_detail_and_a_severity),
		cmocka_unit_test(hijacking_variable_is_named_at_exec),
		cmocka_unit_test(encrypted_swap_is_only_informational),
		cmocka_unit_test(refused_attempt_is_one_level_less_severe),
		cmocka_unit_test(listing_descriptors_is_low_and_reading_maps_is_medium),
		cmocka_unit_test(process_listers_are_low_only_in_their_own_directory),
		cmocka_unit_test(disk_tools_are_routine_and_copies_are_not),
		cmocka_unit_test(listing_is_routine_and_the_rest_is_not),
		cmocka_unit_test(looking_at_the_monitor_is_no_change),
		cmocka_unit_test(inspecting_the_monitor_is_low_and_attacking_it_is_high),
		cmocka_unit_test(prevented_attempt_has_its_outcome),
		cmocka_unit_test(rule_mask_is_printed_as_names),
		cmocka_unit_test(detail_names_requests_and_files),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
