// SPDX-License-Identifier: BSD-2-Clause
/* Instances and rules: lifecycle, names, severities. No kernel, no I/O. */
#include "unit.h"

#include "model/instance.h"
#include "model/command.h"
#include "model/rule.h"

#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syscall.h>

static struct event life(uint16_t type, uint32_t instance, uint32_t pid)
{
	struct event ev = {.type = type, .key.instance = instance};

	ev.actor.pid = pid;
	ev.actor.start_ns = 1000 + pid;
	strcpy(ev.actor.comm, "redis-server");
	memcpy(ev.actor.path, "redis-server\0bin\0usr", 21);
	ev.actor.exe.len = 21;
	return ev;
}

static struct event listens(uint32_t instance, uint16_t port)
{
	struct event ev = {.type = EVENT_LISTEN, .key.instance = instance};

	ev.conn.ends.local_port = port;
	return ev;
}

static void instance_starts_listens_and_ends(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = life(EVENT_INSTANCE, 1, 50), port = listens(1, 6379),
		     end = life(EVENT_EXIT, 1, 50);

	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_STARTED);
	assert_string_equal(in->name, "redis-server");
	assert_string_equal(in->exe, "/usr/bin/redis-server");
	assert_int_equal(instances_apply(&is, &port, &in), INSTANCE_LISTENS);
	assert_string_equal(in->name, "redis-server:6379");
	assert_int_equal(instances_apply(&is, &port, &in), INSTANCE_SAME);
	assert_int_equal(instances_alive(&is), 1);
	assert_int_equal(instances_apply(&is, &end, &in), INSTANCE_ENDED);
	assert_int_equal(instances_alive(&is), 0);
	assert_non_null(instances_find(&is, 1)); /* a late alert still finds its name */
	instances_free(&is);
}

static void forked_child_keeps_an_instance_alive(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = life(EVENT_INSTANCE, 1, 50), fork = life(EVENT_FORK, 1, 51);
	struct event main_ends = life(EVENT_EXIT, 1, 50), child_ends = life(EVENT_EXIT, 1, 51);

	instances_apply(&is, &start, &in);
	assert_int_equal(instances_apply(&is, &fork, &in), INSTANCE_SAME);
	assert_int_equal(instances_apply(&is, &main_ends, &in), INSTANCE_SAME);
	assert_int_equal(instances_alive(&is), 1);
	assert_int_equal(instances_apply(&is, &child_ends, &in), INSTANCE_ENDED);
	instances_free(&is);
}

static void instance_that_executes_itself_stays_one(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = life(EVENT_INSTANCE, 1, 50), port = listens(1, 6379),
		     again = listens(1, 6380);

	instances_apply(&is, &start, &in);
	instances_apply(&is, &port, &in);
	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_AGAIN);
	assert_int_equal(is.count, 1);
	instances_apply(&is, &again, &in);
	assert_string_equal(in->name, "redis-server:6380");
	instances_free(&is);
}

static void event_about_an_unknown_instance_makes_one(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event fork = life(EVENT_FORK, 9, 51);

	assert_int_equal(instances_apply(&is, &fork, &in), INSTANCE_UNKNOWN);
	assert_non_null(in);
	assert_int_equal(in->id, 9);
	instances_free(&is);
}

static void daemon_whose_parent_ends_is_named_by_its_own_pid(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = life(EVENT_INSTANCE, 1, 50), fork = life(EVENT_FORK, 1, 51);
	struct event parent_ends = life(EVENT_EXIT, 1, 50);

	instances_apply(&is, &start, &in);
	instances_apply(&is, &fork, &in);
	parent_ends.flags = EVENT_MAIN;
	instances_apply(&is, &parent_ends, &in);
	assert_int_equal(in->pid, 51);
	instances_free(&is);
}

static void path_is_put_together_last_part_first(void **state)
{
	struct process_info p = {.exe = {.off = 4, .len = 8}};
	char buf[64];

	memcpy(p.path, "xyz\0cat\0bin\0", 12);
	instance_exe_path(&p, &p.exe, buf, sizeof(buf));
	assert_string_equal(buf, "/bin/cat");
	p.exe.flags = PATH_CUT;
	instance_exe_path(&p, &p.exe, buf, sizeof(buf));
	assert_string_equal(buf, ".../bin/cat");
	p.exe.len = 0;
	assert_int_equal(instance_exe_path(&p, &p.exe, buf, sizeof(buf)), 0);
}

