/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoy_exe.h - what a decoy executes, and as whom: the file that the server executes, held by a descriptor from before it is judged until it
 * is executed, so that nobody can put another one in its place.
 */
#ifndef CACHEWARDEN_DECOY_EXE_H
#define CACHEWARDEN_DECOY_EXE_H

#include "validate/decoy_type.h"

#include <limits.h>

struct decoy_exe {
	int fd;		     /* O_PATH; -1: none */
	char path[PATH_MAX]; /* for messages */
	char name[64];	     /* that it is called by, which is how monitors know servers */
};

/*
 * Hold the executable of that server, and choose d->uid and d->gid. Returns false with the reason in
 * why; close it in all cases.
 */
bool decoy_exe_open(struct decoy_exe *e, struct decoy *d, const struct decoy_like *like, char *why,
		    size_t size);
void decoy_exe_close(struct decoy_exe *e);

#endif
