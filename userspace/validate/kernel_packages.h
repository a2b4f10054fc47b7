/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_packages.h - the kernels that a Debian host has installed (dpkg) and could install (apt), by the files of these two, which
 * are root's. Neither is run.
 */
#ifndef CACHEWARDEN_KERNEL_PACKAGES_H
#define CACHEWARDEN_KERNEL_PACKAGES_H

#include <stdbool.h>
#include <stdint.h>

#define KERNEL_VERSION 64
#define KERNEL_BUILT 16

#define KERNEL_DPKG_STATUS "/var/lib/dpkg/status"
#define KERNEL_APT_LISTS "/var/lib/apt/lists"

struct kernel_package {
	char release[KERNEL_VERSION]; /* "6.1.0-32-amd64" */
	char version[KERNEL_VERSION]; /* of the package, "6.1.129-1"; empty: there is none */
};

/* What follows the version in a release: "amd64", "cloud-amd64", "generic". Empty if nothing does. */
const char *kernel_flavour(const char *release);

/* The package's version and the date of build that Debian's kernels say in uname -v; empty if it does not. */
void kernel_of_build(const char *uname_v, char version[KERNEL_VERSION], char built[KERNEL_BUILT]);

/*
 * The newest kernel of that flavour in a file of packages, plain or of gzip, if it is newer than *ret. installed: only what dpkg has
 * installed. Returns 0 or a negative errno.
 */
int kernel_packages_read(const char *path, const char *flavour, bool installed,
			 struct kernel_package *ret);

/* The same of one release. */
int kernel_packages_find(const char *path, const char *release, struct kernel_package *ret);

/*
 * The installed package that brings the running kernel's successors, without "linux-image-": "amd64", "generic", "generic-hwe-22.04". It is the
 * one that depends on that release, else on one of its series (6.8) and flavour, else on the newest of its flavour. Empty if there
 * is none. Returns 0 or a negative errno.
 */
int kernel_meta_find(const char *path, const char *release, char meta[KERNEL_VERSION]);

/* What to look for in apt's lists. */
struct kernel_wanted {
	const char *release; /* that runs: its flavour, and its series if there is no meta */
	const char *meta;    /* by kernel_meta_find() */
	bool backports;	     /* it is from backports: these are looked at, too */
};

struct kernel_lists {
	struct kernel_package newest;
	unsigned int lists; /* that were read */
	bool unread;	    /* one is compressed in a way that is not read here */
	int64_t changed_s; /* date of the newest list, seconds since the epoch: apt gives them the server's time */
};

/*
 * All lists of apt's directory. Of archives that nothing is installed from unasked (NotAutomatic: backports, experimental) only the
 * kernels of backports, and these only for a kernel that is one of them.
 */
void kernel_lists_read(struct kernel_lists *l, const char *dir, const struct kernel_wanted *w);

#endif
