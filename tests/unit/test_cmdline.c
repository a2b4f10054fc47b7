/* SPDX-License-Identifier: BSD-2-Clause */
/* test_cmdline.c - what is left of a command line when everything that could be a secret is gone. */
#include "model/cmdline.h"

#include <string.h>

#include "unit.h"

#define TARGET 28336

/* args: string literal of arguments separated by NUL */
#define check(args, want)                                                                          \
	do {                                                                                       \
		char line_[CMDLINE_LEN];                                                           \
                                                                                                   \
		cmdline_redact(args, sizeof(args), sizeof(args), TARGET, line_, sizeof(line_));    \
		assert_string_equal(line_, want);                                                  \
	} while (0)

static void options_paths_and_the_target_are_kept(void **state)
{
	check("gdb\0-p\00028336\0-batch", "gdb -p 28336 -b*");
	check("cat\0/proc/28336/mem", "cat /proc/28336/mem");
	check("/usr/bin/strace\0--attach=28336\0-f", "/usr/bin/strace --attach=* -f");
	check("-bash", "-bash");
}

static void what_may_be_a_secret_is_not(void **state)
{
	check("redis-cli\0-a\0hunter2\0get\0key", "redis-cli -a * * *");
	check("mysql\0-phunter2", "mysql -p*");
	check("x\0--pass=hunter2", "x --pass=*");
	check("x\0--pass\0hunter2", "x --pass *");
	check("sshpass\0-p\000123456", "sshpass -p *");
	check("x\0/hunter2", "x *");
	check("x\0/hunter2/etc", "x *");
	check("curl\0https://user:hunter2@host/", "curl *");
	check("bash\0-c\0redis-cli -a hunter2", "bash -c *");
	check("redis-cli -a hunter2", "redis-cli*"); /* a program that rewrote its title */
	check("x\0/tmp/a b", "x *");
	check("x\0--hunter2=/x\0-=hunter2\0-", "x --hunter2=* * *");
}

static void control_characters_never_pass(void **state)
{
	check("a\033[31m\0\033]0;x\007", "a* *");
	check("x\0-\033", "x *");
	check("x\0--a\033b", "x --a*");
}

static void what_did_not_fit_is_marked(void **state)
{
	char line[CMDLINE_LEN];

	cmdline_redact("cat\0/etc/pass", 13, 20, TARGET, line, sizeof(line));
	assert_string_equal(line, "cat ...");
	cmdline_redact("cat\0/etc/passwd", 16, 20, TARGET, line, sizeof(line));
	assert_string_equal(line, "cat /etc/passwd...");
}

static void no_arguments_are_no_text(void **state)
{
	char line[CMDLINE_LEN] = "x";

	cmdline_redact("", 0, 0, TARGET, line, sizeof(line));
	assert_string_equal(line, "");
}

static void it_may_be_redacted_in_place(void **state)
{
	char args[CMDLINE_LEN];

	memset(args, 'x', sizeof(args));
	memcpy(args, "cat\0--hunter2\0-a", 17);
	cmdline_redact(args, sizeof(args), sizeof(args), TARGET, args, sizeof(args));
	assert_string_equal(args, "cat --hunter2 -a *");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_paths_and_the_target_are_kept),
		cmocka_unit_test(what_may_be_a_secret_is_not),
		cmocka_unit_test(control_characters_never_pass),
		cmocka_unit_test(what_did_not_fit_is_marked),
		cmocka_unit_test(no_arguments_are_no_text),
		cmocka_unit_test(it_may_be_redacted_in_place),
	};

	return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
