/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * self.h - what the files of the suite `self` share: a server, the monitor, and the tests outside self.c.
 */
#ifndef LIVE_SELF_H
#define LIVE_SELF_H

#include "harness.h"

extern struct server *self_server;
extern struct monitor *self_mon;

/* ---- other monitors, and what passes for one ---- */

void self_another_monitor(const void *arg);
void self_learns_flags(const void *arg);
void self_runs_with_other_code(const void *arg);
void self_impostor(const void *arg);
void self_copy(const void *arg);
void self_with_other_code(const void *arg);
void self_other_verb(const void *arg);

#endif
