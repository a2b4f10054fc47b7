/* SPDX-License-Identifier: BSD-2-Clause */
/* file_probe.h - one file of an instance on disk: its first bytes, its identity, and its name after a rename. */
#ifndef CACHEWARDEN_FILE_PROBE_H
#define CACHEWARDEN_FILE_PROBE_H

#include "model/file_kind.h"
#include "model/instance.h"

#include <sys/types.h>

#define FILE_PROBE_PATH (PATH_LEN + 64)

struct file {
	struct file_key key;
	uint32_t instance;
	uint32_t kind;
	bool written;
	bool unsure; /* nothing was in it yet */
	bool placed; /* dev and ino are as stat tells them */
	dev_t dev;
	ino_t ino;
	char *path; /* as the instance sees it, when last found */
	struct file_handle
		*handle; /* finds it wherever it was moved to; NULL where there are none */
};

/* An instance's path as the monitor reaches it. */
void file_probe_path(char buf[FILE_PROBE_PATH], const struct instance *in, const char *path);

/* First bytes into head, and where stat says it is. Returns their number, 0 where it cannot be read. */
size_t file_probe_read(char head[FILE_KIND_HEAD], const char *where, struct file *ret);

/* May others than owner and group read it? A directory they may not enter keeps them out. */
bool file_probe_exposed(const struct instance *in, const char *path);

/* It was renamed: dumps are written under another name, an AOF in another directory. */
bool file_probe_rename(const struct instance *in, struct file *file);

bool file_probe_exists(const struct instance *in, struct file *file);
void file_probe_release(struct file *file);

#endif
