/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * periodic.h - the statements that are entries of the log: each about the time since the one before, which it names. The writer calls
 * them (evidence/writer.h) and signs with the epoch key in force, so that whoever has the host later can sign none of an earlier time.
 */
#ifndef CACHEWARDEN_PERIODIC_H
#define CACHEWARDEN_PERIODIC_H

#include "evidence/writer.h"

#define PERIODIC_TEXT_MAX                                                                          \
	22000 /* bytes of a statement; in base64 and signed it fits into an entry */

struct periodic;

/* Returns NULL if memory ran out. Free it after the writer has ended. */
struct periodic *periodic_new(void);
void periodic_free(struct periodic *p);

const struct writer_statements *periodic_hooks(const struct periodic *p);

#endif
