/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_instance.c - the registry of instances: start, fork, exec, listeners and end, an instance's name and
 * executable path, and when its start is over. How the kernel finds instances is in tests/live/instances.c.
 */
#include "unit.h"

#include "model/instance.h"

#include <stdlib.h>
#include <string.h>

static struct event lifecycle_event(uint16_t type, uint32_t instance, uint32_t pid)
{
	struct event ev = {.type = type, .key.instance = instance};

	ev.actor.pid = pid;
	ev.actor.start_ns = 1000 + pid;
	strcpy(ev.actor.comm, "redis-server");
	memcpy(ev.actor.path, "redis-server\0bin\0usr", 21);
	ev.actor.exe.len = 21;
	return ev;
}

static struct event listen_event(uint32_t instance, uint16_t port)
{
	struct event ev = {.type = EVENT_LISTEN, .key.instance = instance};

	ev.conn.ends.local_port = port;
	return ev;
}

static void instance_is_named_by_its_port_and_kept_after_its_end(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50), port = listen_event(1, 6379),
		     end = lifecycle_event(EVENT_EXIT, 1, 50);

	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_STARTED);
	assert_string_equal(in->name, "redis-server");
	assert_string_equal(in->exe, "/usr/bin/redis-server");
	assert_int_equal(instances_apply(&is, &port, &in), INSTANCE_LISTENS);
	assert_string_equal(in->name, "redis-server:6379");
	assert_int_equal(instances_apply(&is, &port, &in), INSTANCE_SAME);
	assert_int_equal(instances_alive(&is), 1);
	assert_int_equal(instances_apply(&is, &end, &in), INSTANCE_ENDED);
	assert_int_equal(instances_alive(&is), 0);
	assert_non_null(instances_find(&is, 1)); /* for late alerts */
	instances_free(&is);
}

static void a_name_that_comm_cuts_is_the_executables(void **state)
{
	struct instances is = {};
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50),
		     linked = lifecycle_event(EVENT_INSTANCE, 2, 51);
	struct instance *in;

	strcpy(start.actor.comm, "redis-server-7.");
	memcpy(start.actor.path, "redis-server-7.2\0bin", 21);
	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_STARTED);
	assert_string_equal(in->name, "redis-server-7.2");
	strcpy(linked.actor.comm, "valkey-server-8");
	assert_int_equal(instances_apply(&is, &linked, &in), INSTANCE_STARTED);
	assert_string_equal(in->name, "valkey-server-8"); /* a link to another file name */
	instances_free(&is);
}

static void user_who_answers_for_a_server_is_not_its_uid(void **state)
{
	struct instances is = {};
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50),
		     fork = lifecycle_event(EVENT_FORK, 2, 60);
	struct instance *in;

	start.actor.uid = fork.actor.uid =
		100001; /* subordinate: uids of a namespace that 1000 made */
	start.server.account = fork.server.account = 1000;
	instances_apply(&is, &start, &in);
	assert_int_equal(in->user, 100001);
	assert_int_equal(in->account, 1000);
	instances_apply(&is, &fork, &in); /* of an instance whose start was not told */
	assert_int_equal(in->account, 1000);
	instances_free(&is);
}

static void oldest_that_ended_are_dropped_and_none_that_runs(void **state)
{
	struct instances is = {};
	struct instance *in;

	for (uint32_t id = 1; id <= INSTANCES_ENDED_MAX + 5; id++) {
		struct event start = lifecycle_event(EVENT_INSTANCE, id, id),
			     end = lifecycle_event(EVENT_EXIT, id, id);

		instances_apply(&is, &start, &in);
		if (id != 2) /* the second runs on */
			instances_apply(&is, &end, &in);
	}
	instances_trim(&is);
	assert_int_equal(is.count, INSTANCES_ENDED_MAX + 1);
	assert_int_equal(is.ended, 4);
	assert_non_null(instances_find(&is, 2));
	assert_null(instances_find(&is, 1));
	assert_null(instances_find(&is, 5));
	assert_non_null(instances_find(&is, 6));
	instances_trim(&is);
	assert_int_equal(is.ended, 4);
	instances_free(&is);
}

static struct instance *listening(struct instances *is, uint32_t id, const char *place)
{
	struct event start = lifecycle_event(EVENT_INSTANCE, id, 50 + id),
		     port = listen_event(id, 6379);
	struct instance *in;

	instances_apply(is, &start, &in);
	instances_place(is, in, place);
	instances_apply(is, &port, &in);
	return in;
}

