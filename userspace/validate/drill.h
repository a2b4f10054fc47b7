/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drill.h - harmless attacks on a decoy, to see whether a monitor on this host reports each of them, and how soon. The decoy is the
 * server's own executable with scratch data on loopback; the server itself is left alone.
 */
#ifndef CACHEWARDEN_DRILL_H
#define CACHEWARDEN_DRILL_H

#include "validate/facts.h"

#define DRILL_MOST_MS 1000ll /* an alert must come within that time */
#define DRILL_WAIT_MS 3000   /* one is waited for */

/* Run all drills and fill in f->drill. */
void drill(struct facts *f);

#endif
