/* SPDX-License-Identifier: BSD-2-Clause */
/* test_secret.c - the first line of a file with a password, and what is refused. */
#include "unit.h"

#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char file[] = "/tmp/cachewarden-secret.XXXXXX";

static void put(const char *text, mode_t mode)
{
	FILE *f = fopen(file, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(file, mode), 0);
}

/* Into 9 bytes. Returns 0 or a negative errno, and then says why. */
static int read_line(char buf[9])
{
	char why[256] = "";
	int err;

	memset(buf, 'x', 9);
	err = secret_read_line(file, buf, 9, why, sizeof(why));
	assert_true(!err == !why[0]);
	return err;
}

static void the_first_line_is_read(void **state)
{
	static const char *const texts[] = {"secret", "secret\n", "secret\r\n",
					    "secret\nand more\n"};
	char buf[9];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(texts[i], 0600);
		assert_int_equal(read_line(buf), 0);
		assert_string_equal(buf, "secret");
	}
}

/* Half a password would be sent, and be told to be wrong. */
static void a_line_that_is_too_long_is_refused(void **state)
{
	char buf[9];

	put("12345678\n", 0600);
	assert_int_equal(read_line(buf), 0);
	assert_string_equal(buf, "12345678");
	put("123456789", 0600);
	assert_int_equal(read_line(buf), -E2BIG);
	assert_string_equal(buf, "");
}

static void an_empty_line_is_refused(void **state)
{
	char buf[9];

	put("\nsecret\n", 0600);
	assert_int_equal(read_line(buf), -ENODATA);
	put("", 0600);
	assert_int_equal(read_line(buf), -ENODATA);
}

static void a_file_for_others_is_refused(void **state)
{
	char buf[9];

	put("secret\n", 0640);
	assert_int_equal(read_line(buf), -EACCES);
}

static int setup(void **state)
{
	int fd = mkstemp(file);

	return fd < 0 || close(fd);
}

static int teardown(void **state)
{
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_read),
		cmocka_unit_test(a_line_that_is_too_long_is_refused),
		cmocka_unit_test(an_empty_line_is_refused),
		cmocka_unit_test(a_file_for_others_is_refused),
	};

	return cmocka_run_group_tests_name("secret", tests, setup, teardown);
}
