/* SPDX-License-Identifier: BSD-2-Clause */
/* status_text.h - a monitor's answer to `cachewarden status` as text of at most 80 columns. */
#ifndef CACHEWARDEN_STATUS_TEXT_H
#define CACHEWARDEN_STATUS_TEXT_H

#include <jansson.h>
#include <stdio.h>

#define STATUS_COLUMNS 80

/* Members that are missing or have another type are shown as empty or 0: the monitor may be of another version. */
void status_text(const json_t *status, FILE *to);

#endif
