// SPDX-License-Identifier: BSD-2-Clause
/* look_device.c - whether what lies in a directory is encrypted at rest: fscrypt, or dm-crypt somewhere below, by sysfs. */
#include "validate/look.h"

#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BLOCK "/sys/dev/block"
#define DEPTH_MAX 16 /* of devices and file systems above one another */

/* A walk down to the last device. */
struct walk {
	const char *block; /* /sys/dev/block */
	char *place;
	size_t size;
	int depth;
};

static enum known is_encrypted(struct walk *w, const char *path);

__attribute__((format(printf, 3, 4))) static enum known answer(struct walk *w, enum known known,
							       const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->place, w->size, fmt, args);
	va_end(args);
	return known;
}

/* The first line of an attribute of a block device. Returns false if it has none. */
static bool attribute(const struct walk *w, dev_t dev, const char *name, char *buf, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%.200s/%u:%u/%s", w->block, major(dev), minor(dev), name);
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

/* "dm-0". Returns false if sysfs does not know the device. */
static bool name_of(const struct walk *w, dev_t dev, char *buf, size_t size)
{
	char path[512], to[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%.200s/%u:%u", w->block, major(dev), minor(dev));
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	snprintf(buf, size, "%.100s", strrchr(to, '/') ? strrchr(to, '/') + 1 : to);
	return n > 0;
}

static enum known all_below(struct walk *w, dev_t dev, const char *name);

static enum known is_device_encrypted(struct walk *w, dev_t dev)
{
	char text[512], name[128];
	dev_t disk;

	if (!name_of(w, dev, name, sizeof(name)))
		return answer(w, UNKNOWN, "device %u:%u is not in /sys", major(dev), minor(dev));
	if (w->depth++ > DEPTH_MAX)
		return answer(w, UNKNOWN, "%s: too many devices above one another", name);
	if (attribute(w, dev, "dm/uuid", text, sizeof(text)) && proc_dm_encrypts(text))
		return answer(w, YES, "dm-crypt (%s)", name);
	if (attribute(w, dev, "partition", text, sizeof(text)) &&
	    attribute(w, dev, "../dev", text, sizeof(text)) && parse_dev(text, &disk))
		return is_device_encrypted(w, disk);
	if (attribute(w, dev, "loop/backing_file", text, sizeof(text)))
		return is_encrypted(w, text);
	return all_below(w, dev, name);
}

/* Every device below must be encrypted: of a mirror, or of a volume group. */
static enum known all_below(struct walk *w, dev_t dev, const char *name)
{
	char path[512], text[64];
	enum known all = YES, one;
	int depth = w->depth;
	size_t below = 0;
	struct dirent *d;
	dev_t other;
	DIR *dir;

	snprintf(path, sizeof(path), "%.200s/%u:%u/slaves", w->block, major(dev), minor(dev));
	dir = opendir(path);
	while (dir && all == YES && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "slaves/%.255s/dev", d->d_name);
		if (d->d_name[0] == '.' || !attribute(w, dev, path, text, sizeof(text)) ||
		    !parse_dev(text, &other))
			continue;
		below++;
		w->depth = depth;
		one = is_device_encrypted(w, other);
		all = one == YES ? all : one;
	}
	if (dir)
		closedir(dir);
	return below ? all : answer(w, NO, "on %s, without dm-crypt below it", name);
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

/* How many devices a btrfs has, by the name of one; 0 if that is not known. */
static size_t btrfs_devices(const char *name)
{
	glob_t found = {};
	char pattern[256];
	size_t devices = 0;
	char *slash;

	snprintf(pattern, sizeof(pattern), "/sys/fs/btrfs/*/devices/%.128s", name);
	if (!glob(pattern, GLOB_NOSORT, NULL, &found) && found.gl_pathc == 1) {
		slash = strrchr(found.gl_pathv[0], '/');
		snprintf(pattern, sizeof(pattern), "%.*s/*", (int)(slash - found.gl_pathv[0]),
			 found.gl_pathv[0]);
		globfree(&found);
		found = (glob_t){};
		if (!glob(pattern, GLOB_NOSORT, NULL, &found))
			devices = found.gl_pathc;
	}
	globfree(&found);
	return devices;
}

/* A file system without a device number of its own: the mount tells more. */
static enum known is_mount_encrypted(struct walk *w, dev_t dev)
{
	struct mount m = {};
	char upper[1024], name[128];
	struct stat st;

	if (!find_mount(dev, &m))
		return answer(w, UNKNOWN, "the mount is not in this mount namespace");
	if (upper_layer(&m, upper, sizeof(upper)))
		return is_encrypted(w, upper);
	if (m.source[0] != '/' || stat(m.source, &st) || !S_ISBLK(st.st_mode))
		return answer(w, UNKNOWN, "on %s, which does not say what is below it", m.type);
	if (!strcmp(m.type, "btrfs") &&
	    (!name_of(w, st.st_rdev, name, sizeof(name)) || btrfs_devices(name) != 1))
		return answer(w, UNKNOWN, "on btrfs, of which %.200s may not be the only device",
			      m.source);
	return is_device_encrypted(w, st.st_rdev);
}

static enum known is_encrypted(struct walk *w, const char *path)
{
	struct statfs fs;
	struct statx sx;
	struct stat st;

	if (w->depth++ > DEPTH_MAX)
		return answer(w, UNKNOWN, "%.180s: too many layers", path);
	if (stat(path, &st) || statfs(path, &fs))
		return answer(w, UNKNOWN, "%.100s: %s", path, look_text(errno));
	if (!statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &sx) &&
	    sx.stx_attributes & STATX_ATTR_ENCRYPTED)
		return answer(w, YES, "fscrypt");
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return answer(w, YES, "in RAM (tmpfs)");
	if (!major(st.st_dev))
		return is_mount_encrypted(w, st.st_dev);
	return is_device_encrypted(w, st.st_dev);
}

enum known look_device(const char *path, char *place, size_t size)
{
	struct walk w = {BLOCK, place, size, 0};

	return is_encrypted(&w, path);
}

enum known look_block_device(const char *block, dev_t dev, char *place, size_t size)
{
	struct walk w = {block, place, size, 0};

	return is_device_encrypted(&w, dev);
}
