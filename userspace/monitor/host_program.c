// SPDX-License-Identifier: BSD-2-Clause
/*
 * host_program.c - see host_program.h. Events have the device number of the file's super block. On btrfs and overlayfs
 * stat() gives another one, so the number is looked up by the file's mount.
 */
#include "monitor/host_program.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MINOR_BITS 20 /* of a device number within the kernel */

/* A mount as a process sees it, "self" or "1". 0 if it is not found. */
static uint32_t device_of_mount(const char *process, uint64_t mount)
{
	static uint64_t last_mount;
	static uint32_t last_device;
	unsigned int major, minor;
	char path[32], *line = NULL;
	size_t room = 0;
	uint64_t id;
	FILE *f;

	if (mount == last_mount) /* ids are unique on the host */
		return last_device;
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", process);
	f = fopen(path, "re");
	while (f && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%" SCNu64 " %*u %u:%u", &id, &major, &minor) != 3 || id != mount)
			continue;
		last_mount = mount;
		last_device = major << MINOR_BITS | minor;
	}
	free(line);
	if (f)
		fclose(f);
	return mount == last_mount ? last_device : 0;
}

static bool is_program_of(const char *process, const char *path, const struct process_info *actor)
{
	char where[PATH_LEN + 32];
	struct statx st;

	snprintf(where, sizeof(where), "/proc/%s/root%s", process, path);
	return !statx(AT_FDCWD, where, 0, STATX_BASIC_STATS | STATX_MNT_ID, &st) &&
	       st.stx_mask & STATX_MNT_ID && S_ISREG(st.stx_mode) && !st.stx_uid &&
	       !(st.stx_mode & (S_IWGRP | S_IWOTH)) && st.stx_ino == actor->exe_ino &&
	       actor->exe_dev && device_of_mount(process, st.stx_mnt_id) == actor->exe_dev;
}

bool host_program_is(const char *path, const struct process_info *actor)
{
	return is_program_of("self", path, actor) || is_program_of("1", path, actor);
}
