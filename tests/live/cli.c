/* SPDX-License-Identifier: BSD-2-Clause */
/* cli.c - what the command line accepts, and its messages for what it rejects. */
#include "harness.h"
#include "steps.h"

#include <sched.h>
#include <sys/mount.h>
#include <stdio.h>
#include <unistd.h>

struct command {
	const char *argv[6];
	int status;
	const char *says, *also; /* expected on stderr, or on stdout if it succeeds */
};

static void command(const void *arg)
{
	const struct command *c = arg;
	const char *argv[8] = {MONITOR};
	struct run r;

	for (int i = 0; c->argv[i]; i++)
		argv[i + 1] = c->argv[i];
	r = run_argv(5000, &(struct child_opts){}, argv);
	require(r.status == c->status, "exit code %d, not %d: %s%s", r.status, c->status, r.out,
		r.err);
	require(strstr(c->status ? r.err : r.out, c->says), "no \"%s\" in: %s", c->says,
		c->status ? r.err : r.out);
	require(!c->also || strstr(c->status ? r.err : r.out, c->also), "no \"%s\" in: %s", c->also,
		c->status ? r.err : r.out);
	require(!c->status || !r.out[0], "an error wrote to stdout: %s", r.out);
}

static void as_nobody(const void *arg)
{
	const char *exe = str("%s/bin/cachewarden", scratch), *verb = arg;
	const struct child_opts nobody = {.setup = become_nobody};
	struct run r;

	file_copy(MONITOR, exe);
	r = run_with(&nobody, 5000, exe, verb);
	require(r.status == 3, "exit code %d, not 3: %s", r.status, r.err);
	require(strstr(r.err, "root") || strstr(r.err, "privilege") || strstr(r.err, "CAP_") ||
			strstr(r.out, "root") || strstr(r.out, "privilege") ||
			strstr(r.out, "CAP_"),
		"the missing privilege is not named: %s%s", r.out, r.err);
	require(!strstr(r.err, "libbpf"), "libbpf printed to stderr: %s", r.err);
}

static void hide_btf(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/sys/kernel/btf", "tmpfs", 0, NULL))
		_exit(125);
}

static void without_btf(const void *arg)
{
	const struct child_opts hidden = {.setup = hide_btf};
	struct run r = run_with(&hidden, 5000, MONITOR, arg);

	require(r.status == 3, "exit code %d, not 3: %s", r.status, r.err);
	require(strstr(r.err, "/sys/kernel/btf/vmlinux") && strstr(r.err, "CONFIG_DEBUG_INFO_BTF"),
		"the missing file or the remedy is not named: %s", r.err);
}

static void help_as_nobody(const void *arg)
{
	const struct child_opts nobody = {.setup = become_nobody};
	const char *exe = str("%s/bin/cachewarden", scratch);
	struct run r;

	file_copy(MONITOR, exe);
	r = run_with(&nobody, 5000, exe, "help");
	require(r.status == 0 && strstr(r.out, "doctor"), "exit code %d: %s", r.status, r.err);
}

#define COMMAND(...) &((const struct command){__VA_ARGS__})

static const struct test tests[] = {
	TEST("help lists the verbs", command,
	     .arg = COMMAND(.argv = {"help"}, .says = "run", .also = "doctor")),
	TEST("--version names the program", command,
	     .arg = COMMAND(.argv = {"--version"}, .says = "cachewarden")),
	TEST("-V is --version", command, .arg = COMMAND(.argv = {"-V"}, .says = "cachewarden")),
	TEST("--fail-on takes a severity", command,
	     .arg = COMMAND(.argv = {"run", "--fail-on", "bad"}, .status = 2, .says = "bad",
			    .also = "critical")),
	TEST("an unknown verb is named, and what is known", command,
	     .arg = COMMAND(.argv = {"wander"}, .status = 2, .says = "wander", .also = "doctor")),
	TEST("no verb at all is a usage error", command,
	     .arg = COMMAND(.argv = {NULL}, .status = 2, .says = "run")),
	TEST("an unknown option is named, and what is known", command,
	     .arg = COMMAND(.argv = {"run", "--outptu", "json"}, .status = 2, .says = "--outptu",
			    .also = "--output")),
	TEST("an unknown option of doctor is named", command,
	     .arg = COMMAND(.argv = {"doctor", "--duration", "1"}, .status = 2,
			    .says = "--duration", .also = "--output")),
	TEST("an output format that does not exist is named, and which do", command,
	     .arg = COMMAND(.argv = {"run", "--output", "xml"}, .status = 2, .says = "xml",
			    .also = "json")),
	TEST("an option without its value is a usage error", command,
	     .arg = COMMAND(.argv = {"run", "--output"}, .status = 2, .says = "--output")),
	TEST("a duration that is no number is a usage error", command,
	     .arg = COMMAND(.argv = {"run", "--duration", "soon"}, .status = 2, .says = "soon",
			    .also = "--duration")),
	TEST("a negative duration is a usage error", command,
	     .arg = COMMAND(.argv = {"run", "--duration", "-1"}, .status = 2,
			    .says = "--duration")),
	TEST("a flag that is given a value is a usage error", command,
	     .arg = COMMAND(.argv = {"run", "--prevent=all"}, .status = 2, .says = "--prevent",
			    .also = "no value")),
	TEST("a word that belongs nowhere is a usage error", command,
	     .arg = COMMAND(.argv = {"run", "away"}, .status = 2, .says = "away")),
	TEST("policy without a word names what it can", command,
	     .arg = COMMAND(.argv = {"policy"}, .status = 2, .says = "check", .also = "explain")),
	TEST("policy with a wrong word names it", command,
	     .arg = COMMAND(.argv = {"policy", "chekc"}, .status = 2, .says = "chekc",
			    .also = "explain")),
	TEST("policy check without a file is a usage error", command,
	     .arg = COMMAND(.argv = {"policy", "check"}, .status = 2, .says = "FILE")),
	TEST("policy explain tells of a key", command,
	     .arg = COMMAND(.argv = {"policy", "explain", "allow[].until"}, .says = "YYYY-MM-DD",
			    .also = "no end")),
	TEST("policy explain names the nearest key", command,
	     .arg = COMMAND(.argv = {"policy", "explain", "allow[].util"}, .status = 2,
			    .says = "allow[].util", .also = "'allow[].until'")),
	TEST("run by nobody says what it lacks", as_nobody, .arg = "run"),
	TEST("doctor by nobody says what it lacks", as_nobody, .arg = "doctor"),
	TEST("run on a kernel without BTF says what is missing", without_btf, .arg = "run"),
	TEST("doctor on a kernel without BTF says what is missing", without_btf, .arg = "doctor"),
	TEST("help needs no privilege", help_as_nobody),
	{},
};

const struct suite cli_suite = {"cli", NULL, NULL, tests};