static void path_that_claims_too_much_stays_in_bounds(void **state)
{
	struct process_info *p = calloc(1, sizeof(*p));
	char small[8];

	memset(p->path, 'a', sizeof(p->path));
	p->exe.len = UINT16_MAX;
	assert_int_equal(instance_exe_path(p, &p->exe, small, sizeof(small)), 0);
	p->exe.len = PATH_LEN;
	assert_in_range(instance_exe_path(p, &p->exe, small, sizeof(small)), 0, sizeof(small) - 1);
	free(p);
}

static void every_rule_vector_and_file_has_a_name(void **state)
{
	for (unsigned int r = RULE_NONE + 1; r < RULE_MAX; r++) {
		assert_non_null(rule_name(r));
		assert_non_null(rule_title(r));
		assert_non_null(rule_techniques(r)[0].uid);
	}
	for (unsigned int v = VECTOR_NONE + 1; v < VECTOR_MAX; v++)
		assert_non_null(vector_name(v));
	for (unsigned int f = PROC_FILE_NONE + 1; f < PROC_FILE_MAX; f++)
		assert_non_null(proc_file_name(f));
	for (unsigned int s = PAYLOAD_NOTHING + 1; s < PAYLOAD_MAX; s++)
		assert_non_null(payload_name(s));
	assert_null(rule_name(RULE_MAX));
	assert_null(vector_name(1000));
	assert_null(proc_file_name(1000));
}

static void command_names_fit_the_kernels_key_and_are_unique(void **state)
{
	for (unsigned int i = 1; i <= command_count(); i++) {
		assert_in_range(strlen(command_name(i)), 1, 24);
		for (unsigned int k = 1; k < i; k++)
			assert_string_not_equal(command_name(i), command_name(k));
	}
	assert_null(command_name(0));
	assert_null(command_name(command_count() + 1));
}

static void start_is_over_a_while_after_it_listens_or_at_the_latest(void **state)
{
	struct instance in = {.reported_ns = 1000};

	assert_false(instance_started(&in, 2000));
	assert_true(instance_started(&in, 1000 + INSTANCE_START_NS));
	in.listen_ns = 5000;
	assert_false(instance_started(&in, 5000 + INSTANCE_LOAD_NS - 1));
	assert_true(instance_started(&in, 5000 + INSTANCE_LOAD_NS));
	in = (struct instance){.reported_ns = 1000, .running = true};
	assert_true(instance_started(&in, 1000));
}

static void start_begins_again_when_it_executes_itself(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = life(EVENT_INSTANCE, 1, 50), port = listens(1, 6379);

	start.flags = EVENT_FOUND_BY_SWEEP;
	instances_apply(&is, &start, &in);
	in->baselined = true;
	port.time_ns = 7;
	instances_apply(&is, &port, &in);
	assert_true(in->running && in->listen_ns == 7);
	start.flags = 0;
	start.time_ns = 9;
	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_AGAIN);
	assert_true(!in->running && !in->baselined && !in->listen_ns && in->reported_ns == 9);
	instances_free(&is);
}

static struct event swept(unsigned char rule, unsigned int detail)
{
	struct event ev = {.flags = EVENT_FOUND_BY_SWEEP};

	ev.key.rule = rule;
	ev.key.vector = VECTOR_SWEEP;
	ev.key.detail = detail;
	return ev;
}

