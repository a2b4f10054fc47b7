/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor.c - what `cachewarden doctor` reports about the kernel. */
#include "harness.h"

#include <stdio.h>

static void as_text(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor");

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	require(strlen(r.out) > 100, "too little: %s", r.out);
	require(!strchr(r.out, '\033'), "colour, though stdout is no terminal");
	require(!strstr(r.err, "libbpf"), "libbpf printed to stderr: %s", r.err);
}

static void as_json(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor", "--output", "json");
	json_error_t error;
	json_t *root, *programs, *program;
	size_t i;

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	root = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);
	require(root, "no JSON (%s): %s", error.text, r.out);
	require(json_is_string(json_object_get(root, "coverage")), "no coverage: %s", r.out);
	programs = json_object_get(root, "programs");
	require(json_array_size(programs) > 10, "too few programs: %s", r.out);
	json_array_foreach (programs, i, program)
		require(json_is_true(json_object_get(program, "holds")), "one does not hold: %s",
			r.out);
	require(json_array_size(json_object_get(json_object_get(root, "prevention"), "rules")) == 5,
		"not five rules can be prevented: %s", r.out);
	require(json_array_size(json_object_get(root, "unseen")), "nothing unseen, it says: %s",
		r.out);
}

static void repeatable(const void *arg)
{
	struct run first = run_command(15000, MONITOR, "doctor");
	struct run second = run_command(15000, MONITOR, "doctor");

	require(!strcmp(first.out, second.out), "two runs differ:\n%s\n%s", first.out, second.out);
}

/* Ids of all BPF programs. Another monitor that starts meanwhile would look like a leak. */
static json_t *programs(void)
{
	struct run r = run_command(5000, "bpftool", "-j", "prog", "list");
	json_t *list, *ids = json_object(), *prog;
	size_t i;

	if (r.status)
		test_skip("no bpftool here");
	list = json_loads(r.out, 0, NULL);
	json_array_foreach (list, i, prog)
		json_object_set_new(ids,
				    str("%lld", json_integer_value(json_object_get(prog, "id"))),
				    json_true());
	return ids;
}

static void leaves_no_program(const void *arg)
{
	json_t *before = programs(), *after, *value;
	struct run r = run_command(15000, MONITOR, "doctor");
	long long end = now_ms() + 2000;
	const char *id;
	int left;

	require(r.status == 0, "exit code %d", r.status);
	do { /* the kernel frees programs asynchronously */
		sleep_ms(100);
		after = programs();
		left = 0;
		json_object_foreach (after, id, value)
			left += !json_object_get(before, id);
	} while (left && now_ms() < end);
	require(!left, "%d programs are left", left);
}

static const struct test tests[] = {
	TEST("text", as_text),
	TEST("JSON", as_json),
	TEST("two runs say the same", repeatable),
	TEST("it leaves no program in the kernel", leaves_no_program),
	{},
};

const struct suite doctor_suite = {"doctor", NULL, NULL, tests};