static void two_on_one_port_are_told_apart_by_their_places(void **state)
{
	struct instances is = {.boot = "b"};
	struct instance *a = listening(&is, 1, "a.service"), *b;

	assert_string_equal(a->name, "redis-server:6379");
	assert_string_equal(a->uid, "redis-server:6379@a.service/b");
	b = listening(&is, 2, "0123456789ab");
	assert_string_equal(a->name, "redis-server:6379@a.service");
	assert_string_equal(b->name, "redis-server:6379@0123456789ab");
	assert_string_equal(a->uid, "redis-server:6379@a.service/b");
	assert_string_equal(b->uid, "redis-server:6379@0123456789ab/b");
	instances_free(&is);
}

static void two_in_one_place_are_told_apart_by_a_number(void **state)
{
	struct instances is = {.boot = "b"};
	struct instance *a = listening(&is, 1, "a.scope"), *b = listening(&is, 2, "a.scope"),
			*c = listening(&is, 3, "a.scope");

	assert_string_equal(a->uid, "redis-server:6379@a.scope/b");
	assert_string_equal(b->uid, "redis-server:6379@a.scope#2/b");
	assert_string_equal(c->uid, "redis-server:6379@a.scope#3/b");
	assert_string_equal(b->name, "redis-server:6379@a.scope#2");
	instances_free(&is);
}

static int number_of_third(const void *ctx, const struct instance *in)
{
	return in->id == 3 ? 0 : -1;
}

static int number_of_none(const void *ctx, const struct instance *in)
{
	return -1;
}

static int number_of_all(const void *ctx, const struct instance *in)
{
	return 2;
}

/* An initial sweep finds them in any order. */
static void found_at_once_they_are_numbered_by_start(void **state)
{
	struct instances is = {.boot = "b"};
	struct instance *a = listening(&is, 1, "a.scope"), *b = listening(&is, 2, "a.scope"),
			*c = listening(&is, 3, "a.scope"), *other = listening(&is, 4, "b.scope");

	a->start_ns = 30;
	b->start_ns = 10;
	c->start_ns = 20;
	instances_number(&is, number_of_none, NULL);
	assert_string_equal(b->uid, "redis-server:6379@a.scope/b");
	assert_string_equal(c->uid, "redis-server:6379@a.scope#2/b");
	assert_string_equal(a->name, "redis-server:6379@a.scope#3");
	assert_string_equal(other->uid, "redis-server:6379@b.scope/b");
	instances_number(&is, number_of_third, NULL);
	assert_string_equal(c->uid, "redis-server:6379@a.scope/b");
	assert_string_equal(b->uid, "redis-server:6379@a.scope#2/b");
	assert_string_equal(a->uid, "redis-server:6379@a.scope#3/b");
	instances_number(&is, number_of_all,
			 NULL); /* one of them has it; the state may be damaged */
	assert_string_equal(a->uid, "redis-server:6379@a.scope#2/b");
	assert_string_equal(b->uid, "redis-server:6379@a.scope/b");
	assert_string_equal(c->uid, "redis-server:6379@a.scope#3/b");
	instances_free(&is);
}

static void no_place_is_the_host(void **state)
{
	struct instances is = {.boot = "b"};
	struct instance *a = listening(&is, 1, ""), *b = listening(&is, 2, "");

	assert_string_equal(a->name, "redis-server:6379@host");
	assert_string_equal(a->uid, "redis-server:6379@host/b");
	assert_string_equal(b->name, "redis-server:6379@host#2");
	instances_free(&is);
}

static void instance_started_again_has_the_same_uid(void **state)
{
	struct instances is = {.boot = "b"};
	struct instance *a = listening(&is, 1, "a.service"), *again;
	struct event end = lifecycle_event(EVENT_EXIT, 1, 51);

	instances_apply(&is, &end, &a);
	again = listening(&is, 2, "a.service");
	assert_string_equal(again->uid, a->uid);
	assert_string_equal(again->name, "redis-server:6379");
	instances_free(&is);
}

static void forked_child_keeps_an_instance_alive(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50),
		     fork = lifecycle_event(EVENT_FORK, 1, 51);
	struct event main_ends = lifecycle_event(EVENT_EXIT, 1, 50),
		     child_ends = lifecycle_event(EVENT_EXIT, 1, 51);

	instances_apply(&is, &start, &in);
	assert_int_equal(instances_apply(&is, &fork, &in), INSTANCE_SAME);
	assert_int_equal(instances_apply(&is, &main_ends, &in), INSTANCE_SAME);
	assert_int_equal(instances_alive(&is), 1);
	assert_int_equal(instances_apply(&is, &child_ends, &in), INSTANCE_ENDED);
	instances_free(&is);
}

static void exec_does_not_make_another_instance(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50), port = listen_event(1, 6379),
		     again = listen_event(1, 6380);

	instances_apply(&is, &start, &in);
	instances_apply(&is, &port, &in);
	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_REEXECUTED);
	assert_int_equal(is.count, 1);
	instances_apply(&is, &again, &in);
	assert_string_equal(in->name, "redis-server:6380");
	instances_free(&is);
}

