// SPDX-License-Identifier: BSD-2-Clause
/* test_log.c - a line of the log is one line, whatever is in it. */
#include "unit.h"

#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char said[4096];

/* What is logged by a call of log_warn(). */
static void listen_to(const char *text)
{
	int fd[2], was = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], STDERR_FILENO);
	log_warn("%s", text);
	dup2(was, STDERR_FILENO);
	close(was);
	close(fd[1]);
	n = read(fd[0], said, sizeof(said) - 1);
	close(fd[0]);
	assert_true(n >= 0);
	said[n] = '\0';
}

static void names_of_others_do_no_harm(void **state)
{
	listen_to("a\nb\tc\x1b[31md\x7f \xc3\xa9 \xc2\x9b"
		  "31m");
	assert_string_equal(said, "cachewarden: warning: a?b?c?[31md? \xc3\xa9 ?\x9b"
				  "31m\n");
}

static void a_long_line_is_cut_and_ends(void **state)
{
	static char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	listen_to(text);
	assert_true(strlen(said) > 1000 && strlen(said) <= 1024);
	assert_string_equal(said + strlen(said) - 3, "xx\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_others_do_no_harm),
		cmocka_unit_test(a_long_line_is_cut_and_ends),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