static void sweep_says_what_it_found_and_how_bad(void **state)
{
	static const struct {
		unsigned char rule;
		unsigned int detail;
		const char *text;
		enum severity severity;
	} found[] = {
		{RULE_MEM_READ, PROC_FILE_MEM, "mem held open", SEVERITY_CRITICAL},
		{RULE_MEM_INSPECT, PROC_FILE_FD, "fd held open", SEVERITY_LOW},
		{RULE_MEM_FD, SWEPT_SOCKET, "connection held", SEVERITY_HIGH},
		{RULE_MEM_FD, SWEPT_LISTENER, "listening socket held", SEVERITY_MEDIUM},
		{RULE_MEM_TRACE, 0, "", SEVERITY_HIGH},
		{RULE_MEM_KERNEL, 19, "BPF program 19", SEVERITY_HIGH},
		{RULE_REST_FILE, SWEPT_EXPOSED_CONFIG, "configuration that others may read",
		 SEVERITY_LOW},
		{RULE_TLS_KEY, SWEPT_EXPOSED_KEY, "private key that others may read",
		 SEVERITY_HIGH},
		{RULE_TLS_KEY, REST_KEY, "private key held open", SEVERITY_CRITICAL},
	};
	char text[96];

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		struct event ev = swept(found[i].rule, found[i].detail);

		rule_detail(&ev, text, sizeof(text));
		assert_string_equal(text, found[i].text);
		assert_int_equal(rule_severity(&ev), found[i].severity);
		assert_string_equal(rule_outcome(&ev), "unknown");
	}
	for (unsigned int d = SWEPT_SOCKET; d < SWEPT_MAX; d++) {
		struct event ev = swept(RULE_MEM_INJECT, d);

		rule_detail(&ev, text, sizeof(text));
		assert_true(text[0] && rule_severity(&ev) >= SEVERITY_LOW);
	}
}

static void what_a_server_starts_with_is_named(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_INJECT, .vector = VECTOR_EXEC}};
	char text[96];

	rule_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(rule_severity(&ev), SEVERITY_CRITICAL);
	ev.key.detail = HIJACK_LD_PRELOAD;
	rule_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "LD_PRELOAD in its environment");
	assert_int_equal(rule_severity(&ev), SEVERITY_HIGH);
}

static void pages_swapped_to_where_nobody_reads_are_info(void **state)
{
	struct event ev = swept(RULE_MEM_SPILL, SWEPT_SWAPPED);
	char text[96];

	ev.fd = 7;
	rule_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "7 pages swapped out");
	assert_int_equal(rule_severity(&ev), SEVERITY_MEDIUM);
	ev.flags |= EVENT_SEALED;
	rule_detail(&ev, text, sizeof(text));
	assert_string_equal(text, "7 pages swapped out, encrypted or in RAM");
	assert_int_equal(rule_severity(&ev), SEVERITY_INFO);
}

static void refused_attempt_is_one_step_less_severe(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_READ, .vector = VECTOR_PROCESS_VM_READV}};

	assert_int_equal(rule_severity(&ev), SEVERITY_CRITICAL);
	ev.key.err = EPERM;
	assert_int_equal(rule_severity(&ev), SEVERITY_HIGH);
	assert_string_equal(rule_outcome(&ev), "denied");
	ev.key.err = ESRCH;
	assert_string_equal(rule_outcome(&ev), "failed");
}

static void listing_descriptors_is_low_reading_maps_is_medium(void **state)
{
	struct event ev = {
		.key = {.rule = RULE_MEM_INSPECT, .vector = VECTOR_OPENAT, .detail = PROC_FILE_FD}};

	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
	ev.key.detail = PROC_FILE_MAPS;
	assert_int_equal(rule_severity(&ev), SEVERITY_MEDIUM);
}

/* An actor's executable, its path as the kernel writes it: last part first. */
static void run_by(struct event *ev, const char *name, const char *dir)
{
	size_t n = strlen(name) + 1, d = strlen(dir) + 1;

	memset(ev->actor.path, 0, sizeof(ev->actor.path));
	memcpy(ev->actor.path, name, n);
	memcpy(ev->actor.path + n, dir, d);
	memcpy(ev->actor.path + n + d, "usr", 4);
	ev->actor.exe.len = (uint16_t)(n + d + 4);
	ev->flags |= EVENT_ACTOR;
}

static void process_listers_are_low_and_only_where_they_lie(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_INSPECT,
				   .vector = VECTOR_OPENAT,
				   .detail = PROC_FILE_ENVIRON}};

	assert_int_equal(rule_severity(&ev), SEVERITY_MEDIUM);
	run_by(&ev, "ps", "bin");
	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
	ev.key.rule = RULE_SELF_TAMPER;
	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
	run_by(&ev, "ps", "games");
	assert_int_equal(rule_severity(&ev), SEVERITY_MEDIUM);
	ev.key.rule = RULE_MEM_READ;
	ev.key.detail = PROC_FILE_MEM;
	run_by(&ev, "ps", "bin");
	assert_int_equal(rule_severity(&ev), SEVERITY_CRITICAL);
}

