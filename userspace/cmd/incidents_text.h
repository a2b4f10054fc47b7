/* SPDX-License-Identifier: BSD-2-Clause */
/* incidents_text.h - the monitor's incidents as `cachewarden incidents` prints them. Pure. */
#ifndef CACHEWARDEN_INCIDENTS_TEXT_H
#define CACHEWARDEN_INCIDENTS_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* Names are chosen by others: what is not printable is escaped. */
void incidents_text(const json_t *incidents, FILE *to);

#endif
