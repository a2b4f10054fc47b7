/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.h - harmless attacks, to see whether a monitor on this host reports each of them, and how soon. Mostly on a decoy: the server's
 * own executable with scratch data on loopback. Those that are harmless to any server may be made on the server itself.
 */
#ifndef CACHEWARDEN_DRILL_H
#define CACHEWARDEN_DRILL_H

#include "validate/facts.h"

#define DRILL_MOST_MS 1000ll /* an alert must come within that time */
#define DRILL_WAIT_MS 3000   /* one is waited for */

/* Run all drills and fill in f->drill. live: on f's server, and only those that do not stop it, change it or read its data. */
void drill(struct facts *f, bool live);

/* The drill of a rule; DRILL_MAX: it has none. */
enum drill_id drill_find(unsigned int rule);

/* Why a rule has no drill, empty if nobody says; NULL: it has one. */
const char *drill_missing(unsigned int rule);

/* Why a drill is not made on a server that serves; NULL: it is harmless. */
const char *drill_not_live(enum drill_id id);

#endif
