/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * interrupt.h - SIGINT, SIGTERM and SIGHUP while there is something to clean up: they are held back, asked for, and taken once. Who
 * holds them back stops at the next step and says so in the report, which is written all the same.
 */
#ifndef CACHEWARDEN_INTERRUPT_H
#define CACHEWARDEN_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/* Hold them back from now on. before: for interrupt_release(). */
void interrupt_hold(sigset_t *before);

/* Has one come? */
bool interrupt_came(void);

/* Take what has come, and let later ones act again. Returns the name of the signal, NULL if none came. */
const char *interrupt_release(const sigset_t *before);

#endif
