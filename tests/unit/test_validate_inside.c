/* SPDX-License-Identifier: BSD-2-Clause */
/* test_validate_inside.c - paths that a server chose: what they can reach, and what is said of its files. */
#include "unit.h"

#include "validate/inside.h"
#include "validate/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/cachewarden-inside.XXXXXX";
static int root; /* dir, as the root of a server */

static const char *in_dir(const char *name)
{
	static char path[2][256];
	static int turn;
	char *ret = path[turn++ % 2];

	snprintf(ret, sizeof(path[0]), "%s/%s", dir, name);
	return ret;
}

static void put(const char *name, const char *text, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void folder(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(in_dir(name), 0700), 0);
	assert_int_equal(chmod(in_dir(name), mode), 0);
}

static int setup(void **state)
{
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return -1;
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	folder("etc", 0755);
	put("etc/passwd", "inner", 0644);
	put("empty", "", 0644);
	folder("closed", 0700);
	folder("closed/open", 0755);
	put("closed/open/key", "k", 0644);
	return mkfifo(in_dir("pipe"), 0666) || symlink("/etc/passwd", in_dir("absolute")) ||
	       symlink("../../../../etc/passwd", in_dir("upward")) ||
	       symlink("closed/open/key", in_dir("into-closed")) ||
	       symlink("/etc/hostname-outside", in_dir("dangling"));
}

static int teardown(void **state)
{
	char command[128];

	close(root);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static void assert_read(const char *path, const char *want)
{
	int fd = inside_read(root, path);
	char buf[16] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) > 0);
	close(fd);
	assert_string_equal(buf, want);
}

/* Links of a server lead to its own files, never to the host's. */
static void links_stay_inside(void **state)
{
	assert_read("/etc/passwd", "inner");
	assert_read("/absolute", "inner");
	assert_read("/upward", "inner");
	assert_read("/../../etc/passwd", "inner");
	assert_int_equal(inside_read(root, "/dangling"), -ENOENT);
	assert_int_equal(inside_find(root, "/nothing"), -ENOENT);
}

/* Neither waits nor changes anything: a pipe has no writer, and files of /proc have no size. */
static void nothing_but_files_is_opened(void **state)
{
	int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(inside_read(root, "/pipe"), -EINVAL);
	assert_int_equal(inside_read(root, "/etc"), -EINVAL);
	assert_int_equal(inside_read(root, "/empty"), -EINVAL);
	assert_int_equal(inside_read(top, "/dev/null"), -EINVAL);
	assert_int_equal(inside_read(top, "/proc/version"), -EINVAL);
	close(top);
}

static bool others_pass(const char *path)
{
	int fd = inside_find(root, path);
	bool pass;

	assert_true(fd >= 0);
	pass = inside_others_pass(root, fd);
	close(fd);
	return pass;
}

static void directories_are_those_behind_the_links(void **state)
{
	assert_true(others_pass("/"));
	assert_true(others_pass("/etc/passwd"));
	assert_true(others_pass("/absolute"));
	assert_false(others_pass("/closed"));
	assert_false(others_pass("/closed/open"));
	assert_false(others_pass("/closed/open/key"));
	assert_false(others_pass("/into-closed"));
}

static void a_file_that_lost_its_name_is_open_to_others(void **state)
{
	int fd;

	put("closed/open/gone", "x", 0644);
	fd = inside_find(root, "/closed/open/gone");
	assert_true(fd >= 0);
	unlink(in_dir("closed/open/gone"));
	assert_true(inside_others_pass(root, fd));
	close(fd);
}

/* --- the files of a server: this process stands for it --- */

static void set(struct facts *f, enum directive d, const char *value)
{
	snprintf(f->config.value[d], sizeof(f->config.value[d]), "%s", value);
}

static const struct facts_file *file_of(const struct facts *f, const char *path)
{
	for (size_t i = 0; i < f->files.files; i++) {
		if (!strcmp(f->files.file[i].path, path))
			return &f->files.file[i];
	}
	fail_msg("no %s", path);
	return NULL;
}

static void files_are_found_behind_links(void **state)
{
	struct facts *f = calloc(1, sizeof(*f));

	f->pid = getpid();
	folder("data", 0755);
	put("data/dump.rdb", "x", 0640);
	put("elsewhere", "x", 0644);
	assert_int_equal(symlink(in_dir("elsewhere"), in_dir("data/old.rdb")), 0);
	folder("data/aof", 0755);
	put("data/aof/part.1", "x", 0644);
	set(f, DIR_DIR, in_dir("data"));
	set(f, DIR_DBFILENAME, "dump.rdb");
	set(f, DIR_APPENDDIRNAME, "aof");
	set(f, DIR_TLS_KEY, in_dir("into-closed"));
	look_files(f);
	assert_string_equal(f->files.why, "");
	assert_string_equal(f->files.role_why[ROLE_DATA], "");
	assert_int_equal(f->files.files, 4);
	assert_false(file_of(f, in_dir("data/dump.rdb"))->others_read);
	assert_true(file_of(f, in_dir("data/old.rdb"))->others_read);
	assert_true(file_of(f, in_dir("data/aof/part.1"))->others_read);
	assert_true(f->files.stored);
	free(f);
}

/* What is configured but not there may have been there, or lie elsewhere. */
static void a_file_that_is_not_there_is_told(void **state)
{
	struct facts *f = calloc(1, sizeof(*f));

	f->pid = getpid();
	set(f, DIR_DIR, in_dir("no-data"));
	set(f, DIR_TLS_KEY, in_dir("no-key"));
	look_files(f);
	assert_non_null(strstr(f->files.role_why[ROLE_KEY], "there is no such file"));
	assert_non_null(strstr(f->files.role_why[ROLE_DATA], "there is no such file"));
	assert_string_equal(f->files.role_why[ROLE_ACL], "");
	assert_int_equal(f->files.encrypted, UNKNOWN);
	free(f);
}

static void a_directory_that_is_too_long_is_cut(void **state)
{
	struct facts *f = calloc(1, sizeof(*f));
	char name[64];

	f->pid = getpid();
	folder("many", 0755);
	for (int i = 0; i < 4096; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		put(name, "", 0600);
	}
	set(f, DIR_DIR, in_dir("many"));
	look_files(f);
	assert_true(f->files.files_cut);
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(nothing_but_files_is_opened),
		cmocka_unit_test(directories_are_those_behind_the_links),
		cmocka_unit_test(a_file_that_lost_its_name_is_open_to_others),
		cmocka_unit_test(files_are_found_behind_links),
		cmocka_unit_test(a_file_that_is_not_there_is_told),
		cmocka_unit_test(a_directory_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests_name("validate_inside", tests, setup, teardown);
}
