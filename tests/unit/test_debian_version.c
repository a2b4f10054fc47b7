/* SPDX-License-Identifier: BSD-2-Clause */
/* test_debian_version.c - versions of Debian packages in their order, and the kernels that dpkg and apt know. */
#include "unit.h"

#include "base/debian_version.h"
#include "base/macros.h"
#include "validate/kernel_packages.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void the_order_is_that_of_dpkg(void **state)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{"6.1.129-1", "6.1.133-1", -1},
		{"6.1.99-1", "6.1.129-1", -1},
		{"6.1.129-1", "6.1.129-1", 0},
		{"6.1.129-1~deb11u1", "6.1.129-1", -1},
		{"6.1.129-1", "6.1.129-1+deb12u1", -1},
		{"6.12.9-1~bpo12+1", "6.12.9-1", -1},
		{"6.12.9-1~bpo12+1", "6.1.129-1", 1},
		{"1:1.0", "2.0", 1},
		{"0:1.0", "1.0", 0},
		{"1:0.1", "2:0.1", -1},
		{"10:0", "9:9", 1},
		{"1.0~rc1", "1.0", -1},
		{"1.0~rc1-1", "1.0~rc2-1", -1},
		{"1.0~~", "1.0~", -1},
		{"1.0~~a", "1.0~", -1},
		{"1.0~", "1.0", -1},
		{"1.0", "1.0a", -1},
		{"1.0a", "1.0+", -1},
		{"1.0+", "1.0-1", 1},
		{"1.0.", "1.0-1", 1},
		{"1.0a", "1.0b", -1},
		{"1.0A", "1.0a", -1},
		{"1.0-1", "1.0", 1},
		{"1.0-0", "1.0", 0},
		{"1.0-1-1", "1.0-2", 1},
		{"1.2-3-1", "1.2-3-2", -1},
		{"0.0.9", "0.0.10", -1},
		{"1.01", "1.1", 0},
		{"1.001a", "1.1b", -1},
		{"00000000000000000000000000000001.0", "1.0", 0},
		{"99999999999999999999999999999999", "100000000000000000000000000000000", -1},
		{"1.0-1ubuntu1", "1.0-1", 1},
		{"1.0-1ubuntu1~20.04", "1.0-1ubuntu1", -1},
		{"6.8.0-40.40", "6.8.0-100.100", -1},
		{"", "0", 0},
		{"", "~", 1},
		{"", "1", -1},
		{":", "", 0},
		{"-", "", 0},
		{"1.0\xc3\xa9", "1.0a", 1},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (sign(debian_version_compare(cases[i].a, cases[i].b)) != cases[i].order ||
		    sign(debian_version_compare(cases[i].b, cases[i].a)) != -cases[i].order)
			fail_msg("%s and %s: %d, %d", cases[i].a, cases[i].b,
				 debian_version_compare(cases[i].a, cases[i].b),
				 debian_version_compare(cases[i].b, cases[i].a));
	}
}

static char dir[] = "/tmp/cachewarden-packages.XXXXXX";

