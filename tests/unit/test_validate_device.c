/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_validate_device.c - whether a block device is encrypted, by a tree of files that looks like /sys/dev/block: a link
 * for each device to its directory, where `slaves` has links to those below.
 */
#include "unit.h"

#include "validate/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char sysfs[] = "/tmp/cachewarden-sysfs.XXXXXX";

static const char *below(const char *name, const char *file)
{
	static char path[1024];

	snprintf(path, sizeof(path), "%s/%s%s%s", sysfs, name, file[0] ? "/" : "", file);
	return path;
}

static void put(const char *name, const char *file, const char *text)
{
	FILE *f = fopen(below(name, file), "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* A device with that minor number, and up to two below it. */
static void device(const char *name, unsigned int minor, const char *one, const char *two)
{
	char text[512];

	assert_int_equal(mkdir(below(name, ""), 0755), 0);
	assert_int_equal(mkdir(below(name, "slaves"), 0755), 0);
	snprintf(text, sizeof(text), "254:%u\n", minor);
	put(name, "dev", text);
	snprintf(text, sizeof(text), "254:%u", minor);
	assert_int_equal(symlink(name, below(text, "")), 0);
	for (int i = 0; i < 2; i++) {
		const char *other = i ? two : one;
		char to[512];

		if (!other)
			continue;
		snprintf(text, sizeof(text), "slaves/%s", other);
		snprintf(to, sizeof(to), "../../%s", other);
		assert_int_equal(symlink(to, below(name, text)), 0);
	}
}

static void is_crypt(const char *name)
{
	assert_int_equal(mkdir(below(name, "dm"), 0755), 0);
	put(name, "dm/uuid", "CRYPT-LUKS2-0123456789abcdef-data\n");
}

static int setup(void **state)
{
	if (!mkdtemp(sysfs))
		return -1;
	device("vda", 0, NULL, NULL);
	device("vdb", 1, NULL, NULL);
	device("dm-crypt-a", 2, "vda", NULL);
	is_crypt("dm-crypt-a");
	device("dm-crypt-b", 3, "vdb", NULL);
	is_crypt("dm-crypt-b");
	device("dm-linear", 4, "dm-crypt-a", NULL); /* LVM on LUKS */
	device("md-good", 5, "dm-crypt-a", "dm-crypt-b");
	device("md-bad", 6, "dm-crypt-a", "vdb");
	device("dm-plain", 7, "vda", NULL);
	mkdir(below("dm-plain", "dm"), 0755);
	put("dm-plain", "dm/uuid", "LVM-0123\n");
	device("circle", 8, "circle", NULL);
	/* a partition lies in the directory of its disk */
	assert_int_equal(mkdir(below("dm-crypt-a", "part"), 0755), 0);
	put("dm-crypt-a/part", "partition", "1\n");
	put("dm-crypt-a/part", "dev", "254:9\n");
	assert_int_equal(symlink("dm-crypt-a/part", below("254:9", "")), 0);
	device("loop", 10, NULL, NULL);
	mkdir(below("loop", "loop"), 0755);
	put("loop", "loop/backing_file", "/nonexistent/image\n");
	/* they check what is read, and encrypt nothing */
	device("dm-verity", 11, "vda", NULL);
	mkdir(below("dm-verity", "dm"), 0755);
	put("dm-verity", "dm/uuid", "CRYPT-VERITY-0123-root\n");
	device("dm-integrity", 12, "vdb", NULL);
	mkdir(below("dm-integrity", "dm"), 0755);
	put("dm-integrity", "dm/uuid", "CRYPT-INTEGRITY-data\n");
	device("dm-both", 13, "dm-crypt-a", NULL);
	mkdir(below("dm-both", "dm"), 0755);
	put("dm-both", "dm/uuid", "CRYPT-VERITY-0123-root\n");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", sysfs);
	return system(command); /* NOLINT(cert-env33-c): a path of our own */
}

static void assert_device(unsigned int minor, enum known want, const char *says)
{
	char place[FACTS_WHY] = "";
	enum known got = look_block_device(sysfs, makedev(254, minor), place, sizeof(place));

	if (got != want || !strstr(place, says))
		fail_msg("254:%u: %d, not %d: %s", minor, got, want, place);
}

static void a_device_is_encrypted_if_all_below_are(void **state)
{
	assert_device(0, NO, "on vda, without dm-crypt");
	assert_device(2, YES, "dm-crypt (dm-crypt-a)");
	assert_device(4, YES, "dm-crypt (dm-crypt-a)");
	assert_device(5, YES, "dm-crypt");
	assert_device(6, NO, "on vdb");
	assert_device(7, NO, "on vda"); /* LVM alone encrypts nothing */
}

static void integrity_is_no_encryption(void **state)
{
	assert_device(11, NO, "on vda");
	assert_device(12, NO, "on vdb");
	assert_device(13, YES, "dm-crypt-a");
}

static void a_partition_is_what_its_disk_is(void **state)
{
	assert_device(9, YES, "dm-crypt-a");
}

static void what_cannot_be_followed_is_unknown(void **state)
{
	assert_device(8, UNKNOWN, "too many");
	assert_device(10, UNKNOWN, "/nonexistent/image");
	assert_device(99, UNKNOWN, "not in /sys");
}

static void a_directory_in_ram_needs_no_encryption(void **state)
{
	char place[FACTS_WHY];

	if (access("/dev/shm", X_OK))
		skip();
	assert_int_equal(look_device("/dev/shm", place, sizeof(place)), YES);
	assert_non_null(strstr(place, "RAM"));
	assert_int_equal(look_device("/nonexistent", place, sizeof(place)), UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_encrypted_if_all_below_are),
		cmocka_unit_test(integrity_is_no_encryption),
		cmocka_unit_test(a_partition_is_what_its_disk_is),
		cmocka_unit_test(what_cannot_be_followed_is_unknown),
		cmocka_unit_test(a_directory_in_ram_needs_no_encryption),
	};

	return cmocka_run_group_tests_name("validate_device", tests, setup, teardown);
}
