/* SPDX-License-Identifier: BSD-2-Clause */
/* file_probe.h - identify and read one file of an instance on disk, and find it again after a rename. */
#ifndef CACHEWARDEN_FILE_PROBE_H
#define CACHEWARDEN_FILE_PROBE_H

#include "model/file_kind.h"
#include "model/instance.h"

#include <sys/types.h>

#define FILE_PROBE_PATH (PATH_LEN + 64)

struct file {
	struct file_key key;
	uint32_t instance;
	uint32_t account; /* the user that answers for the instance */
	uint32_t kind;
	bool written;
	bool below; /* the inode in the layer below an overlay; the overlay's own has an entry, too */
	bool undecided;	 /* empty when read, and its name does not say what it is */
	bool identified; /* dev and ino come from stat */
	dev_t dev;
	ino_t ino;
	char *path;		    /* in the instance's mount namespace, when last found */
	struct file_handle *handle; /* finds it after any rename; NULL if unsupported */
	struct code *code; /* FILE_CODE: what is compared; NULL if it could not be opened */
	uint32_t changes;  /* of the code that were reported */
	bool unprotected;  /* the BPF programs could not be told of it */
	bool evaluated;	   /* FILE_CODE: who may change it was checked */
	bool replaced;	   /* its path leads elsewhere */
};

/* The path by which the monitor opens an instance's path: through /proc/PID/root in another mount namespace. */
void file_probe_path(char buf[FILE_PROBE_PATH], const struct instance *in, const char *path);

/*
 * Do the paths of file_probe_path() still lead into the server's root? Not once its main thread has ended: then a failed
 * open says nothing about the file.
 */
bool file_probe_reachable(const struct instance *in);

/*
 * Read the first bytes of a regular file into head, and its device, inode and handle into ret. where: as
 * file_probe_path() wrote it. Returns the number of bytes, 0 if the file cannot be read.
 */
size_t file_probe_read(char head[FILE_KIND_HEAD], const char *where, struct file *ret);

/* True if "others" may read the file and search every directory above it. */
bool file_probe_exposed(const struct instance *in, const char *path);

/*
 * What lets users other than root change the code in this file, or put another file in its place: FINDING_CODE_OWNER,
 * FINDING_CODE_MODE, FINDING_CODE_PLACE, or 0. Root of the instance's user namespace counts as root. ev: EVENT_FILE.
 */
unsigned int file_probe_untrusted(const struct instance *in, const char *path,
				  const struct event_file *ev);

/*
 * Look for a renamed file in its directory and one level below, and update its path. Servers write a dump under a
 * temporary name, and an AOF in a subdirectory. Returns false if it is not found.
 */
bool file_probe_find_renamed(const struct instance *in, struct file *file);

/* True if the file still exists under any name. Updates the path as file_probe_find_renamed() does. */
bool file_probe_exists(const struct instance *in, struct file *file);

/*
 * Write to ret another name of the instance's executable by which it was started: its command name in the directory of the
 * executable, if that is the same file. Empty if there is none.
 */
void file_probe_started_as(const struct instance *in, char ret[PATH_LEN]);

/* Free path and handle, not the file itself. */
void file_probe_release(struct file *file);

#endif