static int setup(void **state)
{
	return mkdtemp(strcpy(dir, "/tmp/cachewarden-packages.XXXXXX")) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command); /* NOLINT(cert-env33-c): a directory of this test */
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_release_has_a_flavour(void **state)
{
	static const char *const cases[][2] = {
		{"6.1.0-32-amd64", "amd64"},
		{"6.1.0-32-cloud-amd64", "cloud-amd64"},
		{"6.12.41+deb13-amd64", "amd64"},
		{"6.8.0-40-generic", "generic"},
		{"6.12.9+bpo-rt-amd64", "rt-amd64"},
		{"6.18.44", ""},
		{"6.18.44-7", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(kernel_flavour(cases[i][0]), cases[i][1]);
}

static void a_kernel_says_its_package(void **state)
{
	char version[KERNEL_VERSION] = "", built[KERNEL_BUILT] = "";

	kernel_of_build("#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1 (2025-03-06)", version, built);
	assert_string_equal(version, "6.1.129-1");
	assert_string_equal(built, "2025-03-06");
	kernel_of_build("#40-Ubuntu SMP PREEMPT_DYNAMIC Fri Jul  5 10:34:03 UTC 2024", version,
			built);
	assert_string_equal(version, "");
	assert_string_equal(built, "");
	kernel_of_build("#1 SMP Debian", version, built);
	assert_string_equal(version, "");
	kernel_of_build("#1 SMP Debian 6.1 (yesterday)", version, built);
	assert_string_equal(version, "6.1");
	assert_string_equal(built, "");
}

#define IMAGE(name, version, status)                                                               \
	"Package: linux-image-" name "\n" status "Priority: optional\nVersion: " version           \
	"\nDescription: Linux\n Version: 99\n Package: linux-image-99-amd64\n\n"
#define INSTALLED "Status: install ok installed\n"
#define REMOVED "Status: deinstall ok config-files\n"

static void dpkg_knows_what_is_installed(void **state)
{
	struct kernel_package newest = {};

	put("status",
	    IMAGE("6.1.0-30-amd64", "6.1.124-1",
		  INSTALLED) "Package: zsh\n" INSTALLED
			     "Version: 100\n\n" IMAGE("6.1.0-33-amd64", "6.1.133-1", REMOVED)
				     IMAGE("6.1.0-32-amd64", "6.1.129-1", INSTALLED) IMAGE(
					     "6.1.0-34-rt-amd64", "6.1.135-1", INSTALLED)
					     IMAGE("6.1.0-35-amd64-dbg", "6.1.137-1", INSTALLED)
						     IMAGE("amd64", "6.1.140-1", INSTALLED));
	assert_int_equal(kernel_packages_read(in_dir("status"), "amd64", true, &newest), 0);
	assert_string_equal(newest.version, "6.1.129-1");
	assert_string_equal(newest.release, "6.1.0-32-amd64");
	assert_int_not_equal(kernel_packages_read(in_dir("none"), "amd64", true, &newest), 0);
}

static const struct kernel_wanted stable = {.release = "6.1.0-30-amd64", .meta = ""};

static void apt_knows_what_is_offered(void **state)
{
	struct kernel_lists l = {};
	gzFile gz;

	kernel_lists_read(&l, dir, &stable);
	assert_int_equal(l.lists, 0);
	put("deb_dists_bookworm_main_binary-amd64_Packages",
	    IMAGE("6.1.0-32-amd64", "6.1.129-1", ""));
	put("deb_dists_bookworm-backports_main_binary-amd64_Packages",
	    IMAGE("6.12.9+bpo-amd64", "6.12.9-1~bpo12+1", ""));
	put("deb_dists_bookworm-backports_InRelease",
	    "Origin: Debian\nNotAutomatic: yes\nButAutomaticUpgrades: yes\n");
	put("deb_dists_bookworm_InRelease", "Origin: Debian\nSuite: stable\n");
	put("deb_dists_bookworm_main_i18n_Translation-en",
	    "Package: linux-image-9-amd64\nVersion: 9\n");
	kernel_lists_read(&l, dir, &stable);
	assert_int_equal(l.lists, 1);
	assert_string_equal(l.newest.version, "6.1.129-1");
	gz = gzopen(in_dir("sec_dists_bookworm-security_main_binary-amd64_Packages.gz"), "w");
	gzputs(gz, IMAGE("6.1.0-33-amd64", "6.1.133-1", ""));
	assert_int_equal(gzclose(gz), Z_OK);
	l = (struct kernel_lists){};
	kernel_lists_read(&l, dir, &stable);
	assert_int_equal(l.lists, 2);
	assert_string_equal(l.newest.version, "6.1.133-1");
	assert_true(l.changed_s > 0);
	assert_false(l.unread);
	put("x_dists_bookworm-updates_main_binary-amd64_Packages.lz4", "\x04\x22\x4d\x18");
	kernel_lists_read(&l, dir, &stable);
	assert_true(l.unread);
}

#define META(name, version, needs, status)                                                         \
	"Package: linux-image-" name "\n" status "Version: " version                               \
	"\nDepends: firmware, linux-image-" needs " (= 1), other\n\n"

/* An Ubuntu 22.04 whose lists have kernels of the hardware enablement, too, which it does not follow. */
#define JAMMY "deb_dists_jammy-updates_main_binary-amd64_Packages"
#define UBUNTU_LISTS                                                                               \
	IMAGE("5.15.0-90-generic", "5.15.0-90.100", "")                                            \
	IMAGE("5.15.0-91-generic", "5.15.0-91.101", "")                                            \
	IMAGE("6.5.0-15-generic", "6.5.0-15.15~22.04.1", "")                                       \
	IMAGE("6.8.0-40-generic", "6.8.0-40.40~22.04.3", "")                                       \
	META("generic", "5.15.0.91.88", "5.15.0-91-generic", "")                                   \
	META("generic", "5.15.0.90.87", "5.15.0-90-generic", "")                                   \
	META("generic-hwe-22.04", "6.8.0.40.40~22.04.1", "6.8.0-40-generic", "")

/* The newest that is offered for that kernel on the host whose dpkg knows these. */
static const char *offered(const char *status, const char *release, bool backports)
{
	static struct kernel_lists l;
	char meta[KERNEL_VERSION];
	struct kernel_wanted w = {.release = release, .meta = meta, .backports = backports};

	put("status", status);
	assert_int_equal(kernel_meta_find(in_dir("status"), release, meta), 0);
	kernel_lists_read(&l, dir, &w);
	return l.newest.version;
}

static void a_kernel_is_compared_with_its_own_line(void **state)
{
	static const char ga[] = META("generic", "5.15.0.90.87", "5.15.0-90-generic", INSTALLED),
			  hwe[] = META("generic-hwe-22.04", "6.5.0.15.15", "6.5.0-15-generic",
				       INSTALLED),
			  gone[] = META("generic-hwe-22.04", "6.5.0.15.15", "6.5.0-15-generic",
					REMOVED),
			  both[] = META("generic", "5.15.0.91.88", "5.15.0-91-generic", INSTALLED)
				  META("generic-hwe-22.04", "6.8.0.40.40", "6.8.0-40-generic",
				       INSTALLED);

	put(JAMMY, UBUNTU_LISTS);
	assert_string_equal(offered(ga, "5.15.0-90-generic", false), "5.15.0-91.101");
	/* the meta package is ahead of what runs */
	assert_string_equal(offered(ga, "5.15.0-89-generic", false), "5.15.0-91.101");
	assert_string_equal(offered(hwe, "6.5.0-15-generic", false), "6.8.0-40.40~22.04.3");
	/* the line moved on to another series since */
	assert_string_equal(offered(hwe, "6.2.0-39-generic", false), "6.8.0-40.40~22.04.3");
	assert_string_equal(offered(both, "5.15.0-90-generic", false), "5.15.0-91.101");
	assert_string_equal(offered(both, "6.8.0-39-generic", false), "6.8.0-40.40~22.04.3");
	/* nothing brings its successors: its series */
	assert_string_equal(offered(gone, "5.15.0-90-generic", false), "5.15.0-91.101");
	assert_string_equal(offered("", "6.5.0-14-generic", false), "6.5.0-15.15~22.04.1");
	assert_string_equal(offered("", "6.5.0-14-lowlatency", false), "");
}

static void a_kernel_of_backports_is_compared_with_backports(void **state)
{
	static const char both[] = META("amd64", "6.12.9-1~bpo12+1", "6.12.9+bpo-amd64", INSTALLED);

	put("deb_dists_bookworm_main_binary-amd64_Packages",
	    IMAGE("6.1.0-32-amd64", "6.1.129-1", "")
		    META("amd64", "6.1.129-1", "6.1.0-32-amd64", ""));
	put("deb_dists_bookworm-backports_main_binary-amd64_Packages",
	    IMAGE("6.12.9+bpo-amd64", "6.12.9-1~bpo12+1", "")
		    IMAGE("6.12.32+bpo-amd64", "6.12.32-1~bpo12+1", "")
			    META("amd64", "6.12.32-1~bpo12+1", "6.12.32+bpo-amd64", ""));
	put("deb_dists_bookworm-backports_InRelease", "NotAutomatic: yes\n");
	put("deb_dists_experimental_main_binary-amd64_Packages",
	    IMAGE("6.19-amd64", "6.19~rc1-1~exp1", "")
		    META("amd64", "6.19~rc1-1~exp1", "6.19-amd64", ""));
	put("deb_dists_experimental_InRelease", "NotAutomatic: yes\n");
	assert_string_equal(offered(both, "6.12.9+bpo-amd64", true), "6.12.32-1~bpo12+1");
	assert_string_equal(offered("", "6.12.9+bpo-amd64", true), "6.12.32-1~bpo12+1");
	/* one of stable is not */
	assert_string_equal(offered(META("amd64", "6.1.124-1", "6.1.0-30-amd64", INSTALLED),
				    "6.1.0-30-amd64", false),
			    "6.1.129-1");
}

/* An update that fetched nothing does not make lists younger. */
static void lists_are_as_old_as_the_newest_of_them(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}},
			      older[2] = {{.tv_sec = 900000}, {.tv_sec = 900000}};
	struct kernel_lists l;

	put("a_dists_bookworm_main_binary-amd64_Packages", IMAGE("6.1.0-32-amd64", "1", ""));
	put("b_dists_bookworm_main_binary-amd64_Packages", IMAGE("6.1.0-32-amd64", "1", ""));
	assert_int_equal(mkdir(in_dir("partial"), 0700), 0);
	assert_int_equal(
		utimensat(AT_FDCWD, in_dir("a_dists_bookworm_main_binary-amd64_Packages"), old, 0),
		0);
	assert_int_equal(utimensat(AT_FDCWD, in_dir("b_dists_bookworm_main_binary-amd64_Packages"),
				   older, 0),
			 0);
	kernel_lists_read(&l, dir, &stable);
	assert_int_equal(l.changed_s, 1000000);
}

