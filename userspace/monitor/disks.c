// SPDX-License-Identifier: BSD-2-Clause
/* disks.c - see disks.h. */
#include "monitor/disks.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MINOR_BITS 20 /* of a device number within the kernel */
#define LEVELS 8      /* devices upon devices */

#define CLASS_DIR "/sys/class/block"

struct closure {
	uint32_t all[DISKS_MAX];
	size_t count;
	uint64_t unknown;
};

static uint32_t device(unsigned int major, unsigned int minor)
{
	return major << MINOR_BITS | minor;
}

static bool has(const uint32_t *all, size_t count, uint32_t dev)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i] == dev)
			return true;
	}
	return false;
}

/* The first line of a file in a directory of sysfs. */
static bool read_line(const char *dir, const char *name, char *line, int size)
{
	char path[PATH_MAX];
	bool got;
	FILE *f;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return false;
	f = fopen(path, "re");
	got = f && fgets(line, size, f);
	if (f)
		fclose(f);
	return got;
}

static uint32_t read_device(const char *dir)
{
	unsigned int major, minor;
	char line[32];

	return read_line(dir, "dev", line, sizeof(line)) &&
			       sscanf(line, "%u:%u", &major, &minor) == 2
		       ? device(major, minor)
		       : 0;
}

static void add(struct closure *c, uint32_t dev, int level);

static void add_dir(struct closure *c, const char *dir, int level)
{
	uint32_t dev = read_device(dir);

	if (dev)
		add(c, dev, level);
}

/* What the device is made of. */
static void add_lower(struct closure *c, const char *dir, int level)
{
	char path[PATH_MAX], uuid[64];
	struct dirent *e;
	DIR *slaves;

	if (read_line(dir, "dm/uuid", uuid, sizeof(uuid)) && !strncmp(uuid, "CRYPT-", 6))
		return;
	if ((size_t)snprintf(path, sizeof(path), "%s/slaves", dir) >= sizeof(path))
		return;
	slaves = opendir(path);
	while (slaves && (e = readdir(slaves))) {
		if (e->d_name[0] != '.' && (size_t)snprintf(path, sizeof(path), "%s/slaves/%s", dir,
							    e->d_name) < sizeof(path))
			add_dir(c, path, level);
	}
	if (slaves)
		closedir(slaves);
}

static void add(struct closure *c, uint32_t dev, int level)
{
	char path[64], dir[PATH_MAX], line[16];

	if (has(c->all, c->count, dev))
		return;
	if (level == LEVELS || c->count == DISKS_MAX) {
		c->unknown++;
		return;
	}
	c->all[c->count++] = dev;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", dev >> MINOR_BITS,
		 dev & ((1u << MINOR_BITS) - 1));
	if (!realpath(path, dir))
		return;
	add_lower(c, dir, level + 1);
	if (read_line(dir, "partition", line, sizeof(line))) {
		*strrchr(dir, '/') = '\0';
		add_dir(c, dir, level + 1);
	}
}

/* Its name below /dev/mapper is only an attribute in sysfs. */
static uint32_t mapped_device(const char *name)
{
	DIR *all = opendir(CLASS_DIR);
	char path[PATH_MAX], line[128];
	struct dirent *e;
	uint32_t found = 0;

	while (!found && all && (e = readdir(all))) {
		if (strncmp(e->d_name, "dm-", 3))
			continue;
		snprintf(path, sizeof(path), CLASS_DIR "/%s", e->d_name);
		if (!read_line(path, "dm/name", line, sizeof(line)))
			continue;
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, name) ? 0 : read_device(path);
	}
	if (all)
		closedir(all);
	return found;
}

uint32_t disks_device_named(const char *source)
{
	const char *name = strrchr(source, '/');
	char path[PATH_MAX];
	struct stat st;
	uint32_t dev;

	if (!stat(source, &st) && S_ISBLK(st.st_mode))
		return device(major(st.st_rdev), minor(st.st_rdev));
	if (!name || !name[1])
		return 0;
	snprintf(path, sizeof(path), CLASS_DIR "/%s", name + 1);
	dev = read_device(path);
	return dev ?: mapped_device(name + 1);
}

/*
 * btrfs and others have a number of their own for each file system: the device is what was mounted. Sets *unknown if that is
 * one, and cannot be found.
 */
static uint32_t mounted_device(uint32_t system, bool *unknown)
{
	unsigned int major, minor;
	char *line = NULL, *after, source[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	uint32_t found = 0;
	size_t room = 0;

	while (!found && f && getline(&line, &room, f) > 0) {
		if (sscanf(line, "%*u %*u %u:%u", &major, &minor) != 2 ||
		    device(major, minor) != system)
			continue;
		after = strstr(line, " - ");
		if (!after || sscanf(after, " - %*s %4095s", source) != 1 ||
		    strncmp(source, "/dev/", 5))
			continue; /* tmpfs, overlay, a network: no device of this host */
		found = disks_device_named(source);
		*unknown = !found;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static void find_disks(struct closure *c, const uint32_t *systems, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool unknown = false;
		uint32_t dev = systems[i] >> MINOR_BITS ? systems[i]
							: mounted_device(systems[i], &unknown);

		c->unknown += unknown;
		if (dev)
			add(c, dev, 0);
	}
}

void disks_update(struct disks *d, struct sensors *s, const uint32_t *systems, size_t count,
		  size_t beyond)
{
	struct closure c = {.unknown = beyond};

	if (count == d->system_count && !memcmp(systems, d->systems, count * sizeof(*systems)) &&
	    beyond <= d->unknown)
		return;
	find_disks(&c, systems, count);
	for (size_t i = 0; i < d->count; i++) {
		if (!has(c.all, c.count, d->all[i]))
			sensors_disk_forget(s, d->all[i]);
	}
	for (size_t i = 0; i < c.count; i++)
		sensors_disk_set(s, c.all[i]);
	memcpy(d->all, c.all, c.count * sizeof(*c.all));
	d->count = c.count;
	memcpy(d->systems, systems, count * sizeof(*systems));
	d->system_count = count;
	if (c.unknown > d->unknown)
		d->unknown = c.unknown;
}
