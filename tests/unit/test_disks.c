/* SPDX-License-Identifier: BSD-2-Clause */
/* test_disks.c - which block device a file system is on, by the name that it was mounted by. */
#include "unit.h"

#include "monitor/disks.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define MINOR_BITS 20

/* Any block device of this host. Returns its number, 0 if there is none. */
static uint32_t any_device(char *name, size_t size)
{
	DIR *all = opendir("/sys/class/block");
	unsigned int major = 0, minor = 0;
	struct dirent *e;
	char path[512];

	while (all && !major && (e = readdir(all))) {
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/block/%s/dev", e->d_name);
		f = fopen(path, "re");
		if (f && fscanf(f, "%u:%u", &major, &minor) == 2)
			snprintf(name, size, "%s", e->d_name);
		if (f)
			fclose(f);
	}
	if (all)
		closedir(all);
	return major << MINOR_BITS | minor;
}

/* The directory is not there, so no node can be: as in a unit with PrivateDevices. */
static void device_without_a_node_is_found_by_its_name(void **state)
{
	char name[300], source[600];
	uint32_t dev = any_device(name, sizeof(name));

	if (!dev)
		skip();
	snprintf(source, sizeof(source), "/dev/nowhere/%s", name);
	assert_int_equal(disks_device_named(source), dev);
}

static void what_is_no_device_is_not_found(void **state)
{
	assert_int_equal(disks_device_named("/dev/nowhere/no-such-device"), 0);
	assert_int_equal(disks_device_named("/dev/null"), 0);
	assert_int_equal(disks_device_named("/dev/mapper/"), 0);
	assert_int_equal(disks_device_named("tmpfs"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_without_a_node_is_found_by_its_name),
		cmocka_unit_test(what_is_no_device_is_not_found),
	};

	return cmocka_run_group_tests_name("disks", tests, NULL, NULL);
}
