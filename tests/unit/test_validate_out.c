/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_out.c - where `cachewarden validate --out` writes, and what it never replaces. */
#include "unit.h"

#include "validate/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char dir[] = "/tmp/cachewarden-out.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static mode_t type_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & S_IFMT;
}

/* Returns what out_file_open() does. */
static int write_to(const char *path, const char *text)
{
	struct out_file o;
	char why[256] = "";
	int err = out_file_open(&o, path, why, sizeof(why));

	assert_true(!err == !why[0]);
	if (err)
		return err;
	fputs(text, o.stream);
	assert_true(out_file_close(&o));
	return 0;
}

static void assert_content(const char *path, const char *want)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, want);
}

static void a_regular_file_is_replaced_as_a_whole(void **state)
{
	const char *path = in_dir("report");
	struct out_file o;
	char why[256];

	assert_int_equal(write_to(path, "first"), 0);
	assert_content(path, "first");
	assert_int_equal(out_file_open(&o, path, why, sizeof(why)), 0);
	fputs("second", o.stream);
	fflush(o.stream);
	assert_content(path, "first");
	assert_true(out_file_close(&o));
	assert_content(path, "second");
}

/* One of its own: a mistake must not cost the host its /dev/null. */
static void a_device_stays_one(void **state)
{
	const char *path = in_dir("null");

	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)))
		skip(); /* not root */
	assert_int_equal(write_to(path, "x"), 0);
	assert_int_equal(type_of(path), S_IFCHR);
}

static void a_link_stays_one(void **state)
{
	const char *path = in_dir("link");

	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(write_to(path, "x"), 0);
	assert_int_equal(type_of(path), S_IFLNK);
	assert_int_equal(type_of("/dev/null"), S_IFCHR);
}

static void a_link_to_a_file_is_refused(void **state)
{
	char file[128];
	const char *path;

	snprintf(file, sizeof(file), "%s", in_dir("target"));
	assert_int_equal(write_to(file, "kept"), 0);
	path = in_dir("other-link");
	assert_int_equal(symlink(file, path), 0);
	assert_int_equal(write_to(path, "x"), -EINVAL);
	assert_content(file, "kept");
	assert_int_equal(type_of(path), S_IFLNK);
}

static void a_pipe_is_written_to(void **state)
{
	const char *path = in_dir("pipe");
	char buf[8] = "";
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write_to(path, "text"), 0);
	assert_int_equal(read(fd, buf, sizeof(buf) - 1), 4);
	assert_string_equal(buf, "text");
	assert_int_equal(type_of(path), S_IFIFO);
	close(fd);
}

static void a_full_device_is_told(void **state)
{
	struct out_file o;
	char why[256];

	assert_int_equal(symlink("/dev/full", in_dir("full")), 0);
	assert_int_equal(out_file_open(&o, in_dir("full"), why, sizeof(why)), 0);
	fputs("x", o.stream);
	assert_false(out_file_close(&o));
	assert_int_equal(errno, ENOSPC);
}

static void a_directory_is_refused(void **state)
{
	assert_true(write_to(dir, "x") < 0);
}

static int setup(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {"report", "link", "target", "other-link",
					    "pipe",   "null", "full"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_dir(names[i]));
	return rmdir(dir); /* fails if something was left beside */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_regular_file_is_replaced_as_a_whole),
		cmocka_unit_test(a_device_stays_one),
		cmocka_unit_test(a_link_stays_one),
		cmocka_unit_test(a_link_to_a_file_is_refused),
		cmocka_unit_test(a_pipe_is_written_to),
		cmocka_unit_test(a_full_device_is_told),
		cmocka_unit_test(a_directory_is_refused),
	};

	return cmocka_run_group_tests_name("validate_out", tests, setup, teardown);
}