/* Whatever is in it: no line is taken for another one. */
static void a_long_line_is_one_line(void **state)
{
	struct kernel_package newest = {};
	FILE *f = fopen(in_dir("status"), "w");

	assert_non_null(f);
	fputs("Package: linux-image-6.1.0-1-amd64\n" INSTALLED "Version: 6.1.1-1\nDepends: ", f);
	for (int i = 0; i < 100000; i++)
		fputc('x', f);
	fputs("Version: 7\n\nPackage: linux-image-6.1.0-2-amd64\nVersion: 8\n\xff\n" INSTALLED, f);
	fclose(f);
	assert_int_equal(kernel_packages_read(in_dir("status"), "amd64", true, &newest), 0);
	assert_string_equal(newest.version, "8"); /* the last one needs no empty line */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_that_of_dpkg),
		cmocka_unit_test(a_release_has_a_flavour),
		cmocka_unit_test(a_kernel_says_its_package),
		cmocka_unit_test_setup_teardown(dpkg_knows_what_is_installed, setup, teardown),
		cmocka_unit_test_setup_teardown(apt_knows_what_is_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_kernel_is_compared_with_its_own_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_kernel_of_backports_is_compared_with_backports,
						setup, teardown),
		cmocka_unit_test_setup_teardown(lists_are_as_old_as_the_newest_of_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_long_line_is_one_line, setup, teardown),
	};

	return cmocka_run_group_tests_name("debian version", tests, NULL, NULL);
}
