/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * actor_file.h - the executable of an actor, pinned at its deed: digest, owner, package, and a copy of it where nothing else will be
 * left. Reads files that others chose, and may wait for them: not for the main loop.
 */
#ifndef CACHEWARDEN_ACTOR_FILE_H
#define CACHEWARDEN_ACTOR_FILE_H

#include "base/digest.h"
#include "base/dpkg.h"
#include "base/jsonw.h"

#include <stdbool.h>
#include <sys/stat.h>

#define PACKAGES_MAX 64 /* remembered */

/* What was found out about a file of this host: dpkg's database is some ten MiB. */
struct known_package {
	struct stat st;
	char *path; /* NULL: free */
	struct dpkg_package package;
	int err;
};

struct known_packages {
	struct known_package all[PACKAGES_MAX];
	unsigned int next;
};

void known_packages_free(struct known_packages *k);

/* Where copies are kept. */
struct keeping {
	const char *why_not; /* NULL: they are kept */
	int log;	     /* directory of the log */
	uint64_t most;	     /* bytes of all blobs */
	uint64_t used;
	uint64_t added;	       /* by this job */
	const bool *abandoned; /* nobody waits for the copy any more */
};

struct actor_file {
	int pinned;	  /* a descriptor (O_PATH), or a negative errno: why there is none */
	const char *path; /* as the kernel saw it, in the actor's mount namespace */
	uint64_t ino;	  /* the kernel's, at the deed */
	uint32_t dev;	  /* major << 20 | minor */
	const char *link; /* what /proc/PID/exe says, empty: unknown */
};

/* Member file. What is not known of it is null or missing, and the reason stands beside it. */
void actor_file_json(struct jsonw *j, const struct actor_file *f, const char *dpkg,
		     struct known_packages *known, struct keeping *keeping);

#endif
