/* SPDX-License-Identifier: BSD-2-Clause */
/* doctor.c - what the monitor says about the kernel it runs on, before it watches anything. */
#include "harness.h"

#include <stdio.h>

static void as_text(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor");

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	require(strlen(r.out) > 100, "too little: %s", r.out);
	require(!strchr(r.out, '\033'), "colour, though stdout is no terminal");
	require(!strstr(r.err, "libbpf"), "libbpf speaks to the user: %s", r.err);
}

static void as_json(const void *arg)
{
	struct run r = run_command(15000, MONITOR, "doctor", "--output", "json");
	json_error_t error;
	json_t *root;

	require(r.status == 0, "exit code %d: %s", r.status, r.err);
	root = json_loads(r.out, JSON_REJECT_DUPLICATES, &error);
	require(root, "no JSON (%s): %s", error.text, r.out);
	require(json_is_object(root) && json_object_size(root), "no object: %s", r.out);
}

static void same_both_ways(const void *arg)
{
	struct run first = run_command(15000, MONITOR, "doctor");
	struct run second = run_command(15000, MONITOR, "doctor");

	require(!strcmp(first.out, second.out), "two runs differ:\n%s\n%s", first.out, second.out);
}

static void leaves_nothing(const void *arg)
{
	struct run before = run_command(5000, "bpftool", "prog", "list"), r, after;
	long n = 0, m = 0;

	if (before.status)
		test_skip("no bpftool here");
	r = run_command(15000, MONITOR, "doctor");
	sleep_ms(300); /* the kernel frees programs a little later */
	after = run_command(5000, "bpftool", "prog", "list");
	require(r.status == 0, "exit code %d", r.status);
	for (char *at = before.out; (at = strstr(at, "  name ")); at++)
		n++;
	for (char *at = after.out; (at = strstr(at, "  name ")); at++)
		m++;
	require(m <= n, "%ld programs before, %ld after", n, m);
}

static const struct test tests[] = {
	TEST("text", as_text),
	TEST("JSON", as_json),
	TEST("two runs say the same", same_both_ways),
	TEST("it leaves no program in the kernel", leaves_nothing),
	{},
};

const struct suite doctor_suite = {"doctor", NULL, NULL, tests};