static void a_look_at_the_monitor_is_low_a_blow_is_high(void **state)
{
	struct event ev = {
		.key = {.rule = RULE_SELF_TAMPER, .vector = VECTOR_SIGNAL, .detail = SIGKILL}};

	assert_int_equal(rule_severity(&ev), SEVERITY_HIGH);
	ev.key.detail = SIGTERM;
	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
	ev.key.vector = VECTOR_SYSCALL;
	ev.key.detail = SYS_bpf | BPF_MAP_GET_FD_BY_ID << SYSCALL_ASKED_SHIFT;
	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
	ev.key.detail = SYS_bpf | BPF_LINK_DETACH << SYSCALL_ASKED_SHIFT;
	assert_int_equal(rule_severity(&ev), SEVERITY_HIGH);
	ev.key.vector = VECTOR_OPENAT;
	ev.key.detail = PROC_FILE_FD;
	assert_int_equal(rule_severity(&ev), SEVERITY_LOW);
}

static void what_was_prevented_says_how(void **state)
{
	struct event ev = {.key = {.rule = RULE_MEM_READ, .vector = VECTOR_PROCESS_VM_READV}};

	assert_string_equal(rule_verdict(&ev), "alert");
	ev.flags = EVENT_PREVENTED;
	assert_string_equal(rule_verdict(&ev), "prevented");
	assert_string_equal(rule_outcome(&ev), "killed");
	ev.key.err = EPERM;
	assert_string_equal(rule_outcome(&ev), "denied");
}

static void rules_of_a_mask_are_named(void **state)
{
	char buf[256], cut[12];

	rule_names(1u << RULE_MEM_READ | 1u << RULE_MEM_FD, buf, sizeof(buf));
	assert_string_equal(buf, "mem-read mem-fd");
	rule_names(0, buf, sizeof(buf));
	assert_string_equal(buf, "");
	rule_names(~0u, cut, sizeof(cut));
	assert_int_equal(strlen(cut), sizeof(cut) - 1);
}

static void the_monitor_is_named_and_no_instance(void **state)
{
	struct instance self;

	instance_self(&self, 77, "/usr/sbin/cachewarden");
	assert_string_equal(self.name, "cachewarden");
	assert_int_equal(self.pid, 77);
	assert_int_equal(self.id, INSTANCE_SELF);
}

static void details_name_requests_and_files(void **state)
{
	struct event ev = {.key = {.vector = VECTOR_PTRACE, .detail = 16}};
	char buf[64];

	rule_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "PTRACE_ATTACH");
	ev.key.detail = 0x7777;
	rule_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "request 30583");
	ev.key.vector = VECTOR_OPENAT;
	ev.key.detail = PROC_FILE_SMAPS;
	rule_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "smaps");
	ev.key.detail = 4000;
	rule_detail(&ev, buf, sizeof(buf));
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instance_starts_listens_and_ends),
		cmocka_unit_test(forked_child_keeps_an_instance_alive),
		cmocka_unit_test(instance_that_executes_itself_stays_one),
		cmocka_unit_test(event_about_an_unknown_instance_makes_one),
		cmocka_unit_test(daemon_whose_parent_ends_is_named_by_its_own_pid),
		cmocka_unit_test(path_is_put_together_last_part_first),
		cmocka_unit_test(path_that_claims_too_much_stays_in_bounds),
		cmocka_unit_test(every_rule_vector_and_file_has_a_name),
		cmocka_unit_test(command_names_fit_the_kernels_key_and_are_unique),
		cmocka_unit_test(start_is_over_a_while_after_it_listens_or_at_the_latest),
		cmocka_unit_test(start_begins_again_when_it_executes_itself),
		cmocka_unit_test(sweep_says_what_it_found_and_how_bad),
		cmocka_unit_test(what_a_server_starts_with_is_named),
		cmocka_unit_test(pages_swapped_to_where_nobody_reads_are_info),
		cmocka_unit_test(refused_attempt_is_one_step_less_severe),
		cmocka_unit_test(listing_descriptors_is_low_reading_maps_is_medium),
		cmocka_unit_test(process_listers_are_low_and_only_where_they_lie),
		cmocka_unit_test(a_look_at_the_monitor_is_low_a_blow_is_high),
		cmocka_unit_test(what_was_prevented_says_how),
		cmocka_unit_test(rules_of_a_mask_are_named),
		cmocka_unit_test(the_monitor_is_named_and_no_instance),
		cmocka_unit_test(details_name_requests_and_files),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
