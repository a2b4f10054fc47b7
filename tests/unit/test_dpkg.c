// SPDX-License-Identifier: BSD-2-Clause
/* test_dpkg.c - base/dpkg.c: the package of a file, by a database that the test wrote. */
#include "base/dpkg.h"

#include "evidence_log.h"

#include <errno.h>

#define MD5 "0123456789abcdef0123456789abcdef"

static char db[128];

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", db, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make(void **state)
{
	char info[160];

	if (scratch_make(state))
		return -1;
	snprintf(db, sizeof(db), "%s/dpkg", scratch);
	snprintf(info, sizeof(info), "%s/info", db);
	if (mkdir(db, 0700) || mkdir(info, 0700))
		return -1;
	put("status",
	    "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 0\n\n"
	    "Package: gdb\nStatus: install ok installed\nMaintainer: x\nArchitecture: amd64\n"
	    "Version: 13.1-3\nDescription: a\n Version: 9\n .\n\n"
	    "Package: libc6\nStatus: install ok installed\nArchitecture: i386\nVersion: 2.36-i\n\n"
	    "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36");
	put("info/gdb.list", "/.\n/usr\n/usr/bin\n/usr/bin/gdb\n/usr/bin/gdb-add-index\n");
	put("info/gdb.md5sums", MD5 "  usr/bin/gdb\n");
	put("info/libc6:amd64.list", "/lib/x86_64-linux-gnu/libc.so.6");
	put("info/libc6:i386.list", "/lib/i386-linux-gnu/libc.so.6\n");
	put("info/gone.list", "/usr/bin/gone\n");
	return 0;
}

static void a_file_has_its_package(void **state)
{
	struct dpkg_package p;

	assert_int_equal(dpkg_find(db, "/usr/bin/gdb", &p), 0);
	assert_string_equal(p.name, "gdb");
	assert_string_equal(p.version, "13.1-3");
	assert_string_equal(p.architecture, "amd64");
	assert_string_equal(p.md5, MD5);
	assert_int_equal(dpkg_find(db, "/usr/bin/gdb-add-index", &p), 0);
	assert_string_equal(p.md5, "");
	/* the real path, where /lib is a link and the package was built before */
	assert_int_equal(dpkg_find(db, "/usr/lib/i386-linux-gnu/libc.so.6", &p), 0);
	assert_string_equal(p.version, "2.36-i");
	assert_int_equal(dpkg_find(db, "/lib/x86_64-linux-gnu/libc.so.6", &p), 0);
	assert_string_equal(p.version, "2.36");
}

static void a_file_of_none_has_none(void **state)
{
	struct dpkg_package p;

	assert_int_equal(dpkg_find(db, "/usr/bin/gd", &p), -ENOENT);
	assert_int_equal(dpkg_find(db, "/usr/bin/gdb-add", &p), -ENOENT);
	assert_int_equal(dpkg_find(db, "", &p), -ENOENT);
	assert_int_equal(dpkg_find(db, "/usr/bin/gone", &p), -ENOENT); /* it is not installed */
	assert_string_equal(p.name, "");
	assert_int_equal(dpkg_find("/nonexistent", "/usr/bin/gdb", &p), -ENODATA);
}

/* A pipe or a link in its place does not make anybody wait. */
static void a_database_of_other_files_is_read_past(void **state)
{
	struct dpkg_package p;
	char path[256];

	snprintf(path, sizeof(path), "%s/info/a.list", db);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/info/b.list", db);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_int_equal(dpkg_find(db, "/usr/bin/gdb", &p), 0);
}

static void digests_are_hexadecimal(void **state)
{
	static const char text[] =
		"0123456789abcdefX123456789abcdef  usr/bin/a\n"
		"0123456789abcdef  usr/bin/a\n" MD5 "  usr/bin/ab\n" MD5 "  usr/bin/a";
	char md5[DPKG_MD5_LEN] = "";

	assert_true(dpkg_md5sum(text, sizeof(text) - 1, "/usr/bin/a", md5));
	assert_string_equal(md5, MD5);
	assert_false(dpkg_md5sum(text, sizeof(text) - 2, "/usr/bin/a", md5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_has_its_package),
		TEST(a_file_of_none_has_none),
		TEST(a_database_of_other_files_is_read_past),
		TEST(digests_are_hexadecimal),
	};

	return cmocka_run_group_tests_name("dpkg", tests, NULL, NULL);
}
