// SPDX-License-Identifier: BSD-2-Clause
/* look_device.c - whether what lies in a directory is encrypted at rest: fscrypt, or dm-crypt somewhere below, by sysfs. */
#include "validate/look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEPTH_MAX 16 /* of devices and file systems above one another */

static enum known is_encrypted(const char *path, char *place, size_t size, int depth);

/* The first line of an attribute of a block device. Returns false if it has none. */
static bool attribute(dev_t dev, const char *name, char *buf, size_t size)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev), minor(dev), name);
	f = fopen(path, "re");
	buf[0] = '\0';
	if (f && !fgets(buf, (int)size, f))
		buf[0] = '\0';
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	return f;
}

static bool parse_dev(const char *text, dev_t *ret)
{
	unsigned int high, low;

	if (sscanf(text, "%u:%u", &high, &low) != 2)
		return false;
	*ret = makedev(high, low);
	return true;
}

static void name_of(dev_t dev, char *buf, size_t size)
{
	char path[64], to[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	if (n > 0)
		snprintf(buf, size, "%.100s", strrchr(to, '/') ? strrchr(to, '/') + 1 : to);
	else
		snprintf(buf, size, "%u:%u", major(dev), minor(dev));
}

/* Every device below must be encrypted: of a mirror, or of a volume group. */
static enum known all_below(dev_t dev, char *place, size_t size, int depth);

static enum known is_device_encrypted(dev_t dev, char *place, size_t size, int depth)
{
	char text[512], name[128];
	dev_t disk;

	name_of(dev, name, sizeof(name));
	if (depth > DEPTH_MAX) {
		snprintf(place, size, "%s: too many devices above one another", name);
		return UNKNOWN;
	}
	if (attribute(dev, "dm/uuid", text, sizeof(text)) && !strncmp(text, "CRYPT-", 6)) {
		snprintf(place, size, "dm-crypt (%s)", name);
		return YES;
	}
	if (attribute(dev, "partition", text, sizeof(text)) &&
	    attribute(dev, "../dev", text, sizeof(text)) && parse_dev(text, &disk))
		return is_device_encrypted(disk, place, size, depth + 1);
	if (attribute(dev, "loop/backing_file", text, sizeof(text)))
		return is_encrypted(text, place, size, depth + 1);
	return all_below(dev, place, size, depth);
}

static enum known all_below(dev_t dev, char *place, size_t size, int depth)
{
	char path[128], text[512], name[128];
	enum known all = YES, one;
	size_t below = 0;
	struct dirent *d;
	dev_t other;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major(dev), minor(dev));
	dir = opendir(path);
	while (dir && all == YES && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "slaves/%.100s/dev", d->d_name);
		if (!attribute(dev, path, text, sizeof(text)) || !parse_dev(text, &other))
			continue;
		below++;
		one = is_device_encrypted(other, place, size, depth + 1);
		all = one == YES ? all : one;
	}
	if (dir)
		closedir(dir);
	if (below)
		return all;
	name_of(dev, name, sizeof(name));
	snprintf(place, size, "on %s, without dm-crypt below it", name);
	return NO;
}

/* The mount that a path belongs to: its type, source and options, by the device number in mountinfo. */
struct mount {
	char type[64], source[512], options[2048];
};

static bool find_mount(dev_t dev, struct mount *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[8192];
	unsigned int high, low;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *rest = strstr(line, " - ");

		found = rest && sscanf(line, "%*s %*s %u:%u", &high, &low) == 2 &&
			makedev(high, low) == dev &&
			sscanf(rest, " - %63s %511s %2047s", ret->type, ret->source,
			       ret->options) == 3;
	}
	if (f)
		fclose(f);
	return found;
}

/* The layer that an overlay writes to. */
static bool upper_layer(const struct mount *m, char *buf, size_t size)
{
	const char *at = strstr(m->options, "upperdir=");

	if (strcmp(m->type, "overlay") != 0 || !at)
		return false;
	at += strlen("upperdir=");
	snprintf(buf, size, "%.*s", (int)strcspn(at, ","), at);
	return true;
}

/* A file system without a device number of its own: the mount tells more. */
static enum known is_mount_encrypted(dev_t dev, char *place, size_t size, int depth)
{
	struct mount m = {};
	char upper[1024];
	struct stat st;

	if (!find_mount(dev, &m)) {
		snprintf(place, size, "the mount is not in this mount namespace");
		return UNKNOWN;
	}
	if (upper_layer(&m, upper, sizeof(upper)))
		return is_encrypted(upper, place, size, depth + 1);
	/* btrfs and others with several devices: the mounted one stands for all */
	if (m.source[0] == '/' && !stat(m.source, &st) && S_ISBLK(st.st_mode))
		return is_device_encrypted(st.st_rdev, place, size, depth + 1);
	snprintf(place, size, "on %s, which does not say what is below it", m.type);
	return UNKNOWN;
}

static enum known is_encrypted(const char *path, char *place, size_t size, int depth)
{
	struct statfs fs;
	struct statx sx;
	struct stat st;

	if (depth > DEPTH_MAX || stat(path, &st) || statfs(path, &fs)) {
		snprintf(place, size, "%.180s: %s", path,
			 depth > DEPTH_MAX ? "too many layers" : strerror(errno));
		return UNKNOWN;
	}
	if (!statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &sx) &&
	    sx.stx_attributes & STATX_ATTR_ENCRYPTED) {
		snprintf(place, size, "fscrypt");
		return YES;
	}
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) {
		snprintf(place, size, "in RAM (tmpfs)");
		return YES;
	}
	if (!major(st.st_dev))
		return is_mount_encrypted(st.st_dev, place, size, depth);
	return is_device_encrypted(st.st_dev, place, size, depth);
}

enum known look_device(const char *path, char *place, size_t size)
{
	return is_encrypted(path, place, size, 0);
}
