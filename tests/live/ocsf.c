/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ocsf.c - every JSON line that a monitor printed to any test of this run is a valid OCSF Detection Finding, by the
 * schema in tests/ocsf/. Runs last. Lines of the same shape are checked once.
 */
#include "harness.h"

#include <stdio.h>
#include <unistd.h>

static void valid(const void *arg)
{
	struct run r;

	if (access("/usr/bin/python3", X_OK) || access("tests/ocsf/validate.py", R_OK))
		test_skip("no python3 or no schema here");
	require(!access(lines_path(), R_OK),
		"no monitor printed a line; run this with other tests");
	r = run_command(120000, "/usr/bin/python3", "tests/ocsf/validate.py", lines_path());
	require(r.status == 0, "%s%s", r.out, r.err);
	printf("# %s", r.out);
}

/* The validator itself is not blind. */
static void invalid(const void *arg)
{
	const char *path = str("%s/invalid.jsonl", scratch);
	struct run r;

	if (access("/usr/bin/python3", X_OK) || access("tests/ocsf/validate.py", R_OK))
		test_skip("no python3 or no schema here");
	file_write(path, "{\"class_uid\":2004}\n");
	r = run_command(30000, "/usr/bin/python3", "tests/ocsf/validate.py", path);
	require(r.status == 1 && strstr(r.out, "activity_id"), "accepted: %s%s", r.out, r.err);
}

static const struct test tests[] = {
	TEST("every line printed in this run is a valid Detection Finding", valid),
	TEST("the check refuses a line that is not", invalid),
	{},
};

const struct suite ocsf_suite = {"ocsf", NULL, NULL, tests};
