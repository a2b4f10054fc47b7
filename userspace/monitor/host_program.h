/* SPDX-License-Identifier: BSD-2-Clause */
/* host_program.h - is the executable of an actor the one that this host has at that path? */
#ifndef CACHEWARDEN_HOST_PROGRAM_H
#define CACHEWARDEN_HOST_PROGRAM_H

#include "event.h"

#include <stdbool.h>

/*
 * path is the executable's in the actor's own mount namespace. True if the file at that path in the mount namespace of the
 * monitor or of pid 1 is the same one, belongs to root and can be written by nobody else, so that an actor cannot bring
 * its own.
 */
bool host_program_is(const char *path, const struct process_info *actor);

#endif
