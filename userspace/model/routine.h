/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routine.h - attempts that ordinary tools make on every host and that reveal little about a server: processes are listed,
 * memory use is summed up. They are observed unless a policy decides otherwise. Pure.
 */
#ifndef CACHEWARDEN_ROUTINE_H
#define CACHEWARDEN_ROUTINE_H

#include "event.h"

#include <stdbool.h>

enum routine {
	ROUTINE_NOT,
	ROUTINE_LISTING, /* if the actor's executable is the program that this host has at that path */
	ROUTINE_TOTALS, /* whoever the actor is: numbers about the whole process */
};

enum routine routine_of(const struct event *ev);

/*
 * Is this a process lister (ps, lsof, ...) that reads what it lists? By its path alone, which an actor can forge in a mount
 * namespace of its own.
 */
bool routine_lists(const struct event *ev);

#endif
