/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dpkg.h - which Debian package a file of this host is from, by dpkg's database as files: nothing is run. The database is the
 * host's: who is root can change it.
 */
#ifndef CACHEWARDEN_DPKG_H
#define CACHEWARDEN_DPKG_H

#include <stdbool.h>
#include <stddef.h>

#define DPKG_DIR "/var/lib/dpkg"
#define DPKG_MD5_LEN 33

struct dpkg_package {
	char name[128], version[128], architecture[32];
	char md5[DPKG_MD5_LEN]; /* of the file as it was delivered; empty: the package does not say */
};

/*
 * The package that lists the path. dir: DPKG_DIR. Returns 0; -ENOENT if none does; -ENODATA if there is no such database; or another
 * negative errno. Reads some ten MiB.
 */
int dpkg_find(const char *dir, const char *path, struct dpkg_package *ret);

/* --- the files' formats; texts need no NUL at the end --- */

/* Is the path a line of info/PACKAGE.list? */
bool dpkg_list_has(const char *text, size_t len, const char *path);

/* Version and architecture of an installed package in `status`. architecture "": any. */
bool dpkg_status(const char *text, size_t len, const char *name, const char *architecture,
		 struct dpkg_package *ret);

/* The digest of a path in info/PACKAGE.md5sums, where paths have no slash at the beginning. */
bool dpkg_md5sum(const char *text, size_t len, const char *path, char ret[DPKG_MD5_LEN]);

#endif
