/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trigger.c - runs the programs in tests/triggers/ and reads the ground truth they print.
 */
#include "harness.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

const char *trigger_path(const char *name)
{
	char *real = realpath(str("build/triggers/%s", name), NULL);
	const char *path = str("%s", real ?: name);

	require(real, "build/triggers/%s: %s (make tests)", name, strerror(errno));
	free(real);
	return path;
}

const char *trigger_for_all(const char *name)
{
	const char *to = str("%s/bin/%s", scratch, name);

	file_copy(trigger_path(name), to);
	return to;
}

/* A trigger by name, or what trigger_for_all() returned. */
static const char *program_of(const char *name)
{
	return strchr(name, '/') ? name : trigger_path(name);
}

struct trigger trigger_argv(const struct child_opts *o, const char *const *argv)
{
	const char *full[32], *line;
	struct trigger t = {};
	json_error_t error;
	struct run r;
	char *end;
	int n = 0;

	for (; argv[n] && n < 31; n++)
		full[n] = argv[n];
	full[n] = NULL;
	full[0] = program_of(argv[0]);
	r = run_argv(30000, o, full);
	require(!r.status, "trigger %s ended with %d: %s", argv[0], r.status, r.err);
	end = strrchr(r.out, '\n');
	require(end, "trigger %s printed nothing", argv[0]);
	*end = 0;
	line = strrchr(r.out, '\n');
	line = line ? line + 1 : r.out;
	t.said = json_loads(line, 0, &error);
	require(t.said, "trigger %s printed no JSON: %s", argv[0], line);
	t.pid = r.pid;
	t.tid = trigger_int(&t, "tid");
	t.uid = trigger_int(&t, "uid");
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "%s",
		 json_string_value(json_object_get(t.said, "trigger")));
	snprintf(t.exe, sizeof(t.exe), "%s", full[0]);
	free(r.out);
	free(r.err);
	return t;
}

struct trigger trigger_as_nobody(const char *name, const char *const *argv)
{
	struct trigger t = trigger_argv(&(struct child_opts){}, argv);

	snprintf(t.exe, sizeof(t.exe), "%s/bin/%s", scratch, name);
	require(t.uid == NOBODY, "trigger ran as %u", t.uid);
	return t;
}

struct trigger trigger_staying(const char *const *argv)
{
	static unsigned int nr;
	const char *out = str("%s/staying.%u", scratch, ++nr), *full[12] = {program_of(argv[0])};
	struct trigger t = {};
	pid_t pid;
	char *said;

	for (int i = 1; argv[i] && i < 11; i++)
		full[i] = argv[i];
	pid = child_start(full, &(struct child_opts){.out = out, .err = str("%s.err", out)});
	require(file_wait(out, "\n", 5000), "%s printed nothing: %s", argv[0],
		file_read(str("%s.err", out)));
	said = file_read(out);
	t.said = json_loads(said, JSON_DISABLE_EOF_CHECK, NULL);
	require(t.said, "%s printed no JSON: %s", argv[0], said);
	free(said);
	t.pid = trigger_int(&t, "pid");
	require(t.pid > 1, "%s calls itself pid %d: it will be sent signals", argv[0], t.pid);
	if (t.pid != pid)
		child_adopt(t.pid);
	t.tid = trigger_int(&t, "tid");
	t.start_ms = trigger_int(&t, "start_ms");
	snprintf(t.name, sizeof(t.name), "%s", argv[0]);
	snprintf(t.exe, sizeof(t.exe), "%s", full[0]);
	return t;
}

long long trigger_int(const struct trigger *t, const char *key)
{
	return json_integer_value(json_object_get(t->said, key));
}

bool trigger_true(const struct trigger *t, const char *key)
{
	return json_is_true(json_object_get(t->said, key));
}