static void event_of_an_unknown_instance_adds_it(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event fork = lifecycle_event(EVENT_FORK, 9, 51);

	assert_int_equal(instances_apply(&is, &fork, &in), INSTANCE_UNKNOWN);
	assert_non_null(in);
	assert_int_equal(in->id, 9);
	instances_free(&is);
}

static void daemon_takes_over_as_the_main_process(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50),
		     fork = lifecycle_event(EVENT_FORK, 1, 51);
	struct event parent_ends = lifecycle_event(EVENT_EXIT, 1, 50);

	instances_apply(&is, &start, &in);
	instances_apply(&is, &fork, &in);
	parent_ends.flags = EVENT_MAIN;
	instances_apply(&is, &parent_ends, &in);
	assert_int_equal(in->pid, 51);
	instances_free(&is);
}

static void path_is_built_from_components_in_reverse_order(void **state)
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

static void path_with_excessive_length_stays_in_bounds(void **state)
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

static void start_is_over_some_time_after_listening_or_at_a_limit(void **state)
{
	struct instance in = {.began_ns = 1000};

	assert_false(instance_started(&in, 2000));
	assert_true(instance_started(&in, 1000 + INSTANCE_START_NS));
	in.listen_ns = 5000;
	assert_false(instance_started(&in, 5000 + INSTANCE_LOAD_NS - 1));
	assert_true(instance_started(&in, 5000 + INSTANCE_LOAD_NS));
	in = (struct instance){.began_ns = 1000, .found_running = true};
	assert_true(instance_started(&in, 1000));
}

static void inherited_listener_does_not_end_the_start(void **state)
{
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50), found = listen_event(1, 6379);
	struct event own = listen_event(1, 6379);
	struct instances is = {};
	struct instance *in;

	found.flags |= EVENT_FOUND_BY_SWEEP;
	found.time_ns = 8;
	own.time_ns = 9;
	instances_apply(&is, &start, &in);
	instances_apply(&is, &found, &in);
	assert_int_equal(in->listen_ns, 0);
	assert_int_equal(in->ports, 1);
	instances_apply(&is, &own, &in);
	assert_int_equal(in->listen_ns, 9);
	assert_int_equal(in->ports, 1);
	instances_free(&is);
}

static void exec_restarts_the_start_phase(void **state)
{
	struct instances is = {};
	struct instance *in;
	struct event start = lifecycle_event(EVENT_INSTANCE, 1, 50), port = listen_event(1, 6379);

	start.flags = EVENT_FOUND_BY_SWEEP;
	instances_apply(&is, &start, &in);
	in->baselined = true;
	port.time_ns = 7;
	instances_apply(&is, &port, &in);
	assert_true(in->found_running && in->listen_ns == 7);
	start.flags = 0;
	start.time_ns = 9;
	assert_int_equal(instances_apply(&is, &start, &in), INSTANCE_REEXECUTED);
	assert_true(!in->found_running && !in->baselined && !in->listen_ns && in->began_ns == 9);
	instances_free(&is);
}

static void monitor_itself_has_a_name_and_a_reserved_id(void **state)
{
	struct instance self;

	instance_self(&self, 77, "/usr/sbin/cachewarden");
	assert_string_equal(self.name, "cachewarden");
	assert_int_equal(self.pid, 77);
	assert_int_equal(self.id, INSTANCE_SELF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instance_is_named_by_its_port_and_kept_after_its_end),
		cmocka_unit_test(a_name_that_comm_cuts_is_the_executables),
		cmocka_unit_test(user_who_answers_for_a_server_is_not_its_uid),
		cmocka_unit_test(oldest_that_ended_are_dropped_and_none_that_runs),
		cmocka_unit_test(two_on_one_port_are_told_apart_by_their_places),
		cmocka_unit_test(two_in_one_place_are_told_apart_by_a_number),
		cmocka_unit_test(found_at_once_they_are_numbered_by_start),
		cmocka_unit_test(no_place_is_the_host),
		cmocka_unit_test(instance_started_again_has_the_same_uid),
		cmocka_unit_test(forked_child_keeps_an_instance_alive),
		cmocka_unit_test(exec_does_not_make_another_instance),
		cmocka_unit_test(event_of_an_unknown_instance_adds_it),
		cmocka_unit_test(daemon_takes_over_as_the_main_process),
		cmocka_unit_test(path_is_built_from_components_in_reverse_order),
		cmocka_unit_test(path_with_excessive_length_stays_in_bounds),
		cmocka_unit_test(start_is_over_some_time_after_listening_or_at_a_limit),
		cmocka_unit_test(inherited_listener_does_not_end_the_start),
		cmocka_unit_test(exec_restarts_the_start_phase),
		cmocka_unit_test(monitor_itself_has_a_name_and_a_reserved_id),
	};

	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
