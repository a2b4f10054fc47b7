/* SPDX-License-Identifier: BSD-2-Clause */
/* actor_text.h - a process as text lines name it. */
#ifndef CACHEWARDEN_ACTOR_TEXT_H
#define CACHEWARDEN_ACTOR_TEXT_H

#include "base/textw.h"
#include "model/actor.h"

/* "gdb(4711) uid 0 /usr/bin/gdb "gdb -p 2163" in session-3.scope"; what is unknown is left out. */
void actor_text(struct textw *t, const struct actor *a);

/* " by gdb(4711)", the end of a title; nothing for NULL or a process without a known name. */
void actor_title(struct textw *t, const struct actor *a);

#endif
