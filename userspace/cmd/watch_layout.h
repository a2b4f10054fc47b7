/* SPDX-License-Identifier: BSD-2-Clause */
/* watch_layout.h - draws what `cachewarden watch` knows. Pure: the picture hangs on its arguments alone. */
#ifndef CACHEWARDEN_WATCH_LAYOUT_H
#define CACHEWARDEN_WATCH_LAYOUT_H

#include "cmd/picture.h"
#include "cmd/watch.h"

#include <stdint.h>

/* Of a smaller terminal there is no picture, but a word about it. */
#define WATCH_ROWS_MIN 17
#define WATCH_COLUMNS_MIN 40

/*
 * Fill a blank picture. now_ms: epoch milliseconds. once: there is nobody who scrolls, so that no line speaks of keys. Notes in w how much
 * of its lists there is and fits.
 */
void watch_layout(struct watch *w, int64_t now_ms, bool once, struct picture *f);

/* How many rows show all of it. */
int watch_layout_rows(const struct watch *w);

#endif
