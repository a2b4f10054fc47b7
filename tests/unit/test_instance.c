/* SPDX-License-Identifier: BSD-2-Clause */
/* test_instance.c - the registry of instances: start, fork, exec, listeners, end, names and paths. */
#include "unit.h"

#include "model/instance.h"

#include <stdlib.h>
#include <string.h>

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

static void the_monitor_is_named_and_no_instance(void **state)
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
		cmocka_unit_test(instance_starts_listens_and_ends),
		cmocka_unit_test(forked_child_keeps_an_instance_alive),
		cmocka_unit_test(instance_that_executes_itself_stays_one),
		cmocka_unit_test(event_about_an_unknown_instance_makes_one),
		cmocka_unit_test(daemon_whose_parent_ends_is_named_by_its_own_pid),
		cmocka_unit_test(path_is_put_together_last_part_first),
		cmocka_unit_test(path_that_claims_too_much_stays_in_bounds),
		cmocka_unit_test(start_is_over_a_while_after_it_listens_or_at_the_latest),
		cmocka_unit_test(start_begins_again_when_it_executes_itself),
		cmocka_unit_test(the_monitor_is_named_and_no_instance),
	};

	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
